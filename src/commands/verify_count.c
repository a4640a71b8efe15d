/* verify_count: asks the sinks how many points they have. See commands/verify.h. */
#include "commands/verify.h"

#include "base/cleanup.h"
#include "run/place.h"
#include "run/world.h"

static enum status count_all(const struct verify *verify, const struct log *log,
                             struct verify_sink *sink, struct err *err)
{
    struct host_world host;
    host_world_init(&host, log, NULL, NULL);
    CLEANUP_FREE void *self = place_instance(sink->place);
    enum status status = sink->place->module->open(self, &host.world, err);
    if (status == OK) {
        status = verify_count_sink(verify, sink, self, err);
    }
    sink->place->module->close(self);
    host_world_finish(&host);
    return status;
}

void verify_count(struct verify *verify, const struct log *log)
{
    for (size_t i = 0; i < verify->n_sinks; i++) {
        struct verify_sink *sink = &verify->sinks[i];
        struct err err;
        if (!sink->place->module->count) {
            sink->counting = VERIFY_COUNTED_NEVER;
        } else if (count_all(verify, log, sink, &err) != OK) {
            sink->counting = VERIFY_COUNTED_NOT;
            memcpy(sink->error, err.text, sizeof sink->error);
        } else {
            verify_compare_days(verify, sink);
        }
    }
}
