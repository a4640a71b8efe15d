/*
 * identity: see identity.h. The newest points stand in a ring; each knows the point before it whose
 * hash falls in the same bucket. Points are numbered from 1, ever upwards, so a chain runs
 * backwards in time and ends where the numbers are too old: nothing is ever taken out of a chain,
 * and clearing is moving the oldest number on. 2 MiB a piece, whatever the object's size.
 */
#include "data/identity.h"

#include "base/memory.h"

#include <stdlib.h>
#include <xxhash.h>

enum { BUCKETS = IDENTITY_WINDOW };

struct known {
    uint64_t key;         /* hash of series and time */
    uint64_t record_hash; /* H */
    uint64_t before;      /* number of the bucket's point before this one, 0 = none */
};

struct identity {
    uint64_t first;           /* number of the object's first point */
    uint64_t next;            /* number of the next point */
    uint64_t newest[BUCKETS]; /* number of each bucket's newest point */
    struct known ring[IDENTITY_WINDOW];
};

struct identity *identity_new(void)
{
    struct identity *identity = memory_new(sizeof *identity);
    identity->first = identity->next = 1;
    return identity;
}

void identity_free(struct identity *identity)
{
    free(identity);
}

void identity_clear(struct identity *identity)
{
    identity->first = identity->next;
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

static uint64_t oldest_number(const struct identity *identity)
{
    uint64_t in_ring = identity->next > IDENTITY_WINDOW ? identity->next - IDENTITY_WINDOW : 1;
    return in_ring > identity->first ? in_ring : identity->first;
}

static const struct known *find(struct identity *identity, uint64_t key)
{
    uint64_t oldest = oldest_number(identity);
    uint64_t number = identity->newest[key % BUCKETS];
    while (number >= oldest) {
        const struct known *known = at_number(identity, number);
        if (known->key == key) {
            return known;
        }
        number = known->before;
    }
    return NULL;
}

static void remember(struct identity *identity, uint64_t key, uint64_t record_hash)
{
    uint64_t *newest = &identity->newest[key % BUCKETS];
    *at_number(identity, identity->next) = (struct known){key, record_hash, *newest};
    *newest = identity->next++;
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
