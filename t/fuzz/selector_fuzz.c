/*
 * A label selector: parsed, and what was parsed tested against two label sets,
 * one of them holding the input itself.
 */

#include <stddef.h>
#include <stdint.h>

#include "core/base/utf8.h"
#include "core/query/selector.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pyro_slice_t      text;
    pyro_arena_t     *arena;
    pyro_error_t      err;
    pyro_label_t      label;
    pyro_labels_t     labels;
    pyro_selector_t   selector;

    arena = pyro_arena_create(1024 * 1024);

    if (arena == NULL) {
        return 0;
    }

    text = pyro_slice(data, size);

    if (pyro_selector_parse(arena, text, &selector, &err) == PYRO_OK) {
        label.name = PYRO_SLICE("a");
        label.value = size < 256 && pyro_utf8_valid(text.data, size)
                      ? text : PYRO_SLICE("shop.order");
        labels.items = &label;
        labels.n = 1;

        (void) pyro_selector_test(&selector, &labels, &err);

        labels.n = 0;
        (void) pyro_selector_test(&selector, &labels, &err);

        pyro_selector_free(&selector);
    }

    pyro_arena_destroy(arena);

    return 0;
}
