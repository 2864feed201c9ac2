/*
 * If-None-Match: a list that has the tag has its bytes somewhere, or a star;
 * and whatever stands before it, a tag that is added is found.
 */

#define _GNU_SOURCE

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/etag.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char          *more;
    pyro_slice_t   list, etag;

    list = pyro_slice(data, size);
    etag = PYRO_SLICE("\"0123456789abcdef\"");

    if (pyro_etag_listed(list, etag)
        && memmem(data, size, etag.data, etag.len) == NULL
        && memchr(data, '*', size) == NULL)
    {
        abort();
    }

    more = malloc(size + 3 + etag.len);

    if (more == NULL) {
        return 0;
    }

    memcpy(more, data, size);
    memcpy(more + size, ",W/", 3);
    memcpy(more + size + 3, etag.data, etag.len);

    if (!pyro_etag_listed(pyro_slice(more, size + 3 + etag.len), etag)) {
        abort();
    }

    free(more);

    return 0;
}
