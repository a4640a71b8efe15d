/* health: see health.h. */
#include "commands/health.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/memory.h"
#include "commands/status.h"
#include "data/shown.h"

#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CONNECTIONS_MAX = 16,
    CONNECTION_BYTES = 16 * 1024, /* of a request's head, and then of its reply's */
    IDLE_SECONDS = 10,
    REPLY_MAX_BYTES = 64 * 1024 * 1024, /* as many jobs as a configuration can have */
};

struct health {
    const struct metrics *metrics;
    struct ledger
        *ledger; /* of its own: whoever asks does not wait for the jobs, nor they for it */
    struct MHD_Daemon *daemon;
};

struct page {
    unsigned code;
    const char *type;
    struct buf *text;
};

/* --- what is well --- */

/* What cannot be known is not well. problems: one line each. */
static struct job_health judge(const struct health *health, const struct job_config *job,
                               struct buf *problems)
{
    const struct config *config = health->metrics->config;
    CLEANUP_FREE struct job_report *report = memory_new(sizeof *report);
    struct err err;
    enum status status =
        job_report_judge(report, job, health->ledger, config->state, clock_now_ns(), &err);
    const char *problem = status == OK ? report->problem : err.text;
    if (*problem) {
        buf_printf(problems, "job %s: ", job->name);
        shown_add(problems, slice_of(problem));
        buf_add_byte(problems, '\n');
    }
    return (struct job_health){
        .is_well = !*problem,
        .good_to_ns = status == OK ? report->figures.good_to_ns : INT64_MIN,
    };
}

/* One for each job of the configuration; to be freed. */
static struct job_health *judge_all(const struct health *health, struct buf *problems)
{
    const struct config *config = health->metrics->config;
    struct job_health *jobs = memory_new(config->n_jobs * sizeof *jobs);
    for (size_t i = 0; i < config->n_jobs; i++) {
        jobs[i] = judge(health, &config->jobs[i], problems);
    }
    return jobs;
}

/* --- pages --- */

static void fill_metrics(const struct health *health, struct page *page)
{
    CLEANUP(buf_finish) struct buf problems = {.max = REPLY_MAX_BYTES};
    CLEANUP_FREE struct job_health *jobs = judge_all(health, &problems);
    page->type = "text/plain; version=0.0.4; charset=utf-8";
    metrics_write(health->metrics, jobs, page->text);
}

static void fill_alive(const struct health *health, struct page *page)
{
    (void)health;
    buf_add_text(page->text, "alive\n");
}

static void fill_ready(const struct health *health, struct page *page)
{
    free(judge_all(health, page->text)); /* the page is what is wrong with them */
    if (page->text->len) {
        page->code = MHD_HTTP_SERVICE_UNAVAILABLE;
    } else {
        buf_add_text(page->text, "ready\n");
    }
}

static const struct {
    const char *path;
    void (*fill)(const struct health *health, struct page *page);
} pages[] = {{"/metrics", fill_metrics}, {"/healthz", fill_alive}, {"/readyz", fill_ready}};

static void fill(const struct health *health, const char *path, const char *method,
                 struct page *page)
{
    size_t i = 0;
    while (i < sizeof pages / sizeof *pages && strcmp(path, pages[i].path) != 0) {
        i++;
    }
    if (i == sizeof pages / sizeof *pages) {
        page->code = MHD_HTTP_NOT_FOUND;
        buf_add_text(page->text, "there is /metrics, /healthz and /readyz\n");
    } else if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
        page->code = MHD_HTTP_METHOD_NOT_ALLOWED;
        buf_add_text(page->text, "only GET and HEAD\n");
    } else {
        pages[i].fill(health, page);
    }
    if (page->text->overflow) {
        page->code = MHD_HTTP_INTERNAL_SERVER_ERROR;
        buf_clear(page->text);
    }
}

static enum MHD_Result send_page(struct MHD_Connection *connection, const struct page *page)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(page->text->len, page->text->at, MHD_RESPMEM_MUST_COPY);
    if (!response) {
        return MHD_NO;
    }
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, page->type);
    if (page->code == MHD_HTTP_METHOD_NOT_ALLOWED) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    }
    enum MHD_Result result = MHD_queue_response(connection, page->code, response);
    MHD_destroy_response(response);
    return result;
}

/* Answers as soon as the head of the request is there; a body is not waited for. */
static enum MHD_Result answer(void *with, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *body,
                              size_t *body_bytes, void **state)
{
    (void)version, (void)body, (void)body_bytes, (void)state;
    CLEANUP(buf_finish) struct buf text = {.max = REPLY_MAX_BYTES};
    struct page page = {MHD_HTTP_OK, "text/plain; charset=utf-8", &text};
    fill(with, path, method, &page);
    return send_page(connection, &page);
}

/* --- listening --- */

static void free_addresses(struct addrinfo **found)
{
    if (*found) {
        freeaddrinfo(*found);
    }
}

static void close_socket(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
}

static enum status fault(const struct metrics_config *where, struct err *err)
{
    return err_set(err, FAILED, "metrics: cannot listen at %s: %s", where->listen, strerror(errno));
}

/* A restart need not wait for the connections of the service before. */
static enum status listen_at(const struct metrics_config *where, int *out, struct err *err)
{
    const struct addrinfo wanted = {.ai_socktype = SOCK_STREAM,
                                    .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
    CLEANUP(free_addresses) struct addrinfo *found = NULL;
    char port[24];
    const int yes = 1;
    snprintf(port, sizeof port, "%d", (int)where->port);
    int problem = getaddrinfo(where->address, port, &wanted, &found);
    if (problem) {
        return err_set(err, FAILED, "metrics: %s: %s", where->listen, gai_strerror(problem));
    }
    CLEANUP(close_socket) int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        bind(fd, found->ai_addr, found->ai_addrlen) != 0 || listen(fd, CONNECTIONS_MAX) != 0) {
        return fault(where, err);
    }
    *out = fd;
    fd = -1;
    return OK;
}

static void log_address(const struct log *log, int fd)
{
    struct sockaddr_storage at;
    socklen_t size = sizeof at;
    char host[NI_MAXHOST] = "", port[NI_MAXSERV] = "", text[NI_MAXHOST + NI_MAXSERV + 4];
    if (getsockname(fd, (struct sockaddr *)&at, &size) == 0) {
        getnameinfo((struct sockaddr *)&at, size, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV);
    }
    bool is_6 = strchr(host, ':') != NULL;
    snprintf(text, sizeof text, "%s%s%s:%s", is_6 ? "[" : "", host, is_6 ? "]" : "", port);
    log_line(log, LOG_INFO, "listening for /metrics, /healthz and /readyz", "address", text, NULL);
}

enum status health_start(struct health **out, const struct metrics *metrics, const struct log *log,
                         struct err *err)
{
    int fd = -1;
    *out = NULL;
    if (listen_at(&metrics->config->metrics, &fd, err) != OK) {
        return err->status;
    }
    struct health *health = memory_new(sizeof *health);
    health->metrics = metrics;
    if (ledger_open_existing(&health->ledger, metrics->config->state, err) != OK) {
        close(fd);
        free(health);
        return FAILED;
    }
    log_address(log, fd);
    /* The daemon closes the socket. Its thread inherits the signals that are blocked here. */
    health->daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_USE_ITC, 0, NULL, NULL, answer, health,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)IDLE_SECONDS, MHD_OPTION_END);
    if (!health->daemon) {
        health_stop(health);
        return err_set(err, FAILED, "metrics: cannot start the HTTP server");
    }
    *out = health;
    return OK;
}

void health_stop(struct health *health)
{
    if (!health) {
        return;
    }
    if (health->daemon) {
        MHD_stop_daemon(health->daemon);
    }
    ledger_close(health->ledger);
    free(health);
}
