#include "unit.h"

#include "core/base/multipart.h"


#define TYPE  "multipart/form-data; boundary=xyz"


static void
begin(pyro_multipart_t *mp, const char *type, pyro_slice_t body)
{
    pyro_error_t  err;

    assert_int_equal(pyro_multipart_init(mp, pyro_slice_str(type), body, &err),
                     PYRO_OK);
}


static void
part(pyro_multipart_t *mp, const char *name, int has_filename,
    pyro_slice_t body)
{
    int           more;
    pyro_part_t   p;
    pyro_error_t  err;

    err.message[0] = '\0';

    if (pyro_multipart_next(mp, &p, &more, &err) != PYRO_OK) {
        fail_msg("%s", err.message);
    }

    assert_int_equal(more, 1);
    assert_true(pyro_slice_is(p.name, name));
    assert_int_equal(p.has_filename, has_filename);
    assert_true(pyro_slice_eq(p.body, body));
}


static void
end(pyro_multipart_t *mp)
{
    int           i, more;
    pyro_part_t   p;
    pyro_error_t  err;

    for (i = 0; i < 2; i++) {
        assert_int_equal(pyro_multipart_next(mp, &p, &more, &err), PYRO_OK);
        assert_int_equal(more, 0);
    }
}


static void
broken(pyro_multipart_t *mp, const char *words)
{
    int           more;
    pyro_part_t   p;
    pyro_error_t  err;

    assert_int_equal(pyro_multipart_next(mp, &p, &more, &err),
                     PYRO_UNPROCESSABLE);
    assert_int_equal(more, 0);

    if (strstr(err.message, words) == NULL) {
        fail_msg("\"%s\" is not in \"%s\"", words, err.message);
    }
}


static void
content_types(void **state)
{
    (void) state;

    assert_true(pyro_is_multipart(PYRO_SLICE(TYPE)));
    assert_true(pyro_is_multipart(PYRO_SLICE("Multipart/Form-Data")));
    assert_true(pyro_is_multipart(PYRO_SLICE(" multipart/form-data ;x")));
    assert_false(pyro_is_multipart(PYRO_SLICE("multipart/form-dat")));
    assert_false(pyro_is_multipart(PYRO_SLICE("multipart/form-data2")));
    assert_false(pyro_is_multipart(PYRO_SLICE("multipart/mixed")));
    assert_false(pyro_is_multipart(pyro_slice(NULL, 0)));
}


static void
boundaries(void **state)
{
    char              type[200], line[71];
    pyro_error_t      err;
    pyro_multipart_t  mp;

    (void) state;

    begin(&mp, "multipart/form-data; charset=x; BOUNDARY=\"a b:c\" ; z=1",
          PYRO_SLICE(""));
    assert_true(pyro_slice_is(mp.boundary, "a b:c"));

    begin(&mp, "multipart/form-data;boundary= xyz ;boundary=other",
          PYRO_SLICE(""));
    assert_true(pyro_slice_is(mp.boundary, "xyz"));

    memset(line, 'b', sizeof(line));

    snprintf(type, sizeof(type), "multipart/form-data; boundary=%.70s", line);
    begin(&mp, type, PYRO_SLICE(""));
    assert_int_equal(mp.boundary.len, 70);

    snprintf(type, sizeof(type), "multipart/form-data; boundary=%.71s", line);
    assert_int_equal(pyro_multipart_init(&mp, pyro_slice_str(type),
                                         PYRO_SLICE(""), &err),
                     PYRO_UNPROCESSABLE);
    assert_non_null(strstr(err.message, "71 bytes, the limit is 70"));

    assert_int_equal(pyro_multipart_init(&mp,
                         PYRO_SLICE("multipart/form-data; boundary=\"\""),
                         PYRO_SLICE(""), &err), PYRO_UNPROCESSABLE);
    assert_non_null(strstr(err.message, "no boundary"));

    assert_int_equal(pyro_multipart_init(&mp,
                         PYRO_SLICE("multipart/form-data; boundary"),
                         PYRO_SLICE(""), &err), PYRO_UNPROCESSABLE);
    assert_int_equal(pyro_multipart_init(&mp, PYRO_SLICE(""), PYRO_SLICE(""),
                                         &err), PYRO_UNPROCESSABLE);
}


static void
as_the_java_agent_sends(void **state)
{
    pyro_multipart_t  mp;

    (void) state;

    begin(&mp, TYPE, PYRO_SLICE(
        "--xyz\r\n"
        "Content-Disposition: form-data; name=\"jfr\"; filename=\"jfr\"\r\n"
        "\r\n"
        "\x1f\x8b\0binary\r\n--xy\r\n--xyzz\r\n--xyz x\r\n--xyz--x\r\nend"
        "\r\n--xyz\r\n"
        "Content-Disposition: form-data; name=\"labels\"; filename=\"l\"\r\n"
        "Content-Type: application/x-protobuf\r\n"
        "Content-Length: 2\r\n"
        "\r\n"
        "\n\r"
        "\r\n--xyz--\r\n"));

    part(&mp, "jfr", 1, PYRO_SLICE("\x1f\x8b\0binary\r\n--xy\r\n--xyzz\r\n"
                                   "--xyz x\r\n--xyz--x\r\nend"));
    part(&mp, "labels", 1, PYRO_SLICE("\n\r"));
    end(&mp);
}


static void
what_else_clients_write(void **state)
{
    pyro_multipart_t  mp;

    (void) state;

    begin(&mp, TYPE, PYRO_SLICE(
        "a preamble\r\n--xyz \t\r\n"
        "CONTENT-disposition:form-data;NAME=plain\r\n\r\n"
        "value\r\n--xyz\r\n"
        "Content-Disposition: form-data; name=\"folded\";\r\n"
        "\tfilename*=UTF-8''x\r\n\r\n\r\n--xyz\r\n"
        "Content-Disposition: form-data; name=\"a \\\"b\\\" ;c\"\r\n\r\n"
        "--xyz\r\n"
        "Content-Disposition: attachment; name=\"no\"\r\n\r\n"
        "x\r\n--xyz\r\n\r\n"
        "nothing said\r\n--xyz-- \r\nan epilogue\r\n--xyz\r\n"));

    part(&mp, "plain", 0, PYRO_SLICE("value"));
    part(&mp, "folded", 1, PYRO_SLICE(""));
    part(&mp, "a \\\"b\\\" ;c", 0, PYRO_SLICE(""));
    part(&mp, "", 0, PYRO_SLICE("x"));
    part(&mp, "", 0, PYRO_SLICE("nothing said"));
    end(&mp);

    begin(&mp, TYPE, PYRO_SLICE("--xyz--"));
    end(&mp);

    begin(&mp, TYPE, PYRO_SLICE("--xyz\r\n\r\nlast\r\n--xyz--"));
    part(&mp, "", 0, PYRO_SLICE("last"));
    end(&mp);
}


static void
broken_bodies(void **state)
{
    size_t            len;
    pyro_slice_t      body;
    pyro_multipart_t  mp;

    (void) state;

    begin(&mp, TYPE, pyro_slice(NULL, 0));
    broken(&mp, "does not occur in the body of 0 bytes");

    begin(&mp, TYPE, PYRO_SLICE("no boundary --xyz\r\n here"));
    broken(&mp, "does not occur");

    begin(&mp, TYPE, PYRO_SLICE("--xyz\r\nX: y\r\n\r\nbody\r\n--xyz"));
    broken(&mp, "part 1");

    begin(&mp, TYPE, PYRO_SLICE("--xyz\r\nContent-Disposition: form-data; "
                                "name=jfr\r\n\r\nbody"));
    broken(&mp, "part 1 \"jfr\": no boundary ends it");

    begin(&mp, TYPE, PYRO_SLICE("--xyz\r\nno colon\r\n\r\nbody\r\n--xyz--"));
    broken(&mp, "no colon");

    begin(&mp, TYPE, PYRO_SLICE("--xyz\r\nX: y\r\n--xyz--"));
    broken(&mp, "headers do not end");

    body = PYRO_SLICE("--xyz\r\nX: y\r\n\r\nbody\r\n--xyz--");

    for (len = 0; len < body.len; len++) {
        begin(&mp, TYPE, pyro_slice(body.data, len));
        broken(&mp, "multipart: ");
    }
}


static void
limits(void **state)
{
    char              *body;
    size_t             i, len;
    pyro_multipart_t   mp;

    (void) state;

    body = malloc(64 * 1024);

    /* a header line of 8 KiB, and one byte more */

    for (i = 0; i < 2; i++) {
        len = (size_t) sprintf(body, "--xyz\r\nX:");
        memset(body + len, 'y', 8190 + i);
        len += 8190 + i;
        len += (size_t) sprintf(body + len, "\r\n\r\nbody\r\n--xyz--");

        begin(&mp, TYPE, pyro_slice(body, len));

        if (i == 0) {
            part(&mp, "", 0, PYRO_SLICE("body"));

        } else {
            broken(&mp, "8192 bytes, the limit");
        }
    }

    /* 64 parts, and one more */

    len = 0;

    for (i = 0; i < 65; i++) {
        len += (size_t) sprintf(body + len, "--xyz\r\n\r\n%zu\r\n", i);
    }

    sprintf(body + len, "--xyz--");
    begin(&mp, TYPE, pyro_slice_str(body));

    for (i = 0; i < 64; i++) {
        len = (size_t) sprintf(body + 32 * 1024, "%zu", i);
        part(&mp, "", 0, pyro_slice(body + 32 * 1024, len));
    }

    broken(&mp, "part 65: the limit is 64 parts");

    free(body);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(content_types),
        cmocka_unit_test(boundaries),
        cmocka_unit_test(as_the_java_agent_sends),
        cmocka_unit_test(what_else_clients_write),
        cmocka_unit_test(broken_bodies),
        cmocka_unit_test(limits),
    };

    return unit_run(tests);
}
