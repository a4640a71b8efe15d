/*
 * json: what the commands with --json have in common, over cJSON: times, whole numbers, and texts
 * that may hold any bytes.
 */
#ifndef COMMANDS_JSON_H
#define COMMANDS_JSON_H

#include "api/status.h"

#include <cjson/cJSON.h>
#include <stdint.h>

/* A text as a string of JSON, which is UTF-8; keys may be any bytes. */
cJSON *json_text(const char *text);

void json_add_number(cJSON *to, const char *name, uint64_t number);
void json_add_text(cJSON *to, const char *name, const char *text); /* null for NULL and "" */
/* RFC 3339; null for INT64_MIN and INT64_MAX */
void json_add_time(cJSON *to, const char *name, int64_t ns);

/* Prints the document on stdout and frees it. */
enum status json_print(cJSON *document, struct err *err);

#endif
