/*
 * Databases, keys and values in LMDB.  Its transactions and cursors are what
 * the seam's types stand for, and its numbers for errors are the seam's.
 */

#include "storage/kv.h"

#include <lmdb.h>
#include <string.h>


_Static_assert(PYRO_KV_NOT_FOUND == MDB_NOTFOUND, "an error of LMDB");
_Static_assert(PYRO_KV_EXISTS == MDB_KEYEXIST, "an error of LMDB");
_Static_assert(PYRO_KV_FULL == MDB_MAP_FULL, "an error of LMDB");
_Static_assert(sizeof(pyro_kv_db_t) == sizeof(MDB_dbi), "a handle of LMDB");


/* LMDB's own databases: its list of free pages, and the names of the others. */
#define PYRO_LMDB_FREE   0
#define PYRO_LMDB_NAMES  1


static int pyro_lmdb_free(MDB_txn *txn, uint64_t *pages);
static int pyro_lmdb_put(pyro_kv_txn_t *txn, pyro_kv_db_t db, pyro_slice_t key,
    pyro_slice_t *value, unsigned int flags);


static MDB_txn *
pyro_lmdb_txn(pyro_kv_txn_t *txn)
{
    return (MDB_txn *) txn;
}


static MDB_cursor *
pyro_lmdb_cursor(pyro_kv_cursor_t *cursor)
{
    return (MDB_cursor *) cursor;
}


static MDB_val
pyro_lmdb_val(pyro_slice_t s)
{
    MDB_val  v = { s.len, (void *) s.data };

    return v;
}


uint64_t
pyro_kv_txn_number(pyro_kv_txn_t *txn)
{
    return mdb_txn_id(pyro_lmdb_txn(txn));
}


int
pyro_kv_open(pyro_kv_txn_t *txn, const char *name, int make, pyro_kv_db_t *db)
{
    return mdb_dbi_open(pyro_lmdb_txn(txn), name, make ? MDB_CREATE : 0, db);
}


int
pyro_kv_stat(pyro_kv_txn_t *txn, pyro_kv_db_t db, pyro_kv_stat_t *stat)
{
    int       rc;
    MDB_stat  st;

    rc = mdb_stat(pyro_lmdb_txn(txn), db, &st);

    if (rc == 0) {
        stat->entries = st.ms_entries;
        stat->bytes = ((uint64_t) st.ms_branch_pages + st.ms_leaf_pages
                       + st.ms_overflow_pages) * st.ms_psize;
    }

    return rc;
}


int
pyro_kv_room(pyro_env_t *env, pyro_kv_txn_t *txn, uint64_t *used,
    uint64_t *free)
{
    int           rc;
    uint64_t      pages;
    MDB_stat      st;
    MDB_envinfo   info;

    rc = mdb_env_info(env->engine, &info);

    if (rc == 0) {
        rc = mdb_stat(pyro_lmdb_txn(txn), PYRO_LMDB_NAMES, &st);
    }

    if (rc == 0) {
        rc = pyro_lmdb_free(pyro_lmdb_txn(txn), &pages);
    }

    if (rc == 0) {
        *free = pages * st.ms_psize;
        *used = ((uint64_t) info.me_last_pgno + 1) * st.ms_psize - *free;
    }

    return rc;
}


/* Lists that begin with their length. */
static int
pyro_lmdb_free(MDB_txn *txn, uint64_t *pages)
{
    int          rc;
    size_t       n;
    MDB_val      key, value;
    MDB_cursor  *cursor;

    *pages = 0;
    rc = mdb_cursor_open(txn, PYRO_LMDB_FREE, &cursor);

    if (rc) {
        return rc;
    }

    while ((rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
        if (value.mv_size >= sizeof(size_t)) {
            memcpy(&n, value.mv_data, sizeof(size_t));
            *pages += n;
        }
    }

    mdb_cursor_close(cursor);

    return rc == MDB_NOTFOUND ? 0 : rc;
}


int
pyro_kv_get(pyro_kv_txn_t *txn, pyro_kv_db_t db, pyro_slice_t key,
    pyro_slice_t *value)
{
    int      rc;
    MDB_val  k, v;

    k = pyro_lmdb_val(key);
    rc = mdb_get(pyro_lmdb_txn(txn), db, &k, &v);

    if (rc == 0) {
        *value = pyro_slice(v.mv_data, v.mv_size);
    }

    return rc;
}


int
pyro_kv_put(pyro_kv_txn_t *txn, pyro_kv_db_t db, pyro_slice_t key,
    pyro_slice_t value)
{
    return pyro_lmdb_put(txn, db, key, &value, 0);
}


int
pyro_kv_append(pyro_kv_txn_t *txn, pyro_kv_db_t db, pyro_slice_t key,
    pyro_slice_t value)
{
    return pyro_lmdb_put(txn, db, key, &value, MDB_APPEND);
}


int
pyro_kv_add(pyro_kv_txn_t *txn, pyro_kv_db_t db, pyro_slice_t key,
    pyro_slice_t *value)
{
    return pyro_lmdb_put(txn, db, key, value, MDB_NOOVERWRITE);
}


static int
pyro_lmdb_put(pyro_kv_txn_t *txn, pyro_kv_db_t db, pyro_slice_t key,
    pyro_slice_t *value, unsigned int flags)
{
    int      rc;
    MDB_val  k, v;

    k = pyro_lmdb_val(key);
    v = pyro_lmdb_val(*value);

    rc = mdb_put(pyro_lmdb_txn(txn), db, &k, &v, flags);

    if (rc == MDB_KEYEXIST) {
        *value = pyro_slice(v.mv_data, v.mv_size);
    }

    return rc;
}


int
pyro_kv_reserve(pyro_kv_txn_t *txn, pyro_kv_db_t db, pyro_slice_t key,
    size_t len, void **value)
{
    int      rc;
    MDB_val  k, v;

    k = pyro_lmdb_val(key);
    v.mv_size = len;
    v.mv_data = NULL;

    rc = mdb_put(pyro_lmdb_txn(txn), db, &k, &v, MDB_RESERVE);
    *value = v.mv_data;

    return rc;
}


int
pyro_kv_delete(pyro_kv_txn_t *txn, pyro_kv_db_t db, pyro_slice_t key)
{
    MDB_val  k;

    k = pyro_lmdb_val(key);

    return mdb_del(pyro_lmdb_txn(txn), db, &k, NULL);
}


int
pyro_kv_cursor(pyro_kv_txn_t *txn, pyro_kv_db_t db, pyro_kv_cursor_t **cursor)
{
    int          rc;
    MDB_cursor  *c;

    rc = mdb_cursor_open(pyro_lmdb_txn(txn), db, &c);

    if (rc == 0) {
        *cursor = (pyro_kv_cursor_t *) c;
    }

    return rc;
}


int
pyro_kv_cursor_renew(pyro_kv_txn_t *txn, pyro_kv_cursor_t *cursor)
{
    return mdb_cursor_renew(pyro_lmdb_txn(txn), pyro_lmdb_cursor(cursor));
}


void
pyro_kv_cursor_close(pyro_kv_cursor_t *cursor)
{
    mdb_cursor_close(pyro_lmdb_cursor(cursor));
}


int
pyro_kv_move(pyro_kv_cursor_t *cursor, pyro_kv_move_e move, pyro_slice_t *key,
    pyro_slice_t *value)
{
    int      rc;
    MDB_val  k, v;

    static const MDB_cursor_op  ops[] = {
        [PYRO_KV_FIRST] = MDB_FIRST,
        [PYRO_KV_LAST] = MDB_LAST,
        [PYRO_KV_NEXT] = MDB_NEXT,
        [PYRO_KV_PREV] = MDB_PREV,
        [PYRO_KV_SEEK] = MDB_SET_RANGE
    };

    k.mv_size = 0;
    k.mv_data = NULL;

    if (move == PYRO_KV_SEEK) {
        k = pyro_lmdb_val(*key);
    }

    rc = mdb_cursor_get(pyro_lmdb_cursor(cursor), &k, &v, ops[move]);

    if (rc == 0) {
        *key = pyro_slice(k.mv_data, k.mv_size);
        *value = pyro_slice(v.mv_data, v.mv_size);
    }

    return rc;
}


int
pyro_kv_cursor_delete(pyro_kv_cursor_t *cursor)
{
    return mdb_cursor_del(pyro_lmdb_cursor(cursor), 0);
}
