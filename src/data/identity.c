/*
 * identity: see identity.h. The newest points stand in a ring; each knows the point before it whose
 * hash falls in the same bucket. An object's points are numbered from 1 on, so a chain runs
 * backwards in time and ends where the numbers are too old: nothing is ever taken out of a chain.
 * The buckets begin few and grow with the points of the object: most objects are small, and what
 * they touch then stays in the processor's first caches. 2 MiB a piece, whatever the object's size.
 */
#include "data/identity.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { BUCKETS_MIN = 1024, BUCKETS_MAX = IDENTITY_WINDOW, BUCKETS_GROWTH = 4 };

struct known {
    uint64_t key;         /* hash of series and time */
    uint64_t record_hash; /* H */
    uint64_t before;      /* number of the bucket's point before this one, 0 = none */
};

struct identity {
    uint64_t next;                /* number of the next point */
    size_t buckets;               /* in use, a power of two */
    uint64_t newest[BUCKETS_MAX]; /* number of each bucket's newest point, 0 = none */
    struct known ring[IDENTITY_WINDOW];
};

struct identity *identity_new(void)
{
    struct identity *identity = memory_new(sizeof *identity);
    identity_clear(identity);
    return identity;
}

void identity_free(struct identity *identity)
{
    free(identity);
}

static void set_buckets(struct identity *identity, size_t buckets)
{
    identity->buckets = buckets;
    memset(identity->newest, 0, buckets * sizeof *identity->newest);
}

void identity_clear(struct identity *identity)
{
    identity->next = 1;
    set_buckets(identity, BUCKETS_MIN);
}

static uint64_t key_of(uint64_t series_hash, int64_t time_ns)
{
    uint64_t both[2] = {series_hash, (uint64_t)time_ns};
    return XXH3_64bits(both, sizeof both);
}

static struct known *at_number(struct identity *identity, uint64_t number)
{
    return &identity->ring[number % IDENTITY_WINDOW];
}

static uint64_t *bucket_of(struct identity *identity, uint64_t key)
{
    return &identity->newest[key & (identity->buckets - 1)];
}

static uint64_t oldest_number(const struct identity *identity)
{
    return identity->next > IDENTITY_WINDOW ? identity->next - IDENTITY_WINDOW : 1;
}

static const struct known *find(struct identity *identity, uint64_t key)
{
    uint64_t oldest = oldest_number(identity);
    uint64_t number = *bucket_of(identity, key);
    while (number >= oldest) {
        const struct known *known = at_number(identity, number);
        if (known->key == key) {
            return known;
        }
        number = known->before;
    }
    return NULL;
}

/* Puts the point of that number in front of its bucket's chain. */
static void link_point(struct identity *identity, uint64_t number)
{
    struct known *known = at_number(identity, number);
    uint64_t *newest = bucket_of(identity, known->key);
    known->before = *newest;
    *newest = number;
}

/* All points are still in the ring: it has room for as many as there may be buckets. */
static void grow(struct identity *identity)
{
    set_buckets(identity, identity->buckets * BUCKETS_GROWTH);
    for (uint64_t number = 1; number < identity->next; number++) {
        link_point(identity, number);
    }
}

static void remember(struct identity *identity, uint64_t key, uint64_t record_hash)
{
    if (identity->next > identity->buckets && identity->buckets < BUCKETS_MAX) {
        grow(identity);
    }
    struct known *known = at_number(identity, identity->next);
    known->key = key;
    known->record_hash = record_hash;
    link_point(identity, identity->next++);
}

bool identity_claim(struct identity *identity, uint64_t series_hash, uint64_t record_hash,
                    int64_t *time_ns)
{
    uint64_t key = key_of(series_hash, *time_ns);
    const struct known *taken = find(identity, key);
    while (taken) {
        if (taken->record_hash == record_hash) {
            return false;
        }
        ++*time_ns;
        key = key_of(series_hash, *time_ns);
        taken = find(identity, key);
    }
    remember(identity, key, record_hash);
    return true;
}
