/*
 * requeue: `dead-letters requeue`: opens the objects of dead letters again, so that the next run
 * reads them by the present parsers and replaces their letters. An object is asked for at its place
 * first (one LIST each): one that is gone could never be read again, so it is named and its letters
 * stay.
 */
#ifndef COMMANDS_REQUEUE_H
#define COMMANDS_REQUEUE_H

#include "commands/cli.h"
#include "ledger/letters.h"

struct requeue;

struct requeue_counts {
    uint64_t requeued; /* objects */
    uint64_t waiting;  /* the next run reads them anyway */
    uint64_t refused;  /* each is said on stderr */
};

struct requeue *requeue_new(struct cli *cli, const struct config *config, struct ledger *ledger);
void requeue_free(struct requeue *requeue);

/* OK: requeued, waiting or refused. Anything else ends the command: the ledger or the place fails.
 */
enum status requeue_letter(struct requeue *requeue, int64_t id, struct err *err);
enum status requeue_matching(struct requeue *requeue, const struct letter_filter *filter,
                             struct err *err);

struct requeue_counts requeue_counts(const struct requeue *requeue);

#endif
