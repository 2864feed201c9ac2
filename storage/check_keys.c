/*
 * Every database key by key: their order, their length, that all pages of their
 * values can be read, and whose they are; and push records as they lie in
 * "raw", which only this file looks at past storage/reader.h.
 */

#include "storage/check.h"

#include "storage/deleting.h"


#define PYRO_CHECK_PAGE  4096
#define PYRO_CHECK_KEY   511        /* LMDB's longest */


/* Two records of one raw key but for its seq. */
typedef struct {
    pyro_raw_key_t    key;
    int               started;
    pyro_hash128_t    digest;
    uint32_t          unknown;      /* stream that was reported */
} pyro_check_raw_t;


static size_t pyro_check_key_len(const pyro_check_t *c, pyro_db_e db);
static uint8_t pyro_check_touch(pyro_slice_t value);
static void pyro_check_key(pyro_check_t *c, pyro_db_e db, pyro_slice_t key);
static int pyro_check_is_rollup(pyro_db_e db);
static pyro_status_e pyro_check_sealed_keys(pyro_check_t *c);
static void pyro_check_raw_key(pyro_check_t *c, pyro_check_raw_t *raw,
    const pyro_raw_key_t *key, pyro_slice_t value);
static void pyro_check_raw_seq(pyro_check_t *c, pyro_check_raw_t *raw,
    const pyro_raw_key_t *key, const pyro_record_t *record);


/* 0: any. */
static size_t
pyro_check_key_len(const pyro_check_t *c, pyro_db_e db)
{
    switch (db) {

    case PYRO_DB_META:
    case PYRO_DB_MAP:
        return 0;

    case PYRO_DB_PTYPE:
        return 2;

    case PYRO_DB_STRX:
    case PYRO_DB_FRAMEX:
    case PYRO_DB_NODE:
        return 8;

    case PYRO_DB_LATE:
        return PYRO_LATE_KEY;

    case PYRO_DB_SCOPEX:
    case PYRO_DB_NODEX:
    case PYRO_DB_STREAMX:
        return 12;

    case PYRO_DB_POST:
        return PYRO_POST_KEY;

    case PYRO_DB_RAW:
        return c->part.sealed ? PYRO_SEALED_KEY : PYRO_RAW_KEY;

    case PYRO_DB_R5M:
    case PYRO_DB_R1H:
    case PYRO_DB_R1D:
        return PYRO_ROLLUP_KEY;

    case PYRO_DB_TOT:
        return PYRO_TOTAL_KEY;

    default:
        return 4;
    }
}


/* One byte of each page: a hole in the file is found here. */
static uint8_t
pyro_check_touch(pyro_slice_t value)
{
    size_t            i;
    volatile uint8_t  sum;

    sum = 0;

    for (i = 0; i < value.len; i += PYRO_CHECK_PAGE) {
        sum ^= (uint8_t) value.data[i];
    }

    return value.len ? (uint8_t) (sum ^ (uint8_t) value.data[value.len - 1])
                     : 0;
}


pyro_status_e
pyro_check_keys(pyro_check_t *c, pyro_db_e db)
{
    int                rc;
    uint8_t            bytes[PYRO_CHECK_KEY];
    uint64_t           n;
    pyro_kv_stat_t     stat;
    pyro_kv_cursor_t  *cursor;
    pyro_slice_t       key, value, last;
    pyro_status_e      status;

    pyro_check_tell(&c->sink, PYRO_CHECK_AT, pyro_db_names[db], 0, "%s", "");

    rc = pyro_kv_stat(c->view.txn, c->part.dbi[db], &stat);

    if (rc) {
        return pyro_env_error(c->part.env, rc, "be read", &c->err);
    }

    status = pyro_view_cursor(&c->view, db, &cursor);

    if (status != PYRO_OK) {
        return status;
    }

    c->orphan = UINT32_MAX;
    key = pyro_slice(NULL, 0);
    last = pyro_slice(bytes, 0);

    for (n = 0; /* void */ ; n++) {
        status = pyro_view_seek(&c->view, cursor, PYRO_KV_NEXT, &key, &value);

        if (status != PYRO_OK) {
            break;
        }

        if (key.len == 0 || key.len > sizeof(bytes)
            || (n && pyro_slice_cmp(last, key) >= 0))
        {
            /* a walk over keys out of order may never end */

            pyro_check_damage(c, db, n + 1, "key %llu is not above the one "
                              "before it", (unsigned long long) n + 1);
            pyro_kv_cursor_close(cursor);
            return PYRO_OK;
        }

        memcpy(bytes, key.data, key.len);
        last.len = key.len;

        (void) pyro_check_touch(value);

        pyro_check_key(c, db, key);
    }

    pyro_kv_cursor_close(cursor);

    if (status == PYRO_NOT_FOUND && n != stat.entries) {
        pyro_check_damage(c, db, 0, "it has %llu entries and says %llu",
                          (unsigned long long) n,
                          (unsigned long long) stat.entries);
    }

    return status == PYRO_NOT_FOUND ? PYRO_OK : status;
}


static int
pyro_check_is_rollup(pyro_db_e db)
{
    return db == PYRO_DB_R5M || db == PYRO_DB_R1H || db == PYRO_DB_R1D
           || db == PYRO_DB_TOT;
}


/* Its length, and of a roll-up that its stream is there and has its type. */
static void
pyro_check_key(pyro_check_t *c, pyro_db_e db, pyro_slice_t key)
{
    size_t          len;
    uint32_t        stream, ptype, slot;
    const uint8_t  *p;
    pyro_level_e    level;

    len = pyro_check_key_len(c, db);

    if (len && key.len != len) {
        pyro_check_damage(c, db, 0, "a key has %zu bytes, not %zu", key.len,
                          len);
        return;
    }

    if (!pyro_check_is_rollup(db)) {
        return;
    }

    p = (const uint8_t *) key.data;
    stream = pyro_get_be32(p);
    ptype = pyro_get_be16(p + 4);

    if (!pyro_check_owner(c, stream)) {

        if (c->orphan != stream && !pyro_deleting_has(&c->view, stream)) {
            pyro_check_damage(c, db, stream, "stream %u, type %u: there is no "
                              "such stream", stream, ptype);
        }

        c->orphan = stream;
        return;
    }

    if (!pyro_check_stream_has(&c->owner_value, ptype)) {
        pyro_check_damage(c, db, stream, "stream %u does not have type %u",
                          stream, ptype);
        return;
    }

    level = db == PYRO_DB_R5M ? PYRO_LEVEL_5M
            : db == PYRO_DB_R1H ? PYRO_LEVEL_1H : PYRO_LEVEL_1D;
    slot = pyro_get_be32(p + 6);

    if (db != PYRO_DB_TOT && (slot < pyro_slot_at(level, c->rolled.first)
                              || slot > pyro_slot_at(level, c->rolled.last)))
    {
        pyro_check_damage(c, db, stream, "stream %u, type %u, slot %u: there "
                          "are no pushes for it, the partition does not have "
                          "it", stream, ptype, slot);
        return;
    }

    if (db == PYRO_DB_TOT && p[6] != PYRO_LEVEL_1H && p[6] != PYRO_LEVEL_1D) {
        pyro_check_damage(c, db, stream, "stream %u, type %u: totals of level "
                          "%u", stream, ptype, p[6]);
    }
}


pyro_status_e
pyro_check_raw_keys(pyro_check_t *c)
{
    pyro_kv_cursor_t  *cursor;
    pyro_slice_t       key, value;
    pyro_status_e      status;
    pyro_raw_key_t     raw;
    pyro_check_raw_t   last;

    if (c->part.sealed) {
        return pyro_check_sealed_keys(c);
    }

    memset(&last, 0, sizeof(pyro_check_raw_t));

    last.unknown = UINT32_MAX;
    c->raw_checked = 1;
    key = pyro_slice(NULL, 0);
    status = pyro_view_cursor(&c->view, PYRO_DB_RAW, &cursor);

    if (status != PYRO_OK) {
        return status;
    }

    while ((status = pyro_view_seek(&c->view, cursor, PYRO_KV_NEXT, &key,
                                    &value))
           == PYRO_OK)
    {
        if (key.len != PYRO_RAW_KEY) {
            continue;
        }

        if (pyro_raw_key_get(key, &raw)) {
            pyro_check_damage(c, PYRO_DB_RAW, 0, "a key has a time before "
                              "1970");
            continue;
        }

        pyro_check_raw_key(c, &last, &raw, value);
    }

    pyro_kv_cursor_close(cursor);

    return status == PYRO_NOT_FOUND ? PYRO_OK : status;
}


/* Hours: what is in them is read as records and roll-ups are. */
static pyro_status_e
pyro_check_sealed_keys(pyro_check_t *c)
{
    uint32_t             stream, hour, last;
    pyro_kv_cursor_t    *cursor;
    pyro_slice_t         key, value;
    pyro_status_e        status;
    pyro_sealed_hour_t   sealed;

    last = UINT32_MAX;
    key = pyro_slice(NULL, 0);
    status = pyro_view_cursor(&c->view, PYRO_DB_RAW, &cursor);

    if (status != PYRO_OK) {
        return status;
    }

    while ((status = pyro_view_seek(&c->view, cursor, PYRO_KV_NEXT, &key,
                                    &value))
           == PYRO_OK)
    {
        if (key.len != PYRO_SEALED_KEY) {
            continue;
        }

        stream = pyro_get_be32((const uint8_t *) key.data);
        hour = pyro_get_be32((const uint8_t *) key.data + 4);

        if (!pyro_check_owner(c, stream)) {

            if (stream != last && !pyro_deleting_has(&c->view, stream)) {
                pyro_check_damage(c, PYRO_DB_RAW, stream, "stream %u, hour "
                                  "%u: there is no such stream", stream, hour);
            }

            last = stream;

        } else if (hour < pyro_slot_at(PYRO_LEVEL_1H, c->rolled.first)
                   || hour > pyro_slot_at(PYRO_LEVEL_1H, c->rolled.last))
        {
            pyro_check_damage(c, PYRO_DB_RAW, stream, "stream %u, hour %u: it "
                              "is not of this partition", stream, hour);

        } else if (pyro_sealed_hour_open(value, hour, &sealed)) {
            pyro_check_damage(c, PYRO_DB_RAW, stream, "stream %u, hour %u: it "
                              "cannot be read", stream, hour);
        }
    }

    pyro_kv_cursor_close(cursor);

    return status == PYRO_NOT_FOUND ? PYRO_OK : status;
}


static void
pyro_check_raw_key(pyro_check_t *c, pyro_check_raw_t *raw,
    const pyro_raw_key_t *key, pyro_slice_t value)
{
    long long               time;
    pyro_record_t           record;
    pyro_record_section_t   section;

    time = key->time;

    if (!pyro_check_owner(c, key->stream)) {

        if (raw->unknown != key->stream
            && !pyro_deleting_has(&c->view, key->stream))
        {
            pyro_check_damage(c, PYRO_DB_RAW, key->stream, "stream %u, time "
                              "%lld: there is no such stream", key->stream,
                              time);
        }

        raw->unknown = key->stream;
        return;
    }

    if (key->time < pyro_partition_start(&c->part)
        || key->time >= pyro_partition_end(&c->part))
    {
        pyro_check_damage(c, PYRO_DB_RAW, key->stream, "stream %u, time %lld: "
                          "it is not of this partition", key->stream, time);
    }

    if (pyro_record_open(value, &record)) {
        pyro_check_damage(c, PYRO_DB_RAW, key->stream, "stream %u, time %lld, "
                          "type %u, seq %u: the checksum is wrong, or the "
                          "version unknown", key->stream, time, key->ptype,
                          key->seq);
        raw->key = *key;
        raw->started = 1;
        memset(&raw->digest, 0, sizeof(pyro_hash128_t));
        return;
    }

    pyro_check_raw_seq(c, raw, key, &record);

    if (pyro_record_next(&record, &section) != 1
        || section.ptype != key->ptype)
    {
        pyro_check_damage(c, PYRO_DB_RAW, key->stream, "stream %u, time %lld: "
                          "the key has type %u, the record begins with another "
                          "one", key->stream, time, key->ptype);
    }
}


/* seq is 0, 1, 2, ...: each push differs from the one before it. */
static void
pyro_check_raw_seq(pyro_check_t *c, pyro_check_raw_t *raw,
    const pyro_raw_key_t *key, const pyro_record_t *record)
{
    int       same;
    uint32_t  expected;

    same = raw->started && raw->key.stream == key->stream
           && raw->key.time == key->time && raw->key.ptype == key->ptype;
    expected = same ? (uint32_t) raw->key.seq + 1 : 0;

    if (key->seq != expected) {
        pyro_check_damage(c, PYRO_DB_RAW, key->stream, "stream %u, time %lld, "
                          "type %u: seq %u follows where %u is expected",
                          key->stream, (long long) key->time, key->ptype,
                          key->seq, expected);
    }

    if (same && raw->digest.lo == record->digest.lo
        && raw->digest.hi == record->digest.hi)
    {
        pyro_check_damage(c, PYRO_DB_RAW, key->stream, "stream %u, time %lld, "
                          "type %u, seq %u: it is the push before it once more",
                          key->stream, (long long) key->time, key->ptype,
                          key->seq);
    }

    if (record->digest.lo == 0 && record->digest.hi == 0) {
        pyro_check_damage(c, PYRO_DB_RAW, key->stream, "stream %u, time %lld, "
                          "type %u, seq %u: it has no digest", key->stream,
                          (long long) key->time, key->ptype, key->seq);
    }

    raw->key = *key;
    raw->digest = record->digest;
    raw->started = 1;
}
