/*
 * The label snapshot alone; every context that is there is resolved.
 */

#include "jfr/jfr_context.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t             i, key;
    pyro_span_t          span;
    pyro_error_t         err;
    pyro_arena_t        *arena;
    pyro_label_t         items[PYRO_JFR_MAX_LABELS + 1];
    pyro_labels_t        labels = { items, 0 };
    pyro_jfr_tag_t       tag = { 0, 0, 0, 0, 0 };
    pyro_jfr_context_t   context;

    arena = pyro_arena_create(64 * 1024 * 1024);

    if (arena != NULL
        && pyro_jfr_context_read(&context, pyro_slice(data, size), arena,
                                 &err) == PYRO_OK)
    {
        for (i = 0; i < 64; i++) {
            tag.context = i;
            tag.span_name = i;
            key = pyro_jfr_context_key(&context, &tag);

            if (key) {
                pyro_jfr_context_labels(&context, key, &labels, &span);
                pyro_labels_sort(labels.items, labels.n);
            }
        }
    }

    pyro_arena_destroy(arena);

    return 0;
}
