/*
 * http_global: what libcurl and libxml2 need once per process. Called by main, which also ignores
 * SIGPIPE: libcurl leaves that to the program (CURLOPT_NOSIGNAL).
 */
#include "net/http.h"

#include <curl/curl.h>
#include <libxml/parser.h>

enum status http_global_init(struct err *err)
{
    xmlInitParser();
    CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (code != CURLE_OK) {
        return err_set(err, FAILED, "libcurl: %s", curl_easy_strerror(code));
    }
    return OK;
}

void http_global_finish(void)
{
    curl_global_cleanup();
    xmlCleanupParser();
}
