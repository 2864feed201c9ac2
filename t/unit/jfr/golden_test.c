/*
 * Types, totals and jfr_event of every recording of t/data/jfr, as expect.json
 * has them.  t/230-jfrcat.t compares the samples, by the tool that prints them.
 */

#include "recording.h"

#include <dirent.h>
#include <inttypes.h>
#include <jansson.h>


#define CPU  "process_cpu:cpu:nanoseconds:cpu:nanoseconds"


/* The total of a profile type, -1 if it must not be there. */
static int64_t
expected_total(const json_t *expect, const char *id)
{
    size_t       i;
    json_t      *profiles, *profile, *type;
    const char  *kind;

    profiles = json_object_get(expect, "profiles");

    json_object_foreach(profiles, kind, profile) {
        json_array_foreach(json_object_get(profile, "profileTypes"), i, type) {
            if (strcmp(json_string_value(type), id) == 0) {
                return json_integer_value(json_array_get(
                                json_object_get(profile, "totals"), i));
            }
        }
    }

    return -1;
}


static size_t
expected_types(const json_t *expect)
{
    size_t       n;
    json_t      *profile;
    const char  *kind;

    n = 0;

    json_object_foreach(json_object_get(expect, "profiles"), kind, profile) {
        n += json_array_size(json_object_get(profile, "profileTypes"));
    }

    return n;
}


static int64_t
type_total(const pyro_profile_t *p, uint32_t type)
{
    uint32_t   i, k;
    uint64_t   total;

    total = 0;

    for (i = 0; i < p->n_sections; i++) {
        for (k = 0; p->sections[i].type == type && k < p->sections[i].n; k++) {
            total += p->sections[i].samples[k].value;
        }
    }

    return (int64_t) total;
}


/* Returns 1 if the type is among those of expect.json. */
static size_t
check_type(const char *name, const reading_t *reading, uint32_t type,
    const json_t *expect)
{
    int64_t                       total, expected;
    const char                   *event;
    pyro_slice_t                  id, label;
    const pyro_profile_column_t  *column;

    column = &reading->profile->types[type];
    id = pyro_profile_type_id(reading->arena, &column->type);
    assert_non_null(id.data);

    event = json_string_value(json_object_get(expect, "jfrEvent"));
    label = pyro_labels_get(&column->extra, PYRO_SLICE("jfr_event"));

    if (!pyro_slice_is(label, event)) {
        fail_msg("%s: jfr_event is \"%.*s\"", name, PYRO_SLICE_ARG(label));
    }

    expected = expected_total(expect, id.data);

    /* of jdk.CPUTimeSample expect.json has no total */

    if (expected < 0 && strcmp(name, "jdk25-cputime") == 0
        && strcmp(id.data, CPU) == 0)
    {
        return 0;
    }

    total = type_total(reading->profile, type);

    if (total != expected) {
        fail_msg("%s: %s: %" PRId64 ", not %" PRId64, name, id.data, total,
                 expected);
    }

    return 1;
}


static void
check_recording(const char *name)
{
    char           path[256];
    size_t         types;
    json_t        *expect;
    uint32_t       i;
    int64_t        rate;
    reading_t      reading;
    pyro_arena_t  *arena;
    pyro_slice_t   recording, labels;

    snprintf(path, sizeof(path), "t/data/jfr/%s/expect.json", name);
    expect = json_load_file(path, 0, NULL);
    assert_non_null(expect);
    rate = json_integer_value(json_object_get(expect, "sampleRate"));

    arena = pyro_arena_create(0);
    recording = recording_file(arena, name, "recording.jfr.gz");
    labels = recording_file(arena, name, "labels.pb.gz");
    assert_non_null(recording.data);

    recording_read(&reading, recording, labels, rate);

    if (reading.status != PYRO_OK) {
        fail_msg("%s: %s", name, reading.err.message);
    }

    types = 0;

    for (i = 0; i < reading.profile->n_types; i++) {
        types += check_type(name, &reading, i, expect);
    }

    assert_int_equal(types, expected_types(expect));

    json_decref(expect);
    pyro_arena_destroy(reading.arena);
    pyro_arena_destroy(arena);
}


static void
recordings_have_their_totals(void **state)
{
    int             n;
    DIR            *dir;
    struct dirent  *entry;

    (void) state;

    dir = opendir("t/data/jfr");
    assert_non_null(dir);
    n = 0;

    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] != '.' && strchr(entry->d_name, '.') == NULL) {
            check_recording(entry->d_name);
            n++;
        }
    }

    closedir(dir);
    assert_int_equal(n, 35);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(recordings_have_their_totals),
    };

    return unit_run(tests);
}
