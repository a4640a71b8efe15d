/*
 * identity: tells duplicates from clashes among the last 65,536 points of an object. Each point is
 * known by a hash of its series and time and by the hash of its record (H). On a clash of series
 * and time: equal H is a duplicate; otherwise the time moves on by 1 ns until it is free.
 */
#ifndef DATA_IDENTITY_H
#define DATA_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

enum { IDENTITY_WINDOW = 65536 };

struct identity;

struct identity *identity_new(void);
void identity_free(struct identity *identity);
void identity_clear(struct identity *identity); /* cheap: before each object */

/* True and *time_ns possibly moved on: a new point. False: a duplicate. series_hash is without the
 * time. */
bool identity_claim(struct identity *identity, uint64_t series_hash, uint64_t record_hash,
                    int64_t *time_ns);

#endif
