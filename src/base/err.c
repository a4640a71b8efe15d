/*
 * err: the functions of api/status.h. Texts are cut, never overrun, and a cut never splits a UTF-8
 * character, so that a message can be stored and shown as it is.
 */
#include "api/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Removes the incomplete UTF-8 character that a cut may have left at the end. */
static void trim_cut_character(char *text)
{
    size_t len = strlen(text);
    size_t back = 0;
    while (back < 3 && back < len && ((unsigned char)text[len - 1 - back] & 0xC0) == 0x80) {
        back++;
    }
    if (back == len) {
        return;
    }
    unsigned char lead = (unsigned char)text[len - 1 - back];
    size_t wanted = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC0 ? 1 : 0;
    if (wanted > back) {
        text[len - 1 - back] = '\0';
    }
}

enum status err_set(struct err *err, enum status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    if (len >= (int)sizeof err->text) {
        trim_cut_character(err->text);
    }
    err->status = status;
    return status;
}

enum status err_prefix(struct err *err, const char *format, ...)
{
    char noun[256];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(noun, sizeof noun, format, args);
    va_end(args);
    if (len >= (int)sizeof noun) {
        trim_cut_character(noun);
    }
    char inner[sizeof err->text];
    memcpy(inner, err->text, sizeof inner);
    return err_set(err, err->status, "%s: %s", noun, inner);
}
