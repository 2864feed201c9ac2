/*
 * Any bytes as the parameter "name": what is accepted is sorted, has no empty
 * names or values and always a service.
 */

#include <stdlib.h>

#include "core/model/app_name.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t        i;
    pyro_error_t    err;
    pyro_arena_t   *arena;
    pyro_labels_t   labels;

    arena = pyro_arena_create(1024 * 1024);

    if (arena == NULL) {
        return 0;
    }

    if (pyro_app_name_parse(arena, pyro_slice(data, size),
                            PYRO_SLICE("javaspy"), &labels, &err) == PYRO_OK)
    {
        if (pyro_labels_get(&labels, PYRO_SLICE("service_name")).len == 0) {
            abort();
        }

        for (i = 0; i < labels.n; i++) {

            if (labels.items[i].name.len == 0
                || labels.items[i].value.len == 0
                || pyro_slice_starts(labels.items[i].name, PYRO_SLICE("__"))
                || (i && pyro_slice_cmp(labels.items[i - 1].name,
                                        labels.items[i].name) >= 0))
            {
                abort();
            }
        }
    }

    pyro_arena_destroy(arena);

    return 0;
}
