/*
 * module_options: sets options of a module's struct by name, as the host does after reading the
 * configuration. Included by one test file each.
 */
#ifndef TESTS_MODULE_OPTIONS_H
#define TESTS_MODULE_OPTIONS_H

#include "api/module.h"

#include <stdlib.h>
#include <string.h>

/* Where the option is in the struct. An unknown name ends the test. */
static inline void *option_at(const struct module *module, void *self, const char *name)
{
    for (const struct option *option = module->options; option->name; option++) {
        if (strcmp(option->name, name) == 0) {
            return (char *)self + option->offset;
        }
    }
    abort();
}

static inline void option_set_text(const struct module *module, void *self, const char *name,
                                   const char *value)
{
    *(const char **)option_at(module, self, name) = value;
}

static inline void option_set_number(const struct module *module, void *self, const char *name,
                                     int64_t value)
{
    *(int64_t *)option_at(module, self, name) = value;
}

#endif
