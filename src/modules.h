/*
 * modules: the lists of what is built in, each ended by NULL. meson fills modules.c from the lists
 * in parsers/, datasources/ and src/encoders/: those are the only registry.
 */
#ifndef MODULES_H
#define MODULES_H

#include "api/datasource.h"
#include "api/encoder.h"
#include "api/parser.h"

extern const struct parser *const modules_parsers[];
extern const struct datasource *const modules_datasources[];
extern const struct encoder *const modules_encoders[];

/* NULL: there is none of this name. */
const struct encoder *modules_encoder(const char *name);

#endif
