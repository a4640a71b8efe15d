/* log: see log.h. A line is built whole and written with one write(2), so threads do not mix lines.
 */
#include "base/log.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/timestamp.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 64 * 1024 };

struct log_number log_int(int64_t number)
{
    struct log_number text;
    snprintf(text.text, sizeof text.text, "%" PRId64, number);
    return text;
}

/* The control character, below U+00A0, that a valid text goes on with; 0: none. */
static unsigned control_at(const unsigned char *at)
{
    bool is_c1 = at[0] == 0xC2 && at[1] < 0xA0;
    return is_c1 ? at[1] : at[0] < 0x20 || at[0] == 0x7F ? at[0] : 0;
}

static void add_quoted(struct buf *line, const char *value)
{
    buf_add_byte(line, '"');
    for (const unsigned char *c = (const unsigned char *)value; *c; c++) {
        unsigned control = control_at(c);
        if (control) {
            buf_printf(line, "\\u%04x", control);
            c += control >= 0x80;
            continue;
        }
        if (*c == '"' || *c == '\\') {
            buf_add_byte(line, '\\');
        }
        buf_add_byte(line, (char)*c);
    }
    buf_add_byte(line, '"');
}

/* logfmt leaves a value bare when nothing in it needs a quote. */
static bool is_bare(const char *value)
{
    if (!*value) {
        return false;
    }
    for (const unsigned char *c = (const unsigned char *)value; *c; c++) {
        if (*c == ' ' || *c == '"' || *c == '=' || *c == '\\' || control_at(c)) {
            return false;
        }
    }
    return true;
}

static void add_valid_pair(struct buf *line, bool json, const char *name, const char *value)
{
    if (json) {
        buf_add_byte(line, line->len ? ',' : '{');
        add_quoted(line, name);
        buf_add_byte(line, ':');
        add_quoted(line, value);
        return;
    }
    if (line->len) {
        buf_add_byte(line, ' ');
    }
    buf_add_text(line, name);
    buf_add_byte(line, '=');
    if (is_bare(value)) {
        buf_add_text(line, value);
    } else {
        add_quoted(line, value);
    }
}

/* Keys of objects and texts of servers may be any bytes. */
static void add_pair(struct buf *line, bool json, const char *name, const char *value)
{
    CLEANUP(buf_finish) struct buf valid = {.max = LINE_MAX_BYTES};
    utf8_repair(slice_of(value), &valid);
    add_valid_pair(line, json, name, buf_text(&valid));
}

void log_line(const struct log *log, enum log_level level, const char *message, ...)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    if (level < log->least) {
        return;
    }
    CLEANUP(buf_finish) struct buf line = {.max = LINE_MAX_BYTES};
    int64_t now_ns = clock_now_ns();
    char time[TIMESTAMP_TEXT_BYTES];
    add_pair(&line, log->json, "time", timestamp_format(now_ns - now_ns % NS_PER_MS, time));
    add_pair(&line, log->json, "level", names[level]);
    add_pair(&line, log->json, "msg", message);
    va_list args;
    va_start(args, message);
    for (const char *name; (name = va_arg(args, const char *));) {
        const char *value = va_arg(args, const char *);
        if (value) {
            add_pair(&line, log->json, name, value);
        }
    }
    va_end(args);
    buf_add_text(&line, log->json ? "}\n" : "\n");
    ssize_t written = write(STDERR_FILENO, line.at, line.len);
    (void)written; /* nobody to tell */
}
