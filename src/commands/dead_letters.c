/*
 * dead_letters: `loggateway dead-letters`: the records that did not become points: list them, show
 * one with its bytes, have their objects read again (requeue.h), drop them. Works beside a running
 * job.
 */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/timestamp.h"
#include "commands/arguments.h"
#include "commands/cli.h"
#include "commands/requeue.h"
#include "data/shown.h"
#include "ledger/letters.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PAGE_LETTERS = 128, LIMIT_MAX = 1000000, SHOWN_MAX_BYTES = 512 * 1024 };

struct letters_command {
    struct cli *cli;
    const struct config *config;
    struct ledger *ledger; /* NULL: nothing has run yet */
    struct letter_filter filter;
    long limit;
    char **operands;
    int n_operands;
};

static void print_foreign(struct slice text)
{
    CLEANUP(buf_finish) struct buf shown = {.max = SHOWN_MAX_BYTES};
    shown_add(&shown, text);
    fwrite(buf_text(&shown), 1, shown.len, stdout);
}

static int failed(enum status status, const struct err *err)
{
    cli_usage("dead-letters: %s", err->text);
    return cli_exit_code(status);
}

static bool read_id(const char *text, int64_t *id)
{
    char *end;
    errno = 0;
    *id = strtoll(text, &end, 10);
    return *end == '\0' && *id > 0 && errno == 0;
}

/* --- list --- */

/* To the second, as the others of its column. */
static void print_date(int64_t ns)
{
    char text[TIMESTAMP_TEXT_BYTES];
    int64_t whole_ns = ns - ns % NS_PER_SECOND;
    printf("%s", ns == INT64_MIN ? "-" : timestamp_format(whole_ns, text));
}

static void print_row(const struct letter *letter)
{
    printf("%" PRId64 "\t", letter->id);
    print_date(letter->buried_ns);
    printf("\t%s\t%s\t", letter->job, *letter->sink ? letter->sink : "-");
    print_foreign(letter->key);
    printf("\t%" PRIu64 "\t", letter->line);
    print_foreign(slice_of(letter->reason));
    printf("\n");
}

static enum status print_rows(const struct letters_command *command, struct err *err)
{
    CLEANUP(arena_finish) struct arena texts = {0};
    struct letter page[PAGE_LETTERS];
    int64_t before = INT64_MAX;
    for (long left = command->limit; left > 0;) {
        size_t n, max = left < PAGE_LETTERS ? (size_t)left : PAGE_LETTERS;
        arena_reset(&texts);
        enum status status = ledger_letter_page(command->ledger, &command->filter, before, &texts,
                                                page, max, &n, err);
        if (status != OK) {
            return status;
        }
        for (size_t i = 0; i < n; i++) {
            print_row(&page[i]);
        }
        if (n < max) {
            break;
        }
        before = page[n - 1].id;
        left -= (long)n;
    }
    return OK;
}

/* On stderr, so that it is no row of the table. */
static void print_rest(uint64_t count, long limit)
{
    if (count > (uint64_t)limit) {
        fprintf(stderr, "%" PRIu64 " older ones: see --limit\n", count - (uint64_t)limit);
    }
}

static int list(struct letters_command *command)
{
    if (!command->ledger) {
        return EXIT_DONE;
    }
    struct err err;
    uint64_t count;
    enum status status = ledger_letter_count(command->ledger, &command->filter, &count, &err);
    if (status == OK && count) {
        printf("id\tdate\tjob\tsink\tkey\tline\treason\n");
        status = print_rows(command, &err);
    }
    if (status != OK) {
        return failed(status, &err);
    }
    print_rest(count, command->limit);
    return EXIT_DONE;
}

static int run_list(struct letters_command *command)
{
    if (command->n_operands > 1) {
        return cli_usage("dead-letters list: one job at most: '%s' is too many",
                         command->operands[1]);
    }
    return list(command);
}

/* --- show --- */

static void print_state(const struct letters_command *command, const struct letter *letter,
                        const struct letter_details *details)
{
    struct err err;
    enum object_state state;
    enum status status =
        ledger_object_state(command->ledger, details->scope, letter->key, &state, &err);
    printf("object   %s\n", status == OK      ? object_state_name(state)
                            : status == AGAIN ? "gone from the ledger"
                                              : err.text);
}

static void print_line(const char *name, const char *text)
{
    printf("%-8s ", name);
    print_foreign(slice_of(text));
    printf("\n");
}

/* On a terminal fit for it; elsewhere as they are, so that they can be read by `parse`. */
static void print_bytes(struct slice bytes)
{
    if (isatty(STDOUT_FILENO)) {
        print_foreign(bytes);
    } else {
        fwrite(bytes.at, 1, bytes.len, stdout);
    }
    printf("\n");
}

static void print_letter(const struct letters_command *command, const struct letter *letter,
                         const struct letter_details *details)
{
    printf("id       %" PRId64 "\ndate     ", letter->id);
    print_date(letter->buried_ns);
    printf("\n");
    print_line("job", letter->job);
    print_line("sink", *letter->sink ? letter->sink : "- (the parser refused the record)");
    print_line("endpoint", details->endpoint);
    print_line("bucket", details->bucket);
    print_line("folders", details->folders);
    printf("key      ");
    print_foreign(letter->key);
    printf("\nline     %" PRIu64 "\n", letter->line);
    print_line("reason", letter->reason);
    printf("run      %" PRId64 "\n", details->run);
    print_state(command, letter, details);
    printf("length   %" PRIu64 " bytes, %zu kept after masking\n", details->len,
           details->bytes.len);
    printf("hash     %016" PRIx64 " (XXH3 of the record before masking)\n\n", details->hash);
    print_bytes(details->bytes);
}

static int run_show(struct letters_command *command)
{
    int64_t id;
    if (command->n_operands != 1 || !read_id(command->operands[0], &id)) {
        return cli_usage("dead-letters show: the number of a letter: see dead-letters list");
    }
    struct err err;
    CLEANUP(arena_finish) struct arena texts = {0};
    struct letter letter;
    struct letter_details details;
    enum status status = command->ledger
                             ? ledger_letter(command->ledger, id, &texts, &letter, &details, &err)
                             : err_set(&err, AGAIN, "nothing has run yet");
    if (status != OK) {
        cli_usage("dead-letters: %" PRId64 ": %s", id, err.text);
        return EXIT_KEPT_BACK;
    }
    print_letter(command, &letter, &details);
    return EXIT_DONE;
}

/* --- requeue --- */

static enum status requeue_all(const struct letters_command *command, struct requeue *requeue,
                               struct err *err)
{
    if (command->n_operands == 0) {
        return requeue_matching(requeue, &command->filter, err);
    }
    enum status status = OK;
    for (int i = 0; status == OK && i < command->n_operands; i++) {
        int64_t id;
        if (read_id(command->operands[i], &id)) { /* run_requeue() has seen that it is one */
            status = requeue_letter(requeue, id, err);
        }
    }
    return status;
}

static int requeue_and_tell(const struct letters_command *command)
{
    struct err err;
    struct requeue *requeue = requeue_new(command->cli, command->config, command->ledger);
    enum status status = requeue_all(command, requeue, &err);
    struct requeue_counts counts = requeue_counts(requeue);
    requeue_free(requeue);
    printf("%" PRIu64 " objects requeued", counts.requeued);
    if (counts.waiting) {
        printf(", %" PRIu64 " were waiting already", counts.waiting);
    }
    printf(": the next run over their dates reads them\n");
    if (status != OK) {
        return failed(status, &err);
    }
    return counts.refused ? EXIT_KEPT_BACK : EXIT_DONE;
}

/* Numbers of letters or a filter, never all of them by mistake. */
static int check_choice(const struct letters_command *command, const char *action)
{
    const struct letter_filter *filter = &command->filter;
    bool is_filtered = filter->job || filter->reason || filter->since_ns != INT64_MIN ||
                       filter->before_ns != INT64_MAX || filter->gone;
    if (is_filtered == (command->n_operands > 0)) {
        return cli_usage("dead-letters %s: numbers of letters, or --job, --reason, --since, "
                         "--before, --gone",
                         action);
    }
    for (int i = 0; i < command->n_operands; i++) {
        int64_t id;
        if (!read_id(command->operands[i], &id)) {
            return cli_usage("dead-letters %s: '%s' is not the number of a letter", action,
                             command->operands[i]);
        }
    }
    if (!command->ledger) {
        cli_usage("dead-letters: nothing has run yet");
        return EXIT_KEPT_BACK;
    }
    return EXIT_DONE;
}

static int run_requeue(struct letters_command *command)
{
    int code = check_choice(command, "requeue");
    return code ? code : requeue_and_tell(command);
}

/* --- drop --- */

/* Page by page, so that a running job gets its turn at the ledger. */
static enum status drop_matching(const struct letters_command *command, uint64_t *dropped,
                                 struct err *err)
{
    CLEANUP(arena_finish) struct arena texts = {0};
    struct letter page[PAGE_LETTERS];
    int64_t ids[PAGE_LETTERS], before = INT64_MAX;
    size_t n = PAGE_LETTERS;
    enum status status = OK;
    while (status == OK && n == PAGE_LETTERS) {
        uint64_t more = 0;
        arena_reset(&texts);
        status = ledger_letter_page(command->ledger, &command->filter, before, &texts, page,
                                    PAGE_LETTERS, &n, err);
        for (size_t i = 0; status == OK && i < n; i++) {
            before = ids[i] = page[i].id;
        }
        if (status == OK) {
            status = ledger_letters_drop(command->ledger, ids, n, &more, err);
        }
        *dropped += more;
    }
    return status;
}

static enum status drop_numbers(const struct letters_command *command, uint64_t *dropped,
                                struct err *err)
{
    enum status status = OK;
    for (int i = 0; status == OK && i < command->n_operands; i++) {
        int64_t id = 0;
        uint64_t more;
        read_id(command->operands[i], &id); /* check_choice() has seen that it is one */
        status = ledger_letters_drop(command->ledger, &id, 1, &more, err);
        if (status == OK && !more) {
            cli_usage("dead-letters: %" PRId64 ": there is no dead letter of this number", id);
        }
        *dropped += more;
    }
    return status;
}

static int run_drop(struct letters_command *command)
{
    struct err err;
    uint64_t dropped = 0;
    int code = check_choice(command, "drop");
    if (code) {
        return code;
    }
    bool by_number = command->n_operands > 0;
    enum status status =
        by_number ? drop_numbers(command, &dropped, &err) : drop_matching(command, &dropped, &err);
    printf("%" PRIu64 " letters dropped\n", dropped);
    if (status != OK) {
        return failed(status, &err);
    }
    return by_number && dropped < (uint64_t)command->n_operands ? EXIT_KEPT_BACK : EXIT_DONE;
}

/* --- the command --- */

static const struct {
    const char *name;
    int (*run)(struct letters_command *command);
} actions[] = {
    {"list", run_list}, {"show", run_show}, {"requeue", run_requeue}, {"drop", run_drop}};

enum { N_ACTIONS = sizeof actions / sizeof actions[0] };

static bool has_job(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->n_jobs; i++) {
        if (strcmp(config->jobs[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* With the configuration and, when there is one, the ledger. */
static int run_action(struct letters_command *command, size_t action)
{
    struct err err;
    const char *job = command->filter.job;
    /* a job that is no more may have left letters to drop */
    if (job && actions[action].run != run_drop && !has_job(command->config, job)) {
        return cli_usage("dead-letters: no job named '%s' in %s", job, command->config->path);
    }
    enum status status = ledger_open_existing(&command->ledger, command->config->state, &err);
    if (status != OK && status != AGAIN) {
        return failed(status, &err);
    }
    int code = actions[action].run(command);
    ledger_close(command->ledger);
    return code;
}

struct letters_arguments {
    const char *job, *reason, *since, *before, *limit;
    bool gone;
};

static enum status read_filter(const struct letters_arguments *arguments,
                               struct letters_command *command, struct err *err)
{
    int64_t now_ns = clock_now_ns();
    struct letter_filter *filter = &command->filter;
    *filter = (struct letter_filter){arguments->job, arguments->reason, INT64_MIN, INT64_MAX,
                                     arguments->gone};
    if (timestamp_read_option("--since", arguments->since, now_ns, &filter->since_ns, err) != OK ||
        timestamp_read_option("--before", arguments->before, now_ns, &filter->before_ns, err) !=
            OK) {
        return err->status;
    }
    char *end;
    command->limit = strtol(arguments->limit, &end, 10);
    if (*end || command->limit < 1 || command->limit > LIMIT_MAX) {
        return err_set(err, BAD_CONFIG, "--limit %s: a number from 1 to %d", arguments->limit,
                       LIMIT_MAX);
    }
    return OK;
}

static bool find_action(const char *name, size_t *action)
{
    for (*action = 0; *action < N_ACTIONS; (*action)++) {
        if (name && strcmp(actions[*action].name, name) == 0) {
            return true;
        }
    }
    return false;
}

int command_dead_letters(struct cli *cli, int argc, char **argv)
{
    struct letters_arguments arguments = {.limit = "100"};
    const struct argument table[] = {{"job", 0, &arguments.job, NULL},
                                     {"reason", 0, &arguments.reason, NULL},
                                     {"since", 0, &arguments.since, NULL},
                                     {"before", 0, &arguments.before, NULL},
                                     {"gone", 0, NULL, &arguments.gone},
                                     {"limit", 0, &arguments.limit, NULL},
                                     {NULL}};
    int first = arguments_read(argc, argv, table, false);
    if (first < 0) {
        return EXIT_USAGE;
    }
    size_t action;
    if (!find_action(first < argc ? argv[first] : NULL, &action)) {
        return cli_usage("dead-letters: list, show, requeue or drop?");
    }
    struct letters_command command = {
        .cli = cli, .operands = argv + first + 1, .n_operands = argc - first - 1};
    if (actions[action].run == run_list && command.n_operands) {
        arguments.job = command.operands[0];
    }
    struct err err;
    if (read_filter(&arguments, &command, &err) != OK) {
        return failed(err.status, &err);
    }
    struct config *config = cli_config(cli);
    if (!config) {
        return EXIT_USAGE;
    }
    command.config = config;
    int code = run_action(&command, action);
    config_free(config);
    return code;
}
