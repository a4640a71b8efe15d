/*
 * message: a record as text for the MESSAGE column and for dead letters: what is secret replaced,
 * whole or flattened. Called by data/record only.
 */
#ifndef DATA_MESSAGE_H
#define DATA_MESSAGE_H

#include "api/flow.h"
#include "base/buf.h"
#include "data/columns.h"
#include "data/record.h"

/* Buffers that are kept from record to record. */
struct message {
    enum message_mode mode;
    struct slice *pieces;
    size_t pieces_size;
    struct slice flat_piece;
    struct buf joined, prefix, flat;
};

void message_init(struct message *message, enum message_mode mode);
void message_finish(struct message *message);

/* The text of the MESSAGE column, cut at SCHEMA_TEXT_MAX_BYTES. Borrows from the reading and from
 * message, until the next call. */
struct text message_text(struct message *message, struct reading *reading);

/* Appends the record as it may be shown, at most max_bytes of it. */
void message_masked(struct message *message, const struct reading *reading, size_t max_bytes,
                    struct buf *out);

#endif
