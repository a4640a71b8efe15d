/*
 * server: what the benchmark runs the gateway against: a bucket and a sink that cost as little as
 * they can. As S3 it lists and gives the objects of a folder, or a made-up bucket of many keys, and
 * answers each request after a set latency; as InfluxDB it reads what is posted and says 204, or
 * with --away 503. It checks no signatures and speaks just enough HTTP/1.1 for libcurl.
 *
 * usage: server [--latency-ms N] [--folder FOLDER | --keys N] [--away]
 * Prints its port and serves until its standard input ends. Run by
 * tests/bench/bench.py and memory.py.
 */
#include "base/buf.h"
#include "base/memory.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    PAGE_KEYS = 1000,
    HEAD_MAX_BYTES = 16 * 1024,
    PAGE_MAX_BYTES = 1024 * 1024,
    KEY_MAX_BYTES = 512,
    SMALL_MAX_BYTES = 1024 * 1024 /* objects up to this are held in memory */
};

struct object {
    char *key, *path; /* path: NULL when the object is only listed */
    char *bytes;      /* NULL: sent from the file */
    int64_t size;
    time_t modified;
};

struct server {
    struct object *objects; /* sorted by key */
    size_t n, size;
    long latency_ms;
    bool away;
};

struct connection {
    const struct server *server;
    int fd;
    char head[HEAD_MAX_BYTES + 1];
    size_t have; /* bytes in head */
    struct buf page;
};

/* --- the bucket --- */

static void add_object(struct server *server, struct object object)
{
    if (server->n == server->size) {
        server->size = server->size ? 2 * server->size : 1024;
        server->objects = memory_grow(server->objects, server->size * sizeof *server->objects);
    }
    server->objects[server->n++] = object;
}

static char *read_small(const char *path, int64_t size)
{
    int fd = size <= SMALL_MAX_BYTES ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) {
        return NULL;
    }
    char *bytes = memory_new((size_t)size + 1);
    ssize_t len = read(fd, bytes, (size_t)size);
    close(fd);
    if (len != size) {
        free(bytes);
        return NULL;
    }
    return bytes;
}

static void add_file(struct server *server, const char *folder, const char *key)
{
    char path[2 * KEY_MAX_BYTES];
    struct stat info;
    snprintf(path, sizeof path, "%s/%s", folder, key);
    if (stat(path, &info) == 0 && S_ISREG(info.st_mode)) {
        add_object(server, (struct object){.key = memory_copy(key, strlen(key)),
                                           .path = memory_copy(path, strlen(path)),
                                           .bytes = read_small(path, info.st_size),
                                           .size = info.st_size,
                                           .modified = info.st_mtim.tv_sec});
    }
}

/* One level of folders, as Lyve Cloud has it. */
static void add_month(struct server *server, const char *folder, const char *month)
{
    char path[KEY_MAX_BYTES], key[KEY_MAX_BYTES];
    snprintf(path, sizeof path, "%s/%s", folder, month);
    DIR *dir = opendir(path);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        if ((size_t)snprintf(key, sizeof key, "%s/%s", month, entry->d_name) < sizeof key) {
            add_file(server, folder, key);
        }
    }
    if (dir) {
        closedir(dir);
    }
}

static int compare_objects(const void *a, const void *b)
{
    return strcmp(((const struct object *)a)->key, ((const struct object *)b)->key);
}

static void read_folder(struct server *server, const char *folder)
{
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        if (entry->d_name[0] != '.') {
            add_month(server, folder, entry->d_name);
        }
    }
    if (dir) {
        closedir(dir);
    }
    qsort(server->objects, server->n, sizeof *server->objects, compare_objects);
}

/* Keys of 60 bytes. */
static void make_keys(struct server *server, long count)
{
    enum { MARCH_2026 = 1772323200 };
    for (long i = 0; i < count; i++) {
        char key[KEY_MAX_BYTES];
        int len =
            snprintf(key, sizeof key, "March-2026/S3-a-bucket-of-some-length-%010ld-2026-03.gz", i);
        add_object(server, (struct object){.key = memory_copy(key, (size_t)len),
                                           .size = 1000 + i % 1000,
                                           .modified = MARCH_2026 + i % 1000000});
    }
}

/* The first object whose key is not before `key`; after: not equal to it either. */
static size_t find(const struct server *server, const char *key, bool after)
{
    size_t from = 0, to = server->n;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = strcmp(server->objects[middle].key, key);
        if (order < 0 || (after && order == 0)) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return from;
}

/* --- sending --- */

static bool send_all(int fd, const char *at, size_t len)
{
    while (len) {
        ssize_t n = send(fd, at, len, MSG_NOSIGNAL);
        if (n <= 0) {
            return false;
        }
        at += n;
        len -= (size_t)n;
    }
    return true;
}

static bool reply(struct connection *connection, const char *status, struct slice body)
{
    char head[256];
    int len =
        snprintf(head, sizeof head, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n", status, body.len);
    return send_all(connection->fd, head, (size_t)len) &&
           send_all(connection->fd, body.at, body.len);
}

static bool reply_empty(struct connection *connection, const char *head)
{
    return send_all(connection->fd, head, strlen(head));
}

static bool send_file(int to, const struct object *object)
{
    int fd = open(object->path, O_RDONLY | O_CLOEXEC);
    off_t at = 0;
    while (fd >= 0 && at < object->size) {
        if (sendfile(to, fd, &at, (size_t)(object->size - at)) <= 0) {
            break;
        }
    }
    if (fd >= 0) {
        close(fd);
    }
    return at == object->size;
}

static bool give_object(struct connection *connection, const char *key)
{
    const struct server *server = connection->server;
    size_t i = find(server, key, false);
    if (i == server->n || strcmp(server->objects[i].key, key) != 0 || !server->objects[i].path) {
        return reply(connection, "404 Not Found",
                     slice_of("<Error><Code>NoSuchKey</Code></Error>"));
    }
    const struct object *object = &server->objects[i];
    char head[512], date[64];
    struct tm tm;
    strftime(date, sizeof date, "%a, %d %b %Y %T GMT", gmtime_r(&object->modified, &tm));
    int len = snprintf(head, sizeof head,
                       "HTTP/1.1 200 OK\r\nContent-Length: %" PRId64
                       "\r\nETag: \"%032zx\"\r\nLast-Modified: %s\r\n\r\n",
                       object->size, i, date);
    if (!object->bytes) {
        return send_all(connection->fd, head, (size_t)len) && send_file(connection->fd, object);
    }
    buf_clear(&connection->page); /* head and body in one packet */
    buf_add(&connection->page, slice_make(head, (size_t)len));
    buf_add(&connection->page, slice_make(object->bytes, (size_t)object->size));
    return send_all(connection->fd, connection->page.at, connection->page.len);
}

/* --- listing --- */

static int hex(char digit)
{
    return digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
}

/* The decoded value of a query's name, "" when it is not there. */
static void query_value(const char *query, const char *name, char *to)
{
    size_t len = strlen(name), n = 0;
    const char *at = query;
    while (at && (strncmp(at, name, len) != 0 || at[len] != '=')) {
        at = strchr(at, '&');
        at = at ? at + 1 : NULL;
    }
    for (at = at ? at + len + 1 : ""; *at && *at != '&' && n + 1 < KEY_MAX_BYTES; at++) {
        to[n] = *at;
        if (*at == '%' && at[1] && at[2]) {
            to[n] = (char)(hex(at[1]) << 4 | hex(at[2]));
            at += 2;
        }
        n++;
    }
    to[n] = '\0';
}

static void add_row(struct buf *page, const struct server *server, size_t i)
{
    const struct object *object = &server->objects[i];
    char date[64];
    struct tm tm;
    strftime(date, sizeof date, "%FT%T.000Z", gmtime_r(&object->modified, &tm));
    buf_printf(page,
               "<Contents><Key>%s</Key><LastModified>%s</LastModified><ETag>&#34;%032zx&#34;</ETag>"
               "<Size>%" PRId64 "</Size><StorageClass>STANDARD</StorageClass></Contents>",
               object->key, date, i, object->size);
}

/* The folders of the top level; the objects all lie one level down. */
static void add_folders(struct buf *page, const struct server *server)
{
    char folder[KEY_MAX_BYTES] = "";
    for (size_t i = 0; i < server->n; i = find(server, folder, false)) {
        size_t len = strcspn(server->objects[i].key, "/") + 1;
        snprintf(folder, sizeof folder, "%.*s", (int)len, server->objects[i].key);
        buf_printf(page, "<CommonPrefixes><Prefix>%s</Prefix></CommonPrefixes>", folder);
        folder[len - 1] = '/' + 1; /* behind all that begin with it */
    }
}

static void add_objects(struct buf *page, const struct server *server, const char *prefix,
                        const char *after)
{
    size_t i = *after ? find(server, after, true) : find(server, prefix, false);
    size_t end = i + PAGE_KEYS;
    while (i < server->n && i < end &&
           strncmp(server->objects[i].key, prefix, strlen(prefix)) == 0) {
        add_row(page, server, i++);
    }
    bool more =
        i == end && i < server->n && strncmp(server->objects[i].key, prefix, strlen(prefix)) == 0;
    buf_printf(page, "<IsTruncated>%s</IsTruncated>", more ? "true" : "false");
    if (more) {
        buf_printf(page, "<NextContinuationToken>%s</NextContinuationToken>",
                   server->objects[i - 1].key);
    }
}

static bool give_listing(struct connection *connection, const char *query)
{
    char prefix[KEY_MAX_BYTES], delimiter[KEY_MAX_BYTES], after[KEY_MAX_BYTES];
    query_value(query, "prefix", prefix);
    query_value(query, "delimiter", delimiter);
    query_value(query, "continuation-token", after);
    if (!*after) {
        query_value(query, "start-after", after);
    }
    struct buf *page = &connection->page;
    buf_clear(page);
    buf_add_text(page, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult "
                       "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    if (*delimiter && !*prefix) {
        add_folders(page, connection->server);
        buf_add_text(page, "<IsTruncated>false</IsTruncated>");
    } else {
        add_objects(page, connection->server, prefix, after);
    }
    buf_add_text(page, "</ListBucketResult>");
    return reply(connection, "200 OK", buf_slice(page));
}

/* --- requests --- */

/* Reads until the head's end; returns it, NULL when the other side has gone. */
static char *read_head(struct connection *connection)
{
    for (;;) {
        connection->head[connection->have] = '\0';
        char *end = strstr(connection->head, "\r\n\r\n");
        if (end) {
            return end + 4;
        }
        ssize_t n = connection->have < HEAD_MAX_BYTES
                        ? recv(connection->fd, connection->head + connection->have,
                               HEAD_MAX_BYTES - connection->have, 0)
                        : 0;
        if (n <= 0) {
            return NULL;
        }
        connection->have += (size_t)n;
    }
}

/* Reads the body and forgets it; what follows it becomes the next head. */
static bool skip_body(struct connection *connection, const char *body)
{
    char *name = strcasestr(connection->head, "\r\nContent-Length:");
    uint64_t left = name && name < body ? strtoull(name + 17, NULL, 10) : 0;
    size_t have = (size_t)(connection->head + connection->have - body);
    if (have > left) {
        memmove(connection->head, body + left, have - left);
        connection->have = have - left;
        return true;
    }
    connection->have = 0;
    for (left -= have; left;) {
        char chunk[64 * 1024];
        ssize_t n = recv(connection->fd, chunk, left < sizeof chunk ? left : sizeof chunk, 0);
        if (n <= 0) {
            return false;
        }
        left -= (size_t)n;
    }
    return true;
}

static void pause_ms(long ms)
{
    struct timespec span = {ms / 1000, ms % 1000 * 1000000};
    while (ms && nanosleep(&span, &span) != 0 && errno == EINTR) {
    }
}

static bool answer_get(struct connection *connection, char *target)
{
    pause_ms(connection->server->latency_ms);
    char *query = strchr(target, '?');
    if (query) {
        *query++ = '\0';
    }
    char *key = target[0] ? strchr(target + 1, '/') : NULL;
    return key && key[1] ? give_object(connection, key + 1)
                         : give_listing(connection, query ? query : "");
}

static bool answer(struct connection *connection)
{
    char *body = read_head(connection);
    char method[8], target[2 * KEY_MAX_BYTES];
    if (!body || sscanf(connection->head, "%7s %1023s", method, target) != 2 ||
        !skip_body(connection, body)) {
        return false;
    }
    if (strcmp(method, "POST") != 0) {
        return answer_get(connection, target);
    }
    return connection->server->away ? reply(connection, "503 Service Unavailable", slice_of("away"))
                                    : reply_empty(connection, "HTTP/1.1 204 No Content\r\n\r\n");
}

static void *serve(void *argument)
{
    struct connection *connection = argument;
    while (answer(connection)) {
    }
    close(connection->fd);
    buf_finish(&connection->page);
    free(connection);
    return NULL;
}

static void *accept_all(void *argument)
{
    const struct server *server = ((const struct connection *)argument)->server;
    int listener = ((const struct connection *)argument)->fd, fd, one = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        struct connection *connection = memory_new(sizeof *connection);
        connection->server = server;
        connection->fd = fd;
        connection->page.max = PAGE_MAX_BYTES + SMALL_MAX_BYTES;
        pthread_t thread;
        if (pthread_create(&thread, NULL, serve, connection) == 0) {
            pthread_detach(thread);
        }
    }
    return NULL;
}

static int listen_anywhere(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) != 0 || listen(fd, 64) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) != 0) {
        perror("server");
        exit(1);
    }
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

int main(int argc, char **argv)
{
    struct server server = {0};
    signal(SIGPIPE, SIG_IGN);
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--away") == 0) {
            server.away = true;
        } else if (strcmp(argv[i], "--latency-ms") == 0) {
            server.latency_ms = strtol(value, NULL, 10);
            i++;
        } else if (strcmp(argv[i], "--folder") == 0) {
            read_folder(&server, value);
            i++;
        } else if (strcmp(argv[i], "--keys") == 0) {
            make_keys(&server, strtol(value, NULL, 10));
            i++;
        } else {
            fprintf(stderr, "server: %s: see the top of server.c\n", argv[i]);
            return 2;
        }
    }
    struct connection listener = {.server = &server, .fd = listen_anywhere()};
    pthread_t thread;
    if (pthread_create(&thread, NULL, accept_all, &listener) != 0) {
        return 1;
    }
    char byte;
    while (read(STDIN_FILENO, &byte, 1) > 0) {
    }
    return 0; /* ends the threads and their connections */
}
