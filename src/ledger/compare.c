/* compare: see compare.h. */
#include "ledger/compare.h"

#include "ledger/known.h"

#include "base/cleanup.h"
#include "base/memory.h"

#include <stdlib.h>

struct ledger_compare {
    struct known_keys known; /* its current row: the first that is not yet behind the listing */
    struct window window;
    struct comparison *to;
    char behind[OBJECT_KEY_MAX_BYTES + 1]; /* the place just behind the last listed key; at first
                                              the prefix */
    size_t behind_len;
};

enum status ledger_compare_begin(struct ledger_compare **out, struct ledger *ledger, int64_t scope,
                                 struct slice prefix, struct window window, struct comparison *to,
                                 struct err *err)
{
    *out = NULL;
    struct ledger_compare *compare = memory_new(sizeof *compare);
    if (known_begin(&compare->known, ledger, scope, prefix, err) != OK) {
        free(compare);
        return err->status;
    }
    if (prefix.len) {
        memcpy(compare->behind, prefix.at, prefix.len);
    }
    compare->behind_len = prefix.len;
    compare->window = window;
    compare->to = to;
    *out = compare;
    return OK;
}

/* --- telling --- */

static bool is_within(const struct window *window, const struct object *object)
{
    return object->last_modified_ns >= window->from_ns && object->last_modified_ns < window->to_ns;
}

static void tell(struct ledger_compare *compare, enum compared what, const struct object *object,
                 enum object_state state)
{
    if (is_within(&compare->window, object)) {
        compare->to->object(compare->to, what, object, state);
    }
}

static bool is_in_any(const struct comparison *to, const struct object *object)
{
    for (size_t i = 0; i < to->n_windows; i++) {
        if (is_within(&to->windows[i], object)) {
            return true;
        }
    }
    return false;
}

/* One that was delivered within the window and replaced later belongs to it, but where another
 * window has it as it is now: a folder that both list tells of it once. */
static void tell_changed(struct ledger_compare *compare, const struct object *object,
                         const struct known_row *row)
{
    bool was_within = is_within(&compare->window, &row->object) && !is_in_any(compare->to, object);
    if (is_within(&compare->window, object) || was_within) {
        compare->to->object(compare->to, COMPARED_CHANGED, object, row->state);
    }
}

/* row: NULL when there is none. */
static void tell_listed(struct ledger_compare *compare, const struct object *object,
                        const struct known_row *row)
{
    if (!row) {
        tell(compare, COMPARED_UNKNOWN, object, OBJECT_LISTED);
    } else if (known_is_content(object, &row->object)) {
        tell(compare, COMPARED_KNOWN, &row->object, row->state);
    } else {
        tell_changed(compare, object, row);
    }
}

/* *row: the first one that is not before `to`. */
static enum status tell_gone(struct ledger_compare *compare, struct slice to,
                             struct known_row **row, struct err *err)
{
    enum status status;
    while ((status = known_row_now(&compare->known, row, err)) == OK && *row &&
           slice_compare((*row)->object.key, to) < 0) {
        if (!(*row)->gone) { /* else a run has found that before */
            tell(compare, COMPARED_GONE, &(*row)->object, (*row)->state);
        }
        compare->known.at++;
    }
    return status;
}

/* --- the listing --- */

static enum status put_unordered(struct ledger_compare *compare, const struct object *object,
                                 bool wanted, struct err *err)
{
    compare->to->unordered = true;
    if (!wanted) {
        return OK;
    }
    CLEANUP(arena_finish) struct arena keys = {0};
    struct known_row row;
    bool found;
    enum status status = known_find(compare->known.ledger, compare->known.scope, object->key, &keys,
                                    &row, &found, err);
    if (status == OK) {
        tell_listed(compare, object, found ? &row : NULL);
    }
    return status;
}

/* Behind all keys so far, and with the prefix that was asked for. */
static bool is_in_order(const struct ledger_compare *compare, struct slice key)
{
    return slice_compare(key, slice_make(compare->behind, compare->behind_len)) >= 0 &&
           slice_compare(key, known_end(&compare->known)) < 0;
}

static enum status put(struct ledger_compare *compare, const struct object *object, bool wanted,
                       struct err *err)
{
    struct slice key = object->key;
    if (key.len == 0 || key.len > OBJECT_KEY_MAX_BYTES) {
        return err_set(err, FAILED, "a key of %zu bytes in the listing: 1 to %d are possible",
                       key.len, OBJECT_KEY_MAX_BYTES);
    }
    if (!is_in_order(compare, key)) {
        return put_unordered(compare, object, wanted, err);
    }
    struct known_row *row;
    enum status status = tell_gone(compare, key, &row, err);
    if (status != OK) {
        return status;
    }
    bool is_known = row && slice_equal(row->object.key, key);
    if (wanted) {
        tell_listed(compare, object, is_known ? row : NULL);
    }
    compare->known.at += is_known;
    compare->behind_len = known_successor(compare->behind, key);
    return OK;
}

enum status ledger_compare_put(struct ledger_compare *compare, const struct object *object,
                               struct err *err)
{
    return put(compare, object, true, err);
}

enum status ledger_compare_pass(struct ledger_compare *compare, const struct object *object,
                                struct err *err)
{
    return put(compare, object, false, err);
}

enum status ledger_compare_end(struct ledger_compare *compare, bool complete, struct err *err)
{
    struct known_row *none;
    enum status status = complete ? tell_gone(compare, known_end(&compare->known), &none, err) : OK;
    known_finish(&compare->known);
    free(compare);
    return status;
}
