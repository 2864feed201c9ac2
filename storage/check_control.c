/*
 * The check of control.mdb, in a child process: it is opened as everybody opens
 * it, all of its databases are walked, and what it names is told to the parent.
 */

#include "storage/check.h"

#include <stdio.h>

#include "core/base/utf8.h"


static pyro_status_e pyro_check_control_all(pyro_check_sink_t *sink,
    pyro_catalog_t *catalog, pyro_error_t *err);
static pyro_status_e pyro_check_control_db(pyro_check_sink_t *sink,
    pyro_catalog_t *catalog, pyro_kv_txn_t *txn, pyro_control_db_e db,
    pyro_error_t *err);
static void pyro_check_control_entry(pyro_check_sink_t *sink,
    const pyro_catalog_t *catalog, pyro_control_db_e db,
    const pyro_slice_t *key, const pyro_slice_t *value);
static void pyro_check_control_setting(pyro_check_sink_t *sink,
    const pyro_catalog_t *catalog, const pyro_slice_t *key,
    const pyro_slice_t *value);
static int pyro_check_control_has(const pyro_catalog_t *catalog,
    uint32_t tenant);
static void pyro_check_control_part(pyro_check_sink_t *sink,
    const pyro_catalog_t *catalog, const pyro_partition_t *part);
static void pyro_check_control_tenants(pyro_check_sink_t *sink,
    const pyro_catalog_t *catalog);


void
pyro_check_control(pyro_check_sink_t *sink, const char *dir)
{
    char                   path[4096];
    uint32_t               i;
    pyro_error_t           err;
    pyro_status_e          status;
    pyro_catalog_t         catalog;
    pyro_store_options_t   options;

    memset(&options, 0, sizeof(pyro_store_options_t));

    options.dir = dir;
    options.access = PYRO_ACCESS_READ;

    pyro_check_tell(sink, PYRO_CHECK_AT, "file", 0, "%s", "");
    status = pyro_catalog_open(&catalog, &options, &err);

    if (status != PYRO_OK) {
        snprintf(path, sizeof(path), "%s/%s", dir, "control.mdb");
        pyro_check_tell(sink, pyro_env_is_foreign(path) ? PYRO_CHECK_REFUSED
                                                        : PYRO_CHECK_DAMAGE,
                        "file", 0, "%s", err.message);
        return;
    }

    if (catalog.control->unlocked) {
        pyro_check_tell(sink, PYRO_CHECK_NOTE, "file", 0, "it was read without "
                        "a lock file: nothing may write the store meanwhile");
    }

    status = pyro_check_control_all(sink, &catalog, &err);

    if (status != PYRO_OK) {
        pyro_check_tell(sink, PYRO_CHECK_DAMAGE, "file", 0, "%s", err.message);
    }

    for (i = 0; i < catalog.n_parts; i++) {
        pyro_check_control_part(sink, &catalog, catalog.parts[i]);
    }

    pyro_check_control_tenants(sink, &catalog);
    pyro_catalog_close(&catalog);
}


static pyro_status_e
pyro_check_control_all(pyro_check_sink_t *sink, pyro_catalog_t *catalog,
    pyro_error_t *err)
{
    pyro_kv_txn_t      *txn;
    pyro_status_e       status;
    pyro_control_db_e   db;

    status = pyro_env_begin(catalog->control, 1, &txn, err);

    if (status != PYRO_OK) {
        return status;
    }

    for (db = PYRO_CONTROL_META; db < PYRO_CONTROL_COUNT; db++) {

        if (catalog->dbi[db] && status == PYRO_OK) {
            status = pyro_check_control_db(sink, catalog, txn, db, err);
        }
    }

    pyro_env_abort(catalog->control, txn);

    return status;
}


static pyro_status_e
pyro_check_control_db(pyro_check_sink_t *sink, pyro_catalog_t *catalog,
    pyro_kv_txn_t *txn, pyro_control_db_e db, pyro_error_t *err)
{
    int                rc;
    pyro_slice_t       key, value, last;
    uint8_t            bytes[512];
    uint64_t           n;
    pyro_kv_stat_t     stat;
    pyro_kv_cursor_t  *cursor;

    rc = pyro_kv_stat(txn, catalog->dbi[db], &stat);

    if (rc == 0) {
        rc = pyro_kv_cursor(txn, catalog->dbi[db], &cursor);
    }

    if (rc) {
        return pyro_env_error(catalog->control, rc, "be read", err);
    }

    last = pyro_slice(bytes, 0);

    for (n = 0; (rc = pyro_kv_move(cursor, PYRO_KV_NEXT, &key, &value)) == 0;
         n++)
    {
        if (key.len == 0 || key.len > sizeof(bytes)
            || (n && pyro_slice_cmp(last, key) >= 0))
        {
            pyro_check_tell(sink, PYRO_CHECK_DAMAGE, "file", n + 1, "keys are "
                            "not in order");
            rc = PYRO_KV_NOT_FOUND;
            n = stat.entries;
            break;
        }

        memcpy(bytes, key.data, key.len);
        last.len = key.len;

        pyro_check_control_entry(sink, catalog, db, &key, &value);
    }

    pyro_kv_cursor_close(cursor);

    if (rc == PYRO_KV_NOT_FOUND && n != stat.entries) {
        pyro_check_tell(sink, PYRO_CHECK_DAMAGE, "file", 0, "a database has "
                        "%llu entries and says %llu", (unsigned long long) n,
                        (unsigned long long) stat.entries);
    }

    return rc == PYRO_KV_NOT_FOUND
           ? PYRO_OK : pyro_env_error(catalog->control, rc, "be read", err);
}


static void
pyro_check_control_entry(pyro_check_sink_t *sink,
    const pyro_catalog_t *catalog, pyro_control_db_e db,
    const pyro_slice_t *key, const pyro_slice_t *value)
{
    pyro_info_value_t  info;

    if (db == PYRO_CONTROL_SETTING) {
        pyro_check_control_setting(sink, catalog, key, value);
    }

    if (db == PYRO_CONTROL_INFO
        && (key->len != 12 || pyro_info_get(*value, &info)
            || pyro_get_be64((const uint8_t *) key->data + 4)
               != pyro_hash64(info.service.data, info.service.len, 0)))
    {
        pyro_check_tell(sink, PYRO_CHECK_DAMAGE, "info", 0, "what a service "
                        "said of itself cannot be read, or is under another "
                        "one's hash");
    }
}


static void
pyro_check_control_setting(pyro_check_sink_t *sink,
    const pyro_catalog_t *catalog, const pyro_slice_t *key,
    const pyro_slice_t *value)
{
    uint32_t               tenant;
    pyro_setting_value_t   setting;

    if (key->len <= 4 || key->len > PYRO_SETTING_KEY
        || !pyro_utf8_valid(key->data + 4, key->len - 4)
        || pyro_setting_get(*value, &setting) || setting.modified <= 0
        || setting.text.len > PYRO_STORE_SETTING_VALUE)
    {
        pyro_check_tell(sink, PYRO_CHECK_DAMAGE, "setting", 0, "a setting "
                        "cannot be read: its name, its time, or its length is "
                        "none");
        return;
    }

    tenant = pyro_get_be32((const uint8_t *) key->data);

    if (!pyro_check_control_has(catalog, tenant)) {
        pyro_check_tell(sink, PYRO_CHECK_DAMAGE, "setting", tenant,
                        "a setting is of a tenant that is not there");
    }
}


static int
pyro_check_control_has(const pyro_catalog_t *catalog, uint32_t tenant)
{
    uint32_t  i;

    for (i = 0; i < catalog->tenants.n; i++) {
        if (catalog->tenant_ids[i] == tenant) {
            return 1;
        }
    }

    return 0;
}


static void
pyro_check_control_part(pyro_check_sink_t *sink,
    const pyro_catalog_t *catalog, const pyro_partition_t *part)
{
    uint32_t               i;
    pyro_check_message_t   message;

    if (part->generation > catalog->generation) {
        pyro_check_tell(sink, PYRO_CHECK_DAMAGE, "part", part->generation,
                        "%s has a generation above the catalogue's, %u",
                        part->name, catalog->generation);
    }

    for (i = 0; catalog->parts[i] != part; i++) {
        if (strcmp(catalog->parts[i]->name, part->name) == 0) {
            pyro_check_tell(sink, PYRO_CHECK_DAMAGE, "part", part->generation,
                            "%s is named twice", part->name);
        }
    }

    memset(&message, 0, sizeof(message));

    message.kind = PYRO_CHECK_PART;
    memcpy(message.part.name, part->name, PYRO_FILE_NAME_MAX);
    message.part.start = part->start;
    message.part.length = part->length;
    message.part.generation = part->generation;
    message.part.known = 1;

    pyro_check_send(sink, &message);
}


static void
pyro_check_control_tenants(pyro_check_sink_t *sink,
    const pyro_catalog_t *catalog)
{
    uint32_t               i;
    pyro_slice_t          *name;
    pyro_check_message_t   message;

    for (i = 0; i < catalog->tenants.n; i++) {
        name = &catalog->tenants.items[i];

        memset(&message, 0, sizeof(message));

        message.kind = PYRO_CHECK_TENANT;
        message.tenant.tenant = catalog->tenant_ids[i];
        message.tenant.hash = pyro_hash64(name->data, name->len, 0);

        pyro_check_send(sink, &message);
    }
}
