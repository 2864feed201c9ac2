/*
 * The decoder of push records (storage/record.h).  The checksum is made right
 * first, or nothing behind it would ever be reached.
 */

#include <stdlib.h>

#include "core/base/hash.h"
#include "storage/record.h"


#define NODES  4096


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
record_fuzz_spans(pyro_record_t *record, const pyro_record_section_t *sections,
    uint32_t n_sections, uint64_t *acc)
{
    uint8_t      wanted[64];
    uint32_t     i, n;
    pyro_span_t  span;

    if (pyro_record_spans(record, &n) || n > sizeof(wanted)) {
        return;
    }

    for (i = 0; i < n; i++) {

        if (pyro_record_span(record, &span)) {
            return;
        }

        wanted[i] = span.id % 2;
    }

    for (i = 0; i < n_sections; i++) {
        if (pyro_record_add_spans(record, &sections[i], wanted, n, acc, NODES))
        {
            return;
        }
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int                     rc;
    uint8_t                *copy;
    uint32_t                i, n;
    uint64_t               *acc;
    pyro_record_t           record;
    pyro_record_section_t   sections[8];

    copy = malloc(size ? size : 1);
    acc = calloc(NODES, sizeof(uint64_t));

    if (copy == NULL || acc == NULL) {
        abort();
    }

    if (size) {
        memcpy(copy, data, size);
    }

    if (size >= 4) {
        pyro_put_be32(copy, (uint32_t) pyro_hash64(copy + 4, size - 4, 0));
    }

    if (pyro_record_open(pyro_slice(copy, size), &record) == 0) {

        for (n = 0, rc = 1; n < 8 && rc == 1; /* void */ ) {
            rc = pyro_record_next(&record, &sections[n]);

            if (rc == 1) {
                pyro_record_add(&sections[n++], acc, NODES);
            }
        }

        if (rc == 0) {
            record_fuzz_spans(&record, sections, n, acc);
        }
    }

    for (i = 0; i < NODES; i++) {
        if (acc[i] > INT64_MAX) {
            abort();
        }
    }

    free(copy);
    free(acc);

    return 0;
}
