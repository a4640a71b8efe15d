/*
 * rows: tables that have a row for each value of a byte, written by the compiler from what a row
 * is. For the vector code of escape and scan_stops.
 */
#ifndef DATA_ROWS_H
#define DATA_ROWS_H

/* Bits of `byte` below bit i that are set; a constant where both are. */
#define ROWS_BITS_BELOW(byte, i) __builtin_popcount((byte) & ((1 << (i)) - 1))

/* ROW(0), ROW(1), ... ROW(255), for the initializer of a table. */
#define ROWS_OF_BYTE(ROW) ROWS_64(ROW, 0), ROWS_64(ROW, 64), ROWS_64(ROW, 128), ROWS_64(ROW, 192)
#define ROWS_64(ROW, n) \
    ROWS_16(ROW, n), ROWS_16(ROW, n + 16), ROWS_16(ROW, n + 32), ROWS_16(ROW, n + 48)
#define ROWS_16(ROW, n) ROWS_4(ROW, n), ROWS_4(ROW, n + 4), ROWS_4(ROW, n + 8), ROWS_4(ROW, n + 12)
#define ROWS_4(ROW, n) ROW((n)), ROW((n + 1)), ROW((n + 2)), ROW((n + 3))

#endif
