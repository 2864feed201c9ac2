/*
 * The first line is the Content-Type, the rest the body: every part lies
 * within the body, behind the one before it.
 */

#include <stdlib.h>

#include "core/base/multipart.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int                more;
    const char        *line, *last, *end;
    pyro_part_t        part;
    pyro_slice_t       type, body;
    pyro_error_t       err;
    pyro_multipart_t   mp;

    line = size ? memchr(data, '\n', size) : NULL;

    if (line == NULL) {
        return 0;
    }

    type = pyro_slice(data, (size_t) (line - (const char *) data));
    body = pyro_slice(line + 1, size - type.len - 1);

    pyro_is_multipart(type);

    if (pyro_multipart_init(&mp, type, body, &err) != PYRO_OK) {
        return 0;
    }

    last = body.data;
    end = body.data + body.len;

    while (pyro_multipart_next(&mp, &part, &more, &err) == PYRO_OK && more) {

        if (part.body.data < last || part.body.data > end
            || part.body.len > (size_t) (end - part.body.data))
        {
            abort();
        }

        last = part.body.data + part.body.len;
    }

    return 0;
}
