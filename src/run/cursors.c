/* cursors: see cursors.h. */
#include "run/cursors.h"

#include "base/memory.h"

#include <stdlib.h>

/* --- stems --- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool are_digits(const char *at, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!is_digit(at[i])) {
            return false;
        }
    }
    return true;
}

static int two_digits(const char *at)
{
    return (at[0] - '0') * 10 + (at[1] - '0');
}

static bool is_year(struct slice text)
{
    return (text.at[0] == '2' || text.at[0] == '1') && text.len >= 4 && are_digits(text.at, 4) &&
           (two_digits(text.at) == 19 || two_digits(text.at) == 20);
}

/* "2022-05-30", "2022_30_05" */
static bool is_parted_date(struct slice text)
{
    return text.len >= 10 && strchr("-_.", text.at[4]) && text.at[4] && text.at[7] == text.at[4] &&
           are_digits(text.at + 5, 2) && are_digits(text.at + 8, 2);
}

/* "20220530"; long numbers are common in names, so the month and the day are looked at. */
static bool is_compact_date(struct slice text)
{
    if (text.len < 8 || !are_digits(text.at + 4, 4)) {
        return false;
    }
    int month = two_digits(text.at + 4), day = two_digits(text.at + 6);
    return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

static bool is_date(struct slice text)
{
    return is_year(text) && (is_parted_date(text) || is_compact_date(text));
}

/* The last date of the key's name. Each begins with four digits, so a byte that is none says that
 * none begins within the four bytes up to it. */
bool key_stem(struct slice key, struct slice *stem)
{
    const char *slash = key.len ? memrchr(key.at, '/', key.len) : NULL;
    ptrdiff_t name = slash ? slash + 1 - key.at : 0;
    ptrdiff_t i = (ptrdiff_t)key.len - 4;
    while (i >= name) {
        if (!is_digit(key.at[i])) {
            i -= 4;
            continue;
        }
        if (is_date(slice_make(key.at + i, key.len - (size_t)i)) &&
            (i == 0 || !is_digit(key.at[i - 1]))) {
            *stem = slice_make(key.at, (size_t)i);
            return true;
        }
        i--;
    }
    return false;
}

/* --- cursors --- */

struct stem_state {
    struct slice stem;
    struct slice from; /* its cursor until now; "" = none */
    struct buf next;   /* its cursor from now on; "" = not known yet */
    bool lively;       /* .next stays where it is */
};

static struct stem_state *add_stem(struct cursors *cursors, struct slice stem, struct slice from)
{
    if (cursors->n == LEDGER_CURSORS_MAX) {
        return NULL;
    }
    if (!cursors->stems) {
        cursors->stems = memory_new(LEDGER_CURSORS_MAX * sizeof *cursors->stems);
    }
    struct stem_state *state = &cursors->stems[cursors->n++];
    *state = (struct stem_state){
        .stem = arena_slice(&cursors->texts, stem),
        .from = arena_slice(&cursors->texts, from),
        .next = {.max = OBJECT_KEY_MAX_BYTES},
    };
    return state;
}

/* Nearly always the stem of the key before. */
static struct stem_state *find_stem(struct cursors *cursors, struct slice stem)
{
    if (cursors->at < cursors->n && slice_equal(cursors->stems[cursors->at].stem, stem)) {
        return &cursors->stems[cursors->at];
    }
    for (size_t i = 0; i < cursors->n; i++) {
        if (slice_equal(cursors->stems[i].stem, stem)) {
            cursors->at = i;
            return &cursors->stems[i];
        }
    }
    return NULL;
}

static void set_key(struct buf *to, struct slice key)
{
    buf_clear(to);
    buf_add(to, key);
}

void cursors_begin(struct cursors *cursors, int64_t quiet_before_ns, const struct cursor *known,
                   size_t n)
{
    *cursors = (struct cursors){
        .quiet_before_ns = quiet_before_ns,
        .last = {.max = OBJECT_KEY_MAX_BYTES},
    };
    for (size_t i = 0; i < n; i++) {
        add_stem(cursors, known[i].stem, known[i].key);
    }
}

void cursors_see(struct cursors *cursors, const struct object *object)
{
    struct slice stem;
    set_key(&cursors->last, object->key);
    cursors->last_known = key_stem(object->key, &stem);
    if (!cursors->last_known) {
        return;
    }
    struct stem_state *state = find_stem(cursors, stem);
    if (!state) {
        state = add_stem(cursors, stem, slice_make("", 0));
        cursors->at = cursors->n - 1;
    }
    if (!state || state->lively) {
        return;
    }
    state->lively = object->last_modified_ns >= cursors->quiet_before_ns;
    if (!state->lively) {
        set_key(&state->next, object->key);
    }
}

static bool is_covered(struct cursors *cursors, struct slice key)
{
    struct slice stem;
    if (!cursors->last_known || !key_stem(key, &stem)) {
        return false;
    }
    const struct stem_state *state = find_stem(cursors, stem);
    return state && slice_compare(key, state->from) < 0;
}

/* The stem with the first cursor behind the key. */
static struct stem_state *next_stem(struct cursors *cursors, struct slice key)
{
    struct stem_state *next = NULL;
    for (size_t i = 0; i < cursors->n; i++) {
        struct stem_state *state = &cursors->stems[i];
        if (slice_compare(state->from, key) > 0 &&
            (!next || slice_compare(state->from, next->from) < 0)) {
            next = state;
        }
    }
    return next;
}

bool cursors_jump(struct cursors *cursors, struct slice *to)
{
    struct slice last = buf_slice(&cursors->last);
    if (!is_covered(cursors, last)) {
        return false;
    }
    struct stem_state *next = next_stem(cursors, last);
    if (!next->lively) {
        set_key(&next->next, next->from);
    }
    cursors->jumped = true;
    *to = next->from;
    return true;
}

size_t cursors_end(const struct cursors *cursors, struct cursor *out)
{
    size_t n = 0;
    for (size_t i = 0; i < cursors->n; i++) {
        const struct stem_state *state = &cursors->stems[i];
        struct slice key = buf_slice(&state->next);
        if (key.len == 0 && cursors->jumped) {
            key = state->from; /* it may just have been passed over */
        }
        if (key.len) {
            out[n++] = (struct cursor){state->stem, key};
        }
    }
    return n;
}

void cursors_finish(struct cursors *cursors)
{
    for (size_t i = 0; i < cursors->n; i++) {
        buf_finish(&cursors->stems[i].next);
    }
    free(cursors->stems);
    arena_finish(&cursors->texts);
    buf_finish(&cursors->last);
    *cursors = (struct cursors){0};
}
