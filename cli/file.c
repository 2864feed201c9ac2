#include "cli/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/inflate.h"


#define PYRO_FILE_FIRST  (64 * 1024)
#define PYRO_FILE_PIECE  (1024 * 1024 * 1024)   /* one read() or write() */


typedef struct {
    char         *data;             /* of malloc */
    size_t        len;
    size_t        cap;
    size_t        limit;
    const char   *what;
} pyro_file_input_t;


static pyro_status_e pyro_file_failed(pyro_error_t *err);
static pyro_status_e pyro_file_too_large(const pyro_file_input_t *in,
    pyro_error_t *err);
static pyro_status_e pyro_file_inflate(pyro_file_t *file, size_t limit,
    const char *what, pyro_error_t *err);
static pyro_status_e pyro_file_room(pyro_file_input_t *in, int fd,
    pyro_error_t *err);
static int pyro_file_grow(pyro_file_input_t *in);
static pyro_status_e pyro_file_bytes(pyro_file_input_t *in, int fd,
    pyro_error_t *err);
static int pyro_file_write_bytes(int fd, const char *data, size_t len);


static pyro_status_e
pyro_file_failed(pyro_error_t *err)
{
    return pyro_error_set(err, PYRO_INVALID, PYRO_REASON_REQUEST, "%s",
                          strerror(errno));
}


static pyro_status_e
pyro_file_too_large(const pyro_file_input_t *in, pyro_error_t *err)
{
    return pyro_error_set(err, PYRO_TOO_LARGE, PYRO_REASON_PROFILE_SIZE,
                          "more than %zu bytes, the limit (%s)", in->limit,
                          in->what);
}


pyro_status_e
pyro_file_read(pyro_file_t *file, const char *name, size_t limit,
    const char *what, pyro_error_t *err)
{
    int                 fd, standard;
    pyro_status_e       rc;
    pyro_file_input_t   in = { NULL, 0, 0, limit, what };

    memset(file, 0, sizeof(pyro_file_t));

    standard = strcmp(name, "-") == 0;
    fd = standard ? STDIN_FILENO : open(name, O_RDONLY|O_CLOEXEC);

    if (fd < 0) {
        return pyro_file_failed(err);
    }

    rc = pyro_file_room(&in, fd, err);

    if (rc == PYRO_OK) {
        rc = pyro_file_bytes(&in, fd, err);
    }

    if (!standard) {
        close(fd);
    }

    file->data = in.data;
    file->bytes = pyro_slice(in.data, in.len);

    return rc == PYRO_OK && pyro_is_gzip(file->bytes)
           ? pyro_file_inflate(file, limit, what, err) : rc;
}


static pyro_status_e
pyro_file_inflate(pyro_file_t *file, size_t limit, const char *what,
    pyro_error_t *err)
{
    pyro_status_e  rc;

    file->arena = pyro_arena_create(0);

    if (file->arena == NULL) {
        return pyro_error_memory(err);
    }

    rc = pyro_gunzip(file->arena, file->bytes, limit, what, &file->bytes, err);

    free(file->data);
    file->data = NULL;

    return rc;
}


void
pyro_file_free(pyro_file_t *file)
{
    free(file->data);
    pyro_arena_destroy(file->arena);
    memset(file, 0, sizeof(pyro_file_t));
}


/* Room for a file whose size is known, and for seeing its end. */
static pyro_status_e
pyro_file_room(pyro_file_input_t *in, int fd, pyro_error_t *err)
{
    struct stat  st;

    in->cap = PYRO_FILE_FIRST;

    if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) || st.st_size <= 0) {
        return PYRO_OK;
    }

    if ((uint64_t) st.st_size > in->limit) {
        return pyro_file_too_large(in, err);
    }

    in->cap = (size_t) st.st_size + 1;

    return PYRO_OK;
}


/* One byte more than the limit, so that going over it is seen. */
static int
pyro_file_grow(pyro_file_input_t *in)
{
    char    *data;
    size_t   cap;

    cap = in->data == NULL ? in->cap : in->cap * 2;

    if (cap > in->limit + 1) {
        cap = in->limit + 1;
    }

    data = realloc(in->data, cap);

    if (data == NULL) {
        return -1;
    }

    in->data = data;
    in->cap = cap;

    return 0;
}


static pyro_status_e
pyro_file_bytes(pyro_file_input_t *in, int fd, pyro_error_t *err)
{
    size_t   room;
    ssize_t  n;

    for ( ;; ) {

        if (in->len > in->limit) {
            return pyro_file_too_large(in, err);
        }

        if ((in->data == NULL || in->len == in->cap)
            && pyro_file_grow(in))
        {
            return pyro_error_memory(err);
        }

        room = in->cap - in->len;
        n = read(fd, in->data + in->len,
                 room < PYRO_FILE_PIECE ? room : PYRO_FILE_PIECE);

        if (n == 0) {
            return PYRO_OK;
        }

        if (n > 0) {
            in->len += (size_t) n;

        } else if (errno != EINTR) {
            return pyro_file_failed(err);
        }
    }
}


static int
pyro_file_write_bytes(int fd, const char *data, size_t len)
{
    ssize_t  n;

    while (len) {
        n = write(fd, data, len < PYRO_FILE_PIECE ? len : PYRO_FILE_PIECE);

        if (n < 0 && errno != EINTR) {
            return -1;
        }

        if (n > 0) {
            data += n;
            len -= (size_t) n;
        }
    }

    return 0;
}


void
pyro_file_write(int fd, pyro_rope_t *rope, int *error)
{
    pyro_rope_chunk_t  *chunk;

    if (rope->failed && *error == 0) {
        *error = ENOMEM;
    }

    for (chunk = rope->first; chunk != NULL && *error == 0;
         chunk = chunk->next)
    {
        if (pyro_file_write_bytes(fd, chunk->data, chunk->len)) {
            *error = errno;
        }
    }

    pyro_rope_free(rope);
}
