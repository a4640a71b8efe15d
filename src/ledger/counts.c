/* counts: see counts.h. */
#include "ledger/counts.h"

_Static_assert(LEDGER_SINKS_MAX == 8, "a day is packed with three bits of sink");

static void pack(struct buf *out, uint64_t number)
{
    while (number >= 0x80) {
        buf_add_byte(out, (char)(number | 0x80));
        number >>= 7;
    }
    buf_add_byte(out, (char)number);
}

static bool unpack(struct slice *packed, uint64_t *number)
{
    *number = 0;
    for (unsigned shift = 0; shift < 64 && packed->len; shift += 7) {
        unsigned char byte = (unsigned char)packed->at[0];
        *packed = slice_make(packed->at + 1, packed->len - 1);
        if (shift == 63 && byte > 1) {
            return false; /* more than 64 bits */
        }
        *number |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            return true;
        }
    }
    return false;
}

static bool is_plain(const struct counts *counts)
{
    for (size_t i = 0; i < counts->n_sinks; i++) {
        if (counts->numbers[i] != i) {
            return false;
        }
    }
    return true;
}

bool counts_pack(const struct counts *counts, struct buf *out)
{
    bool plain = is_plain(counts);
    pack(out, counts->read);
    pack(out, counts->dead_beyond);
    pack(out, counts->n_sinks + (plain ? 0 : LEDGER_SINKS_MAX));
    for (size_t i = 0; i < counts->n_sinks; i++) {
        if (!plain) {
            pack(out, counts->numbers[i]);
        }
        pack(out, counts->sinks[i].stored);
        pack(out, counts->sinks[i].duplicate);
        pack(out, counts->sinks[i].expired);
        pack(out, counts->sinks[i].dead);
    }
    return !out->overflow;
}

bool counts_pack_day(const struct counts_day *day, struct buf *out)
{
    pack(out, day->measurement << 3 | day->sink);
    pack(out, day->day < 0 ? ~((uint64_t)day->day << 1) : (uint64_t)day->day << 1);
    pack(out, day->points);
    return !out->overflow;
}

bool counts_unpack(struct slice *packed, struct counts *out)
{
    *out = (struct counts){0};
    uint64_t n_sinks;
    if (!unpack(packed, &out->read) || !unpack(packed, &out->dead_beyond) ||
        !unpack(packed, &n_sinks) || n_sinks > 2 * LEDGER_SINKS_MAX) {
        return false;
    }
    bool plain = n_sinks <= LEDGER_SINKS_MAX;
    out->n_sinks = (size_t)n_sinks - (plain ? 0 : LEDGER_SINKS_MAX);
    for (size_t i = 0; i < out->n_sinks; i++) {
        struct sink_counts *sink = &out->sinks[i];
        out->numbers[i] = i;
        if (!plain && !unpack(packed, &out->numbers[i])) {
            return false;
        }
        if (!unpack(packed, &sink->stored) || !unpack(packed, &sink->duplicate) ||
            !unpack(packed, &sink->expired) || !unpack(packed, &sink->dead)) {
            return false;
        }
    }
    return true;
}

bool counts_unpack_day(struct slice *packed, struct counts_day *out)
{
    uint64_t series, zigzag;
    if (!unpack(packed, &series) || !unpack(packed, &zigzag) || !unpack(packed, &out->points) ||
        zigzag > UINT32_MAX) {
        return false;
    }
    out->sink = series & 7;
    out->measurement = series >> 3;
    out->day = zigzag & 1 ? (int32_t) ~(uint32_t)(zigzag >> 1) : (int32_t)(zigzag >> 1);
    return true;
}
