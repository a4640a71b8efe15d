/* problems: see problems.h. A list sorted by position; those of one position stay in the order in
 * which they were found. */
#include "config/problems.h"

#include <stdarg.h>
#include <stdio.h>

enum { PROBLEMS_MAX = 500, PROBLEM_BYTES = 1024, EXCERPT_BYTES = 64 };

struct problem {
    struct problem *next;
    struct position at;
    bool is_warning;
    const char *text;
};

/* The file as a whole comes last. */
static bool is_before(struct position a, struct position b)
{
    if (a.line == 0 || b.line == 0) {
        return a.line != 0 && b.line == 0;
    }
    return a.line != b.line ? a.line < b.line : a.column < b.column;
}

static void insert(struct problems *problems, struct problem *problem)
{
    struct problem **link = &problems->first;
    while (*link && !is_before(problem->at, (*link)->at)) {
        link = &(*link)->next;
    }
    problem->next = *link;
    *link = problem;
}

/* Keys may hold line ends; a problem is one line. */
static void blank_controls(char *text)
{
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte < 0x20 || byte == 0x7F) {
            *text = '?';
        }
    }
}

static void keep(struct problems *problems, struct position at, bool is_warning, const char *format,
                 va_list args)
{
    if (problems->kept == PROBLEMS_MAX) {
        problems->dropped++;
        return;
    }
    char text[PROBLEM_BYTES];
    vsnprintf(text, sizeof text, format, args);
    blank_controls(text);
    struct problem *problem = arena_take(problems->arena, sizeof *problem);
    *problem = (struct problem){
        .at = at, .is_warning = is_warning, .text = arena_text(problems->arena, slice_of(text))};
    insert(problems, problem);
    problems->kept++;
}

void problem_add(struct problems *problems, struct position at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    keep(problems, at, false, format, args);
    va_end(args);
    problems->errors++;
}

void problem_warn(struct problems *problems, struct position at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    keep(problems, at, true, format, args);
    va_end(args);
}

static void print_one(const struct problem *problem, const char *path, struct buf *out)
{
    const char *level = problem->is_warning ? "warning: " : "";
    if (problem->at.line == 0) {
        buf_printf(out, "%s%s: %s\n", level, path, problem->text);
        return;
    }
    buf_printf(out, "%s%s:%zu:%zu: %s\n", level, path, problem->at.line, problem->at.column,
               problem->text);
}

void problems_print(const struct problems *problems, const char *path, struct buf *out)
{
    for (const struct problem *problem = problems->first; problem; problem = problem->next) {
        print_one(problem, path, out);
    }
    if (problems->dropped) {
        buf_printf(out, "%s: and %zu more problems\n", path, problems->dropped);
    }
}

struct slice problem_excerpt(struct slice text)
{
    if (text.len <= EXCERPT_BYTES) {
        return text;
    }
    text.len = EXCERPT_BYTES;
    while (text.len && ((unsigned char)text.at[text.len] & 0xC0) == 0x80) {
        text.len--;
    }
    return text;
}
