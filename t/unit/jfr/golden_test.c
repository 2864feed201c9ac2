#define _GNU_SOURCE

#include "recording.h"

#include <dirent.h>
#include <inttypes.h>
#include <jansson.h>

#include "core/base/rope.h"


/* A sample with both values of its kind. */
typedef struct {
    char        *text;              /* labels, tab, stack */
    uint64_t     values[2];
} line_t;


typedef struct {
    line_t      *items;
    size_t       n;
    size_t       cap;
} lines_t;


typedef struct {
    const char  *kind;
    const char  *types[2];
} kind_t;


static const kind_t  kinds[] = {
    { "cpu", { "cpu", NULL } },
    { "cpu_time_extension", { "cpu", NULL } },
    { "wall", { "wall", NULL } },
    { "alloc_in_new_tlab",
      { "alloc_in_new_tlab_objects", "alloc_in_new_tlab_bytes" } },
    { "alloc_outside_tlab",
      { "alloc_outside_tlab_objects", "alloc_outside_tlab_bytes" } },
    { "alloc_sample", { "alloc_sample_objects", "alloc_sample_bytes" } },
    { "mutex", { "contentions", "delay" } },
    { "block", { "contentions", "delay" } },
    { "live", { "live", NULL } },
    { "malloc", { "malloc_objects", "malloc_bytes" } },
};


static void
append(char **text, const char *fmt, ...)
{
    char     *more, *all;
    va_list   args;

    va_start(args, fmt);
    assert_true(vasprintf(&more, fmt, args) >= 0);
    va_end(args);

    assert_true(asprintf(&all, "%s%s", *text ? *text : "", more) >= 0);
    free(more);
    free(*text);
    *text = all;
}


/* Span and trace are labels here, sorted among the others. */
static char *
labels_text(const pyro_profile_t *p, uint32_t set, uint32_t span)
{
    char                 hex[3][40], *text;
    uint32_t             i, n;
    pyro_label_t         items[32];
    const pyro_span_t   *s;
    const pyro_labels_t *labels;

    labels = &p->label_sets[set].dynamic;
    assert_true(labels->n < 30);
    n = labels->n;

    if (n) {
        memcpy(items, labels->items, n * sizeof(pyro_label_t));
    }

    s = &p->spans[span];

    if (s->id) {
        snprintf(hex[0], sizeof(hex[0]), "%016" PRIx64, s->id);
        items[n].name = PYRO_SLICE("profile_id");
        items[n++].value = pyro_slice_str(hex[0]);
    }

    if (s->trace_hi | s->trace_lo) {
        snprintf(hex[1], sizeof(hex[1]), "%016" PRIx64 "%016" PRIx64,
                 s->trace_hi, s->trace_lo);
        items[n].name = PYRO_SLICE("trace_id");
        items[n++].value = pyro_slice_str(hex[1]);
    }

    n = pyro_labels_sort(items, n);
    text = NULL;
    append(&text, "%s", "");

    for (i = 0; i < n; i++) {
        append(&text, "%s%.*s=%.*s", i ? "," : "",
               PYRO_SLICE_ARG(items[i].name), PYRO_SLICE_ARG(items[i].value));
    }

    return text;
}


static void
stack_text(const pyro_profile_t *p, uint32_t node, char **text)
{
    uint32_t             n, *path;
    const pyro_frame_t  *frame;

    path = malloc(p->n_nodes * sizeof(uint32_t));

    for (n = 0; node; node = p->nodes[node].parent) {
        path[n++] = node;
    }

    while (n) {
        frame = &p->frames[p->nodes[path[--n]].frame];
        append(text, "%.*s:%u%s",
               PYRO_SLICE_ARG(pyro_profile_text(p, frame->function)),
               frame->line, n ? ";" : "");
    }

    free(path);
}


static void
add_section(lines_t *lines, const pyro_profile_t *p,
    const pyro_section_t *section, int column)
{
    char                 *text;
    uint32_t              i;
    const pyro_sample_t  *sample;

    for (i = 0; i < section->n; i++) {
        sample = &section->samples[i];
        text = labels_text(p, section->labels, sample->span);
        append(&text, "\t");
        stack_text(p, sample->node, &text);

        if (lines->n == lines->cap) {
            lines->cap = lines->cap ? lines->cap * 2 : 64;
            lines->items = realloc(lines->items,
                                   lines->cap * sizeof(line_t));
        }

        lines->items[lines->n].text = text;
        lines->items[lines->n].values[column] = sample->value;
        lines->items[lines->n++].values[!column] = 0;
    }
}


static int
compare_lines(const void *one, const void *two)
{
    return strcmp(((const line_t *) one)->text, ((const line_t *) two)->text);
}


/* Equal (labels, stack) together: node ids differ where equal stacks do not. */
static void
sum_lines(lines_t *lines)
{
    size_t   i, n;
    line_t  *last;

    if (lines->n == 0) {
        return;
    }

    qsort(lines->items, lines->n, sizeof(line_t), compare_lines);
    n = 1;

    for (i = 1; i < lines->n; i++) {
        last = &lines->items[n - 1];

        if (strcmp(last->text, lines->items[i].text) == 0) {
            last->values[0] += lines->items[i].values[0];
            last->values[1] += lines->items[i].values[1];
            free(lines->items[i].text);
            continue;
        }

        lines->items[n++] = lines->items[i];
    }

    lines->n = n;
}


/* Of contentions there are two kinds, told apart by the type's name. */
static int
is_of_kind(const pyro_profile_type_t *type, const kind_t *kind, int column)
{
    if (kind->types[column] == NULL
        || !pyro_slice_is(type->sample_type, kind->types[column]))
    {
        return 0;
    }

    return strcmp(kind->types[0], "contentions") != 0
           || pyro_slice_is(type->name, kind->kind);
}


static void
kind_text(const pyro_profile_t *p, const kind_t *kind, pyro_rope_t *rope)
{
    int                     column;
    size_t                  i;
    lines_t                 lines = { NULL, 0, 0 };
    const pyro_section_t   *section;

    for (i = 0; i < p->n_sections; i++) {
        section = &p->sections[i];

        for (column = 0; column < 2; column++) {
            if (is_of_kind(&p->types[section->type].type, kind, column)) {
                add_section(&lines, p, section, column);
            }
        }
    }

    sum_lines(&lines);

    for (i = 0; i < lines.n; i++) {
        pyro_rope_append(rope, lines.items[i].text,
                         strlen(lines.items[i].text));
        pyro_rope_printf(rope, "\t%" PRIu64, lines.items[i].values[0]);

        if (kind->types[1] != NULL) {
            pyro_rope_printf(rope, " %" PRIu64, lines.items[i].values[1]);
        }

        pyro_rope_append(rope, "\n", 1);
        free(lines.items[i].text);
    }

    free(lines.items);
}


static int
same_text(const pyro_rope_t *rope, pyro_slice_t expected)
{
    pyro_rope_chunk_t  *chunk;

    if (rope->size != expected.len) {
        return 0;
    }

    for (chunk = rope->first; chunk != NULL; chunk = chunk->next) {
        if (memcmp(chunk->data, expected.data, chunk->len) != 0) {
            return 0;
        }

        expected.data += chunk->len;
    }

    return 1;
}


/* Returns 1 if there is a golden for this kind. */
static int
check_kind(const char *name, const kind_t *kind, const pyro_profile_t *p)
{
    char           file[128];
    pyro_rope_t    rope;
    pyro_arena_t  *arena;
    pyro_slice_t   expected;

    arena = pyro_arena_create(0);
    snprintf(file, sizeof(file), "%s.samples.tsv.gz", kind->kind);
    expected = recording_file(arena, name, file);

    if (expected.data != NULL) {
        pyro_rope_init(&rope, 0);
        kind_text(p, kind, &rope);

        if (!same_text(&rope, expected)) {
            fail_msg("%s: %s is not as expected", name, kind->kind);
        }

        pyro_rope_free(&rope);
    }

    pyro_arena_destroy(arena);

    return expected.data != NULL;
}


static void
check_labels(const char *name, const pyro_profile_t *p, const char *event)
{
    uint32_t       i;
    pyro_slice_t   value;

    for (i = 0; i < p->n_types; i++) {
        value = pyro_labels_get(&p->types[i].extra, PYRO_SLICE("jfr_event"));

        if (!pyro_slice_is(value, event)) {
            fail_msg("%s: jfr_event is \"%.*s\"", name, PYRO_SLICE_ARG(value));
        }
    }
}


/* Kinds without a golden must not come out; cpu is there under two names. */
static void
check_recording(const char *name)
{
    char           path[256];
    size_t         i, types, found;
    json_t        *expect, *profiles;
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

    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        found = (size_t) check_kind(name, &kinds[i], reading.profile);
        types += found ? (kinds[i].types[1] != NULL ? 2 : 1) : 0;
    }

    assert_int_equal(reading.profile->n_types, types);

    profiles = json_object_get(expect, "profiles");
    assert_non_null(profiles);
    check_labels(name, reading.profile,
                 json_string_value(json_object_get(expect, "jfrEvent")));

    json_decref(expect);
    pyro_arena_destroy(reading.arena);
    pyro_arena_destroy(arena);
}


static void
recordings_give_their_goldens(void **state)
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
        cmocka_unit_test(recordings_give_their_goldens),
    };

    return unit_run(tests);
}
