/*
 * expand: replaces ${NAME}, ${NAME:-default} and ${file:/path} in one scalar. Called by
 * config/options; keys are never expanded. What comes from outside is taken as it is, not
 * expanded again.
 *
 *   ${NAME}            the environment variable, which must be set
 *   ${NAME:-default}   default when it is unset or empty
 *   ${file:/path}      the file's content without the newline at its end
 *   $${                a literal ${
 *
 * A path and a default may hold references themselves, but no deeper.
 */
#ifndef CONFIG_EXPAND_H
#define CONFIG_EXPAND_H

#include "config/config.h"

enum { EXPAND_MAX_BYTES = 128 * 1024 }; /* a maximum for out */

/* Appends to out. from_outside: a variable or a file had a part in it. BAD_CONFIG: err names the
 * reference as it is written, never a value. */
enum status expand_text(struct slice text, const struct config_sources *sources, struct buf *out,
                        bool *from_outside, struct err *err);

#endif
