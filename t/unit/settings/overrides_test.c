/*
 * Limits of tenants: from the file, from a file beside it, from both.
 */

#include "settings_fixture.h"

#include <unistd.h>

#include "core/settings/settings.h"


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
        "  none: {max_query_length: 1h}\n"), PYRO_OK);

    assert_int_equal(settings.limits.retention_period, 3 * 86400);
    assert_int_equal(limits_of("long")->retention_period, 90 * 86400);
    assert_int_equal(limits_of("both")->retention_period, 60 * 86400);
    assert_int_equal(limits_of("ever")->retention_period, 0);
    assert_int_equal(limits_of("none")->retention_period, 3 * 86400);
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
        { "overrides:\n  a:\n    max_query_length: {b: 1}\n",
          "f.yml:3: overrides.a.max_query_length: must be a single value" },
        { "runtime_config:\n  file: none.yml\n",
          "none.yml: cannot be opened: " }
    };

    (void) state;

    for (i = 0; i < N(bad); i++) {
        assert_int_equal(parse("f.yml", bad[i].text), PYRO_INVALID);

        if (strstr(err.message, bad[i].message) != err.message) {
            fail_msg("\"%s\": \"%s\" does not begin with \"%s\"", bad[i].text,
                     err.message, bad[i].message);
        }
    }
}


static void
a_file_of_its_own(void **state)
{
    char  dir[] = "build/overrides-XXXXXX";
    char  main_file[64], other[64], message[256];

    static const char  text[] =
        "limits: {max_query_length: 1h}\n"
        "runtime_config: {file: \"${PYRO_T_FILE:-tenants.yml}\", period: 10s}\n"
        "overrides:\n"
        "  acme: {max_query_length: 2h, max_query_lookback: 7d}\n";

    (void) state;

    assert_non_null(mkdtemp(dir));
    snprintf(main_file, sizeof(main_file), "%s/f.yml", dir);
    snprintf(other, sizeof(other), "%s/tenants.yml", dir);

    /* beside the file that names it, and over what that has */

    write_file(other, "overrides:\n"
                      "  acme: {max_query_length: 3h}\n"
                      "  beta: {max_query_length: 4h}\n");

    if (parse(main_file, text) != PYRO_OK) {
        fail_msg("%s", err.message);
    }

    assert_int_equal(limits_of("acme")->max_query_length, 3 * 3600);
    assert_int_equal(limits_of("acme")->max_query_lookback, 7 * 86400);
    assert_int_equal(limits_of("beta")->max_query_length, 4 * 3600);
    assert_int_equal(settings.n_variables, 1);

    /* its mistakes are told with its name and lines */

    write_file(other, "\noverrides:\n  acme: {max_query_length: x}\n");
    assert_int_equal(parse(main_file, text), PYRO_INVALID);
    snprintf(message, sizeof(message), "%s:3: overrides.acme."
             "max_query_length: \"x\" is not a duration", other);
    assert_ptr_equal(strstr(err.message, message), err.message);

    write_file(other, "limits: {max_query_length: 1h}\n");
    assert_int_equal(parse(main_file, text), PYRO_INVALID);
    snprintf(message, sizeof(message), "%s:1: limits: is not a known key; "
             "allowed is overrides", other);
    assert_string_equal(err.message, message);

    write_file(other, "overrides: [\n");
    assert_int_equal(parse(main_file, text), PYRO_INVALID);
    assert_ptr_equal(strstr(err.message, other), err.message);

    /* an empty one is no mistake */

    write_file(other, "# nobody\n");
    assert_int_equal(parse(main_file, text), PYRO_OK);
    assert_int_equal(limits_of("acme")->max_query_length, 2 * 3600);

    unlink(other);
    rmdir(dir);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        TEST(a_tenant_has_limits_of_its_own),
        TEST(a_retention_of_a_tenant),
        TEST(mistakes_are_named),
        TEST(a_file_of_its_own),
    };

    return unit_run(tests);
}
