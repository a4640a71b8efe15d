/* line_names: see line_names.h. */
#include "data/line_names.h"

#include "data/escape.h"

typedef char *escaping(char *to, struct slice text);

/* before, name, after */
static struct slice part_make(struct line_names *names, const char *before, const char *name,
                              escaping *escape, const char *after)
{
    size_t len = strlen(name);
    char *part = arena_take(&names->texts, 2 * len + 2 + ESCAPE_SPARE_BYTES + LINE_NAME_STEP);
    char *end = escape(stpcpy(part, before), slice_make(name, len));
    end = stpcpy(end, after);
    memset(end, 0, LINE_NAME_STEP);
    names->bytes += (size_t)(end - part);
    return slice_make(part, (size_t)(end - part));
}

void line_names_make(struct line_names *names, const struct schema *schema)
{
    names->measurement = part_make(names, "", schema->measurement, escape_measurement_to, "");
    for (size_t i = 0; i < schema->n_tags; i++) {
        names->tags[i] = part_make(names, ",", schema->tags[i], escape_tag_to, "=");
    }
    for (size_t i = 0; i < schema->n_fields; i++) {
        names->fields[i] = part_make(names, "", schema->fields[i].name, escape_tag_to, "=");
    }
}

void line_names_finish(struct line_names *names)
{
    arena_finish(&names->texts);
}
