/*
 * log: one line per event on stderr, logfmt or JSON. Only run/ and commands/ call it. Values are
 * escaped, so a foreign text cannot forge a line. Safe to call from every thread. log_line(&log,
 * LOG_INFO, "run finished", "job", name, "objects", log_int(n).text, NULL);
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct log {
    bool json;
    enum log_level least;
};

/* A number as the text of a value; lives until the end of the full expression. */
struct log_number {
    char text[24];
};
struct log_number log_int(int64_t number);

/* message, then pairs of name and value, ended by NULL. A NULL value leaves its pair out. */
void log_line(const struct log *log, enum log_level level, const char *message, ...)
    __attribute__((sentinel));

#endif
