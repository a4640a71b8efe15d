/*
 * pipeline: the one way through: the stored bytes of an object in, its points out. Joins gunzip,
 * lines and the reader; knows nothing of where bytes come from or where points go. One per worker.
 */
#ifndef RUN_PIPELINE_H
#define RUN_PIPELINE_H

#include "api/datasource.h"
#include "data/record.h"
#include "input/gunzip.h"

/* Which record a point or a dead letter comes from. */
struct origin {
    uint64_t line; /* in the inflated object, from 1 */
    uint64_t hash; /* XXH3_64bits of its bytes */
    uint64_t len;  /* its bytes */
    size_t kind;   /* index of its parser; the number of parsers = none knows it */
};

/* Receives what becomes of each record, once each. What these return other than OK ends the object.
 */
struct point_sink {
    enum status (*point)(struct point_sink *to, const struct point *point,
                         const struct origin *origin, struct err *err);
    enum status (*duplicate)(struct point_sink *to, const struct origin *origin, struct err *err);
    /* masked: the record with secrets hidden, at most 64 KiB */
    enum status (*dead)(struct point_sink *to, const struct origin *origin, const char *reason,
                        struct slice masked, struct err *err);
};

struct pipeline;

enum status pipeline_new(struct pipeline **out, const struct parser *const *parsers,
                         size_t n_parsers, enum message_mode message, struct gunzip_limits limits,
                         struct err *err);
void pipeline_free(struct pipeline *pipeline);

/* Begins an object; whatever was under way is forgotten. last_modified_ns: INT64_MIN = unknown. */
void pipeline_begin(struct pipeline *pipeline, struct slice key, int64_t last_modified_ns,
                    struct point_sink *to);

/* Where its bytes go. BAD_DATA: the object is damaged (see pipeline_damage); anything else came
 * from `to`. */
struct intake *pipeline_intake(struct pipeline *pipeline);

/* After the last byte, or after damage: delivers what is left. OK also when the object turns out
 * damaged. */
enum status pipeline_end(struct pipeline *pipeline, struct err *err);

/* What is wrong with the object's bytes since pipeline_begin, NULL = nothing. */
const char *pipeline_damage(const struct pipeline *pipeline);

uint64_t pipeline_records(const struct pipeline *pipeline);
int64_t pipeline_inflated(const struct pipeline *pipeline); /* bytes since pipeline_begin */
/* Of the records since pipeline_begin. */
const struct reader_counts *pipeline_changes(const struct pipeline *pipeline);

#endif
