/*
 * Dumps: what is exported is imported as the same, once; what is no dump, or
 * half of one, is refused with the place where it is wrong.
 */

#include "storage/store_fixture.h"

#include <errno.h>

#include "core/base/bytes.h"
#include "storage/dump.h"


#define MOST  (16 * 1024 * 1024)


typedef struct {
    uint8_t  *data;
    size_t    len;
    size_t    room;             /* what there is room for */
    size_t    at;               /* read so far */
    size_t    piece;
    int       error;            /* of reading, at the end */
} bytes_t;


static int
put_bytes(void *ctx, const void *data, size_t len)
{
    bytes_t  *b = ctx;

    if (len > b->room - b->len) {
        errno = ENOSPC;
        return -1;
    }

    memcpy(b->data + b->len, data, len);
    b->len += len;

    return 0;
}


static ssize_t
get_bytes(void *ctx, void *data, size_t n)
{
    bytes_t  *b = ctx;

    if (b->at == b->len && b->error) {
        errno = b->error;
        return -1;
    }

    n = n < b->len - b->at ? n : b->len - b->at;
    n = b->piece && n > b->piece ? b->piece : n;

    memcpy(data, b->data + b->at, n);
    b->at += n;

    return (ssize_t) n;
}


static bytes_t
bytes(void)
{
    bytes_t  b;

    memset(&b, 0, sizeof(b));
    b.room = MOST;
    b.data = malloc(MOST);
    assert_non_null(b.data);

    return b;
}


static pyro_dump_result_t
export(pyro_store_t *store, const char *selector, int64_t start, int64_t end,
    bytes_t *out)
{
    pyro_error_t         err;
    fixture_query_t      q;
    pyro_dump_result_t   result;

    out->len = 0;
    fixture_query(&q, selector, start, end);

    if (pyro_store_export(store, &q.query, put_bytes, out, &result, &err)
        != PYRO_OK)
    {
        fail_msg("%s", err.message);
    }

    fixture_query_end(&q);

    return result;
}


static pyro_dump_result_t
import(pyro_store_t *store, bytes_t *in)
{
    pyro_error_t         err;
    pyro_dump_result_t   result;

    in->at = 0;

    if (pyro_store_import(store, get_bytes, in, &result, &err) != PYRO_OK) {
        fail_msg("%s", err.message);
    }

    return result;
}


static pyro_error_t
refused(pyro_store_t *store, bytes_t *in, pyro_status_e status,
    const char *text)
{
    pyro_error_t         err;
    pyro_dump_result_t   result;

    in->at = 0;
    assert_int_equal(pyro_store_import(store, get_bytes, in, &result, &err),
                     status);

    if (strstr(err.message, text) == NULL) {
        fail_msg("%s, not %s", err.message, text);
    }

    return err;
}


static void
fill(pyro_store_t *store)
{
    char             stack[64], labels[64];
    uint32_t         i, k;
    pyro_arena_t    *arena;
    pyro_profile_t  *p;

    for (i = 0; i < 300; i++) {
        arena = pyro_arena_create(0);
        p = pyro_profile_create(arena);

        for (k = 0; k < 7; k++) {
            snprintf(stack, sizeof(stack), "main;f%u;g%u", k, i * k % 11);
            fixture_add(p, 0, &fixture_cpu, stack, k % 3 ? k + i : 0,
                        10 * (k + 1));

            if (i % 2) {
                fixture_add(p, 0, &fixture_alloc, stack, 0, 8 * k + 1);
            }
        }

        /* one node, with a span and without; and the root itself */

        fixture_add(p, 0, &fixture_cpu, "main;f1;g0", 0, 3);
        fixture_add(p, 0, &fixture_cpu, "", 0, 1);

        snprintf(labels, sizeof(labels), "service_name=s%u,pod=p%u", i % 3,
                 i % 5);
        fixture_finish(p, labels);
        fixture_write(store, p, T0 + (int64_t) i * 1000 * SEC + i % 7);
        pyro_arena_destroy(arena);
    }
}


static void
dump_round(void **state)
{
    char                *dir, *other;
    bytes_t              one, two;
    uint32_t             i;
    pyro_store_t        *store, *copy;
    pyro_dump_result_t   result;
    const char          *selectors[] = {
        "{}", "{service_name=\"s1\"}", "{pod=~\"p[12]\"}",
        "{__name__=\"memory\"}"
    };

    (void) state;

    one = bytes();
    two = bytes();
    dir = fixture_dir();
    other = fixture_dir();
    store = fixture_open(dir);
    copy = fixture_open(other);
    fill(store);

    assert_int_equal(export(store, "{}", 0, INT64_MAX, &one).pushes, 300);

    /* in pieces as small as may be, and twice */

    one.piece = 1;
    result = import(copy, &one);
    assert_int_equal(result.pushes, 300);
    assert_int_equal(result.stored, 300);
    assert_int_equal(result.repeated, 0);

    one.piece = 0;
    result = import(copy, &one);
    assert_int_equal(result.stored, 0);
    assert_int_equal(result.repeated, 300);

    /* and where it came from */

    result = import(store, &one);
    assert_int_equal(result.stored, 0);
    assert_int_equal(result.repeated, 300);

    for (i = 0; i < 4; i++) {
        assert_int_equal(fixture_total(copy, selectors[i], 0, INT64_MAX),
                         fixture_total(store, selectors[i], 0, INT64_MAX));
        assert_int_equal(fixture_series(copy, selectors[i], 0, INT64_MAX),
                         fixture_series(store, selectors[i], 0, INT64_MAX));
    }

    /* what is exported of the copy says the same once more */

    assert_int_equal(export(copy, "{}", 0, INT64_MAX, &two).pushes, 300);
    assert_int_equal(import(store, &two).repeated, 300);

    pyro_store_close(store);
    pyro_store_close(copy);
    fixture_remove(dir);
    fixture_remove(other);
    free(one.data);
    free(two.data);
}


static void
dump_range(void **state)
{
    char          *dir;
    bytes_t        out;
    pyro_store_t  *store;

    (void) state;

    out = bytes();
    dir = fixture_dir();
    store = fixture_open(dir);
    fill(store);

    assert_int_equal(export(store, "{service_name=\"s1\"}", 0, INT64_MAX,
                            &out).pushes, 100);
    assert_int_equal(export(store, "{}", T0 + 1000 * SEC + 1,
                            T0 + 3000 * SEC + 3, &out).pushes, 3);
    assert_int_equal(export(store, "{}", T0 + 1000 * SEC + 2,
                            T0 + 3000 * SEC + 2, &out).pushes, 1);
    assert_int_equal(export(store, "{service_name=\"none\"}", 0, INT64_MAX,
                            &out).pushes, 0);

    /* whole pushes, though one of their types alone is asked for */

    assert_int_equal(export(store, "{__name__=\"memory\"}", 0, INT64_MAX,
                            &out).pushes, 150);
    pyro_store_close(store);
    fixture_remove(dir);

    dir = fixture_dir();
    store = fixture_open(dir);
    assert_int_equal(import(store, &out).stored, 150);
    assert_true(fixture_total(store, "{__name__=\"process_cpu\"}", 0,
                              INT64_MAX) > 0);

    pyro_store_close(store);
    fixture_remove(dir);
    free(out.data);
}


/* Folded stacks and sums that stopped: the digest comes from the dump. */
static void
dump_digest(void **state)
{
    char                  *dir;
    bytes_t                out;
    uint32_t               i;
    pyro_error_t           err;
    pyro_arena_t          *arena;
    pyro_store_t          *store;
    pyro_profile_t        *p;
    pyro_dump_result_t     result;
    pyro_store_options_t   options;

    (void) state;

    out = bytes();
    dir = fixture_dir();
    memset(&options, 0, sizeof(options));
    options.dir = dir;
    options.map_size = 1024 * 1024 * 1024;
    options.max_nodes = 3;
    assert_int_equal(pyro_store_open(&options, &store, &err), PYRO_OK);

    for (i = 0; i < 5; i++) {
        arena = pyro_arena_create(0);
        p = pyro_profile_create(arena);
        fixture_add(p, 0, &fixture_cpu, "a;b;c;d;e", 1, INT64_MAX);
        fixture_add(p, 0, &fixture_cpu, "a;b;c;d;e", 2, INT64_MAX - i);
        fixture_add(p, 0, &fixture_cpu, "a;b;c;d;f", 0, INT64_MAX);
        fixture_finish(p, "service_name=x");
        fixture_write(store, p, T0 + i * SEC);
        pyro_arena_destroy(arena);
    }

    assert_int_equal(export(store, "{}", 0, INT64_MAX, &out).pushes, 5);
    result = import(store, &out);
    assert_int_equal(result.stored, 0);
    assert_int_equal(result.repeated, 5);

    pyro_store_close(store);
    fixture_remove(dir);
    free(out.data);
}


/* Every byte flipped, every length cut. */
static void
dump_damaged(void **state)
{
    char                *dir;
    size_t               i, len;
    bytes_t              in;
    pyro_error_t         err;
    pyro_arena_t        *arena;
    pyro_store_t        *store;
    pyro_status_e        status;
    pyro_dump_result_t   result;

    (void) state;

    in = bytes();
    dir = fixture_dir();
    store = fixture_open(dir);
    arena = pyro_arena_create(0);
    fixture_write(store, fixture_one(arena, "service_name=a", "b;c", 7), T0);
    fixture_write(store, fixture_one(arena, "service_name=b", "b;d", 8), T0);
    pyro_arena_destroy(arena);

    export(store, "{}", 0, INT64_MAX, &in);
    len = in.len;

    for (i = 0; i < len; i++) {
        in.data[i] ^= 0x10;
        in.at = 0;
        status = pyro_store_import(store, get_bytes, &in, &result, &err);
        assert_int_equal(status, PYRO_UNPROCESSABLE);
        assert_true(err.offset <= i);
        assert_non_null(strstr(err.message, "the dump, at byte "));
        in.data[i] ^= 0x10;

        in.len = i;
        in.at = 0;
        status = pyro_store_import(store, get_bytes, &in, &result, &err);
        assert_int_equal(status, PYRO_UNPROCESSABLE);
        in.len = len;
    }

    in.data[len] = 'x';
    in.len = len + 1;
    assert_int_equal(refused(store, &in, PYRO_UNPROCESSABLE,
                             "bytes behind the end").offset, len);
    in.len = len;

    in.error = EIO;
    in.len = len - 3;
    refused(store, &in, PYRO_UNAVAILABLE, "cannot be read");
    in.error = 0;
    in.len = len;
    assert_int_equal(import(store, &in).repeated, 2);

    pyro_store_close(store);
    fixture_remove(dir);
    free(in.data);
}


/* ---- blocks that are whole and mean nothing ---- */

static void
block(bytes_t *out, char kind, const void *body, size_t len)
{
    uint8_t  head[5], sum[4];

    head[0] = (uint8_t) kind;
    pyro_put_be32(head + 1, (uint32_t) len);
    put_bytes(out, head, 5);
    put_bytes(out, body, len);
    pyro_put_be32(sum, (uint32_t) pyro_hash64(out->data + out->len - 5 - len,
                                              5 + len, 0));
    put_bytes(out, sum, 4);
}


static void
header(bytes_t *out, int scope)
{
    out->len = 0;
    put_bytes(out, PYRO_DUMP_HEADER, strlen(PYRO_DUMP_HEADER));

    if (scope) {
        block(out, 'S', "t", 1);
    }
}


#define BODY(text)  text, sizeof(text) - 1

static const char  whole[] =
    "\6" "\1f" "\1n" "\1t" "\1u" "\14service_name" "\1x"    /* strings */
    "\1" "\1\0\0\0"                                         /* frames */
    "\2" "\1\0" "\1\0"                                      /* nodes */
    "\1" "\2\3\4\0\0\0"                                     /* types */
    "\1" "\1\5\6";                                          /* label sets */


static void
dump_nonsense(void **state)
{
    char          *dir;
    size_t         i;
    bytes_t        in;
    pyro_store_t  *store;

    static const struct {
        const char  *body;
        size_t       len;
        const char  *text;
    } defined[] = {
        { BODY("\177"), "a number of strings" },
        { BODY("\1\5ab"), "a string's length" },
        { BODY("\1\1a\1\2\0\0\0\0\0\0"), "a frame's function" },
        { BODY("\1\1a\1\1\2\0\0\0\0\0"), "a frame's file" },
        { BODY("\1\1a\0\1\1\0\0\0"), "a node's frame" },
        { BODY("\1\1a\1\1\0\0\0\1\0\0\0\0"), "a node's parent" },
        { BODY("\1\1a\1\1\0\0\0\1\2\0\0\0"), "a node's parent" },
        { BODY("\1\1a\1\1\0\0\0\1\1\1\0\0"), "a node's frame" },
        { BODY("\1\1a\0\0\1\1\1\1\1\2\0\0"), "a string" },
        { BODY("\1\1a\0\0\0\1\1\1\0"), "labels that are empty" },
        { BODY("\2\1a\1b\0\0\0\1\2\2\1\1\1"), "not in order" },
        { BODY("\0\0\0\0\0\0"), "bytes behind the definitions" },
    };

#define START  "\0\0\0\0\0\0\0\1" "\0" "dddddddddddddddd"

    static const struct {
        const char  *body;
        size_t       len;
        const char  *text;
    } pushes[] = {
        { BODY(""), "a push that is too short" },
        { BODY("\377\0\0\0\0\0\0\1" "\0" "dddddddddddddddd" "\0\0\1\0\1\1\0\1"),
          "a time" },
        { BODY("\0\0\0\0\0\0\0\1" "\377\377\377\377\377\377\377\177"
               "dddddddddddddddd" "\0\0\1\0\1\1\0\1"), "a duration" },
        { BODY(START "\1"), "a label set" },
        { BODY(START "\0\2"), "a number of spans" },
        { BODY(START "\0\0\0"), "a push without sections" },
        { BODY(START "\0\0\1\1\1\1\0\1"), "a section's type" },
        { BODY(START "\0\0\1\0\0"), "a section without samples" },
        { BODY(START "\0\0\1\0\1\3\0\1"), "a sample's node" },
        { BODY(START "\0\0\1\0\2\2\0\1\1\0\1"), "a sample's node" },
        { BODY(START "\0\0\1\0\1\1\1\1"), "a sample's span" },
        { BODY(START "\0\0\1\0\1\1\0\0"), "a sample's value" },
        { BODY(START "\0\0\2\0\1\1\0\1\0\1\1\0\1"),
          "two sections of one type" },
        { BODY(START "\0\0\1\0\1\1\0\1x"), "bytes behind a push" },
    };

    (void) state;

    in = bytes();
    dir = fixture_dir();
    store = fixture_open(dir);

    for (i = 0; i < sizeof(defined) / sizeof(defined[0]); i++) {
        header(&in, 1);
        block(&in, 'D', defined[i].body, defined[i].len);
        assert_int_equal(refused(store, &in, PYRO_UNPROCESSABLE,
                                 defined[i].text).offset, 33);
    }

    for (i = 0; i < sizeof(pushes) / sizeof(pushes[0]); i++) {
        header(&in, 1);
        block(&in, 'D', BODY(whole));
        block(&in, 'P', pushes[i].body, pushes[i].len);
        refused(store, &in, PYRO_UNPROCESSABLE, pushes[i].text);
    }

    header(&in, 0);
    block(&in, 'D', BODY(whole));
    refused(store, &in, PYRO_UNPROCESSABLE, "before the first scope");

    header(&in, 0);
    block(&in, 'S', BODY(""));
    refused(store, &in, PYRO_UNPROCESSABLE, "a scope that is no tenant's");

    header(&in, 0);
    block(&in, 'S', BODY("a/b\n"));
    refused(store, &in, PYRO_UNPROCESSABLE, "a scope that is no tenant's");

    header(&in, 1);
    block(&in, 'Q', "", 0);
    refused(store, &in, PYRO_UNPROCESSABLE, "unknown kind");

    header(&in, 1);
    put_bytes(&in, "P\377\377\377\377", 5);
    refused(store, &in, PYRO_UNPROCESSABLE, "more than 256 MiB");

    header(&in, 1);
    block(&in, 'D', BODY(whole));
    block(&in, 'P', BODY(START "\0\0\1\0\1\1\0\1"));
    block(&in, 'E', BODY("\2"));
    refused(store, &in, PYRO_UNPROCESSABLE, "another number of pushes");

    header(&in, 1);
    block(&in, 'D', BODY(whole));
    block(&in, 'P', BODY(START "\0\0\1\0\1\1\0\1"));
    block(&in, 'E', BODY("\1"));
    assert_int_equal(import(store, &in).pushes, 1);

    pyro_store_close(store);
    fixture_remove(dir);
    free(in.data);
}


static void
dump_full(void **state)
{
    char                *dir;
    bytes_t              out;
    pyro_error_t         err;
    pyro_store_t        *store;
    fixture_query_t      q;
    pyro_dump_result_t   result;

    (void) state;

    out = bytes();
    dir = fixture_dir();
    store = fixture_open(dir);
    fill(store);
    fixture_query(&q, "{}", 0, INT64_MAX);

    for (out.room = 0; out.room < 3000; out.room += 100) {
        out.len = 0;
        assert_int_equal(pyro_store_export(store, &q.query, put_bytes, &out,
                                           &result, &err), PYRO_UNAVAILABLE);
        assert_non_null(strstr(err.message, "No space left"));
    }

    fixture_query_end(&q);
    pyro_store_close(store);
    fixture_remove(dir);
    free(out.data);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(dump_round),
        cmocka_unit_test(dump_range),
        cmocka_unit_test(dump_digest),
        cmocka_unit_test(dump_damaged),
        cmocka_unit_test(dump_nonsense),
        cmocka_unit_test(dump_full),
    };

    return unit_run(tests);
}
