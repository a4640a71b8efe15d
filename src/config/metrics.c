/*
 * metrics: the stanza `metrics:`, which has the service answer questions about itself over HTTP,
 * and where. Called by config/config; commands/health listens there.
 */
#include "config/loader.h"
#include "config/values.h"

#include <arpa/inet.h>

enum { PORT_MAX = 65535 };

const struct option config_metrics_options[] = {
    {"listen", OPTION_TEXT, offsetof(struct metrics_config, listen), "127.0.0.1:9464",
     .help = "address and port to listen at, or a port of 127.0.0.1; IPv6 as [::1]:9464; port 0 = "
             "any that is free"},
    {0},
};

static bool take_brackets(struct slice *address)
{
    bool has = address->len >= 2 && address->at[0] == '[' && address->at[address->len - 1] == ']';
    if (has) {
        *address = slice_make(address->at + 1, address->len - 2);
    }
    return has;
}

/* Names are not looked up: which of their addresses is meant, and when, nobody could say. */
static bool parse_listen(struct arena *arena, struct metrics_config *metrics)
{
    struct slice address = SLICE_LITERAL("127.0.0.1"), port = slice_of(metrics->listen);
    const char *colon = strrchr(metrics->listen, ':');
    if (colon) {
        address = slice_make(port.at, (size_t)(colon - port.at));
        port = slice_of(colon + 1);
    }
    int family = take_brackets(&address) ? AF_INET6 : AF_INET;
    metrics->address = arena_text(arena, address);
    unsigned char bytes[sizeof(struct in6_addr)];
    return value_int(port, &metrics->port) && metrics->port >= 0 && metrics->port <= PORT_MAX &&
           inet_pton(family, metrics->address, bytes) == 1;
}

void metrics_read(struct loader *loader)
{
    static const char *const also[] = {NULL};
    const struct node *stanza = node_get(loader->root, "metrics");
    if (!stanza) {
        return;
    }
    struct metrics_config *metrics = &loader->config->metrics;
    const struct option_set set = {config_metrics_options, metrics};
    size_t errors = loader->reader.problems->errors;
    metrics->is_on = true;
    options_read(&loader->reader, "metrics", stanza, &set, 1, also);
    if (loader->reader.problems->errors == errors && !parse_listen(loader->reader.arena, metrics)) {
        const struct node *listen = node_get(stanza, "listen");
        struct slice shown = problem_excerpt(slice_of(metrics->listen));
        problem_add(loader->reader.problems, listen ? listen->at : stanza->at,
                    "metrics.listen: \"%.*s\" is not an address and port such as 127.0.0.1:9464",
                    SLICE_ARG(shown));
    }
}
