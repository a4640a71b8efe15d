/* pipeline: see pipeline.h. Each stage is embedded here with the call that the stage before it
 * makes. */
#include "run/pipeline.h"

#include "base/memory.h"
#include "data/redact.h"
#include "input/lines.h"

#include <stdlib.h>

enum { MASKED_MAX_BYTES = 64 * 1024 };

struct pipeline {
    struct intake intake;
    struct record_sink records;
    struct gunzip *gunzip;
    struct lines *lines;
    struct reader *reader;
    size_t n_parsers;
    struct point_sink *to;
    struct buf masked;
    uint64_t n_records;
    bool damaged;
    struct err damage;
};

static struct pipeline *of_intake(struct intake *intake)
{
    return (struct pipeline *)((char *)intake - offsetof(struct pipeline, intake));
}

static struct pipeline *of_records(struct record_sink *records)
{
    return (struct pipeline *)((char *)records - offsetof(struct pipeline, records));
}

static enum status take_dead(struct pipeline *pipeline, struct slice record,
                             const struct origin *origin, const struct err *why, struct err *err)
{
    buf_clear(&pipeline->masked);
    reader_masked(pipeline->reader, record, &pipeline->masked);
    return pipeline->to->dead(pipeline->to, origin, why->text, buf_slice(&pipeline->masked), err);
}

static enum status take_record(struct record_sink *sink, struct slice record, uint64_t line,
                               struct err *err)
{
    struct pipeline *pipeline = of_records(sink);
    struct point point;
    size_t parser = pipeline->n_parsers;
    struct err why;
    pipeline->n_records++;
    enum status status = reader_read(pipeline->reader, record, &point, &parser, &why);
    struct origin origin = {line, reader_hash(pipeline->reader), record.len, parser};
    if (status == OK) {
        return pipeline->to->point(pipeline->to, &point, &origin, err);
    }
    if (status == AGAIN) {
        return pipeline->to->duplicate(pipeline->to, &origin, err);
    }
    return take_dead(pipeline, record, &origin, &why, err);
}

static enum status take_oversized(struct record_sink *sink, struct slice start, uint64_t len,
                                  uint64_t hash, uint64_t line, struct err *err)
{
    struct pipeline *pipeline = of_records(sink);
    struct origin origin = {line, hash, len, pipeline->n_parsers};
    struct err why;
    pipeline->n_records++;
    err_set(&why, BAD_DATA, "longer than a record may be (%d bytes)", LINES_RECORD_MAX);
    buf_clear(&pipeline->masked);
    redact_bytes(start, MASKED_MAX_BYTES, &pipeline->masked);
    return pipeline->to->dead(pipeline->to, &origin, why.text, buf_slice(&pipeline->masked), err);
}

/* Damage is the inflater's BAD_DATA: the stages behind it never return that. */
static enum status note_damage(struct pipeline *pipeline, enum status status, const struct err *err)
{
    if (status == BAD_DATA) {
        pipeline->damaged = true;
        pipeline->damage = *err;
    }
    return status;
}

static enum status take_bytes(struct intake *intake, struct slice bytes, struct err *err)
{
    struct pipeline *pipeline = of_intake(intake);
    enum status status = gunzip_put(pipeline->gunzip, bytes, lines_sink(pipeline->lines), err);
    return note_damage(pipeline, status, err);
}

enum status pipeline_new(struct pipeline **out, const struct parser *const *parsers,
                         size_t n_parsers, enum message_mode message, struct gunzip_limits limits,
                         struct err *err)
{
    struct reader *reader;
    enum status status = reader_new(&reader, parsers, n_parsers, message, err);
    if (status != OK) {
        return status;
    }
    struct pipeline *pipeline = memory_new(sizeof *pipeline);
    pipeline->intake.bytes = take_bytes;
    pipeline->records = (struct record_sink){take_record, take_oversized};
    pipeline->reader = reader;
    pipeline->n_parsers = n_parsers;
    pipeline->gunzip = gunzip_new(GUNZIP_DEFAULT, limits);
    pipeline->lines = lines_new();
    pipeline->masked.max = MASKED_MAX_BYTES;
    *out = pipeline;
    return OK;
}

void pipeline_free(struct pipeline *pipeline)
{
    if (!pipeline) {
        return;
    }
    reader_free(pipeline->reader);
    gunzip_free(pipeline->gunzip);
    lines_free(pipeline->lines);
    buf_finish(&pipeline->masked);
    free(pipeline);
}

void pipeline_begin(struct pipeline *pipeline, struct slice key, int64_t last_modified_ns,
                    struct point_sink *to)
{
    pipeline->to = to;
    pipeline->n_records = 0;
    pipeline->damaged = false;
    reader_begin(pipeline->reader, key, last_modified_ns);
    lines_begin(pipeline->lines, &pipeline->records);
    gunzip_begin(pipeline->gunzip);
}

struct intake *pipeline_intake(struct pipeline *pipeline)
{
    return &pipeline->intake;
}

enum status pipeline_end(struct pipeline *pipeline, struct err *err)
{
    if (!pipeline->damaged) {
        enum status status = gunzip_end(pipeline->gunzip, lines_sink(pipeline->lines), err);
        if (note_damage(pipeline, status, err) != OK && !pipeline->damaged) {
            return status;
        }
    }
    return lines_end(pipeline->lines, err);
}

const char *pipeline_damage(const struct pipeline *pipeline)
{
    return pipeline->damaged ? pipeline->damage.text : NULL;
}

uint64_t pipeline_records(const struct pipeline *pipeline)
{
    return pipeline->n_records;
}

int64_t pipeline_inflated(const struct pipeline *pipeline)
{
    return gunzip_inflated(pipeline->gunzip);
}

const struct reader_counts *pipeline_changes(const struct pipeline *pipeline)
{
    return reader_counts(pipeline->reader);
}
