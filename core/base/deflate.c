#include "core/base/deflate.h"

#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

#ifdef PYRO_HAVE_LIBDEFLATE
#include <libdeflate.h>
#endif


#define PYRO_DEFLATE_MEMORY  8      /* zlib's default memLevel */
#define PYRO_DEFLATE_BLOCK   64     /* bytes that a block may take for itself */


struct pyro_deflater_s {
    z_stream  z;
};


pyro_deflater_t *
pyro_deflater_create(void)
{
    pyro_deflater_t  *deflater;

    deflater = calloc(1, sizeof(pyro_deflater_t));

    if (deflater == NULL) {
        return NULL;
    }

    /* matches but runs of one byte are rare in columns of numbers, and cost
     * more than a code for their bytes alone */

    if (deflateInit2(&deflater->z, Z_BEST_SPEED, Z_DEFLATED, -MAX_WBITS,
                     PYRO_DEFLATE_MEMORY, Z_RLE) != Z_OK)
    {
        free(deflater);
        return NULL;
    }

    return deflater;
}


void
pyro_deflater_destroy(pyro_deflater_t *deflater)
{
    if (deflater != NULL) {
        deflateEnd(&deflater->z);
        free(deflater);
    }
}


int
pyro_deflate(pyro_deflater_t *deflater, pyro_arena_t *arena,
    const pyro_slice_t *columns, uint32_t n, pyro_slice_t *out)
{
    int        rc;
    char      *buf;
    size_t     size;
    uint32_t   i;
    z_stream  *z;

    z = &deflater->z;
    size = 0;

    for (i = 0; i < n; i++) {
        size += columns[i].len + PYRO_DEFLATE_BLOCK;
    }

    size = deflateBound(z, size);
    buf = size <= UINT_MAX ? pyro_arena_alloc(arena, size) : NULL;

    if (buf == NULL || deflateReset(z) != Z_OK) {
        return -1;
    }

    z->next_out = (Bytef *) buf;
    z->avail_out = (uInt) size;

    for (i = 0, rc = Z_OK; i < n && rc == Z_OK; i++) {
        z->next_in = (Bytef *) columns[i].data;
        z->avail_in = (uInt) columns[i].len;

        rc = deflate(z, Z_BLOCK);

        /* an empty column is nothing to do */
        rc = rc == Z_BUF_ERROR ? Z_OK : rc;
    }

    if (rc != Z_OK || deflate(z, Z_FINISH) != Z_STREAM_END) {
        return -1;
    }

    *out = pyro_slice(buf, size - z->avail_out);

    return 0;
}


#ifdef PYRO_HAVE_LIBDEFLATE

int
pyro_inflate(pyro_slice_t in, void *out, size_t size)
{
    enum libdeflate_result           rc;
    struct libdeflate_decompressor  *d;

    d = libdeflate_alloc_decompressor();

    if (d == NULL) {
        return -1;
    }

    rc = libdeflate_deflate_decompress(d, in.data, in.len, out, size, NULL);

    libdeflate_free_decompressor(d);

    return rc == LIBDEFLATE_SUCCESS ? 0 : -1;
}

#else

int
pyro_inflate(pyro_slice_t in, void *out, size_t size)
{
    int       rc;
    z_stream  z;

    if (in.len > UINT_MAX || size > UINT_MAX) {
        return -1;
    }

    memset(&z, 0, sizeof(z_stream));

    if (inflateInit2(&z, -MAX_WBITS) != Z_OK) {
        return -1;
    }

    z.next_in = (Bytef *) in.data;
    z.avail_in = (uInt) in.len;
    z.next_out = out;
    z.avail_out = (uInt) size;

    rc = inflate(&z, Z_FINISH);
    inflateEnd(&z);

    return rc == Z_STREAM_END && z.avail_out == 0 ? 0 : -1;
}

#endif
