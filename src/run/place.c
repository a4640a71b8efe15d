/* place: see place.h. */
#include "run/place.h"

#include "base/memory.h"

#include <string.h>

void *place_instance(const struct place_config *place)
{
    void *self = memory_new(place->module->about.size);
    memcpy(self, place->options, place->module->about.size);
    return self;
}

bool place_ignores(const struct place *place, struct slice name)
{
    for (size_t i = 0; i < place->ignore.count; i++) {
        if (slice_starts(name, place->ignore.items[i])) {
            return true;
        }
    }
    return false;
}
