/* json: see json.h. */
#include "commands/json.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/timestamp.h"
#include "base/utf8.h"

#include <stdio.h>

enum { TEXT_MAX_BYTES = 16 * 1024 };

cJSON *json_text(const char *text)
{
    CLEANUP(buf_finish) struct buf repaired = {.max = TEXT_MAX_BYTES};
    utf8_repair(slice_of(text), &repaired);
    return cJSON_CreateString(buf_text(&repaired));
}

/* A double holds whole numbers of 15 digits as they are. */
void json_add_number(cJSON *to, const char *name, uint64_t number)
{
    cJSON_AddNumberToObject(to, name, (double)number);
}

void json_add_text(cJSON *to, const char *name, const char *text)
{
    cJSON_AddItemToObject(to, name, text && *text ? json_text(text) : cJSON_CreateNull());
}

void json_add_time(cJSON *to, const char *name, int64_t ns)
{
    char text[TIMESTAMP_TEXT_BYTES];
    if (ns == INT64_MIN || ns == INT64_MAX) {
        cJSON_AddNullToObject(to, name);
    } else {
        cJSON_AddStringToObject(to, name, timestamp_format(ns, text));
    }
}

enum status json_print(cJSON *document, struct err *err)
{
    char *text = cJSON_Print(document);
    cJSON_Delete(document);
    if (!text) {
        return err_set(err, FAILED, "out of memory");
    }
    puts(text);
    cJSON_free(text);
    return OK;
}
