/*
 * pyro_store_import(): pushes out of a dump, a group at a time, through
 * pyro_store_write().
 */

#include "storage/dump.h"
#include "storage/store.h"


#define PYRO_IMPORT_PUSHES  128
#define PYRO_IMPORT_BYTES   (16 * 1024 * 1024)


typedef struct {
    pyro_store_t         *store;
    pyro_dump_result_t   *result;
    pyro_dump_reader_t    reader;
    pyro_store_push_t     pushes[PYRO_IMPORT_PUSHES];
    pyro_arena_t         *arenas[PYRO_IMPORT_PUSHES];
    uint32_t              n;
    size_t                bytes;
} pyro_import_t;


static pyro_status_e pyro_import_next(pyro_import_t *m, pyro_error_t *err);
static pyro_status_e pyro_import_flush(pyro_import_t *m, pyro_error_t *err);


pyro_status_e
pyro_store_import(pyro_store_t *store, pyro_store_in_pt in, void *ctx,
    pyro_dump_result_t *result, pyro_error_t *err)
{
    pyro_error_t    late;
    pyro_status_e   status, written;
    pyro_import_t   m;

    memset(&m, 0, sizeof(pyro_import_t));
    memset(result, 0, sizeof(pyro_dump_result_t));

    m.store = store;
    m.result = result;
    pyro_dump_reader_init(&m.reader, in, ctx);

    do {
        status = pyro_import_next(&m, err);

        if (status == PYRO_OK && (m.n == PYRO_IMPORT_PUSHES
                                  || m.bytes >= PYRO_IMPORT_BYTES))
        {
            status = pyro_import_flush(&m, err);
        }
    } while (status == PYRO_OK);

    /* what came before an error is sound */

    written = pyro_import_flush(&m, &late);

    if (written != PYRO_OK && status == PYRO_NOT_FOUND) {
        status = written;

        if (err != NULL) {
            *err = late;
        }
    }

    pyro_dump_reader_free(&m.reader);

    return status == PYRO_NOT_FOUND ? PYRO_OK : status;
}


static pyro_status_e
pyro_import_next(pyro_import_t *m, pyro_error_t *err)
{
    pyro_arena_t       *arena;
    pyro_status_e       status;
    pyro_dump_push_t    push;
    pyro_store_push_t  *out;

    arena = pyro_arena_create(0);

    if (arena == NULL) {
        return pyro_error_memory(err);
    }

    status = pyro_dump_next(&m->reader, arena, &push, err);

    if (status != PYRO_OK) {
        pyro_arena_destroy(arena);
        return status;
    }

    m->arenas[m->n] = arena;
    m->bytes += pyro_arena_used(arena);

    out = &m->pushes[m->n++];
    memset(out, 0, sizeof(pyro_store_push_t));

    out->tenant = push.tenant;
    out->profile = push.profile;
    out->time = push.time;
    out->duration = push.duration;

    return PYRO_OK;
}


/* The first error of a push; those that came before it are counted. */
static pyro_status_e
pyro_import_flush(pyro_import_t *m, pyro_error_t *err)
{
    uint32_t            i;
    pyro_status_e       status;
    pyro_store_push_t  *push, *list[PYRO_IMPORT_PUSHES];

    for (i = 0; i < m->n; i++) {
        list[i] = &m->pushes[i];
    }

    if (m->n) {
        pyro_store_write(m->store, list, m->n);
    }

    for (i = 0, status = PYRO_OK; i < m->n; i++) {
        push = &m->pushes[i];

        if (push->status == PYRO_OK) {
            m->result->pushes++;
            m->result->stored += push->stored;
            m->result->repeated += push->repeated;
            m->result->folded += push->folded;

        } else if (status == PYRO_OK) {
            status = pyro_error_set(err, push->status, push->error.reason,
                                    "a push of %lld ns: %s",
                                    (long long) push->time,
                                    push->error.message);
        }

        pyro_arena_destroy(m->arenas[i]);
    }

    m->n = 0;
    m->bytes = 0;

    return status;
}
