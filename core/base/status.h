/*
 * Status codes and the error record of everything that is not nginx.
 *
 * A function that can fail returns pyro_status_e and fills a pyro_error_t
 * owned by its caller; nothing in core, jfr or storage writes a log.  The
 * status decides the HTTP answer (one table in ngx_pyroscope_reply.c), the
 * reason names the metric label, the message is what the client reads: it
 * names the field, the value and the limit.
 *
 * Any thread.  A pyro_error_t holds no pointers to free.
 */

#ifndef _PYRO_STATUS_H_INCLUDED_
#define _PYRO_STATUS_H_INCLUDED_


#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>


typedef enum {
    PYRO_OK = 0,
    PYRO_INVALID,           /* 400 the request itself is wrong */
    PYRO_UNAUTHENTICATED,   /* 401 */
    PYRO_NOT_FOUND,         /* 404 */
    PYRO_CONFLICT,          /* 409 somebody else has changed it meanwhile */
    PYRO_TOO_LARGE,         /* 413 a size limit */
    PYRO_UNPROCESSABLE,     /* 422 the content is wrong */
    PYRO_EXHAUSTED,         /* 429 a queue or a rate is full: try again */
    PYRO_CANCELED,          /* 499 the client went away */
    PYRO_INTERNAL,          /* 500 */
    PYRO_UNIMPLEMENTED,     /* 501 */
    PYRO_UNAVAILABLE,       /* 503 the store or the disk: try again */
    PYRO_DEADLINE           /* 504 */
} pyro_status_e;


/*
 * Why something was refused: the label "reason" of
 * pyroscope_discarded_samples_total.  Upstream's words where it has one.
 */

#define PYRO_REASONS(X)                                                       \
    X(UNKNOWN,            "unknown")                                          \
    X(REQUEST,            "invalid_request")                                  \
    X(FORMAT,             "unsupported_format")                               \
    X(LABELS,             "invalid_labels")                                   \
    X(MISSING_LABELS,     "missing_labels")                                   \
    X(LABEL_NAMES,        "max_label_names_per_series")                       \
    X(LABEL_NAME_LENGTH,  "label_name_too_long")                              \
    X(LABEL_VALUE_LENGTH, "label_value_too_long")                             \
    X(PROFILE,            "malformed_profile")                                \
    X(PROFILE_SIZE,       "profile_size_limit")                               \
    X(BODY_SIZE,          "body_size_limit_exceeded")                         \
    X(WINDOW,             "not_in_ingestion_window")                          \
    X(LATE,               "late_partitions")                                  \
    X(QUEUE,              "queue_full")                                       \
    X(RATE,               "rate_limited")                                     \
    X(SERIES,             "series_limit")                                     \
    X(STORE,              "store_unavailable")                                \
    X(DISK,               "disk_full")                                        \
    X(QUERY,              "query_limit")                                      \
    X(CANCELED,           "canceled")                                         \
    X(DEADLINE,           "deadline_exceeded")                                \
    X(MEMORY,             "out_of_memory")


typedef enum {
#define PYRO_REASON_ENUM(id, text)  PYRO_REASON_##id,
    PYRO_REASONS(PYRO_REASON_ENUM)
#undef PYRO_REASON_ENUM
    PYRO_REASON_COUNT
} pyro_reason_e;


#define PYRO_ERROR_MESSAGE_MAX  512     /* bytes, the final zero included */


typedef struct {
    pyro_status_e   status;
    pyro_reason_e   reason;
    uint64_t        offset;     /* byte position in the input, 0 if unknown */
    uint32_t        retry;      /* seconds until it may go, 0 if unknown */
    const void     *damaged;    /* which file of the store is, so that trying
                                 * again does not help, or NULL; to compare */
    char            message[PYRO_ERROR_MESSAGE_MAX];
} pyro_error_t;


/*
 * Fills err (which may be NULL) and returns status, so that a parser can say
 * "return pyro_error_set(...)".  The message is cut at its limit on a UTF-8
 * boundary; bytes below 0x20 and invalid UTF-8 are replaced, since it goes
 * into JSON and logs.
 */
pyro_status_e pyro_error_set(pyro_error_t *err, pyro_status_e status,
    pyro_reason_e reason, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Marks what err has, which may be NULL, as damage of this file; returns
 * status. */
pyro_status_e pyro_error_damage(pyro_error_t *err, pyro_status_e status,
    const void *file);

/* The answer where malloc or an arena's budget failed: 503, out_of_memory. */
pyro_status_e pyro_error_memory(pyro_error_t *err);

/* Text of a reason, for metrics. */
const char *pyro_reason_text(pyro_reason_e reason);


#endif /* _PYRO_STATUS_H_INCLUDED_ */
