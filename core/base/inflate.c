#include "core/base/inflate.h"

#include <limits.h>
#include <zlib.h>

#ifdef PYRO_HAVE_LIBDEFLATE
#include <libdeflate.h>
#endif


#define PYRO_GZIP_HEADER   10       /* bytes, without optional fields */
#define PYRO_GZIP_TRAILER  8
#define PYRO_GZIP_FHCRC    2        /* the flag of a header checksum */
#define PYRO_GZIP_WBITS    (MAX_WBITS + 16)
#define PYRO_GZIP_MEMORY   8        /* zlib's default memLevel */
#define PYRO_GZIP_RATIO    1032     /* deflate cannot expand more than that */
#define PYRO_GZIP_SCRATCH  (16 * 1024)


/* One run of zlib over all members. */
typedef struct {
    z_stream       z;
    pyro_slice_t   in;
    size_t         member;          /* where the current one begins */
    char          *buf;             /* NULL: only measure */
    size_t         room;            /* bytes that may come out */
    size_t         size;            /* bytes that came out */
    Bytef          scratch[PYRO_GZIP_SCRATCH];
} pyro_gunzip_t;


static int pyro_gunzip_hint(pyro_slice_t in, size_t limit, size_t *hint);
static int pyro_gunzip_more(pyro_slice_t rest);
static int pyro_gunzip_whole(pyro_slice_t in, char *buf, size_t room,
    size_t *size);
static pyro_status_e pyro_gunzip_run(pyro_slice_t in, char *buf, size_t room,
    const char *what, size_t *size, pyro_error_t *err);
static pyro_status_e pyro_gunzip_member(pyro_gunzip_t *g, const char *what,
    pyro_error_t *err);
static int pyro_gunzip_step(pyro_gunzip_t *g);
static pyro_status_e pyro_gunzip_broken(pyro_gunzip_t *g, const char *problem,
    pyro_error_t *err);
static int pyro_gzip_step(z_stream *z, int flush, pyro_rope_t *out);


int
pyro_is_gzip(pyro_slice_t in)
{
    return pyro_slice_starts(in, PYRO_SLICE("\x1f\x8b"));
}


pyro_status_e
pyro_gunzip(pyro_arena_t *arena, pyro_slice_t in, size_t limit,
    const char *what, pyro_slice_t *out, pyro_error_t *err)
{
    char           *buf;
    size_t          size, room;
    pyro_status_e   rc;

    /* nearly always the trailer tells the size, and one pass does it */

    if (pyro_gunzip_hint(in, limit, &room) == 0) {

        buf = pyro_arena_alloc(arena, room);

        if (buf == NULL) {
            return pyro_error_memory(err);
        }

        if (pyro_gunzip_whole(in, buf, room, &size) == 0) {
            *out = pyro_slice(buf, size);
            return PYRO_OK;
        }

        rc = pyro_gunzip_run(in, buf, room, what, &size, err);

        if (rc != PYRO_TOO_LARGE) {
            *out = pyro_slice(buf, size);
            return rc;
        }
    }

    /* it does not, or it lies: measuring first costs time but no memory */

    rc = pyro_gunzip_run(in, NULL, limit, what, &size, err);

    if (rc != PYRO_OK) {
        return rc;
    }

    buf = pyro_arena_alloc(arena, size);

    if (buf == NULL) {
        return pyro_error_memory(err);
    }

    rc = pyro_gunzip_run(in, buf, size, what, &size, err);
    *out = pyro_slice(buf, size);

    return rc;
}


/* The size that the last trailer claims, if it can be true. */
static int
pyro_gunzip_hint(pyro_slice_t in, size_t limit, size_t *hint)
{
    const uint8_t  *p;

    if (in.len < PYRO_GZIP_HEADER + PYRO_GZIP_TRAILER) {
        return -1;
    }

    p = (const uint8_t *) in.data + in.len - 4;

    *hint = p[0] | (size_t) p[1] << 8 | (size_t) p[2] << 16
            | (size_t) p[3] << 24;

    return *hint <= limit && *hint / PYRO_GZIP_RATIO < in.len ? 0 : -1;
}


/*
 * What follows a member: 1 another one, 0 nothing but padding, -1 bytes that
 * are neither.
 */
static int
pyro_gunzip_more(pyro_slice_t rest)
{
    size_t  i;

    if (pyro_is_gzip(rest)) {
        return 1;
    }

    for (i = 0; i < rest.len; i++) {
        if (rest.data[i] != 0) {
            return -1;
        }
    }

    return 0;
}


#ifdef PYRO_HAVE_LIBDEFLATE

/*
 * All members at once, or -1 where zlib is to say what is wrong.  libdeflate
 * does not look at header checksums, so they are left to zlib as well.  It also
 * takes the two length codes that RFC 1951 reserves, where zlib does not: the
 * data's checksum is right even so.
 */
static int
pyro_gunzip_whole(pyro_slice_t in, char *buf, size_t room, size_t *size)
{
    int                              more;
    size_t                           used, made;
    enum libdeflate_result           rc;
    struct libdeflate_decompressor  *d;

    d = libdeflate_alloc_decompressor();

    if (d == NULL) {
        return -1;
    }

    *size = 0;

    for (more = 1; more == 1; more = pyro_gunzip_more(in)) {

        if (in.len < PYRO_GZIP_HEADER || (in.data[3] & PYRO_GZIP_FHCRC)) {
            more = -1;
            break;
        }

        rc = libdeflate_gzip_decompress_ex(d, in.data, in.len, buf + *size,
                                           room - *size, &used, &made);

        if (rc != LIBDEFLATE_SUCCESS) {
            more = -1;
            break;
        }

        in.data += used;
        in.len -= used;
        *size += made;
    }

    libdeflate_free_decompressor(d);

    return more;
}

#else

static int
pyro_gunzip_whole(pyro_slice_t in, char *buf, size_t room, size_t *size)
{
    (void) in;
    (void) buf;
    (void) room;
    (void) size;

    return -1;
}

#endif


/* PYRO_TOO_LARGE: more than room bytes; a buf, if given, has that room. */
static pyro_status_e
pyro_gunzip_run(pyro_slice_t in, char *buf, size_t room, const char *what,
    size_t *size, pyro_error_t *err)
{
    int             more;
    pyro_gunzip_t   g;
    pyro_status_e   rc;

    memset(&g.z, 0, sizeof(z_stream));

    if (inflateInit2(&g.z, PYRO_GZIP_WBITS) != Z_OK) {
        return pyro_error_memory(err);
    }

    g.in = in;
    g.buf = buf;
    g.room = room;
    g.size = 0;
    g.member = 0;
    g.z.next_in = (Bytef *) in.data;

    do {
        rc = pyro_gunzip_member(&g, what, err);

        if (rc != PYRO_OK) {
            break;
        }

        g.member = (size_t) ((const char *) g.z.next_in - in.data);
        more = pyro_gunzip_more(pyro_slice(in.data + g.member,
                                           in.len - g.member));

        if (more < 0) {
            rc = pyro_gunzip_broken(&g, "bytes that are not gzip follow", err);
        }

    } while (rc == PYRO_OK && more);

    inflateEnd(&g.z);
    *size = g.size;

    return rc;
}


static pyro_status_e
pyro_gunzip_member(pyro_gunzip_t *g, const char *what, pyro_error_t *err)
{
    int  rc;

    if (inflateReset(&g->z) != Z_OK) {
        return pyro_error_memory(err);
    }

    for ( ;; ) {
        rc = pyro_gunzip_step(g);

        if (g->size > g->room) {
            return pyro_error_set(err, PYRO_TOO_LARGE,
                                  PYRO_REASON_PROFILE_SIZE,
                                  "gzip: more than %zu bytes come out, the "
                                  "limit (%s)", g->room, what);
        }

        switch (rc) {

        case Z_OK:
            break;

        case Z_STREAM_END:
            return PYRO_OK;

        case Z_BUF_ERROR:
            return pyro_gunzip_broken(g, "truncated", err);

        case Z_MEM_ERROR:
            return pyro_error_memory(err);

        default:
            return pyro_gunzip_broken(g, g->z.msg ? g->z.msg : "invalid data",
                                      err);
        }
    }
}


/*
 * One call of zlib.  Where the buffer is full or missing its output goes to the
 * scratch buffer, and no more of it than shows that the room is exceeded.
 */
static int
pyro_gunzip_step(pyro_gunzip_t *g)
{
    int     rc;
    size_t  left, out;

    left = g->in.len - (size_t) ((const char *) g->z.next_in - g->in.data);
    out = g->room - g->size;

    if (g->buf != NULL && out) {
        g->z.next_out = (Bytef *) g->buf + g->size;

    } else {
        g->z.next_out = g->scratch;
        out = out < PYRO_GZIP_SCRATCH ? out + 1 : PYRO_GZIP_SCRATCH;
    }

    out = out < UINT_MAX ? out : UINT_MAX;

    g->z.avail_in = left < UINT_MAX ? (uInt) left : UINT_MAX;
    g->z.avail_out = (uInt) out;

    rc = inflate(&g->z, Z_NO_FLUSH);

    g->size += out - g->z.avail_out;

    return rc;
}


static pyro_status_e
pyro_gunzip_broken(pyro_gunzip_t *g, const char *problem, pyro_error_t *err)
{
    size_t         offset;
    pyro_status_e  rc;

    offset = (size_t) ((const char *) g->z.next_in - g->in.data);

    rc = pyro_error_set(err, PYRO_UNPROCESSABLE, PYRO_REASON_PROFILE,
                        "gzip: %s at byte %zu of %zu", problem, offset,
                        g->in.len);

    if (err != NULL) {
        err->offset = offset;
    }

    return rc;
}


pyro_status_e
pyro_gzip(const pyro_rope_t *in, pyro_rope_t *out, pyro_error_t *err)
{
    int                 rc;
    z_stream            z;
    pyro_rope_chunk_t  *chunk;

    memset(&z, 0, sizeof(z_stream));

    if (deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, PYRO_GZIP_WBITS,
                     PYRO_GZIP_MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
    {
        return pyro_error_memory(err);
    }

    rc = Z_OK;

    for (chunk = in->first; chunk != NULL && rc == Z_OK; chunk = chunk->next) {
        z.next_in = (Bytef *) chunk->data;
        z.avail_in = (uInt) chunk->len;

        rc = pyro_gzip_step(&z, Z_NO_FLUSH, out);
    }

    if (rc == Z_OK) {
        rc = pyro_gzip_step(&z, Z_FINISH, out);
    }

    deflateEnd(&z);

    if (rc != Z_OK) {
        return pyro_error_memory(err);
    }

    return pyro_rope_status(out, err);
}


/* Z_OK when all input is taken (with Z_FINISH: when all output is made). */
static int
pyro_gzip_step(z_stream *z, int flush, pyro_rope_t *out)
{
    int    rc;
    Bytef  buf[PYRO_GZIP_SCRATCH];

    do {
        z->next_out = buf;
        z->avail_out = sizeof(buf);

        rc = deflate(z, flush);

        if (rc == Z_STREAM_ERROR) {
            return rc;
        }

        pyro_rope_append(out, buf, sizeof(buf) - z->avail_out);

    } while (z->avail_out == 0 && rc != Z_STREAM_END && !out->failed);

    return Z_OK;
}
