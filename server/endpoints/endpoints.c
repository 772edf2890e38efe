/* SPDX-License-Identifier: Apache-2.0 */
/* Every endpoint, one line per family, and how a path finds its route. */
#include "server/endpoints/endpoint.h"

static const QsRoute *const families[] = {
    qs_routes_health,
    qs_routes_metadata,
    qs_routes_config,
    qs_routes_infer,
};

/* The parts of a path that its pattern names. */
typedef struct Match {
    QnBytes model, version;
} Match;

/* The rest of the path up to the next '/'. */
static QnBytes take_segment(QnBytes *path)
{
    const uint8_t *slash = path->size ? memchr(path->data, '/', path->size) : NULL;
    const size_t size = slash ? (size_t)(slash - path->data) : path->size;
    const QnBytes segment = qn_bytes(path->data, size);
    *path = qn_bytes(path->data + size, path->size - size);
    return segment;
}

static bool is_digits(QnBytes text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
    return text.size > 0;
}

static bool matches(Match *match, const char *pattern, QnBytes path)
{
    while (*pattern) {
        if (strncmp(pattern, "{model}", 7) == 0) {
            match->model = take_segment(&path);
            if (match->model.size == 0)
                return false;
            pattern += 7;
        } else if (strncmp(pattern, "{version}", 9) == 0) {
            match->version = take_segment(&path);
            if (!is_digits(match->version))
                return false;
            pattern += 9;
        } else {
            if (path.size == 0 || *path.data != (uint8_t)*pattern)
                return false;
            path = qn_bytes(path.data + 1, path.size - 1);
            pattern++;
        }
    }
    return path.size == 0;
}

static bool is_method(QsMethod method, QnBytes text)
{
    return qn_bytes_is(text, method == QS_GET ? "GET" : "POST");
}

static QnStatus bind(QsExchange *call, const Match *match)
{
    call->model = qn_arena_copy_text(&call->arena, match->model.data, match->model.size);
    call->version = qn_arena_copy_text(&call->arena, match->version.data, match->version.size);
    return call->model && call->version ? QN_OK : qn_no_memory(&call->err);
}

QnStatus qs_route_find(const QsRoute **out, QsExchange *call, QnBytes method, QnBytes path)
{
    const QsRoute *other = NULL;
    for (size_t i = 0; i < QN_COUNT_OF(families); i++)
        for (const QsRoute *route = families[i]; route->path; route++) {
            Match match = {0};
            if (!matches(&match, route->path, path))
                continue;
            other = route;
            if (!is_method(route->method, method))
                continue;
            *out = route;
            return bind(call, &match);
        }
    if (!other)
        return qn_fail(&call->err, QN_NOT_FOUND, "Not Found");
    *out = other;
    return qn_fail(&call->err, QN_UNSUPPORTED, "Method Not Allowed");
}
