/*
 * scan: the walk over JSON bytes that extract (records) and redact (JSON held in strings) share.
 * scan_mark.c notes where strings may end, scan_stops.c lists these places, scan.c walks and
 * validates (numbers, words and escapes by scan_token.c), scan_note.c keeps what the walk meets:
 * values of declared paths and edits that hide secrets. Internal to src/data: others use extract.h
 * and redact.h.
 *
 * All state of a walk is in struct scan, all memory that outlives it in struct scanner, which is
 * kept from record to record so that nothing is allocated once its buffers have grown.
 */
#ifndef DATA_SCAN_H
#define DATA_SCAN_H

#include "base/arena.h"
#include "base/buf.h"
#include "data/extract.h"

/* Levels of text: the record is 0, a JSON text in one of its strings is 1, and so on to 3. The
 * strings of the last one are looked at, but no longer scanned. */
enum { SCAN_LEVELS_MAX = 3, SCAN_ROOMS = SCAN_LEVELS_MAX + 2 };

/* A key on the way to a declared path, or a top-level key to report. */
struct scan_node {
    struct slice key;
    struct scan_node *parent, *next, *children; /* children: the first, then by next */
    uint32_t number;                            /* from 1 on */
    int slot;                                   /* first of the slots to fill, or -1 */
    uint64_t key_bits;                          /* in keys_seen */
    /* while a record is scanned */
    uint64_t seen;     /* number of the scan that met the key last */
    const char *from;  /* of its value, an open object or array */
    size_t first_edit; /* edits that were there when it opened */
};

enum { SCAN_STEP_BYTES = 64 };

/* What there is in a text. */
struct scan_marks {
    bool questions; /* a '?' */
    bool ascii;     /* nothing else */
    bool printable; /* nothing beyond '~': of ASCII, but for the control characters below ' ' */
};

/* Stops are listed for so many steps at a time. A list has room for all the bytes of these, and for
 * what is written beyond its end. */
enum {
    SCAN_LIST_STEPS = 64,
    SCAN_LIST_ENDS = 5,
    SCAN_LIST_SIZE = (SCAN_LIST_STEPS + 1) * SCAN_STEP_BYTES
};

enum scan_version { SCAN_PORTABLE, SCAN_AVX2, SCAN_AVX512, SCAN_BEST = SCAN_AVX512 };

/* The scratch of one level. */
struct scan_room {
    uint64_t *steps; /* 64 bytes of the text each, the lowest bit for the first: it is a stop, what
                        a string cannot hold as it is: '"', '\\' or a control character */
    size_t steps_size;
    uint32_t *stops; /* [SCAN_LIST_SIZE] */
    struct edit *edits;
    size_t n_edits, edits_size;
    struct arena arena; /* replacement texts of the edits, valid until the next scan of the level */
    struct buf text;    /* the level's text, decoded from a string of the level above */
    struct buf masked;  /* that text made showable */
    struct buf shown;   /* and a string of this level, showable and escaped again */
    struct buf key;     /* a key with its escapes decoded */
};

/* What was found out about a key at a place (see .place of struct scan). A table of them is a
 * cache: any key may push another out. */
enum { SCAN_KNOWN_KEYS = 1024, SCAN_KNOWN_BYTES = 40 };

struct known_key {
    char bytes[SCAN_KNOWN_BYTES];
    uint64_t place_and_length; /* of the key: their sum */
    struct scan_node *child;   /* declared; or NULL */
    bool secret;
    bool says; /* one of both: something about the value */
};

/* Zero-initialised is ready, and portable. */
struct scanner {
    struct known_key *known; /* [SCAN_KNOWN_KEYS], by a hash; made by the first scan */
    struct known_key unkept; /* of a key with escapes, or too long to be kept */
    struct scan_room rooms[SCAN_ROOMS];
    enum scan_version version; /* of scan_mark.c and scan_stops.c, at most */
};

void scanner_finish(struct scanner *scanner);

/* What a key says about the value behind it. */
struct pending {
    struct scan_node *child; /* declared, and met for the first time; or NULL */
    bool secret;
};

struct scan {
    /* set by the caller; the rest zero */
    const char *start, *end; /* end is followed by EXTRACT_PADDING readable bytes */
    struct scanner *scanner;
    int level;
    struct scan_node *root; /* NULL: nothing is declared, any object or array will do */
    struct found *slots;
    const int *next_slot; /* of slots with equal paths; -1 ends */
    uint64_t number;      /* another one for every scan with the same root */

    struct scan_marks marks; /* set by scan_mark() */

    /* the stops that are listed: offsets, in order; the text's length ends the list, so often that
     * the walk may look ahead */
    const uint32_t *next_stop;
    size_t listed_steps;

    /* results */
    uint64_t keys_seen;
    uint32_t duplicate_keys;
    const char *fault, *fault_at; /* what is wrong, and where */

    /* where the walk is */
    unsigned depth; /* open objects and arrays */
    bool in_object;
    unsigned node_depth;    /* depth of the innermost open value on a declared path */
    struct scan_node *node; /* that value's node */
    uint64_t
        place; /* the number of the node whose children the keys here may be, or 0; times 2^32 */
    struct known_key *known; /* the scanner's */
    unsigned secret_depth;   /* depth of an open value under a secret key, or 0 */
    const char *secret_from; /* where it begins */
    bool every_text;         /* is noted: such a value is open, or some text has a '?' */
    uint64_t objects[(EXTRACT_DEPTH + 63) / 64]; /* bit per open level: an object */
};

/* scan_mark.c: to be called before scan_walk(), whose memory it borrows from the scanner. */
void scan_mark(struct scan *scan);

/* One version of the same, or the best below it that this machine has; for tests. steps has room
 * for scan_mark_steps(text.len). */
struct scan_marks scan_mark_by(enum scan_version version, uint64_t *steps, struct slice text);
size_t scan_mark_steps(size_t len);

/* scan_stops.c: lists the stops of the next SCAN_LIST_STEPS steps, from the first to begin with.
 * False: there are no more. */
bool scan_list_stops(struct scan *scan);

/* One version of the same, or the best below it that this machine has; for tests. Writes to `to`
 * the offsets of the stops of n steps, whose first byte has the offset `from`; returns behind the
 * last. Up to 64 places behind that are overwritten. */
uint32_t *scan_stops_by(enum scan_version version, const uint64_t *steps, size_t n, uint32_t from,
                        uint32_t *to);

/* Walks the text. False: it is not what RFC 8259 allows; see fault. Edits are in
 * scanner->rooms[level]. */
bool scan_walk(struct scan *scan);

/* scan_token.c: the byte behind a number or a word and its kind; NULL when it is neither, *kind is
 * JSON_NUMBER when it begins like a number. */
const char *scan_literal_end(const char *at, const char *end, enum json_kind *kind);

/* scan_token.c: the byte behind the escape that begins at the backslash at `at`, or NULL. */
const char *scan_escape_end(const char *at);

/* Keeps a value of a declared path.
 * Field by field: a wide copy of the struct would wait for the narrow stores that have just made
 * it. */
static inline void scan_fill_slots(struct scan *scan, const struct scan_node *node,
                                   const struct found *found)
{
    for (int i = node->slot; i >= 0; i = scan->next_slot[i]) {
        struct found *slot = &scan->slots[i];
        slot->kind = found->kind;
        slot->escaped = found->escaped;
        slot->redacted = found->redacted;
        slot->raw.at = found->raw.at;
        slot->raw.len = found->raw.len;
    }
}

/* scan_note.c: finds out about a key that is not known. Kept where the place to keep is, but for a
 * key with escapes or a long one. */
const struct known_key *scan_note_key(struct scan *scan, struct known_key *place_to_keep,
                                      struct slice key, bool escaped);

/* scan_note.c: called by the walk, where something is to be kept. json: the text looks like it. */
void scan_note_value(struct scan *scan, struct pending pending, enum json_kind kind,
                     struct slice raw);
void scan_note_text(struct scan *scan, struct pending pending, struct slice content, bool escaped,
                    bool json);
void scan_note_open(struct scan *scan, struct pending pending, const char *at);
void scan_note_close(struct scan *scan, const char *after);

/* [from, to) of the scanned text with the edits from first on applied, in the room's arena. */
struct slice scan_edited(struct scan *scan, const char *from, const char *to, size_t first);

/* redact.c: redact_string with the scanner's memory; level is that of the text the string is in. */
bool redact_string_in(struct scanner *scanner, int level, struct slice content, struct buf *out);

/* redact.c: redact_is_secret for a name as it stands in a URL query: '+' and %XX decoded, spaces
 * around it ignored. */
bool redact_is_secret_encoded(struct slice name);

#endif
