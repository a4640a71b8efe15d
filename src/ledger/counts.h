/*
 * counts: the figures of one object's outcome as a few bytes, kept in its row: LEB128
 * varints (7 bits a byte, least first): read, dead_beyond, how many sinks, four counts per sink;
 * then until the end (measurement id * 8 + index of the sink, day as zigzag, points). When the
 * sinks' numbers are not 0, 1, 2 and so on, 8 is added to how many there are, and each one's number
 * stands before its counts. Pure. Used by the ledger only.
 */
#ifndef LEDGER_COUNTS_H
#define LEDGER_COUNTS_H

#include "ledger/ledger.h"

struct counts {
    uint64_t read, dead_beyond;
    size_t n_sinks;
    uint64_t numbers[LEDGER_SINKS_MAX]; /* of the sinks, as ledger_sinks() gives them */
    struct sink_counts sinks[LEDGER_SINKS_MAX];
};

struct counts_day {
    size_t sink;          /* index in the counts' .sinks */
    uint64_t measurement; /* id in the ledger, below 2^61 */
    int32_t day;
    uint64_t points;
};

/* The packed counts, then each day behind them. False when out is full. */
bool counts_pack(const struct counts *counts, struct buf *out);
bool counts_pack_day(const struct counts_day *day, struct buf *out);

/* Takes the counts off the front of *packed, then day by day until it is empty. False when it is
 * not such a text. */
bool counts_unpack(struct slice *packed, struct counts *out);
bool counts_unpack_day(struct slice *packed, struct counts_day *out);

#endif
