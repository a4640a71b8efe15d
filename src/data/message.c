/* message: see message.h. */
#include "data/message.h"

#include "base/memory.h"
#include "base/utf8.h"
#include "data/flatten.h"

#include <stdlib.h>

/* A dotted key and the record with its replacements are bounded by a record's repaired bytes and a
 * replacement for each of its values; this is beyond both. */
enum { SCRATCH_MAX_BYTES = 16 * 1024 * 1024 };

void message_init(struct message *message, enum message_mode mode)
{
    *message = (struct message){
        .mode = mode,
        .joined = {.max = SCRATCH_MAX_BYTES},
        .prefix = {.max = SCRATCH_MAX_BYTES},
        /* One byte more than a text may have: utf8_cut() looks at the one behind the cut. */
        .flat = {.max = SCHEMA_TEXT_MAX_BYTES + 1},
    };
}

void message_finish(struct message *message)
{
    free(message->pieces);
    buf_finish(&message->joined);
    buf_finish(&message->prefix);
    buf_finish(&message->flat);
}

/* The record's text with its edits. */
static struct text edited_record(struct message *message, const struct reading *reading)
{
    const struct extracted *extracted = &reading->extracted;
    size_t size = 2 * extracted->n_edits + 1;
    if (size > message->pieces_size) {
        message->pieces_size = 2 * size;
        message->pieces = memory_grow(message->pieces, 2 * size * sizeof *message->pieces);
    }
    struct slice *piece = message->pieces;
    const char *from = reading->record.at, *end = from + reading->record.len;
    for (size_t i = 0; i < extracted->n_edits; i++) {
        const struct edit *edit = &extracted->edits[i];
        const char *to = reading->record.at + edit->from;
        *piece++ = slice_make(from, (size_t)(to - from));
        *piece++ = edit->with;
        from = reading->record.at + edit->to;
    }
    *piece++ = slice_make(from, (size_t)(end - from));
    return (struct text){message->pieces, (size_t)(piece - message->pieces)};
}

/* Shortens the text to max_bytes; false when it is short enough. Each piece begins at a character.
 */
static bool cut(struct message *message, struct text *text, size_t max_bytes)
{
    for (size_t i = 0; i < text->count; i++) {
        struct slice *piece = &message->pieces[i];
        if (piece->len > max_bytes) {
            *piece = utf8_cut(*piece, max_bytes);
            text->count = i + 1;
            return true;
        }
        max_bytes -= piece->len;
    }
    return false;
}

static struct slice joined(struct message *message, struct text text)
{
    if (text.count == 1) {
        return text.pieces[0];
    }
    buf_clear(&message->joined);
    for (size_t i = 0; i < text.count; i++) {
        buf_add(&message->joined, text.pieces[i]);
    }
    return buf_slice(&message->joined);
}

static struct text flat_text(struct message *message, struct reading *reading)
{
    struct slice record = joined(message, edited_record(message, reading));
    buf_clear(&message->flat);
    flatten_object(record, &message->prefix, &message->flat);
    message->flat_piece = utf8_cut(buf_slice(&message->flat), SCHEMA_TEXT_MAX_BYTES);
    reading->cut += message->flat_piece.len < message->flat.len;
    return (struct text){&message->flat_piece, 1};
}

struct text message_text(struct message *message, struct reading *reading)
{
    static const struct slice empty = SLICE_LITERAL("");
    if (message->mode == MESSAGE_NONE) {
        return (struct text){&empty, 1};
    }
    if (message->mode == MESSAGE_FLAT) {
        return flat_text(message, reading);
    }
    struct text text = edited_record(message, reading);
    reading->cut += cut(message, &text, SCHEMA_TEXT_MAX_BYTES);
    return text;
}

void message_masked(struct message *message, const struct reading *reading, size_t max_bytes,
                    struct buf *out)
{
    struct text text = edited_record(message, reading);
    cut(message, &text, max_bytes);
    for (size_t i = 0; i < text.count; i++) {
        buf_add(out, text.pieces[i]);
    }
}
