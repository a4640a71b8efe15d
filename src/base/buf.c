/* buf: see buf.h. One byte beyond the maximum is kept for buf_text's NUL. */
#include "base/buf.h"

#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void reserve(struct buf *buf, size_t size)
{
    if (size <= buf->size) {
        return;
    }
    size_t doubled = buf->size ? buf->size * 2 : 256;
    if (doubled > buf->max + 1) {
        doubled = buf->max + 1;
    }
    buf->size = doubled > size ? doubled : size;
    buf->at = memory_grow(buf->at, buf->size);
}

char *buf_room(struct buf *buf, size_t more)
{
    if (buf->overflow || more > buf->max - buf->len) {
        buf->overflow = true;
        return NULL;
    }
    reserve(buf, buf->len + more + 1);
    return buf->at + buf->len;
}

void buf_make_large(struct buf *buf, size_t max)
{
    *buf = (struct buf){.max = max, .size = max + 1, .at = memory_large(max + 1)};
}

bool buf_add(struct buf *buf, struct slice bytes)
{
    char *room = buf_room(buf, bytes.len);
    if (room && bytes.len) {
        memcpy(room, bytes.at, bytes.len);
        buf->len += bytes.len;
    }
    return room != NULL;
}

bool buf_add_text(struct buf *buf, const char *text)
{
    return buf_add(buf, slice_of(text));
}

bool buf_add_byte(struct buf *buf, char byte)
{
    return buf_add(buf, slice_make(&byte, 1));
}

bool buf_add_int(struct buf *buf, int64_t number)
{
    char digits[20];
    size_t at = sizeof digits;
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (number < 0) {
        digits[--at] = '-';
    }
    return buf_add(buf, slice_make(digits + at, sizeof digits - at));
}

bool buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *room = len < 0 ? NULL : buf_room(buf, (size_t)len);
    if (room) {
        vsnprintf(room, (size_t)len + 1, format, again);
        buf->len += (size_t)len;
    }
    va_end(again);
    return room != NULL;
}

const char *buf_text(struct buf *buf)
{
    reserve(buf, buf->len + 1);
    buf->at[buf->len] = '\0';
    return buf->at;
}

void buf_clear(struct buf *buf)
{
    buf->len = 0;
    buf->overflow = false;
}

void buf_finish(struct buf *buf)
{
    free(buf->at);
    *buf = (struct buf){.max = buf->max};
}
