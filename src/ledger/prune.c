/*
 * prune: what is kept of an object that is no longer in the bucket: its counts, added to the
 * totals of its scope. Called by join.c when it prunes.
 */
#include "ledger/counts.h"
#include "ledger/private.h"

static enum status damaged(const struct ledger *ledger, struct err *err)
{
    return err_set(err, FAILED, "ledger %s: damaged: counts of an object cannot be read",
                   ledger->path);
}

static enum status fold_object(struct ledger *ledger, int64_t scope, const struct counts *counts,
                               struct err *err)
{
    sqlite3_stmt *add = ledger_statement(ledger, SQL_TOTAL_OBJECT);
    bind_int(add, 1, scope);
    bind_int(add, 2, (int64_t)counts->read);
    return ledger_run(ledger, add, "adding to the totals", err);
}

static enum status fold_sink(struct ledger *ledger, int64_t scope, const struct counts *counts,
                             size_t sink, struct err *err)
{
    const struct sink_counts *of = &counts->sinks[sink];
    sqlite3_stmt *add = ledger_statement(ledger, SQL_TOTAL_SINK);
    bind_int(add, 1, scope);
    bind_int(add, 2, (int64_t)counts->numbers[sink]);
    bind_int(add, 3, (int64_t)of->stored);
    bind_int(add, 4, (int64_t)of->duplicate);
    bind_int(add, 5, (int64_t)of->expired);
    bind_int(add, 6, (int64_t)of->dead);
    bind_int(add, 7, (int64_t)counts->read);
    return ledger_run(ledger, add, "adding to the totals", err);
}

static enum status fold_day(struct ledger *ledger, int64_t scope, const struct counts *counts,
                            const struct counts_day *day, struct err *err)
{
    if (day->sink >= counts->n_sinks) {
        return damaged(ledger, err);
    }
    sqlite3_stmt *add = ledger_statement(ledger, SQL_TOTAL_POINTS);
    bind_int(add, 1, scope);
    bind_int(add, 2, (int64_t)counts->numbers[day->sink]);
    bind_int(add, 3, (int64_t)day->measurement);
    bind_int(add, 4, day->day);
    bind_int(add, 5, (int64_t)day->points);
    return ledger_run(ledger, add, "adding to the totals", err);
}

enum status ledger_fold(struct ledger *ledger, int64_t scope, struct slice packed, struct err *err)
{
    struct counts counts;
    if (!counts_unpack(&packed, &counts)) {
        return damaged(ledger, err);
    }
    enum status status = fold_object(ledger, scope, &counts, err);
    for (size_t i = 0; status == OK && i < counts.n_sinks; i++) {
        status = fold_sink(ledger, scope, &counts, i, err);
    }
    while (status == OK && packed.len) {
        struct counts_day day;
        status = counts_unpack_day(&packed, &day) ? fold_day(ledger, scope, &counts, &day, err)
                                                  : damaged(ledger, err);
    }
    return status;
}
