/*
 * extract_oracle: holds extract_record against other programs' reading of the same bytes: jansson
 * for what is JSON, cJSON for the values, a regular expression for the secret keys; and its two
 * walks against each other. Used by the unit test on mutated records and by the fuzzer on anything.
 *
 * Where the oracles are known to differ, nothing is concluded: jansson refuses a surrogate without
 * its partner, numbers beyond a double (1e999) and keys with a NUL; cJSON ends texts at a NUL. Only
 * we stop at 1,000 levels.
 */
#ifndef TESTS_EXTRACT_ORACLE_H
#define TESTS_EXTRACT_ORACLE_H

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/utf8.h"
#include "data/escape.h"
#include "data/extract.h"
#include "data/redact.h"

#include <cjson/cJSON.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>

/* jansson has the same names for its kinds */
#define JSON_STRING JANSSON_STRING
#define JSON_TRUE JANSSON_TRUE
#define JSON_FALSE JANSSON_FALSE
#define JSON_NULL JANSSON_NULL
#define JSON_OBJECT JANSSON_OBJECT
#define JSON_ARRAY JANSSON_ARRAY
#include <jansson.h>
#undef JSON_STRING
#undef JSON_TRUE
#undef JSON_FALSE
#undef JSON_NULL
#undef JSON_OBJECT
#undef JSON_ARRAY

static const char *const oracle_paths[] = {
    "auditEntry",
    "auditEntry.time",
    "auditEntry.api.name",
    "auditEntry.api.statusCode",
    "requestHeader.Authorization",
    "a",
    "a.b",
    "a.b.c",
    "token",
    "token.a",
    "",
    "b",
};
static const char *const oracle_keys[] = {"auditEntry", "a", "serviceAccountName", ""};

enum {
    ORACLE_PATHS = sizeof oracle_paths / sizeof *oracle_paths,
    ORACLE_KEYS = sizeof oracle_keys / sizeof *oracle_keys,
};

#define ORACLE_SECRET                                                               \
    "^(proxy-)?authorization$|^(set-)?cookie$|^(x-amz-)?signature$|"                \
    "^x-amz-(security-token|credential)$|^x-amz-.*-customer-key$|password|^secret|" \
    "^client_secret$|token$"

/* One record, and what was made of it. */
struct oracle {
    struct extract *vector, *portable;
    struct extracted out, twin;
    enum status status;
    struct err err;
    struct buf record; /* UTF-8, with padding behind its length */
    struct buf shown;  /* the record with its edits applied */
    regex_t secret;
};

static void oracle_open(struct oracle *oracle)
{
    *oracle = (struct oracle){.record = {.max = 1 << 26}, .shown = {.max = 1 << 26}};
    oracle->vector = extract_new(oracle_paths, ORACLE_PATHS, oracle_keys, ORACLE_KEYS);
    oracle->portable = extract_new(oracle_paths, ORACLE_PATHS, oracle_keys, ORACLE_KEYS);
    if (regcomp(&oracle->secret, ORACLE_SECRET, REG_EXTENDED | REG_ICASE | REG_NOSUB) != 0) {
        abort();
    }
}

static void oracle_close(struct oracle *oracle)
{
    extract_free(oracle->vector);
    extract_free(oracle->portable);
    buf_finish(&oracle->record);
    buf_finish(&oracle->shown);
    regfree(&oracle->secret);
}

static bool oracle_has(struct slice text, const char *part)
{
    return memmem(text.at, text.len, part, strlen(part)) != NULL;
}

/* --- the twins --- */

static bool oracle_same_found(const struct found *a, const struct found *b)
{
    return a->kind == b->kind && a->escaped == b->escaped && a->redacted == b->redacted &&
           slice_equal(a->raw, b->raw);
}

static bool oracle_twins_agree(struct oracle *oracle, struct slice record)
{
    struct err err = {0};
    enum status status = extract_record_portable(oracle->portable, record, &oracle->twin, &err);
    if (status != oracle->status) {
        return false;
    }
    if (status != OK) {
        return strcmp(err.text, oracle->err.text) == 0;
    }
    const struct extracted *a = &oracle->out, *b = &oracle->twin;
    bool same = a->keys_seen == b->keys_seen && a->duplicate_keys == b->duplicate_keys &&
                a->n_edits == b->n_edits;
    for (size_t i = 0; same && i < ORACLE_PATHS; i++) {
        same = oracle_same_found(&a->slots[i], &b->slots[i]);
    }
    for (size_t i = 0; same && i < a->n_edits; i++) {
        same = a->edits[i].from == b->edits[i].from && a->edits[i].to == b->edits[i].to &&
               slice_equal(a->edits[i].with, b->edits[i].with);
    }
    return same;
}

/* --- acceptance --- */

/* \uDXXX with the fourth digit one of those; at is followed by at least five bytes. */
static bool oracle_is_unit(const char *at, const char *digits)
{
    return at[0] == '\\' && at[1] == 'u' && (at[2] | 0x20) == 'd' && at[3] && strchr(digits, at[3]);
}

/* An escaped surrogate without its partner; on broken JSON it may be mistaken. */
static bool oracle_odd_surrogates(struct slice text)
{
    for (size_t i = 0; i + 6 <= text.len; i++) {
        const char *at = text.at + i;
        if (*at != '\\') {
            continue;
        }
        if (oracle_is_unit(at, "89abAB") && i + 12 <= text.len &&
            oracle_is_unit(at + 6, "cdefCDEF")) {
            i += 11;
        } else if (oracle_is_unit(at, "89abcdefABCDEF")) {
            return true;
        } else {
            i++; /* what follows the backslash begins no other escape */
        }
    }
    return false;
}

static const char *oracle_acceptance(const struct oracle *oracle, struct slice record)
{
    json_error_t error;
    json_t *tree = json_loadb(record.at, record.len,
                              JSON_ALLOW_NUL | JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, &error);
    /* jansson overlooks a NUL right behind a number or a word; JSON never has one */
    bool object = tree && json_typeof(tree) == JANSSON_OBJECT && !memchr(record.at, 0, record.len);
    json_decref(tree);
    if (object == (oracle->status == OK)) {
        return NULL;
    }
    if (object) {
        return strstr(oracle->err.text, "1,000 levels") ? NULL : "refused what jansson takes";
    }
    enum json_error_code code = json_error_code(&error);
    bool known = !tree && (code == json_error_numeric_overflow ||
                           code == json_error_null_byte_in_key || oracle_odd_surrogates(record));
    return known ? NULL : "took what jansson refuses";
}

/* --- values --- */

static const cJSON *oracle_find(const cJSON *tree, const char *path)
{
    while (tree && path) {
        char key[100];
        const char *dot = strchr(path, '.');
        snprintf(key, sizeof key, "%.*s", (int)(dot ? (size_t)(dot - path) : strlen(path)), path);
        tree = cJSON_IsObject(tree) ? cJSON_GetObjectItemCaseSensitive(tree, key) : NULL;
        path = dot ? dot + 1 : NULL;
    }
    return tree;
}

static bool oracle_same_string(const struct found *found, const cJSON *value)
{
    CLEANUP(buf_finish) struct buf text = {.max = found->raw.len};
    json_unescape(&text, found->raw);
    return found->escaped == (memchr(found->raw.at, '\\', found->raw.len) != NULL) &&
           slice_is(buf_slice(&text), value->valuestring);
}

static bool oracle_same_number(const struct found *found, const cJSON *value)
{
    char text[400];
    if (found->raw.len >= sizeof text) {
        return true;
    }
    snprintf(text, sizeof text, "%.*s", SLICE_ARG(found->raw));
    return strtod(text, NULL) == value->valuedouble;
}

static bool oracle_same_value(const struct found *found, const cJSON *value)
{
    static const int types[] = {
        [JSON_STRING] = cJSON_String, [JSON_NUMBER] = cJSON_Number, [JSON_TRUE] = cJSON_True,
        [JSON_FALSE] = cJSON_False,   [JSON_NULL] = cJSON_NULL,     [JSON_OBJECT] = cJSON_Object,
        [JSON_ARRAY] = cJSON_Array,
    };
    if (!value || found->kind == JSON_ABSENT) {
        return !value && found->kind == JSON_ABSENT;
    }
    if (found->redacted) { /* what may be shown is looked at in the record as a whole */
        return true;
    }
    if (value->type != types[found->kind]) {
        return false;
    }
    if (found->kind == JSON_STRING) {
        return oracle_same_string(found, value);
    }
    if (found->kind == JSON_NUMBER) {
        return oracle_same_number(found, value);
    }
    cJSON *again = cJSON_ParseWithLength(found->raw.at, found->raw.len);
    /* duplicate keys make cJSON_Compare say no even to the same text */
    bool same = again && (again->type == value->type) &&
                cJSON_GetArraySize(again) == cJSON_GetArraySize(value);
    cJSON_Delete(again);
    return same;
}

static const char *oracle_values(const struct oracle *oracle, const cJSON *tree)
{
    for (size_t i = 0; i < ORACLE_PATHS; i++) {
        if (!oracle_same_value(&oracle->out.slots[i], oracle_find(tree, oracle_paths[i]))) {
            return "a value is not what cJSON finds";
        }
    }
    for (size_t i = 0; i < ORACLE_KEYS; i++) {
        bool there = cJSON_GetObjectItemCaseSensitive(tree, oracle_keys[i]) != NULL;
        if (there != (oracle->out.keys_seen >> i & 1)) {
            return "keys_seen is not what cJSON sees";
        }
    }
    return NULL;
}

/* --- what is hidden --- */

static bool oracle_open_secret(const struct oracle *oracle, const cJSON *value, int level);

/* JSON in a string; beyond the third level nothing that begins like it may be left. */
static bool oracle_open_in_string(const struct oracle *oracle, const char *text, int level)
{
    if (text[0] != '{' && text[0] != '[') {
        return false;
    }
    if (level == 3) {
        return true;
    }
    cJSON *tree = cJSON_ParseWithOpts(text, NULL, true);
    bool open = tree && oracle_open_secret(oracle, tree, level + 1);
    cJSON_Delete(tree);
    return open;
}

/* Whether a secret key has a value that can be seen. */
static bool oracle_open_secret(const struct oracle *oracle, const cJSON *value, int level)
{
    for (const cJSON *child = value->child; child; child = child->next) {
        bool secret = child->string && regexec(&oracle->secret, child->string, 0, NULL, 0) == 0;
        bool hidden = cJSON_IsNull(child) ||
                      (cJSON_IsString(child) && strcmp(child->valuestring, REDACTED_TEXT) == 0);
        if ((secret && !hidden) ||
            (cJSON_IsString(child) && oracle_open_in_string(oracle, child->valuestring, level)) ||
            oracle_open_secret(oracle, child, level)) {
            return true;
        }
    }
    return false;
}

/* Everything but hidden values and suspicious texts is as it was. */
static bool oracle_rest_unchanged(const struct oracle *oracle, const cJSON *was, const cJSON *is)
{
    const cJSON *a = was->child, *b = is->child;
    for (; a && b; a = a->next, b = b->next) {
        if ((a->string == NULL) != (b->string == NULL) ||
            (a->string && strcmp(a->string, b->string) != 0)) {
            return false;
        }
        if (a->string && regexec(&oracle->secret, a->string, 0, NULL, 0) == 0) {
            continue;
        }
        if (a->type != b->type || (cJSON_IsNumber(a) && a->valuedouble != b->valuedouble)) {
            return false;
        }
        if (cJSON_IsString(a) && !strchr("{[", a->valuestring[0]) && !strchr(a->valuestring, '?') &&
            strcmp(a->valuestring, b->valuestring) != 0) {
            return false;
        }
        if (!oracle_rest_unchanged(oracle, a, b)) {
            return false;
        }
    }
    return !a && !b;
}

static void oracle_pad(struct buf *text)
{
    memset(buf_room(text, EXTRACT_PADDING), '"', EXTRACT_PADDING);
}

static void oracle_apply(struct slice record, const struct extracted *out, struct buf *shown)
{
    size_t done = 0;
    buf_clear(shown);
    for (size_t i = 0; i < out->n_edits; i++) {
        buf_add(shown, slice_make(record.at + done, out->edits[i].from - done));
        buf_add(shown, out->edits[i].with);
        done = out->edits[i].to;
    }
    buf_add(shown, slice_make(record.at + done, record.len - done));
    oracle_pad(shown);
}

static const char *oracle_hidden(struct oracle *oracle, const cJSON *tree)
{
    struct slice shown = buf_slice(&oracle->shown);
    cJSON *again = cJSON_ParseWithLength(shown.at, shown.len);
    const char *wrong = NULL;
    if (!again) {
        wrong = "what is shown is not JSON";
    } else if (oracle_open_secret(oracle, again, 0)) {
        wrong = "a secret is shown";
    } else if (!oracle_rest_unchanged(oracle, tree, again)) {
        wrong = "something is changed that is not secret";
    }
    cJSON_Delete(again);
    return wrong;
}

static const char *oracle_idempotent(struct oracle *oracle)
{
    struct slice shown = buf_slice(&oracle->shown);
    CLEANUP(buf_finish) struct buf twice = {.max = oracle->shown.max};
    struct extracted out;
    if (extract_record(oracle->vector, shown, &out, &oracle->err) != OK) {
        return "what is shown is refused";
    }
    oracle_apply(shown, &out, &twice);
    return slice_equal(shown, buf_slice(&twice)) ? NULL : "hiding twice is not hiding once";
}

static const char *oracle_broken(struct slice record)
{
    CLEANUP(buf_finish) struct buf once = {.max = 1 << 26}, twice = {.max = 1 << 26};
    redact_bytes(record, SIZE_MAX, &once);
    redact_bytes(buf_slice(&once), SIZE_MAX, &twice);
    return slice_equal(buf_slice(&once), buf_slice(&twice)) ? NULL : "masking twice differs";
}

/* --- all of it --- */

/* NULL, or what is wrong with the record. */
static const char *oracle_check(struct oracle *oracle, struct slice bytes)
{
    buf_clear(&oracle->record);
    utf8_repair(bytes, &oracle->record);
    oracle_pad(&oracle->record);
    struct slice record = buf_slice(&oracle->record);
    oracle->err = (struct err){0};
    oracle->status = extract_record(oracle->vector, record, &oracle->out, &oracle->err);
    if (!oracle_twins_agree(oracle, record)) {
        return "the vector and the portable walk differ";
    }
    const char *wrong = oracle_acceptance(oracle, record);
    if (wrong || oracle->status != OK) {
        return wrong ? wrong : oracle_broken(record);
    }
    oracle_apply(record, &oracle->out, &oracle->shown);
    bool comparable = !oracle_has(record, "\\u0000") && !oracle_odd_surrogates(record);
    cJSON *tree = comparable ? cJSON_ParseWithLength(record.at, record.len) : NULL;
    if (tree) {
        wrong = oracle_values(oracle, tree);
        wrong = wrong ? wrong : oracle_hidden(oracle, tree);
    } else if (comparable) {
        wrong = "took what cJSON refuses";
    }
    cJSON_Delete(tree);
    return wrong ? wrong : oracle_idempotent(oracle);
}

#endif
