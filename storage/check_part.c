/*
 * One partition from its meta to its roll-ups, and what the parts of its check
 * share.
 */

#include "storage/check.h"

#include <stdio.h>
#include <unistd.h>

#include "storage/deleting.h"
#include "storage/dict.h"


typedef struct {
    const char      *what;
    pyro_status_e  (*run)(pyro_check_t *c);
} pyro_check_step_t;


static int pyro_check_open(pyro_check_t *c, const char *dir,
    const pyro_check_part_t *expected);
static void pyro_check_fatal(void *ctx, const char *text);
static void pyro_check_run(pyro_check_t *c,
    const pyro_check_part_t *expected);
static void pyro_check_step(pyro_check_t *c, const char *what,
    pyro_status_e status);
static int pyro_check_meta(pyro_check_t *c,
    const pyro_check_part_t *expected);
static void pyro_check_state(pyro_check_t *c);
static int pyro_check_rolled(pyro_check_t *c);
static pyro_status_e pyro_check_tenants(pyro_check_t *c);
static void pyro_check_read_begin(pyro_check_t *c);
static void pyro_check_read_end(pyro_check_t *c);


/* in an order in which the first to be damaged is told first */
static const pyro_check_step_t  pyro_check_steps[] = {
    { "tenant", pyro_check_tenants },
    { "str",    pyro_check_strings },
    { "frame",  pyro_check_frames },
    { "scope",  pyro_check_scopes },
    { "ptype",  pyro_check_ptypes },
    { "node",   pyro_check_nodes },
    { "stream", pyro_check_streams },
    { "post",   pyro_check_posts },
    { "late",   pyro_check_late },
    { "raw",    pyro_check_raw_keys },
    { "raw",    pyro_check_records },
};

#define PYRO_CHECK_STEPS                                                      \
    (sizeof(pyro_check_steps) / sizeof(pyro_check_steps[0]))


void
pyro_check_partition(pyro_check_t *c, const char *dir,
    const pyro_check_part_t *expected)
{
    c->view.part = &c->part;
    c->view.err = &c->err;
    c->arena = pyro_arena_create(0);

    pyro_check_tell(&c->sink, PYRO_CHECK_AT, "file", 0, "%s", "");

    if (c->arena == NULL || pyro_check_open(c, dir, expected)) {
        return;
    }

    if (pyro_env_begin(c->part.env, 1, &c->view.txn, &c->err) == PYRO_OK) {
        pyro_check_read_begin(c);
        pyro_check_run(c, expected);
        pyro_check_read_end(c);
        pyro_env_abort(c->part.env, c->view.txn);

    } else {
        pyro_check_step(c, "file", PYRO_UNAVAILABLE);
    }

    pyro_partition_close(&c->part);
    pyro_arena_destroy(c->arena);
}


static int
pyro_check_open(pyro_check_t *c, const char *dir,
    const pyro_check_part_t *expected)
{
    char           path[4096];
    pyro_status_e  status;

    snprintf(path, sizeof(path), "%s/%s", dir, expected->name);
    memcpy(c->part.name, expected->name, PYRO_FILE_NAME_MAX);

    status = pyro_partition_open(&c->part, path, PYRO_CHECK_MAP_SIZE,
                                 PYRO_DURABILITY_COMMIT, PYRO_ACCESS_READ,
                                 &c->err);

    /* it may go while it is being opened */

    if (status == PYRO_NOT_FOUND
        || (status != PYRO_OK && access(path, F_OK) != 0))
    {
        pyro_check_tell(&c->sink, PYRO_CHECK_GONE, "file", 0,
                        "the catalogue names it and it is not there");
        return -1;
    }

    if (status != PYRO_OK) {
        pyro_check_step(c, "file", status);
        return -1;
    }

    pyro_env_on_fatal(c->part.env, pyro_check_fatal, c);

    if (c->part.env->unlocked) {
        pyro_check_tell(&c->sink, PYRO_CHECK_NOTE, "file", 0,
                        "it was read without a lock file: if something wrote "
                        "meanwhile, what is said of it means nothing");
    }

    return 0;
}


static void
pyro_check_fatal(void *ctx, const char *text)
{
    pyro_check_t  *c;

    c = ctx;

    pyro_check_tell(&c->sink, PYRO_CHECK_DAMAGE, "file", 0, "%s", text);
    pyro_check_done(&c->sink);
    _exit(0);
}


static void
pyro_check_run(pyro_check_t *c, const pyro_check_part_t *expected)
{
    size_t     i;
    pyro_db_e  db;

    if (pyro_check_meta(c, expected)) {
        return;
    }

    for (db = PYRO_DB_META; db < PYRO_DB_COUNT; db++) {
        if (pyro_check_has_db(c, db)) {
            pyro_check_step(c, pyro_db_names[db], pyro_check_keys(c, db));
        }
    }

    for (i = 0; i < PYRO_CHECK_STEPS; i++) {
        pyro_check_tell(&c->sink, PYRO_CHECK_AT, pyro_check_steps[i].what, 0,
                        "%s", "");
        pyro_check_step(c, pyro_check_steps[i].what,
                        pyro_check_steps[i].run(c));
    }
}


static void
pyro_check_step(pyro_check_t *c, const char *what, pyro_status_e status)
{
    if (status != PYRO_OK) {
        pyro_check_tell(&c->sink, PYRO_CHECK_DAMAGE, what, 0, "%s",
                        c->err.message);
    }
}


void
pyro_check_damage(pyro_check_t *c, pyro_db_e db, uint64_t id,
    const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    pyro_check_vtell(&c->sink, PYRO_CHECK_DAMAGE, pyro_db_names[db], id, fmt,
                     args);
    va_end(args);
}


/* Not 0: nothing behind it makes sense. */
static int
pyro_check_meta(pyro_check_t *c, const pyro_check_part_t *expected)
{
    const pyro_partition_t  *part;

    part = &c->part;

    if (expected->known
        && (part->start != expected->start || part->length != expected->length
            || part->generation != expected->generation))
    {
        pyro_check_damage(c, PYRO_DB_META, 0, "it begins at %llu, is %u s long "
                          "and of generation %u; in the catalogue it is at "
                          "%llu, %u and %u", (unsigned long long) part->start,
                          part->length, part->generation,
                          (unsigned long long) expected->start,
                          expected->length, expected->generation);
        return -1;
    }

    if (part->length == 0) {
        pyro_check_damage(c, PYRO_DB_META, 0, "its length is 0");
        return -1;
    }

    if (pyro_view_ids(&c->view, &c->ids) != PYRO_OK) {
        pyro_check_step(c, "meta", PYRO_UNAVAILABLE);
        return -1;
    }

    pyro_check_state(c);

    return pyro_check_rolled(c);
}


static void
pyro_check_state(pyro_check_t *c)
{
    uint32_t       n;
    pyro_status_e  status;

    if (c->part.state == PYRO_STATE_REMOVED) {
        pyro_check_tell(&c->sink, PYRO_CHECK_NOTE, "meta", 0, "its removal was "
                        "begun and not ended: the server's upkeep does that");

    } else if (c->part.state == PYRO_STATE_SEALING) {
        pyro_check_tell(&c->sink, PYRO_CHECK_NOTE, "meta", 0,
                        "it is being sealed");

    } else if (c->part.state != PYRO_STATE_OPEN
               && !pyro_state_is_sealed(c->part.state))
    {
        pyro_check_damage(c, PYRO_DB_META, 0, "its state is %u, which is not "
                          "known", c->part.state);
    }

    status = pyro_deleting_count(&c->view, &n);

    if (status == PYRO_OK && n) {
        pyro_check_tell(&c->sink, PYRO_CHECK_NOTE, "meta", 0, "deleting %u "
                        "streams was begun and not ended: the next \"delete\" "
                        "does that", n);

    } else if (status != PYRO_OK) {
        pyro_check_step(c, "meta", status);
    }
}


static int
pyro_check_rolled(pyro_check_t *c)
{
    pyro_rolled_t  *rolled;

    rolled = &c->rolled;

    if (pyro_rolled_read(&c->view, rolled) != PYRO_OK) {
        pyro_check_step(c, "meta", PYRO_UNAVAILABLE);
        return -1;
    }

    if (rolled->rolled > rolled->rolling || rolled->rolling > rolled->last + 1)
    {
        pyro_check_damage(c, PYRO_DB_META, 0, "it is rolled up below slot %u, "
                          "being rolled up below %u, and has slots %u to %u",
                          rolled->rolled, rolled->rolling, rolled->first,
                          rolled->last);
        return -1;
    }

    return 0;
}


int
pyro_check_is_indexed(const pyro_check_t *c, pyro_db_e db)
{
    if (!pyro_check_has_db(c, db)) {
        return 0;
    }

    return !c->part.sealed
           || (db != PYRO_DB_STRX && db != PYRO_DB_FRAMEX
               && db != PYRO_DB_SCOPEX && db != PYRO_DB_NODEX);
}


int
pyro_check_has_db(const pyro_check_t *c, pyro_db_e db)
{
    /* LMDB's own two are 0 and 1 */

    return c->part.dbi[db] > 1;
}


int
pyro_check_has(pyro_check_t *c, pyro_db_e db, uint32_t id)
{
    size_t        len;
    uint8_t       key[PYRO_KEY_MAX];
    uint32_t      last;
    pyro_slice_t  value;

    last = db == PYRO_DB_STR ? c->ids.string
           : db == PYRO_DB_FRAME ? c->ids.frame
           : db == PYRO_DB_SCOPE ? c->ids.scope
           : db == PYRO_DB_PTYPE ? c->ids.ptype : c->ids.stream;

    if (id == 0 || id > last) {
        return id == 0 && db == PYRO_DB_STR;
    }

    if (c->dense[db]) {
        return 1;
    }

    len = db == PYRO_DB_PTYPE ? pyro_key_ptype(key, id)
                              : pyro_key_id(key, id);

    return pyro_view_get(&c->view, db, key, len, &value) == PYRO_OK;
}


int
pyro_check_owner(pyro_check_t *c, uint32_t stream)
{
    int  known;

    if (c->owner != stream || stream == 0) {
        known = pyro_stream_read(&c->view, stream, &c->owner_value) == PYRO_OK;

        c->owner = stream;
        c->owner_known = known;
    }

    return c->owner_known;
}


int
pyro_check_stream_has(const pyro_stream_value_t *stream, uint32_t ptype)
{
    uint32_t      i, id;
    pyro_bytes_t  in;

    in = stream->ptypes;

    for (i = 0, id = 0; i < stream->n_ptypes && id < ptype; i++) {
        id += pyro_take_known(&in);
    }

    return id == ptype && ptype;
}


pyro_slice_t
pyro_check_text(pyro_check_t *c, uint32_t id)
{
    pyro_slice_t  text;

    if (id == 0 || pyro_dict_text(&c->view, id, &text) != PYRO_OK) {
        return pyro_slice("", 0);
    }

    return text;
}


/* The file's copy of tenants, which the parent compares with the catalogue. */
static pyro_status_e
pyro_check_tenants(pyro_check_t *c)
{
    pyro_kv_cursor_t      *cursor;
    pyro_slice_t           key, name;
    pyro_status_e          status;
    pyro_check_message_t   message;

    key = pyro_slice(NULL, 0);
    status = pyro_view_cursor(&c->view, PYRO_DB_TENANT, &cursor);

    if (status != PYRO_OK) {
        return status;
    }

    while ((status = pyro_view_seek(&c->view, cursor, PYRO_KV_NEXT, &key,
                                    &name))
           == PYRO_OK)
    {
        if (key.len != 4) {
            continue;
        }

        memset(&message, 0, sizeof(message));

        message.kind = PYRO_CHECK_TENANT;
        message.tenant.tenant = pyro_get_be32((const uint8_t *) key.data);
        message.tenant.hash = pyro_hash64(name.data, name.len, 0);

        pyro_check_send(&c->sink, &message);
    }

    pyro_kv_cursor_close(cursor);

    return status == PYRO_NOT_FOUND ? PYRO_OK : status;
}


static void
pyro_check_read_begin(pyro_check_t *c)
{
    c->read.store = &c->store;
    c->read.query = &c->query;
    c->read.view = c->view;
    c->query.arena = c->arena;

    /* one snapshot, however long it takes */

    c->read.renewed = INT64_MAX;
}


static void
pyro_check_read_end(pyro_check_t *c)
{
    pyro_level_e  level;

    for (level = PYRO_LEVEL_RAW; level < PYRO_LEVELS; level++) {
        if (c->read.cursors[level] != NULL) {
            pyro_kv_cursor_close(c->read.cursors[level]);
        }
    }
}
