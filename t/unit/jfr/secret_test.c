#include "unit.h"

#include "jfr/jfr_secret.h"


static void
secrets_become_stars(void **state)
{
    char    text[512];
    size_t  i, len;

    static const struct {
        const char  *arguments;
        const char  *shown;
    } cases[] = {
        { "", "" },
        { "-Xmx2g", "-Xmx2g" },
        { "-Xmx2g -XX:+UseG1GC -Da.b=c", "-Xmx2g -XX:+UseG1GC -Da.b=c" },
        { "-Ddb.password=hunter2 -Xmx1g", "-Ddb.password=*** -Xmx1g" },
        { "-DDB_PASSWD=a b=c -Xmx1g", "-DDB_PASSWD=*** -Xmx1g" },
        { "-Dapi.key=x", "-Dapi.key=***" },
        { "-Dpyroscope.auth.token=t -Dx=1",
          "-Dpyroscope.auth.token=*** -Dx=1" },
        { "-Dpyroscope.http.headers={\"a\":\"b\"}",
          "-Dpyroscope.http.headers=***" },
        { "-Djavax.net.ssl.keyStorePassword=",
          "-Djavax.net.ssl.keyStorePassword=***" },
        { "-javaagent:/agents/pyroscope.jar -Dx=y",
          "-javaagent:/agents/pyroscope.jar -Dx=y" },
        { "-javaagent:/a/dd.jar=key=1,b=2 -Xint",
          "-javaagent:/a/dd.jar=*** -Xint" },
        { "-agentpath:/a/lib.so=start,event=cpu",
          "-agentpath:/a/lib.so=***" },
        { "-Xint -javaagent:/a/dd.jar=token:x -agentlib:jdwp=a -Dx=y",
          "-Xint -javaagent:/a/dd.jar=*** -agentlib:jdwp=*** -Dx=y" },
        { "-Dproxy=http://me:pw@host:80/x?y=z",
          "-Dproxy=http://***@host:80/x?y=z" },
        { "-Da=http://host/x@y -Db=jdbc:x://u:p@h",
          "-Da=http://host/x@y -Db=jdbc:x://***@h" },
        { "-Durl=http://me:p@ss@host/x", "-Durl=http://***@host/x" },
        { "-Durl=jdbc:postgresql://h/db?user=u&password=p&ssl=true -Xint",
          "-Durl=jdbc:postgresql://h/db?user=u&password=***&ssl=true -Xint" },
        { "-Durl=jdbc:sqlserver://u:p@h;pwd=p;a=b;secretKey=x",
          "-Durl=jdbc:sqlserver://***@h;pwd=***;a=b;secretKey=***" },
        { "-Djaas=x.Module required user=\"u\" password=\"p w\"; -Xint",
          "-Djaas=x.Module required user=\"u\" password=***; -Xint" },
        { "-Da=password=\"x -Db=token=", "-Da=password=*** -Db=token=***" },
        { "-Da=b=c==&?=d;", "-Da=b=c==&?=d;" },
        { "-Da=://", "-Da=://" },
        { "://@", "://***@" },
        { " ", " " },
        { "- -", "- -" },
    };

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        len = pyro_jfr_arguments(text, sizeof(text),
                                 pyro_slice_str(cases[i].arguments));

        if (!pyro_slice_is(pyro_slice(text, len), cases[i].shown)) {
            fail_msg("\"%s\" becomes \"%.*s\"", cases[i].arguments, (int) len,
                     text);
        }
    }
}


/* However small the room is, and whatever the bytes are. */
static void
bounded(void **state)
{
    char    text[64], *exact;
    size_t  i, len;

    (void) state;

    memset(text, 0, sizeof(text));

    for (i = 0; i <= 24; i++) {
        exact = malloc(i + 1);
        len = pyro_jfr_arguments(exact, i,
                                 PYRO_SLICE("-Dpassword=x -Dy=://a@b -"));
        assert_true(len <= i);
        free(exact);
    }

    len = pyro_jfr_arguments(text, sizeof(text), pyro_slice("\xff=\0:", 4));
    assert_int_equal(len, 4);
    len = pyro_jfr_arguments(text, sizeof(text), pyro_slice(NULL, 0));
    assert_int_equal(len, 0);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(secrets_become_stars),
        cmocka_unit_test(bounded),
    };

    return unit_run(tests);
}
