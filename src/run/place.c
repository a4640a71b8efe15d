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
