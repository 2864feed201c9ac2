/*
 * Limits of tenants: from the file, from a file beside it, from both.
 */

#include "settings_fixture.h"

#include <unistd.h>

#include "core/settings/settings.h"


#define FILES(name)                                                           \
    cmocka_unit_test_setup_teardown(name, setup_files, teardown_files)


static pyro_settings_t   settings;


static pyro_status_e
parse(const char *file, const char *text)
{
    return pyro_settings_parse(arena, file, pyro_slice_str(text), &settings,
                               &err);
}


static const pyro_limits_t *
limits_of(const char *tenant)
{
    return pyro_settings_limits(&settings, pyro_slice_str(tenant));
}


static void
refused(const char *file, const char *text, const char *message)
{
    if (parse(file, text) != PYRO_INVALID) {
        fail_msg("\"%s\" is not refused with \"%s\"", text, message);
    }

    if (strstr(err.message, message) != err.message) {
        fail_msg("\"%s\": \"%s\" does not begin with \"%s\"", text,
                 err.message, message);
    }
}


static void
write_file(const char *name, const char *text)
{
    FILE  *fp;

    fp = fopen(name, "we");
    assert_non_null(fp);
    fputs(text, fp);
    fclose(fp);
}


static void
a_tenant_has_limits_of_its_own(void **state)
{
    (void) state;

    /* wherever in the file the others are */

    if (parse("f.yml", "overrides:\n"
                       "  acme:\n"
                       "    max_query_length: 1d\n"
                       "    max_flamegraph_nodes_max: 100\n"
                       "    ingestion_tenant_shard_size: 3\n"
                       "  \"team (b)\": {}\n"
                       "  'it''s': {retention_period: 2d}\n"
                       "limits:\n"
                       "  max_query_length: 1h\n"
                       "  max_query_lookback: 7d\n"
                       "  retention_period: 30d\n") == PYRO_OK)
    {
        fail_msg("a blank in a name");
    }

    assert_string_equal(err.message, "f.yml:6: overrides.team (b): tenant "
                        "\"team (b)\": allowed are letters, digits and ! - _ "
                        ". * ' ( )");

    if (parse("f.yml", "overrides:\n"
                       "  acme:\n"
                       "    max_query_length: 1d\n"
                       "    max_flamegraph_nodes_max: 100\n"
                       "    ingestion_tenant_shard_size: 3\n"
                       "  \"team(b)\": {}\n"
                       "  'it''s': {retention_period: 2d}\n"
                       "limits:\n"
                       "  max_query_length: 1h\n"
                       "  max_query_lookback: 7d\n"
                       "  retention_period: 30d\n") != PYRO_OK)
    {
        fail_msg("%s", err.message);
    }

    assert_int_equal(settings.n_tenants, 2);
    assert_int_equal(settings.limits.max_query_length, 3600);
    assert_int_equal(limits_of("acme")->max_query_length, 86400);
    assert_int_equal(limits_of("acme")->max_query_lookback, 7 * 86400);
    assert_int_equal(limits_of("acme")->retention_period, 30 * 86400);

    /* a default above the most is the most */

    assert_int_equal(limits_of("acme")->max_flamegraph_nodes_max, 100);
    assert_int_equal(limits_of("acme")->max_flamegraph_nodes_default, 100);
    assert_int_equal(settings.limits.max_flamegraph_nodes_default, 8192);

    assert_int_equal(limits_of("it's")->retention_period, 2 * 86400);
    assert_ptr_equal(limits_of("team(b)"), &settings.limits);
    assert_ptr_equal(limits_of("acm"), &settings.limits);
    assert_string_equal(settings.ignored,
                        "overrides.acme.ingestion_tenant_shard_size");
}


/* It replaces what all have, also by a longer one, and by none. */
static void
a_retention_of_a_tenant(void **state)
{
    (void) state;

    assert_int_equal(parse("f.yml",
        "limits: {retention_period: 7d, compactor_blocks_retention_period: "
        "3d}\n"
        "overrides:\n"
        "  long: {retention_period: 90d}\n"
        "  both: {retention_period: 90d, compactor_blocks_retention_period: "
        "60d}\n"
        "  ever: {retention_period: 0}\n"
        "  none: {max_query_length: 1h}\n"
        "  void:\n"
        "    retention_period:\n"
        "    compactor_blocks_retention_period: ${PYRO_T_NONE:-}\n"
        "  half: {retention_period: , compactor_blocks_retention_period: "
        "9d}\n"), PYRO_OK);

    assert_int_equal(settings.limits.retention_period, 3 * 86400);
    assert_int_equal(limits_of("long")->retention_period, 90 * 86400);
    assert_int_equal(limits_of("both")->retention_period, 60 * 86400);
    assert_int_equal(limits_of("ever")->retention_period, 0);
    assert_int_equal(limits_of("none")->retention_period, 3 * 86400);

    /* a key without a value is as one that is left out */

    assert_int_equal(limits_of("void")->retention_period, 3 * 86400);
    assert_int_equal(limits_of("half")->retention_period, 9 * 86400);
}


static void
mistakes_are_named(void **state)
{
    size_t  i;

    static const struct {
        const char  *text;
        const char  *message;
    } bad[] = {
        { "overrides: 1\n", "f.yml:1: overrides: must be a map of tenants" },
        { "overrides: [a]\n", "f.yml:1: overrides: must be a map of tenants" },
        { "overrides:\n  a: 1\n", "f.yml:2: overrides.a: must be a map of "
          "limits" },
        { "overrides:\n  a/b: {max_query_length: 1h}\n",
          "f.yml:2: overrides.a/b: tenant \"a/b\": allowed are letters" },
        { "overrides:\n  a/b:\n", "f.yml:2: overrides.a/b: tenant \"a/b\"" },
        { "overrides:\n  a:\n    max_query_lengt:\n",
          "f.yml:3: overrides.a.max_query_lengt: is not a limit; did you mean "
          "max_query_length?" },
        { "overrides:\n  ..: {max_query_length: 1h}\n",
          "f.yml:2: overrides...: \"..\" is no name of a tenant" },
        { "overrides:\n  a:\n    max_query_lengt: 1h\n",
          "f.yml:3: overrides.a.max_query_lengt: is not a limit; did you mean "
          "max_query_length?" },
        { "overrides:\n  a:\n    xyzzy: 1h\n",
          "f.yml:3: overrides.a.xyzzy: is not a limit" },
        { "overrides:\n  a:\n    max_query_length: soon\n",
          "f.yml:3: overrides.a.max_query_length: \"soon\" is not a duration" },
        { "overrides:\n  a:\n    max_label_name_length: 0\n",
          "f.yml:3: overrides.a.max_label_name_length: \"0\" is out of range" },
        { "overrides:\n  a:\n    \"max_query_length\\0x\": 1h\n",
          "f.yml:3: overrides.a.max_query_length" },
        { "overrides:\n  a:\n    limits: {max_query_length: 1h}\n",
          "f.yml:3: overrides.a.limits: is not a limit" },
        { "overrides:\n  a:\n    max_query_length: ${PYRO_T_NONE}\n",
          "f.yml:3: overrides.a.max_query_length: ${PYRO_T_NONE}: the "
          "environment has no such variable" },
        { "overrides:\n  a:\n    max_query_length: {b: 1}\n",
          "f.yml:3: overrides.a.max_query_length: must be a single value" },
        { "runtime_config:\n  file: none.yml\n",
          "none.yml: cannot be opened: " }
    };

    (void) state;

    for (i = 0; i < N(bad); i++) {
        refused("f.yml", bad[i].text, bad[i].message);
    }
}


/* ---- a file of its own ---- */

static char  dir[32], main_file[64], other[64];


static int
setup_files(void **state)
{
    strcpy(dir, "build/overrides-XXXXXX");

    if (mkdtemp(dir) == NULL) {
        return 1;
    }

    snprintf(main_file, sizeof(main_file), "%s/f.yml", dir);
    snprintf(other, sizeof(other), "%s/tenants.yml", dir);

    return setup(state);
}


static int
teardown_files(void **state)
{
    unlink(other);
    rmdir(dir);

    return teardown(state);
}


static void
a_file_of_its_own(void **state)
{
    static const char  text[] =
        "limits: {max_query_length: 1h}\n"
        "runtime_config: {file: \"${PYRO_T_FILE:-tenants.yml}\", period: 10s}\n"
        "overrides:\n"
        "  acme: {max_query_length: 2h, max_query_lookback: 7d}\n";

    (void) state;

    /* beside the file that names it, and over what that has */

    write_file(other, "overrides:\n"
                      "  acme: {max_query_length: 3h}\n"
                      "  beta: {max_query_length: \"${PYRO_T_BETA:-4}h\"}\n");

    if (parse(main_file, text) != PYRO_OK) {
        fail_msg("%s", err.message);
    }

    assert_int_equal(limits_of("acme")->max_query_length, 3 * 3600);
    assert_int_equal(limits_of("acme")->max_query_lookback, 7 * 86400);
    assert_int_equal(limits_of("beta")->max_query_length, 4 * 3600);

    /* its variables are told with those of the other */

    assert_int_equal(settings.n_variables, 2);
    assert_string_equal(settings.variables[0], "PYRO_T_FILE");
    assert_string_equal(settings.variables[1], "PYRO_T_BETA");

    /* an empty one is no mistake */

    write_file(other, "# nobody\n");
    assert_int_equal(parse(main_file, text), PYRO_OK);
    assert_int_equal(limits_of("acme")->max_query_length, 2 * 3600);
}


static void
its_mistakes_are_named(void **state)
{
    char    message[256];
    size_t  i;

    static const struct {
        const char  *text;
        const char  *message;
    } bad[] = {
        { "\noverrides:\n  acme: {max_query_length: x}\n",
          "3: overrides.acme.max_query_length: \"x\" is not a duration" },
        { "overrides:\n  acme: {max_query_lenght: 1h}\n",
          "2: overrides.acme.max_query_lenght: is not a limit; did you mean "
          "max_query_length?" },
        { "overrides:\n  acme: {max_query_length: \"${PYRO_T_NONE}\"}\n",
          "2: overrides.acme.max_query_length: ${PYRO_T_NONE}: the environment "
          "has no such variable" },
        { "overrides:\n  a/b:\n", "2: overrides.a/b: tenant \"a/b\"" },
        { "limits: {max_query_length: 1h}\n",
          "1: limits: is not a known key; allowed is overrides" },
        { "override:\n", "1: override: is not a known key; allowed is "
          "overrides" },
        { "overrides: [\n", "2: is not YAML: " },
        { "\n- overrides: {}\n", "2: the file must be a map, allowed is "
          "overrides" },
        { "overrides\n", "1: the file must be a map, allowed is overrides" }
    };

    (void) state;

    for (i = 0; i < N(bad); i++) {
        write_file(other, bad[i].text);
        snprintf(message, sizeof(message), "%s:%s", other, bad[i].message);
        refused(main_file, "runtime_config: {file: tenants.yml}\n", message);
    }
}


/* As many as there may be, some of them in both files, and one more. */
static void
many_tenants(void **state)
{
    char    *text, message[256];
    size_t   i, len, size;

    (void) state;

    size = 1024 * 64;
    text = malloc(size);
    assert_non_null(text);

    len = (size_t) snprintf(text, size, "runtime_config: {file: tenants.yml}\n"
                            "overrides:\n");

    for (i = 0; i < 1024; i++) {
        len += (size_t) snprintf(text + len, size - len,
                                 "  t%zu: {max_query_length: 1h}\n", i);
    }

    write_file(other, "overrides:\n"
                      "  t1023: {max_query_length: 2h}\n"
                      "  t7: {max_query_length: 3h}\n"
                      "  blank: {}\n");

    if (parse(main_file, text) != PYRO_OK) {
        fail_msg("%s", err.message);
    }

    assert_int_equal(settings.n_tenants, 1024);
    assert_int_equal(limits_of("t1023")->max_query_length, 2 * 3600);
    assert_int_equal(limits_of("t7")->max_query_length, 3 * 3600);
    assert_int_equal(limits_of("t8")->max_query_length, 3600);

    write_file(other, "overrides:\n  t7: {max_query_length: 3h}\n"
                      "  more: {max_query_length: 3h}\n");
    snprintf(message, sizeof(message), "%s:3: overrides.more: is one more than "
             "the 1024 tenants that may have limits", other);
    refused(main_file, text, message);

    free(text);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        TEST(a_tenant_has_limits_of_its_own),
        TEST(a_retention_of_a_tenant),
        TEST(mistakes_are_named),
        FILES(a_file_of_its_own),
        FILES(its_mistakes_are_named),
        FILES(many_tenants),
    };

    return unit_run(tests);
}
