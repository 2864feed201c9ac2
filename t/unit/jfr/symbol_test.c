#include "unit.h"

#include "jfr/jfr_symbol.h"


#define CORRETTO  "amazonCorrettoCryptoProvider"
#define ASYNC     "-17b9a1d8156277a98ccc871afa9a8f69215f92.so"


static const struct {
    const char  *symbol;
    const char  *expected;              /* NULL: as it is */
} cases[] = {
    { "", NULL },
    { "java/util/HashMap", NULL },
    { "run", NULL },
    { "$", NULL },
    { "$$", NULL },

    { "jdk/internal/reflect/GeneratedMethodAccessor12",
      "jdk/internal/reflect/GeneratedMethodAccessor_" },
    { "jdk/internal/reflect/GeneratedMethodAccessor", NULL },
    { "jdk/internal/reflect/GeneratedMethodAccessor12x", NULL },
    { "jdk/internal/reflect/GeneratedMethodAccessorx12", NULL },
    { "sun/reflect/GeneratedMethodAccessor12", NULL },

    { "Foo$$Lambda$4/1283928880", "Foo$$Lambda_" },
    { "Foo$$Lambda$8/0x0000000800c01220", "Foo$$Lambda_" },
    { "Foo$$Lambda.0x00007ffa600c4da0", "Foo$$Lambda_" },
    { "Foo$$Lambda/0xabc", "Foo$$Lambda_" },
    { "Foo$$Lambda12", "Foo$$Lambda_" },
    { "com/acme/Job$$Lambda$669.0x0000000800fd7318",
      "com/acme/Job$$Lambda_" },
    { "A$$Lambda$1/2$$Lambda$3/4", "A$$Lambda$1/2$$Lambda_" },
    { "Foo$$Lambda$4", NULL },
    { "Foo$$Lambda", NULL },
    { "Foo$$Lambda_", NULL },
    { "$$Lambda$4/12", NULL },
    { "Foo$$Lambda$4/0x", NULL },
    { "Foo$$Lambda$4/ABC", NULL },
    { "Foo$$Lambda$4/12 ", NULL },
    { "Foo\n$$Lambda$4/12", NULL },
    { "Demo$$Lambda$89+0x00007f25c8008000/1908981452", NULL },

    { "libzstd-jni-1.5.5-4.so", "libzstd-jni-_.so" },
    { "/tmp/libzstd-jni-1.5.5-4.so", "libzstd-jni-_.so" },
    { "./tmp/libzstd-jni-1.5.5-4.so (deleted)", "libzstd-jni-_.so" },
    { "libzstd-jni-1.5-4.so", NULL },
    { "libzstd-jni-1.5.5-4.so.1", NULL },
    { "/var/tmp/libzstd-jni-1.5.5-4.so", NULL },

    { "lib" CORRETTO "0123456789abcdef.so", "lib" CORRETTO "_.so" },
    { CORRETTO "0123456789abcdef.so", "lib" CORRETTO "_.so" },
    { "/tmp/" CORRETTO "NativeLibraries.0123456789abcdef/libcrypto.so",
      "lib" CORRETTO "_.so" },
    { "./tmp/" CORRETTO "NativeLibraries.0123456789abcdef/lib" CORRETTO
      ".so (deleted)", "lib" CORRETTO "_.so" },
    { "lib" CORRETTO "0123456789abcde.so", NULL },
    { "lib" CORRETTO "0123456789ABCDEF.so", NULL },

    { "libasyncProfiler-linux-x64" ASYNC, "libasyncProfiler-_.so" },
    { "/tmp/libasyncProfiler-linux-arm64" ASYNC " (deleted)",
      "libasyncProfiler-_.so" },
    { "libasyncProfiler-linux-musl-x64" ASYNC, "libasyncProfiler-_.so" },
    { "libasyncProfiler-macos" ASYNC, "libasyncProfiler-_.so" },
    { "libasyncProfiler-linux-x86" ASYNC, NULL },
    { "libasyncProfiler.so", NULL },

    { "Foo$$EnhancerBySpringCGLIB$$1a2b", "Foo$$EnhancerBySpringCGLIB$$_" },
    { "Foo$$EnhancerBySpringCGLIB$$", "Foo$$EnhancerBySpringCGLIB$$_" },
    { "$$EnhancerBySpringCGLIB$$1", NULL },
    { "Foo$$EnhancerBySpringCGLIB$$1$$Lambda$2/3",
      "Foo$$EnhancerBySpringCGLIB$$_" },
    { "Foo$$SpringCGLIB$$0", NULL },
};


static void
rules(void **state)
{
    size_t         i;
    const char    *expected;
    pyro_slice_t   s;
    pyro_arena_t  *arena;

    (void) state;

    arena = pyro_arena_create(0);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        expected = cases[i].expected ? cases[i].expected : cases[i].symbol;
        s = pyro_jfr_symbol(arena, pyro_slice_str(cases[i].symbol));

        if (!pyro_slice_is(s, expected)) {
            fail_msg("%s became %.*s", cases[i].symbol, PYRO_SLICE_ARG(s));
        }
    }

    pyro_arena_destroy(arena);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(rules),
    };

    return unit_run(tests);
}
