/*
 * status and err: what every function that can fail gives back.
 *
 * A status says what the caller does next; an err says what happened, outermost noun first. The
 * text is set once, where the fault is found; each caller on the way out puts its own noun in front
 * (err_prefix). Only commands/ prints it. A text never holds a secret.
 */
#ifndef API_STATUS_H
#define API_STATUS_H

enum status {
    OK,         /* done */
    AGAIN,      /* not now or not all: what that means is said at each function */
    BAD_DATA,   /* these bytes will never do: keep them as a dead letter, go on with the next */
    BAD_CONFIG, /* the operator has to change the configuration or the command line */
    FAILED,     /* the outside world did not do its part: stop here, nothing was lost */
};

#define MUST_CHECK __attribute__((warn_unused_result))

struct err {
    enum status status;
    char text[512];
};

/* Sets status and text (cut at a character when too long) and returns the status. */
enum status err_set(struct err *err, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "noun: " in front of the text and returns err->status. */
enum status err_prefix(struct err *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
