/*
 * pyro_store_check(): a sound store has nothing to report, and each thing that
 * can be wrong is, when it is made wrong on purpose: the right file is named,
 * and what it is.
 */

#include "storage/store_fixture.h"

#include <fcntl.h>
#include <lmdb.h>
#include <signal.h>
#include <sys/stat.h>

#include "storage/handle.h"
#include "storage/record.h"
#include "storage/rollup.h"
#include "storage/seal_job.h"
#include "storage/series_index.h"


#define FILES     3
#define MESSAGES  400


typedef struct {
    uint32_t              n;
    uint32_t              notes;
    char                  what[MESSAGES][16];
    char                  file[MESSAGES][64];
    char                  text[MESSAGES][512];
    int                   note[MESSAGES];
    pyro_check_result_t   result;
} found_t;


/* One file of a store, opened by LMDB alone. */
typedef struct {
    MDB_env              *env;
    MDB_txn              *txn;
} file_t;


static char     *base;              /* a store that is whole */
static char      part[64];          /* its file of the first day */
static found_t   found;


static void
on_finding(void *ctx, const pyro_finding_t *finding)
{
    uint32_t  i;

    (void) ctx;

    i = found.n;
    assert_true(i < MESSAGES);

    snprintf(found.what[i], sizeof(found.what[i]), "%s", finding->what);
    snprintf(found.file[i], sizeof(found.file[i]), "%s", finding->file);
    snprintf(found.text[i], sizeof(found.text[i]), "%s", finding->text);
    found.note[i] = finding->note;
    found.notes += finding->note != 0;
    found.n++;
}


static void
check(const char *dir)
{
    pyro_error_t  err;

    found.n = 0;
    found.notes = 0;

    if (pyro_store_check(dir, on_finding, NULL, &found.result, &err)
        != PYRO_OK)
    {
        fail_msg("%s", err.message);
    }
}


static void
check_clean(const char *dir)
{
    check(dir);

    if (found.n) {
        fail_msg("%s: %s: %s", found.file[0], found.what[0], found.text[0]);
    }

    assert_int_equal(found.result.damaged, 0);
    assert_int_equal(found.result.findings, 0);
}


/* A finding about file in which what and text occur. */
static int
is_found(const char *file, const char *what, const char *text)
{
    uint32_t  i;

    for (i = 0; i < found.n; i++) {
        if (strcmp(found.file[i], file) == 0
            && strcmp(found.what[i], what) == 0
            && strstr(found.text[i], text) != NULL)
        {
            return 1;
        }
    }

    return 0;
}


/* The number of complaints. */
static int
missed(const char *file, const char *what, const char *text)
{
    uint32_t  i;

    if (is_found(file, what, text)) {
        return 0;
    }

    print_message("# %s: %s: ... %s ... is not told, but\n", file, what, text);

    for (i = 0; i < found.n; i++) {
        print_message("#     %s: %s: %s\n", found.file[i], found.what[i],
                      found.text[i]);
    }

    return 1;
}


static void
expect(const char *file, const char *what, const char *text)
{
    assert_int_equal(missed(file, what, text), 0);
}


/* ---- the store that is damaged ---- */

static void
push(pyro_store_t *store, const char *labels, int64_t time, int spans,
    int both)
{
    char             stack[64];
    uint32_t         i;
    pyro_arena_t    *arena;
    pyro_profile_t  *p;

    arena = pyro_arena_create(0);
    p = pyro_profile_create(arena);

    for (i = 0; i < 9; i++) {
        snprintf(stack, sizeof(stack), "main;run;step%u;leaf%llu", i,
                 (unsigned long long) (time / SEC % 7));
        fixture_add(p, 0, &fixture_cpu, stack, spans ? i : 0,
                    10000000 * (int64_t) (i + 1));

        if (both) {
            fixture_add(p, 0, &fixture_alloc, stack, 0, 512 + i);
        }
    }

    fixture_finish(p, labels);
    fixture_write(store, p, time);
    pyro_arena_destroy(arena);
}


static void
roll(pyro_store_t *store, int64_t now)
{
    pyro_error_t       err;
    pyro_store_work_t  work;

    memset(&work, 0, sizeof(work));
    work.now = now;

    if (pyro_store_maintain(store, &work, &err) != PYRO_OK) {
        fail_msg("%s", err.message);
    }
}


static void
fill(pyro_store_t *store)
{
    int64_t   time;
    uint32_t  i, day;

    for (day = 0; day < FILES; day++) {
        for (i = 0; i < 40; i++) {
            time = T0 + (int64_t) (day * DAY + i * 700) * SEC;
            push(store, "service_name=shop,pod=a", time, i % 3 == 0, i % 2);
            push(store, "service_name=shop,pod=b", time + SEC, 0, 0);
            push(store, "service_name=cart", time + 2 * SEC, 0, 1);
        }
    }

    /* another push of the same time */

    push(store, "service_name=shop,pod=b", T0 + SEC, 1, 0);
}


/* Two days rolled up, the third in part, and something late. */
static char *
made(void)
{
    char          *dir;
    pyro_store_t  *store;

    dir = fixture_dir();
    store = fixture_open(dir);

    fill(store);
    roll(store, T0 + (2 * DAY + 4 * 3600) * SEC);
    push(store, "service_name=shop,pod=a", T0 + 12345 * SEC, 0, 0);
    push(store, "service_name=late", T0 + (DAY + 777) * SEC, 0, 1);

    pyro_store_close(store);

    return dir;
}


static void
copy_file(const char *from, const char *to)
{
    int      in, out;
    char     buf[65536];
    ssize_t  n;

    in = open(from, O_RDONLY);
    out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0640);
    assert_true(in != -1 && out != -1);

    while ((n = read(in, buf, sizeof(buf))) > 0) {
        assert_int_equal(write(out, buf, (size_t) n), n);
    }

    close(in);
    close(out);
}


static char *
copy(void)
{
    DIR            *d;
    char           *dir, from[4096], to[4096];
    struct dirent  *entry;

    dir = fixture_dir();
    d = opendir(base);

    while ((entry = readdir(d)) != NULL) {
        if (entry->d_name[0] != '.'
            && strstr(entry->d_name, "-lock") == NULL)
        {
            snprintf(from, sizeof(from), "%s/%s", base, entry->d_name);
            snprintf(to, sizeof(to), "%s/%s", dir, entry->d_name);
            copy_file(from, to);
        }
    }

    closedir(d);

    return dir;
}


static int
setup(void **state)
{
    DIR            *d;
    struct dirent  *entry;

    (void) state;

    base = made();
    d = opendir(base);

    while ((entry = readdir(d)) != NULL) {
        if (strncmp(entry->d_name, "p-20261122.", 11) == 0
            && strstr(entry->d_name, "lock") == NULL)
        {
            snprintf(part, sizeof(part), "%.60s", entry->d_name);
        }
    }

    closedir(d);

    return part[0] ? 0 : -1;
}


static int
teardown(void **state)
{
    (void) state;

    fixture_remove(base);

    return 0;
}


/* ---- LMDB by hand ---- */

static file_t
file_open(const char *dir, const char *name)
{
    char    path[4096];
    file_t  f;

    snprintf(path, sizeof(path), "%s/%s", dir, name);

    assert_int_equal(mdb_env_create(&f.env), 0);
    mdb_env_set_maxdbs(f.env, 32);
    mdb_env_set_mapsize(f.env, 1024 * 1024 * 1024);
    assert_int_equal(mdb_env_open(f.env, path, MDB_NOSUBDIR | MDB_NOSYNC,
                                  0640), 0);
    assert_int_equal(mdb_txn_begin(f.env, NULL, 0, &f.txn), 0);

    return f;
}


static void
file_close(file_t *f)
{
    assert_int_equal(mdb_txn_commit(f->txn), 0);
    mdb_env_close(f->env);
}


static MDB_dbi
db(file_t *f, const char *name)
{
    MDB_dbi  dbi;

    assert_int_equal(mdb_dbi_open(f->txn, name, 0, &dbi), 0);

    return dbi;
}


static void
put(file_t *f, const char *name, const void *key, size_t key_len,
    const void *value, size_t len)
{
    MDB_val  k, v;

    k.mv_data = (void *) key;
    k.mv_size = key_len;
    v.mv_data = (void *) value;
    v.mv_size = len;

    assert_int_equal(mdb_put(f->txn, db(f, name), &k, &v, 0), 0);
}


static void
del(file_t *f, const char *name, const void *key, size_t key_len)
{
    MDB_val  k;

    k.mv_data = (void *) key;
    k.mv_size = key_len;

    assert_int_equal(mdb_del(f->txn, db(f, name), &k, NULL), 0);
}


/* Entry number nth (-1: the last); copies of its key and value. */
static void
entry(file_t *f, const char *name, int nth, uint8_t *key, size_t *key_len,
    uint8_t *value, size_t *len)
{
    MDB_val      k, v;
    MDB_cursor  *cursor;

    assert_int_equal(mdb_cursor_open(f->txn, db(f, name), &cursor), 0);
    assert_int_equal(mdb_cursor_get(cursor, &k, &v,
                                    nth < 0 ? MDB_LAST : MDB_FIRST), 0);

    while (nth-- > 0) {
        assert_int_equal(mdb_cursor_get(cursor, &k, &v, MDB_NEXT), 0);
    }

    assert_true(v.mv_size <= 65536);
    memcpy(key, k.mv_data, k.mv_size);
    memcpy(value, v.mv_data, v.mv_size);
    *key_len = k.mv_size;
    *len = v.mv_size;

    mdb_cursor_close(cursor);
}


/* ---- one mutation after the other ---- */

typedef struct {
    const char  *what;
    const char  *text;
    void       (*break_it)(file_t *f);
} mutation_t;


static uint8_t  key[64], value[65536];
static size_t   key_len, len;


static void
get(file_t *f, const char *name, int nth)
{
    entry(f, name, nth, key, &key_len, value, &len);
}


static void
set(file_t *f, const char *name)
{
    put(f, name, key, key_len, value, len);
}


static void
seal(void)
{
    pyro_put_be32(value, pyro_checksum(value, len));
}


static void
ids(file_t *f, int which, int less)
{
    MDB_val  k = { 3, "ids" }, v;

    assert_int_equal(mdb_get(f->txn, db(f, "meta"), &k, &v), 0);
    memcpy(value, v.mv_data, v.mv_size);
    pyro_put_be32(value + 4 * which,
                  pyro_get_be32(value + 4 * which) - (uint32_t) less);
    put(f, "meta", "ids", 3, value, PYRO_IDS_SIZE);
}

static void ids_string(file_t *f) { ids(f, 0, 1); }
static void ids_string_up(file_t *f) { ids(f, 0, -1); }
static void ids_frame(file_t *f) { ids(f, 1, 1); }
static void ids_scope(file_t *f) { ids(f, 2, 1); }
static void ids_stream(file_t *f) { ids(f, 3, 1); }
static void ids_ptype(file_t *f) { ids(f, 4, 1); }

static void
no_format(file_t *f)
{
    del(f, "meta", "format", 6);
}

static void
other_start(file_t *f)
{
    MDB_val  k = { 9, "partition" }, v;

    assert_int_equal(mdb_get(f->txn, db(f, "meta"), &k, &v), 0);
    memcpy(value, v.mv_data, v.mv_size);
    value[7] ^= 1;
    put(f, "meta", "partition", 9, value, PYRO_PARTITION_SIZE);
}

static void
state_unknown(file_t *f)
{
    put(f, "meta", "state", 5, "\x77", 1);
}

static void
rolled_far(file_t *f)
{
    memset(value, 0xff, 8);
    put(f, "meta", "rolled", 6, value, 8);
}

static void
string_gone(file_t *f)
{
    get(f, "str", 5);
    del(f, "str", key, key_len);
}

static void
string_other(file_t *f)
{
    get(f, "str", 5);
    value[0] ^= 1;
    set(f, "str");
}

static void
strx_gone(file_t *f)
{
    get(f, "strx", 2);
    del(f, "strx", key, key_len);
}

static void
strx_twice(file_t *f)
{
    get(f, "strx", 2);
    memcpy(value + len, value, len);
    len *= 2;
    set(f, "strx");
}

static void
strx_stray(file_t *f)
{
    put(f, "strx", "\1\2\3\4\5\6\7\10", 8, "\0\0\0\3", 4);
}

static void
strx_dangling(file_t *f)
{
    put(f, "strx", "\1\2\3\4\5\6\7\10", 8, "\0\1\0\3", 4);
}

static void
frame_string(file_t *f)
{
    pyro_frame_value_t  frame = { 9999, 0, 0, 0 };

    get(f, "frame", 3);
    len = pyro_frame_put(value, &frame);
    set(f, "frame");
}

static void
frame_cut(file_t *f)
{
    get(f, "frame", 3);
    len = 2;
    set(f, "frame");
}

static void
framex_gone(file_t *f)
{
    get(f, "framex", 1);
    del(f, "framex", key, key_len);
}

static void
scope_tenant(file_t *f)
{
    get(f, "scope", 0);
    value[3] += 5;
    set(f, "scope");
}

static void
scope_service(file_t *f)
{
    get(f, "scope", 0);
    value[4] = 5;
    set(f, "scope");
}

static void
scope_time(file_t *f)
{
    get(f, "scope", 0);
    memcpy(value + 20, value + 12, 8);
    set(f, "scope");
}

static void
scopex_gone(file_t *f)
{
    get(f, "scopex", 0);
    del(f, "scopex", key, key_len);
}

static void
tenant_gone(file_t *f)
{
    get(f, "tenant", 0);
    del(f, "tenant", key, key_len);
}

static void
tenant_other(file_t *f)
{
    get(f, "tenant", 0);
    value[0] ^= 1;
    set(f, "tenant");
}

static void
ptype_twice(file_t *f)
{
    get(f, "ptype", 0);
    pyro_put_be16(key, 3);
    set(f, "ptype");
}

static void
node_parent(file_t *f)
{
    get(f, "node", 0);
    value[0] = 2;               /* node 1: its parent would be -1 */
    set(f, "node");
}

static void
node_frame(file_t *f)
{
    get(f, "node", 0);
    value[1] = 0x7f;
    set(f, "node");
}

static void
node_other_frame(file_t *f)
{
    get(f, "node", 0);
    value[1] = value[3];
    set(f, "node");
}

static void
node_longer(file_t *f)
{
    get(f, "node", 0);
    value[len++] = 1;
    set(f, "node");
}

static void
node_chunk_gone(file_t *f)
{
    get(f, "node", 0);
    del(f, "node", key, key_len);
}

static void
node_chunk_more(file_t *f)
{
    get(f, "node", 0);
    key[7]++;
    set(f, "node");
}

static void
nodex_gone(file_t *f)
{
    get(f, "nodex", 3);
    del(f, "nodex", key, key_len);
}

static void
nodex_check(file_t *f)
{
    get(f, "nodex", 3);
    value[5] ^= 1;
    set(f, "nodex");
}

static void
nodex_more(file_t *f)
{
    get(f, "nodex", 3);
    key[5] ^= 1;
    set(f, "nodex");
}

static void
stream_gone(file_t *f)
{
    get(f, "stream", 0);
    del(f, "stream", key, key_len);
}

static void
stream_scope(file_t *f)
{
    get(f, "stream", 0);
    value[3] = 77;
    set(f, "stream");
}

static void
stream_other_scope(file_t *f)
{
    get(f, "stream", 0);
    value[3] = value[3] == 1 ? 2 : 1;
    set(f, "stream");
}

static void
stream_first(file_t *f)
{
    get(f, "stream", 0);
    memcpy(value + 4, value + 12, 8);
    set(f, "stream");
}

static void
stream_last(file_t *f)
{
    get(f, "stream", 0);
    memcpy(value + 12, value + 4, 8);
    set(f, "stream");
}

static void
stream_type_more(file_t *f)
{
    /* pod=b has type 1 alone: it gets type 2 */

    get(f, "stream", 1);
    assert_int_equal(value[20], 1);
    memmove(value + 23, value + 22, len - 22);
    value[20] = 2;
    value[22] = 1;
    len++;
    set(f, "stream");
}

static void
stream_type_less(file_t *f)
{
    get(f, "stream", 0);
    assert_int_equal(value[20], 2);
    memmove(value + 22, value + 23, len - 23);
    value[20] = 1;
    len--;
    set(f, "stream");
}

static void
stream_label(file_t *f)
{
    get(f, "stream", 1);
    value[len - 1] = 0x7f;
    set(f, "stream");
}

static void
stream_label_order(file_t *f)
{
    uint8_t  c;

    get(f, "stream", 1);
    c = value[len - 2];
    value[len - 2] = value[len - 4];
    value[len - 4] = c;
    set(f, "stream");
}

static void
stream_longer(file_t *f)
{
    get(f, "stream", 0);
    value[len++] = 0;
    set(f, "stream");
}

static void
streamx_gone(file_t *f)
{
    get(f, "streamx", 0);
    del(f, "streamx", key, key_len);
}

static void
streamx_dangling(file_t *f)
{
    put(f, "streamx", "\0\0\0\1\1\1\1\1\1\1\1\1", 12, "\0\0\0\77", 4);
}

static void
post_gone(file_t *f)
{
    get(f, "post", 0);
    del(f, "post", key, key_len);
}

static void
post_more(file_t *f)
{
    get(f, "post", 0);
    key[11]++;
    key[10] ^= 0x40;
    set(f, "post");
}

static void
post_twice(file_t *f)
{
    get(f, "post", 0);
    key[13]++;
    set(f, "post");
}

static void
post_end(file_t *f)
{
    get(f, "post", 0);
    value[5] ^= 0x40;
    set(f, "post");
}

static void
post_count(file_t *f)
{
    get(f, "post", 0);
    value[1]++;
    set(f, "post");
}

static void
late_dangling(file_t *f)
{
    put(f, "late", "\0\0\0\77\0\1\1\1", 8, "", 0);
}

static void
raw_flip(file_t *f)
{
    get(f, "raw", 0);
    value[len - 1] ^= 1;
    set(f, "raw");
}

static void
raw_gone(file_t *f)
{
    get(f, "raw", 3);
    del(f, "raw", key, key_len);
}

static void
raw_no_stream(file_t *f)
{
    get(f, "raw", -1);
    key[3] = 99;
    set(f, "raw");
}

static void
raw_time(file_t *f)
{
    get(f, "raw", 0);
    key[4] = 1;
    set(f, "raw");
}

static void
raw_seq(file_t *f)
{
    get(f, "raw", 0);
    key[15] = 2;
    set(f, "raw");
}

static void
raw_twice(file_t *f)
{
    get(f, "raw", 0);
    key[15] = 1;
    set(f, "raw");
}

static void
raw_ptype(file_t *f)
{
    get(f, "raw", 0);
    del(f, "raw", key, key_len);
    key[13]++;
    set(f, "raw");
}

static void
raw_digest(file_t *f)
{
    get(f, "raw", 0);
    memset(value + 6, 0, 16);
    seal();
    set(f, "raw");
}

/* A record of one section, one pair of a node and a value, and a total. */
static void
raw_made(file_t *f, uint32_t ptype, uint32_t twice, uint32_t node,
    uint32_t count, uint32_t total)
{
    uint8_t  *p, *body;

    get(f, "raw", 1);
    value[5] = 0;
    p = pyro_put_varint(value + 22, 10000);
    p = pyro_put_varint(p, twice ? 2 : 1);

    for ( ;; ) {
        p = pyro_put_varint(p, ptype);
        body = p++;
        p = pyro_put_varint(p, 1);
        p = pyro_put_varint(p, total);
        p = pyro_put_varint(p, 1);
        p = pyro_put_varint(p, node);
        p = pyro_put_varint(p, count);
        *body = (uint8_t) (p - body - 1);

        if (!twice) {
            break;
        }

        twice = 0;
    }

    len = (size_t) (p - value);
    key[13] = (uint8_t) ptype;
    seal();
    set(f, "raw");
}

static void raw_node(file_t *f) { raw_made(f, 1, 0, 5000, 7, 7); }
static void raw_total(file_t *f) { raw_made(f, 1, 0, 2, 7, 8); }
static void raw_zero(file_t *f) { raw_made(f, 1, 0, 2, 0, 0); }
static void raw_sections(file_t *f) { raw_made(f, 1, 1, 2, 7, 7); }
static void raw_sum(file_t *f) { raw_made(f, 1, 0, 2, 7, 7); }

static void
raw_spans(file_t *f)
{
    get(f, "raw", 0);
    assert_int_equal(value[5], 1);
    value[len++] = 0;
    seal();
    set(f, "raw");
}

static void
raw_empty(file_t *f)
{
    get(f, "raw", 1);
    value[5] = 0;
    value[22] = 0;
    value[23] = 0;
    len = 24;
    seal();
    set(f, "raw");
}

static void
r5m_flip(file_t *f)
{
    get(f, "r5m", 4);
    value[len - 1] ^= 1;
    set(f, "r5m");
}

static void
r5m_gone(file_t *f)
{
    get(f, "r5m", 4);
    del(f, "r5m", key, key_len);
}

static void
r5m_more(file_t *f)
{
    get(f, "r5m", 4);
    key[9] ^= 1;
    set(f, "r5m");
}

static void
r5m_value(file_t *f)
{
    get(f, "r5m", 4);
    value[len - 1] += 1;
    seal();
    set(f, "r5m");
}

static void
r5m_pushes(file_t *f)
{
    get(f, "r5m", 4);
    value[5]++;
    seal();
    set(f, "r5m");
}

static void
r5m_stream(file_t *f)
{
    get(f, "r5m", 4);
    key[3] = 99;
    set(f, "r5m");
}

static void
r5m_type(file_t *f)
{
    get(f, "r5m", 4);
    key[5] = 99;
    set(f, "r5m");
}

static void
r1h_value(file_t *f)
{
    get(f, "r1h", 1);
    value[len - 1] += 1;
    seal();
    set(f, "r1h");
}

static void
r1h_gone(file_t *f)
{
    get(f, "r1h", 1);
    del(f, "r1h", key, key_len);
}

static void
r1h_more(file_t *f)
{
    get(f, "r1h", -1);
    key[9] -= 13;
    set(f, "r1h");
}

static void
r1d_value(file_t *f)
{
    get(f, "r1d", -1);
    value[len - 1] += 1;
    seal();
    set(f, "r1d");
}

static void
r1d_gone(file_t *f)
{
    get(f, "r1d", -1);
    del(f, "r1d", key, key_len);
}

static void
tot_gone(file_t *f)
{
    get(f, "tot", 1);
    assert_int_equal(key[6], 2);
    del(f, "tot", key, key_len);
}

static void
tot_value(file_t *f)
{
    get(f, "tot", 1);
    value[len - 1] += 1;
    seal();
    set(f, "tot");
}

static void
tot_flip(file_t *f)
{
    get(f, "tot", 1);
    value[len - 1] += 1;
    set(f, "tot");
}

static void
tot_more(file_t *f)
{
    get(f, "tot", 1);
    key[10] += 13;
    set(f, "tot");
}

static void
tot_day(file_t *f)
{
    get(f, "tot", -1);
    assert_int_equal(key[6], 3);
    value[len - 1] ^= 1;
    seal();
    set(f, "tot");
}

static void
tot_level(file_t *f)
{
    get(f, "tot", 1);
    key[6] = 9;
    set(f, "tot");
}

static void
deleting_and_there(file_t *f)
{
    put(f, "meta", "deleting", 8, "\0\0\0\1", 4);
}

static void
key_short(file_t *f)
{
    put(f, "late", "\0\0\0\1", 4, "", 0);
}


static const mutation_t  mutations[] = {
    { "str",    "is the last that was given", ids_string },
    { "str",    "are missing", ids_string_up },
    { "frame",  "is the last that was given", ids_frame },
    { "scope",  "is the last that was given", ids_scope },
    { "stream", "is the last that was given", ids_stream },
    { "ptype",  "is the last that was given", ids_ptype },
    { "file",   "has no format number", no_format },
    { "meta",   "in the catalogue it is at", other_start },
    { "meta",   "its state is", state_unknown },
    { "meta",   "it is rolled up below slot", rolled_far },

    { "str",    "strings 6 to 6 are missing", string_gone },
    { "frame",  "which are not all there", string_gone },
    { "strx",   "string 6 is not found by its content", string_other },
    { "strx",   "under a hash that is not its content's", string_other },
    { "strx",   "is not found by its content", strx_gone },
    { "strx",   "follows", strx_twice },
    { "strx",   "under a hash that is not its content's", strx_stray },
    { "strx",   "which is not there", strx_dangling },
    { "frame",  "frame 4 has strings 9999 and 0", frame_string },
    { "frame",  "frame 4 cannot be read", frame_cut },
    { "framex", "is not found by its content", framex_gone },
    { "scope",  "is of tenant", scope_tenant },
    { "scope",  "a string that is not there", scope_service },
    { "scope",  "does not cover the time of stream", scope_time },
    { "scopex", "is not found by its content", scopex_gone },
    { "scope",  "is of tenant 1, which is not there", tenant_gone },
    { "tenant", "another one, or none, in the catalogue", tenant_other },
    { "ptype",  "type 3 is type 1 once more", ptype_twice },

    { "node",   "has no parent before it", node_parent },
    { "node",   "has frame 127, which is not there", node_frame },
    { "nodex",  "is not found by its stack", node_other_frame },
    { "node",   "cannot be read", node_longer },
    { "node",   "are not there", node_chunk_gone },
    { "node",   "the scopes have", node_chunk_more },
    { "nodex",  "is not found by its stack", nodex_gone },
    { "nodex",  "is not found by its stack", nodex_check },
    { "nodex",  "are of no node", nodex_more },

    { "raw",    "there is no such stream", stream_gone },
    { "streamx", "it names stream 1, which is not there", stream_gone },
    { "post",   "which does not have the label", stream_gone },
    { "stream", "is of scope 77, which is not there", stream_scope },
    { "stream", "in the scope of another one", stream_other_scope },
    { "stream", "and has a record of", stream_first },
    { "stream", "and has a record of", stream_last },
    { "stream", "has type 2, and no record of it", stream_type_more },
    { "stream", "does not have type 2, its record", stream_type_less },
    { "r5m",    "stream 1 does not have type 2", stream_type_less },
    { "stream", "which are not all there", stream_label },
    { "stream", "has label", stream_label_order },
    { "stream", "has bytes behind its labels", stream_longer },
    { "streamx", "is not found by its content", streamx_gone },
    { "streamx", "which is not there", streamx_dangling },
    { "post",   "is not found by its label", post_gone },
    { "post",   "which does not have the label", post_more },
    { "post",   "behind", post_twice },
    { "post",   "does not end where it says", post_end },
    { "post",   "cannot be read behind stream", post_count },
    { "late",   "there is no such stream", late_dangling },
    { "late",   "a key has 4 bytes, not 8", key_short },

    { "raw",    "the checksum is wrong", raw_flip },
    { "r5m",    "there are no pushes for it", raw_flip },
    { "r5m",    "there are no pushes for it", raw_gone },
    { "raw",    "there is no such stream", raw_no_stream },
    { "raw",    "it is not of this partition", raw_time },
    { "raw",    "seq 2 follows where 1 is expected", raw_seq },
    { "raw",    "it is the push before it once more", raw_twice },
    { "raw",    "the record begins with another one", raw_ptype },
    { "raw",    "it has no digest", raw_digest },
    { "raw",    "node 5000 with value 7", raw_node },
    { "raw",    "the total is 8, its values add up to 7", raw_total },
    { "raw",    "with value 0", raw_zero },
    { "raw",    "section 1 follows 1", raw_sections },
    { "raw",    "its spans cannot be read", raw_spans },
    { "raw",    "it has no section", raw_empty },
    { "r5m",    "raw has", raw_sum },
    { "r1h",    "raw has", raw_sum },
    { "tot",    "it has other totals than", raw_sum },

    { "r5m",    "its checksum is wrong", r5m_flip },
    { "r5m",    "it is missing", r5m_gone },
    { "r5m",    "there are no pushes for it", r5m_more },
    { "r5m",    "raw has", r5m_value },
    { "r5m",    "raw has", r5m_pushes },
    { "r5m",    "there is no such stream", r5m_stream },
    { "r5m",    "does not have type 99", r5m_type },
    { "r1h",    "raw has", r1h_value },
    { "r1h",    "it is missing", r1h_gone },
    { "r1h",    "there are no pushes for it", r1h_more },
    { "r1d",    "raw has", r1d_value },
    { "r1d",    "it is missing", r1d_gone },
    { "tot",    "it has other totals than", tot_gone },
    { "tot",    "it has other totals than", tot_value },
    { "tot",    "it cannot be read", tot_flip },
    { "tot",    "there are no pushes for its slot", tot_more },
    { "tot",    "in its day: it has", tot_day },
    { "tot",    "totals of level 9", tot_level },
    { "stream", "is there and being deleted", deleting_and_there },
};


static void
check_mutations(void **state)
{
    int                 wrong;
    char               *dir;
    file_t              f;
    size_t              i;
    uint32_t            k;
    const mutation_t   *m;

    (void) state;

    wrong = 0;

    for (i = 0; i < sizeof(mutations) / sizeof(mutations[0]); i++) {
        m = &mutations[i];
        dir = copy();

        f = file_open(dir, part);
        m->break_it(&f);
        file_close(&f);

        check(dir);
        wrong += missed(part, m->what, m->text);

        /* nobody else is blamed */

        for (k = 0; k < found.n; k++) {
            if (!found.note[k]) {
                assert_string_equal(found.file[k], part);
            }
        }

        assert_int_equal(found.result.damaged, 1);
        fixture_remove(dir);
    }

    assert_int_equal(wrong, 0);
}


static void
check_whole(void **state)
{
    char  *dir;

    (void) state;

    dir = copy();
    check_clean(dir);

    assert_int_equal(found.result.files, FILES + 1);
    assert_int_equal(found.result.pushes, FILES * 40 * 3 + 3);
    assert_true(found.result.rollups > 400);

    fixture_remove(dir);
}


/* At every stage of what the upkeep does. */
static void
check_stages(void **state)
{
    char          *dir;
    uint32_t       i;
    pyro_store_t  *store;

    (void) state;

    dir = fixture_dir();
    store = fixture_open(dir);
    pyro_store_close(store);
    check_clean(dir);

    for (i = 0; i < 12; i++) {
        store = fixture_open(dir);
        push(store, "service_name=shop", T0 + i * 1700 * SEC, i % 2,
             i % 3 == 0);
        push(store, "service_name=shop", T0 + i * 900 * SEC, 0, i % 2);
        pyro_store_close(store);
        check_clean(dir);

        store = fixture_open(dir);
        roll(store, T0 + (i * 1700 + 2000) * SEC);
        pyro_store_close(store);
        check_clean(dir);
    }

    fixture_remove(dir);
}


/* ---- sealed ---- */

static pyro_store_t *
open_to_seal(const char *dir)
{
    pyro_error_t          err;
    pyro_store_t         *store;
    pyro_store_options_t  options;

    memset(&options, 0, sizeof(options));
    options.dir = dir;
    options.map_size = 1024 * 1024 * 1024;
    options.seal_after = 7200;

    if (pyro_store_open(&options, &store, &err) != PYRO_OK) {
        fail_msg("%s", err.message);
    }

    return store;
}


/* Until nothing is left to do; how many were sealed. */
static uint32_t
seal_days(pyro_store_t *store)
{
    uint32_t           n, idle;
    pyro_error_t       err;
    pyro_store_work_t  work;

    for (n = 0, idle = 0; idle < 2; /* void */ ) {
        memset(&work, 0, sizeof(work));
        work.now = T0 + 10 * DAY * SEC;
        work.seal_cpu = 10 * SEC;

        if (pyro_store_maintain(store, &work, &err) != PYRO_OK) {
            fail_msg("%s", err.message);
        }

        n += work.sealed;
        idle = work.more || work.sealed ? 0 : idle + 1;

        /* its share of the processor is no matter here */

        store->seal->resume = 0;
    }

    return n;
}


/* The file of the first day that is sealed. */
static pyro_status_e
on_part(void *ctx, const pyro_store_part_t *p, pyro_error_t *err)
{
    char  *name = ctx;

    (void) err;

    if (name[0] == '\0' && strcmp(p->state, "sealed") == 0) {
        snprintf(name, 64, "%.60s", p->name);
    }

    return PYRO_OK;
}


static void
sealed_raw_flip(file_t *f)
{
    get(f, "raw", 2);
    value[len - 1] ^= 1;
    set(f, "raw");
}

static void
sealed_raw_directory(file_t *f)
{
    get(f, "raw", 2);
    value[10] ^= 1;
    set(f, "raw");
}

static void
sealed_raw_orphan(file_t *f)
{
    get(f, "raw", 2);
    key[3] = 99;
    set(f, "raw");
}

static void
sealed_raw_outside(file_t *f)
{
    get(f, "raw", 2);
    key[7] += 100;
    set(f, "raw");
}

static void
sealed_strx(file_t *f)
{
    get(f, "strx", 1);
    del(f, "strx", key, key_len);
}


static const mutation_t  sealed_mutations[] = {
    { "raw",    "cannot be read", sealed_raw_flip },
    { "raw",    "it cannot be read", sealed_raw_directory },
    { "raw",    "there is no such stream", sealed_raw_orphan },
    { "raw",    "it is not of this partition", sealed_raw_outside },
    { "r1h",    "there are no pushes for it", raw_gone },
    { "strx",   "is not found by its content", sealed_strx },
    { "stream", "are not all there", stream_label },
    { "post",   "is not found by its label", post_gone },
    { "r1h",    "raw has", r1h_value },
    { "r1d",    "raw has", r1d_value },
    { "tot",    "it has other totals than", tot_value },
    { "node",   "has no parent before it", node_parent },
};


static void
check_sealed(void **state)
{
    int            wrong;
    char          *dir, name[64], *saved;
    file_t         f;
    size_t         i;
    pyro_error_t   err;
    pyro_store_t  *store;

    (void) state;

    dir = copy();
    store = open_to_seal(dir);
    assert_int_equal(seal_days(store), FILES);
    pyro_store_close(store);
    check_clean(dir);
    assert_int_equal(found.result.pushes, FILES * 40 * 3 + 3);

    /* and what comes late lies beside it, until it is sealed as well */

    store = open_to_seal(dir);
    push(store, "service_name=shop,pod=a", T0 + 12345 * SEC + 1, 1, 0);
    pyro_store_close(store);
    check_clean(dir);
    store = open_to_seal(dir);
    assert_int_equal(seal_days(store), 1);
    name[0] = '\0';
    assert_int_equal(pyro_store_parts(store, on_part, name, &err), PYRO_OK);
    assert_true(name[0] != '\0');
    pyro_store_close(store);
    check_clean(dir);

    /* damaged */

    saved = base;
    base = dir;
    wrong = 0;

    for (i = 0; i < sizeof(sealed_mutations) / sizeof(sealed_mutations[0]);
         i++)
    {
        dir = copy();
        f = file_open(dir, name);
        sealed_mutations[i].break_it(&f);
        file_close(&f);
        check(dir);
        wrong += missed(name, sealed_mutations[i].what,
                        sealed_mutations[i].text);
        assert_int_equal(found.result.damaged, 1);
        fixture_remove(dir);
    }

    fixture_remove(base);
    base = saved;
    assert_int_equal(wrong, 0);
}


/* Sums that stop at INT64_MAX, on every level. */
static void
check_saturated(void **state)
{
    char            *dir;
    uint32_t         i;
    pyro_arena_t    *arena;
    pyro_store_t    *store;
    pyro_profile_t  *p;

    (void) state;

    dir = fixture_dir();
    store = fixture_open(dir);

    for (i = 0; i < 6; i++) {
        arena = pyro_arena_create(0);
        p = pyro_profile_create(arena);
        fixture_add(p, 0, &fixture_cpu, "a;b", 0, INT64_MAX - i % 2 * 1000);
        fixture_add(p, 0, &fixture_cpu, "a;c", i, INT64_MAX / 2 + i);
        fixture_finish(p, "service_name=shop");
        fixture_write(store, p, T0 + i * 250 * SEC);
        pyro_arena_destroy(arena);
    }

    roll(store, T0 + 3 * DAY * SEC);
    pyro_store_close(store);
    check_clean(dir);
    fixture_remove(dir);
}


static void
check_catalogue(void **state)
{
    char    *dir, path[4096], other[4096];
    file_t   f;

    (void) state;

    /* a file that is named and not there */

    dir = copy();
    snprintf(path, sizeof(path), "%s/%s", dir, part);
    unlink(path);
    check(dir);
    expect(part, "file", "it is not there");
    assert_int_equal(found.result.damaged, 1);
    fixture_remove(dir);

    /* files that are not named */

    dir = copy();
    snprintf(path, sizeof(path), "%s/%s", dir, part);
    snprintf(other, sizeof(other), "%s/p-20261122.77.mdb", dir);
    copy_file(path, other);
    snprintf(other, sizeof(other), "%s/notes.txt", dir);
    copy_file(path, other);
    check(dir);
    expect("p-20261122.77.mdb", "file", "does not name it");
    expect("notes.txt", "file", "no file of the store");
    assert_int_equal(found.notes, 2);
    assert_int_equal(found.n, 2);
    assert_int_equal(found.result.damaged, 0);
    fixture_remove(dir);

    /* the catalogue itself: then the files are read by themselves */

    dir = copy();
    f = file_open(dir, "control.mdb");
    del(&f, "meta", "generation", 10);
    file_close(&f);
    check(dir);
    expect("control.mdb", "file", "generation");
    assert_int_equal(found.result.damaged, 1);
    assert_int_equal(found.result.files, FILES + 1);
    fixture_remove(dir);

    dir = copy();
    f = file_open(dir, "control.mdb");
    get(&f, "part", 0);
    pyro_put_be32(key + 8, 1000);
    set(&f, "part");
    file_close(&f);
    check(dir);
    expect("control.mdb", "part", "has a generation above");
    expect("control.mdb", "part", "is named twice");
    fixture_remove(dir);
}


static void
check_states(void **state)
{
    char    *dir;
    file_t   f;

    (void) state;

    dir = copy();
    f = file_open(dir, part);
    put(&f, "meta", "state", 5, "\2", 1);
    file_close(&f);
    check(dir);
    expect(part, "meta", "its removal was begun");
    assert_int_equal(found.result.damaged, 0);
    assert_int_equal(found.notes, 1);
    fixture_remove(dir);

    /* a stream that is half deleted: without entry, and with its records */

    dir = copy();
    f = file_open(dir, part);
    put(&f, "meta", "deleting", 8, "\0\0\0\143", 4);
    get(&f, "raw", 0);
    key[3] = 99;
    set(&f, "raw");
    get(&f, "r5m", 0);
    key[3] = 99;
    set(&f, "r5m");
    file_close(&f);
    check(dir);
    expect(part, "meta", "deleting 1 streams was begun");
    assert_int_equal(found.result.damaged, 0);
    fixture_remove(dir);
}


static void
check_refused(void **state)
{
    char                  *dir;
    pyro_error_t           err;
    pyro_check_result_t    result;

    (void) state;

    dir = fixture_dir();
    assert_int_equal(pyro_store_check(dir, on_finding, NULL, &result, &err),
                     PYRO_NOT_FOUND);
    assert_non_null(strstr(err.message, "holds no store"));
    fixture_remove(dir);

    assert_int_equal(pyro_store_check("build/not-there", on_finding, NULL,
                                      &result, &err),
                     PYRO_UNAVAILABLE);
}


/* Whatever page is hit, that file is named, and the check lives. */
static void
check_pages(void **state)
{
    int           fd;
    char         *dir, path[4096];
    uint8_t       page[4096];
    uint32_t      i, k, seed, damaged;
    struct stat   st;

    (void) state;

    seed = 12345;
    damaged = 0;

    for (i = 0; i < 40; i++) {
        dir = copy();
        snprintf(path, sizeof(path), "%s/%s", dir, part);
        assert_int_equal(stat(path, &st), 0);
        fd = open(path, O_RDWR);

        for (k = 0; k < sizeof(page); k++) {
            seed = seed * 1664525 + 1013904223;
            page[k] = (uint8_t) (seed >> 24);
        }

        seed = seed * 1664525 + 1013904223;
        k = 2 + seed % (uint32_t) (st.st_size / 4096 - 2);
        assert_int_equal(pwrite(fd, page, 4096, (off_t) k * 4096), 4096);
        close(fd);

        check(dir);

        for (k = 0; k < found.n; k++) {
            assert_string_equal(found.file[k], part);
        }

        damaged += found.result.damaged;
        fixture_remove(dir);
    }

    /* the others were free */

    assert_true(damaged > 15);
    print_message("# %u of 40 pages were in use\n", damaged);

    /* cut off: the process that reads it gets SIGBUS */

    dir = copy();
    snprintf(path, sizeof(path), "%s/%s", dir, part);
    assert_int_equal(truncate(path, st.st_size / 2 / 4096 * 4096), 0);
    check(dir);
    assert_int_equal(found.result.damaged, 1);
    assert_string_equal(found.file[0], part);
    fixture_remove(dir);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(check_whole),
        cmocka_unit_test(check_stages),
        cmocka_unit_test(check_saturated),
        cmocka_unit_test(check_mutations),
        cmocka_unit_test(check_sealed),
        cmocka_unit_test(check_catalogue),
        cmocka_unit_test(check_states),
        cmocka_unit_test(check_refused),
        cmocka_unit_test(check_pages),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, setup, teardown);
}
