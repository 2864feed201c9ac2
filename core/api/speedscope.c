/*
 * https://www.speedscope.app/file-format-schema.json
 */

#include "core/api/stacks.h"


static void pyro_speedscope_frames(const pyro_tree_t *tree, pyro_rope_t *out);
static int pyro_speedscope_samples(const pyro_tree_t *tree, pyro_rope_t *out);
static void pyro_speedscope_text(pyro_rope_t *out, const char *text);


pyro_status_e
pyro_speedscope_write(pyro_tree_t *tree, const pyro_profile_type_t *type,
    pyro_slice_t name, pyro_rope_t *out, pyro_error_t *err)
{
    const char  *unit;

    pyro_tree_totals(tree);
    unit = pyro_slice_is(type->sample_unit, "nanoseconds") ? "nanoseconds"
           : pyro_slice_is(type->sample_unit, "bytes") ? "bytes" : "none";

    pyro_speedscope_text(out, "{\"$schema\":\"https://www.speedscope.app/"
                         "file-format-schema.json\",\"exporter\":"
                         "\"ngx_pyroscope\",\"name\":");
    pyro_rope_json(out, name);
    pyro_speedscope_text(out, ",\"activeProfileIndex\":0,\"shared\":"
                         "{\"frames\":[");
    pyro_speedscope_frames(tree, out);
    pyro_speedscope_text(out, "]},\"profiles\":[{\"type\":\"sampled\","
                         "\"name\":");
    pyro_rope_json(out, name);
    pyro_rope_printf(out, ",\"unit\":\"%s\",\"startValue\":0,\"endValue\":"
                     "%llu,\"samples\":[", unit,
                     (unsigned long long) tree->nodes[0].total);

    if (pyro_speedscope_samples(tree, out)) {
        return pyro_error_memory(err);
    }

    pyro_speedscope_text(out, "]}]}\n");

    return pyro_rope_status(out, err);
}


/* Frame 0 is the root's, and in no stack. */
static void
pyro_speedscope_frames(const pyro_tree_t *tree, pyro_rope_t *out)
{
    uint32_t                  i;
    const pyro_tree_frame_t  *frame;

    for (i = 1; i < tree->n_frames; i++) {
        frame = &tree->frames[i];

        pyro_speedscope_text(out, i > 1 ? ",{\"name\":" : "{\"name\":");
        pyro_rope_json(out, tree->names.items[frame->function]);

        if (frame->file != PYRO_NONE) {
            pyro_speedscope_text(out, ",\"file\":");
            pyro_rope_json(out, tree->names.items[frame->file]);
        }

        if (frame->line) {
            pyro_rope_printf(out, ",\"line\":%u", frame->line);
        }

        pyro_speedscope_text(out, "}");
    }
}


/* Root first, then what they weigh. */
static int
pyro_speedscope_samples(const pyro_tree_t *tree, pyro_rope_t *out)
{
    uint32_t   i, at, n, k, cap, *path;
    const char *comma;

    path = NULL;
    cap = 0;
    comma = "[";

    for (i = 0; i < tree->n; i++) {

        if (tree->nodes[i].self == 0) {
            continue;
        }

        for (at = i, n = 0; at; at = tree->nodes[at].parent, n++) {
            if (pyro_arena_grow(tree->arena, &path, &cap, (size_t) n + 1,
                                sizeof(uint32_t)))
            {
                return -1;
            }

            path[n] = tree->nodes[at].name - 1;
        }

        pyro_speedscope_text(out, comma);
        comma = ",[";

        for (k = n; k; k--) {
            pyro_rope_printf(out, k < n ? ",%u" : "%u", path[k - 1]);
        }

        pyro_speedscope_text(out, "]");
    }

    pyro_speedscope_text(out, "],\"weights\":[");
    comma = "%llu";

    for (i = 0; i < tree->n; i++) {
        if (tree->nodes[i].self) {
            pyro_rope_printf(out, comma,
                             (unsigned long long) tree->nodes[i].self);
            comma = ",%llu";
        }
    }

    return 0;
}


static void
pyro_speedscope_text(pyro_rope_t *out, const char *text)
{
    pyro_rope_append(out, text, strlen(text));
}
