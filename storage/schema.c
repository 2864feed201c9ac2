#include "storage/schema.h"

#include <stdio.h>
#include <time.h>


#define PYRO_DAY  86400


const char *const  pyro_db_names[PYRO_DB_COUNT] = {
#define PYRO_DB_NAME(id, name)  name,
    PYRO_PARTITION_DBS(PYRO_DB_NAME)
#undef PYRO_DB_NAME
};


size_t
pyro_key_id(uint8_t *key, uint32_t id)
{
    pyro_put_be32(key, id);

    return 4;
}


size_t
pyro_key_ptype(uint8_t *key, uint32_t ptype)
{
    pyro_put_be16(key, (uint16_t) ptype);

    return 2;
}


size_t
pyro_key_hash(uint8_t *key, uint64_t hash)
{
    pyro_put_be64(key, hash);

    return 8;
}


size_t
pyro_key_pair(uint8_t *key, uint32_t owner, uint64_t hash)
{
    pyro_put_be32(key, owner);
    pyro_put_be64(key + 4, hash);

    return 12;
}


size_t
pyro_key_chunk(uint8_t *key, uint32_t scope, uint32_t chunk)
{
    pyro_put_be32(key, scope);
    pyro_put_be32(key + 4, chunk);

    return 8;
}


size_t
pyro_key_post(uint8_t *key, uint32_t tenant, uint32_t name, uint32_t value,
    uint32_t chunk)
{
    pyro_put_be32(key, tenant);
    pyro_put_be32(key + 4, name);
    pyro_put_be32(key + 8, value);
    pyro_put_be16(key + 12, (uint16_t) chunk);

    return PYRO_POST_KEY;
}


size_t
pyro_key_raw(uint8_t *key, const pyro_raw_key_t *raw)
{
    pyro_put_be32(key, raw->stream);
    pyro_put_be64(key + 4, (uint64_t) raw->time);
    pyro_put_be16(key + 12, raw->ptype);
    pyro_put_be16(key + 14, raw->seq);

    return PYRO_RAW_KEY;
}


int
pyro_raw_key_get(pyro_slice_t in, pyro_raw_key_t *raw)
{
    uint64_t        time;
    const uint8_t  *p;

    if (in.len != PYRO_RAW_KEY) {
        return -1;
    }

    p = (const uint8_t *) in.data;
    time = pyro_get_be64(p + 4);

    if (time > INT64_MAX) {
        return -1;
    }

    raw->stream = pyro_get_be32(p);
    raw->time = (int64_t) time;
    raw->ptype = pyro_get_be16(p + 12);
    raw->seq = pyro_get_be16(p + 14);

    return 0;
}


size_t
pyro_key_part(uint8_t *key, uint64_t start, uint32_t generation)
{
    pyro_put_be64(key, start);
    pyro_put_be32(key + 8, generation);

    return 12;
}


void
pyro_ids_put(uint8_t *p, const pyro_ids_t *ids)
{
    pyro_put_be32(p, ids->string);
    pyro_put_be32(p + 4, ids->frame);
    pyro_put_be32(p + 8, ids->scope);
    pyro_put_be32(p + 12, ids->stream);
    pyro_put_be32(p + 16, ids->ptype);
}


int
pyro_ids_get(pyro_slice_t in, pyro_ids_t *ids)
{
    const uint8_t  *p;

    if (in.len != PYRO_IDS_SIZE) {
        return -1;
    }

    p = (const uint8_t *) in.data;

    ids->string = pyro_get_be32(p);
    ids->frame = pyro_get_be32(p + 4);
    ids->scope = pyro_get_be32(p + 8);
    ids->stream = pyro_get_be32(p + 12);
    ids->ptype = pyro_get_be32(p + 16);

    return 0;
}


void
pyro_partition_put(uint8_t *p, const pyro_partition_value_t *v)
{
    pyro_put_be64(p, v->start);
    pyro_put_be32(p + 8, v->length);
    pyro_put_be32(p + 12, v->generation);
    pyro_put_be64(p + 16, v->seed);
}


int
pyro_partition_get(pyro_slice_t in, pyro_partition_value_t *v)
{
    const uint8_t  *p;

    if (in.len != PYRO_PARTITION_SIZE) {
        return -1;
    }

    p = (const uint8_t *) in.data;

    v->start = pyro_get_be64(p);
    v->length = pyro_get_be32(p + 8);
    v->generation = pyro_get_be32(p + 12);
    v->seed = pyro_get_be64(p + 16);

    return 0;
}


void
pyro_scope_put(uint8_t *p, const pyro_scope_value_t *v)
{
    pyro_put_be32(p, v->tenant);
    pyro_put_be32(p + 4, v->service);
    pyro_put_be32(p + 8, v->nodes);
    pyro_put_be64(p + 12, (uint64_t) v->first);
    pyro_put_be64(p + 20, (uint64_t) v->last);
}


int
pyro_scope_get(pyro_slice_t in, pyro_scope_value_t *v)
{
    const uint8_t  *p;

    if (in.len != PYRO_SCOPE_SIZE) {
        return -1;
    }

    p = (const uint8_t *) in.data;

    v->tenant = pyro_get_be32(p);
    v->service = pyro_get_be32(p + 4);
    v->nodes = pyro_get_be32(p + 8);
    v->first = (int64_t) pyro_get_be64(p + 12);
    v->last = (int64_t) pyro_get_be64(p + 20);

    /* one append past the limit cannot have happened */

    return v->nodes > PYRO_NODES_MAX ? -1 : 0;
}


size_t
pyro_frame_put(uint8_t *p, const pyro_frame_value_t *v)
{
    uint8_t  *start;

    start = p;

    *p++ = 0;
    p = pyro_put_varint(p, v->function);
    p = pyro_put_varint(p, v->file);
    p = pyro_put_varint(p, v->line);
    p = pyro_put_varint(p, v->start_line);

    return (size_t) (p - start);
}


int
pyro_frame_get(pyro_slice_t in, pyro_frame_value_t *v)
{
    uint32_t      kind;
    pyro_bytes_t  bytes;

    bytes = pyro_bytes(in.data, in.len);

    if (pyro_take_u32(&bytes, &kind)
        || pyro_take_u32(&bytes, &v->function)
        || pyro_take_u32(&bytes, &v->file)
        || pyro_take_u32(&bytes, &v->line)
        || pyro_take_u32(&bytes, &v->start_line))
    {
        return -1;
    }

    return 0;
}


size_t
pyro_stream_size(uint32_t n_ptypes, uint32_t n_labels)
{
    return PYRO_STREAM_HEADER + 2 * PYRO_VARINT_MAX
           + 5 * ((size_t) n_ptypes + 2 * (size_t) n_labels);
}


size_t
pyro_stream_put(uint8_t *p, const pyro_stream_value_t *head,
    const uint32_t *ptypes, const uint32_t *strings)
{
    uint8_t   *start;
    uint32_t   i, last;

    start = p;

    pyro_put_be32(p, head->scope);
    pyro_put_be64(p + 4, (uint64_t) head->first);
    pyro_put_be64(p + 12, (uint64_t) head->last);
    p += PYRO_STREAM_HEADER;

    p = pyro_put_varint(p, head->n_ptypes);

    for (i = 0, last = 0; i < head->n_ptypes; i++) {
        p = pyro_put_varint(p, ptypes[i] - last);
        last = ptypes[i];
    }

    p = pyro_put_varint(p, head->n_labels);

    for (i = 0; i < 2 * head->n_labels; i++) {
        p = pyro_put_varint(p, strings[i]);
    }

    return (size_t) (p - start);
}


int
pyro_stream_get(pyro_slice_t in, pyro_stream_value_t *v)
{
    uint32_t        i, value;
    uint64_t        id;
    const uint8_t  *p;
    pyro_bytes_t    bytes;

    if (in.len < PYRO_STREAM_HEADER) {
        return -1;
    }

    p = (const uint8_t *) in.data;

    v->scope = pyro_get_be32(p);
    v->first = (int64_t) pyro_get_be64(p + 4);
    v->last = (int64_t) pyro_get_be64(p + 12);

    bytes = pyro_bytes(p + PYRO_STREAM_HEADER, in.len - PYRO_STREAM_HEADER);

    if (pyro_take_u32(&bytes, &v->n_ptypes) || v->n_ptypes > PYRO_PTYPES_MAX) {
        return -1;
    }

    v->ptypes = bytes;

    for (i = 0, id = 0; i < v->n_ptypes; i++) {

        if (pyro_take_u32(&bytes, &value) || value == 0) {
            return -1;
        }

        id += value;

        if (id > PYRO_PTYPES_MAX) {
            return -1;
        }
    }

    if (pyro_take_u32(&bytes, &v->n_labels)
        || v->n_labels > (size_t) (bytes.end - bytes.p) / 2)
    {
        return -1;
    }

    v->labels = bytes;

    for (i = 0; i < v->n_labels; i++) {

        if (pyro_take_u32(&bytes, &value) || pyro_take_u32(&bytes, &value)) {
            return -1;
        }
    }

    return 0;
}


void
pyro_info_put(uint8_t *p, const pyro_info_value_t *v)
{
    pyro_put_be64(p, (uint64_t) v->time);
    pyro_put_be32(p + 8, (uint32_t) v->service.len);
    p += PYRO_INFO_HEADER;

    memcpy(p, v->service.data, v->service.len);
    memcpy(p + v->service.len, v->info.data, v->info.len);
}


int
pyro_info_get(pyro_slice_t in, pyro_info_value_t *v)
{
    size_t          n;
    const uint8_t  *p;

    if (in.len < PYRO_INFO_HEADER) {
        return -1;
    }

    p = (const uint8_t *) in.data;
    n = pyro_get_be32(p + 8);

    if (n > in.len - PYRO_INFO_HEADER) {
        return -1;
    }

    v->time = (int64_t) pyro_get_be64(p);
    v->service = pyro_slice(p + PYRO_INFO_HEADER, n);
    v->info = pyro_slice(p + PYRO_INFO_HEADER + n,
                         in.len - PYRO_INFO_HEADER - n);

    return 0;
}


size_t
pyro_key_setting(uint8_t *key, uint32_t tenant, pyro_slice_t name)
{
    pyro_put_be32(key, tenant);

    if (name.len) {
        memcpy(key + 4, name.data, name.len);
    }

    return 4 + name.len;
}


void
pyro_setting_put(uint8_t *p, const pyro_setting_value_t *v)
{
    pyro_put_be64(p, (uint64_t) v->modified);

    if (v->text.len) {
        memcpy(p + PYRO_SETTING_HEADER, v->text.data, v->text.len);
    }
}


int
pyro_setting_get(pyro_slice_t in, pyro_setting_value_t *v)
{
    if (in.len < PYRO_SETTING_HEADER) {
        return -1;
    }

    v->modified = (int64_t) pyro_get_be64((const uint8_t *) in.data);
    v->text = pyro_slice(in.data + PYRO_SETTING_HEADER,
                         in.len - PYRO_SETTING_HEADER);

    return 0;
}


int64_t
pyro_last_round(int64_t time)
{
    if (time > INT64_MAX - PYRO_LAST_SLOT) {
        return INT64_MAX;
    }

    return (time / PYRO_LAST_SLOT + 1) * PYRO_LAST_SLOT - 1;
}


void
pyro_partition_name(char *name, uint64_t start, uint32_t length,
    uint32_t generation)
{
    int        hour;
    time_t     seconds;
    struct tm  tm;

    seconds = (time_t) start;
    hour = length % PYRO_DAY != 0;

    memset(&tm, 0, sizeof(tm));
    gmtime_r(&seconds, &tm);

    if (hour) {
        snprintf(name, PYRO_FILE_NAME_MAX, "p-%04d%02d%02dT%02d.%u.mdb",
                 tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
                 generation);
        return;
    }

    snprintf(name, PYRO_FILE_NAME_MAX, "p-%04d%02d%02d.%u.mdb",
             tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, generation);
}
