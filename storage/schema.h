/*
 * The on-disk format of the store.  Format number 1.
 *
 * FILES
 *
 * The directory holds control.mdb, the catalogue, and one file a partition of
 * time (a UTC day unless configured otherwise): p-20261122.1.mdb, and
 * p-20261122T13.1.mdb where a partition is not a whole number of days.  The
 * number behind the date is the catalogue's generation at the time the file was
 * made; it only grows, so no name is ever used twice.  Each is an LMDB
 * environment, opened with MDB_NOSUBDIR and MDB_NOTLS and without MDB_WRITEMAP;
 * NAME-lock is its lock file.
 *
 * A partition is self-contained: it has its own strings, frames, stacks,
 * streams and records, and ids mean something within their file only.
 *
 * NUMBERS
 *
 * beN is a big-endian number of N bits: in keys, so that LMDB's byte order is
 * the numbers' order, and in values of fixed layout.  varint is LEB128.  Times
 * are nanoseconds since the epoch, lengths of partitions and their starts are
 * seconds.  Ids begin at 1; 0 means "none": string 0 is the empty one, node 0
 * is the root.  All values are read with bounds checks: a file may be damaged.
 *
 * CONTROL.MDB
 *
 *   meta     "format"             be32
 *            "generation"         be32, one more with each change of the
 *                                 catalogue, of its format too: readers reload
 *                                 when it differs
 *            "late"               be64, storage/late.h; no such key: none made
 *            "clock"              be64, be64, storage/trust.h: ns; no such key:
 *                                 the clock is believed
 *   part     start be64,          length be32, state u8, file name
 *            generation be32
 *   tenant   tenant be32          name; at most 100 000
 *   info     tenant be32, hash be64
 *                                 time be64 (ns), n be32, service of n bytes,
 *                                 and to the end what its recording of that
 *                                 time said of itself (JSON, opaque here)
 *   setting  tenant be32, name of 1 to 128 bytes of UTF-8
 *                                 time of its change be64 (ms), and to the end
 *                                 its value, at most 64 KiB; at most 256 a
 *                                 tenant, and 32 MiB of all
 *
 * "info" and "setting" came after the others: each is made when it is first
 * written, and a file without it is as good.  The hash of "info" is XXH3
 * without a seed, over the service; of two services with one hash the last that
 * was written is known.  Its entries are replaced by those of the same or a
 * later time.  There are at most 100 000, in at most half of the file: beyond,
 * the oldest of a few neighbours makes room.
 *
 * A partition file is made, filled with its meta and synced, the directory is
 * synced, and only then is it entered here: what the catalogue names exists.
 * The other way round a file may exist that the catalogue does not know (a
 * crash in between); it is adopted if its meta is valid.
 *
 * A PARTITION
 *
 *   meta     "format"             be32
 *            "partition"          start be64, length be32, generation be32,
 *                                 seed be64 of all hashes of this file
 *            "state"              u8, pyro_state_e.  Read by the writer inside
 *                                 its transaction
 *            "ids"                be32 each, the last id given: string, frame,
 *                                 scope, stream, ptype
 *            "rolled"             be32 each: slots below the first number are
 *                                 rolled up, below the second may be; no such
 *                                 key: none
 *            "deleting"           stream be32 each, ascending: those whose
 *                                 records are going (storage/deleting.h); no
 *                                 such key: none
 *   tenant   tenant be32          name (a copy, for adopting the file)
 *   scope    scope be32           tenant be32, service string be32, nodes be32,
 *                                 first be64, last be64
 *   scopex   tenant be32, hash be64           ids
 *   str      string be32          bytes
 *   strx     hash be64            ids
 *   frame    frame be32           varints: kind 0, function string, file
 *                                 string, line, start line
 *   framex   hash be64            ids
 *   map      reserved for the mappings of native frames
 *   node     scope be32, chunk be32           up to 512 nodes
 *   nodex    scope be32, chain be64           (node be32, check be32), ...
 *   stream   stream be32          scope be32, first be64, last be64, varint n,
 *                                 n ptypes (varint deltas), varint n, n pairs
 *                                 of varint strings: name, value
 *   streamx  tenant be32, hash be64           ids
 *   post     tenant be32, name string be32, value string be32, chunk be16
 *                                 n be16, last stream be32, n varint deltas
 *   ptype    ptype be16           varints: name, sample type, sample unit,
 *                                 period type, period unit (strings), n, n
 *                                 pairs of strings: extra labels
 *   raw      stream be32, time be64, lowest ptype be16, seq be16
 *                                 a push record (storage/record.h)
 *   r5m      stream be32, ptype be16, slot be32
 *                                 what the pushes of five minutes add up to
 *   r1h r1d  the same             of an hour, of a day
 *   tot      stream be32, ptype be16, u8 2, slot of an hour be32
 *                                 time and total of each push
 *            stream be32, ptype be16, u8 3, slot of a day be32
 *                                 totals of the hours
 *   late     stream be32, slot of five minutes be32
 *                                 empty: a push came when it was rolled up
 *
 * A SEALED PARTITION (storage/seal.h) is the same but that
 *
 *   meta     "sources"            be32 each: generations of the files that it
 *                                 is a copy of
 *            "target"             be32: the state that it is to have
 *            "sealing"            be32: streams that have been copied
 *   raw      stream be32, slot of an hour be32
 *                                 the hour (storage/sealed_hour.h)
 *
 * and that scopex, framex, nodex, r5m and late are empty, and strx has only the
 * strings of labels.  Its streams are in the order of their scopes.  A thinned
 * one has no "raw", no totals of single pushes, and, in state "days", no "r1h".
 *
 * "ids" is a list of be32: those of all entries whose content has that hash.  A
 * hash finds, the stored bytes decide; only nodex, where comparing would mean
 * reading a whole stack, trusts a second, independent hash of 32 bits.
 *
 * Nodes: node i (from 1) is entry (i - 1) mod 512 of chunk (i - 1) div 512;
 * an entry is varint(i - parent) and varint(frame).  A parent's id is below its
 * child's.  Nodes are only ever appended, so a prefix of the array stays valid.
 *
 * Chain hash: chain(root) = mix(seed, hash of tenant and service); chain(child)
 * = mix(chain(parent), hash of the frame's strings and lines).
 *
 * first is exact; last is rounded up to the end of its slot of five minutes, so
 * that a stream's entry is not rewritten with each push.
 *
 * Roll-ups: slots are those of storage/level.h, values those of
 * storage/rollup.h.  What is in "late" is to be summed up again, and is read
 * from "raw" until then.
 *
 * Raw: the lowest ptype is in the key because clients send, say, CPU and heap
 * of one interval as two uploads with equal labels and time.  seq is 0, or the
 * next number if that key holds a record of another digest.
 */

#ifndef _PYRO_SCHEMA_H_INCLUDED_
#define _PYRO_SCHEMA_H_INCLUDED_


#include "core/base/bytes.h"
#include "core/base/hash.h"
#include "core/base/slice.h"


#define PYRO_FORMAT             1

#define PYRO_NODES_PER_CHUNK    512
#define PYRO_POSTS_PER_CHUNK    512
#define PYRO_NODES_MAX          (4 * 1024 * 1024)   /* a scope */
#define PYRO_NODES_FULL         (PYRO_NODES_MAX / 16 * 15)  /* but "other" */
#define PYRO_PTYPES_MAX         4096                /* a partition */
#define PYRO_SOURCES_MAX        64      /* files that are sealed in one */
#define PYRO_SEQ_MAX            4096    /* different pushes of one raw key */

#define PYRO_LAST_SLOT          (300 * 1000000000LL)

#define PYRO_CHECKSUM           4
#define PYRO_KEY_MAX            16
#define PYRO_RAW_KEY            16
#define PYRO_POST_KEY           14
#define PYRO_POST_HEADER        6
#define PYRO_IDS_SIZE           20
#define PYRO_PARTITION_SIZE     24
#define PYRO_SCOPE_SIZE         28
#define PYRO_STREAM_HEADER      20
#define PYRO_INFO_HEADER        12
#define PYRO_SETTING_HEADER     8
#define PYRO_SETTING_KEY        (4 + 128)   /* at most */
#define PYRO_FRAME_MAX          (1 + 4 * PYRO_VARINT_MAX)
#define PYRO_FILE_NAME_MAX      64


#define PYRO_PARTITION_DBS(X)                                                 \
    X(META, "meta")        X(TENANT, "tenant")    X(SCOPE, "scope")           \
    X(SCOPEX, "scopex")    X(STR, "str")          X(STRX, "strx")             \
    X(FRAME, "frame")      X(FRAMEX, "framex")    X(MAP, "map")               \
    X(NODE, "node")        X(NODEX, "nodex")      X(STREAM, "stream")         \
    X(STREAMX, "streamx")  X(POST, "post")        X(PTYPE, "ptype")           \
    X(RAW, "raw")          X(R5M, "r5m")          X(R1H, "r1h")               \
    X(R1D, "r1d")          X(TOT, "tot")          X(LATE, "late")


typedef enum {
#define PYRO_DB_ENUM(id, name)  PYRO_DB_##id,
    PYRO_PARTITION_DBS(PYRO_DB_ENUM)
#undef PYRO_DB_ENUM
    PYRO_DB_COUNT
} pyro_db_e;


typedef enum {
    PYRO_STATE_OPEN = 0,
    PYRO_STATE_SEALING,             /* being copied: written elsewhere */
    PYRO_STATE_REMOVED,             /* being unlinked */
    PYRO_STATE_BUILDING,            /* a copy that is not whole yet */
    PYRO_STATE_SEALED,              /* a copy, which is not written any more */
    PYRO_STATE_HOURS,               /* the same, with sums of hours alone */
    PYRO_STATE_DAYS                 /* of days alone */
} pyro_state_e;


/* 1 for what is never written again. */
static inline int
pyro_state_is_sealed(pyro_state_e state)
{
    return state == PYRO_STATE_SEALED || state == PYRO_STATE_HOURS
           || state == PYRO_STATE_DAYS;
}


/* The bytes of a value that are left to read. */
typedef struct {
    const uint8_t  *p;
    const uint8_t  *end;
} pyro_bytes_t;


typedef struct {
    uint64_t        start;          /* seconds */
    uint32_t        length;         /* seconds */
    uint32_t        generation;
    uint64_t        seed;
} pyro_partition_value_t;


/* The last id given of each kind. */
typedef struct {
    uint32_t        string;
    uint32_t        frame;
    uint32_t        scope;
    uint32_t        stream;
    uint32_t        ptype;
} pyro_ids_t;


typedef struct {
    uint32_t        tenant;
    uint32_t        service;        /* string */
    uint32_t        nodes;
    int64_t         first;
    int64_t         last;
} pyro_scope_value_t;


typedef struct {
    uint32_t        function;       /* string */
    uint32_t        file;           /* string */
    uint32_t        line;
    uint32_t        start_line;
} pyro_frame_value_t;


/* ptypes and labels are read with pyro_take_known(): n_ptypes deltas, then
 * n_labels pairs; decoding has checked that they are all there. */
typedef struct {
    uint32_t        scope;
    int64_t         first;
    int64_t         last;
    uint32_t        n_ptypes;
    uint32_t        n_labels;
    pyro_bytes_t    ptypes;
    pyro_bytes_t    labels;
} pyro_stream_value_t;


typedef struct {
    uint32_t        stream;
    int64_t         time;
    uint16_t        ptype;
    uint16_t        seq;
} pyro_raw_key_t;


/* The slices point into the value. */
typedef struct {
    int64_t         time;
    pyro_slice_t    service;
    pyro_slice_t    info;
} pyro_info_value_t;


/* The slice points into the value. */
typedef struct {
    int64_t         modified;       /* ms */
    pyro_slice_t    text;
} pyro_setting_value_t;


/* Names of the databases of a partition, by pyro_db_e. */
extern const char *const  pyro_db_names[PYRO_DB_COUNT];


/* Of a record: its first PYRO_CHECKSUM bytes, over all behind them. */
static inline uint32_t
pyro_checksum(const uint8_t *record, size_t size)
{
    return (uint32_t) pyro_hash64(record + PYRO_CHECKSUM,
                                  size - PYRO_CHECKSUM, 0);
}


static inline pyro_bytes_t
pyro_bytes(const void *data, size_t len)
{
    pyro_bytes_t  in;

    in.p = data;
    in.end = in.p + len;

    return in;
}


/* The next varint; -1: the bytes end, or it is too large. */
static inline int
pyro_take(pyro_bytes_t *in, uint64_t *v)
{
    const uint8_t  *p;

    p = pyro_get_varint(in->p, in->end, v);

    if (p == NULL) {
        return -1;
    }

    in->p = p;

    return 0;
}


static inline int
pyro_take_u32(pyro_bytes_t *in, uint32_t *v)
{
    uint64_t  value;

    if (pyro_take(in, &value) || value > UINT32_MAX) {
        return -1;
    }

    *v = (uint32_t) value;

    return 0;
}


/* The next varint of a value that was checked as a whole. */
static inline uint32_t
pyro_take_known(pyro_bytes_t *in)
{
    uint32_t  v;

    return pyro_take_u32(in, &v) ? 0 : v;
}


/* Keys.  Each returns the key's length, at most PYRO_KEY_MAX. */
size_t pyro_key_id(uint8_t *key, uint32_t id);
size_t pyro_key_ptype(uint8_t *key, uint32_t ptype);
size_t pyro_key_hash(uint8_t *key, uint64_t hash);
size_t pyro_key_pair(uint8_t *key, uint32_t owner, uint64_t hash);
size_t pyro_key_chunk(uint8_t *key, uint32_t scope, uint32_t chunk);
size_t pyro_key_post(uint8_t *key, uint32_t tenant, uint32_t name,
    uint32_t value, uint32_t chunk);
size_t pyro_key_raw(uint8_t *key, const pyro_raw_key_t *raw);
size_t pyro_key_part(uint8_t *key, uint64_t start, uint32_t generation);

/* Values of fixed size: put writes that many bytes, get returns -1 if the
 * value has another size. */
void pyro_ids_put(uint8_t *p, const pyro_ids_t *ids);
int pyro_ids_get(pyro_slice_t in, pyro_ids_t *ids);
void pyro_partition_put(uint8_t *p, const pyro_partition_value_t *v);
int pyro_partition_get(pyro_slice_t in, pyro_partition_value_t *v);
void pyro_scope_put(uint8_t *p, const pyro_scope_value_t *v);
int pyro_scope_get(pyro_slice_t in, pyro_scope_value_t *v);
int pyro_raw_key_get(pyro_slice_t in, pyro_raw_key_t *raw);

/* p has room for PYRO_FRAME_MAX; returns the length. */
size_t pyro_frame_put(uint8_t *p, const pyro_frame_value_t *v);
int pyro_frame_get(pyro_slice_t in, pyro_frame_value_t *v);

/* Room that pyro_stream_put() needs at most. */
size_t pyro_stream_size(uint32_t n_ptypes, uint32_t n_labels);

/* ptypes ascending; strings: n_labels pairs.  Returns the length. */
size_t pyro_stream_put(uint8_t *p, const pyro_stream_value_t *head,
    const uint32_t *ptypes, const uint32_t *strings);
int pyro_stream_get(pyro_slice_t in, pyro_stream_value_t *v);

/* p has room for PYRO_INFO_HEADER and the bytes of both slices. */
void pyro_info_put(uint8_t *p, const pyro_info_value_t *v);
int pyro_info_get(pyro_slice_t in, pyro_info_value_t *v);

/* key has room for PYRO_SETTING_KEY, and the name is no longer than that. */
size_t pyro_key_setting(uint8_t *key, uint32_t tenant, pyro_slice_t name);

/* p has room for PYRO_SETTING_HEADER and the bytes of the text. */
void pyro_setting_put(uint8_t *p, const pyro_setting_value_t *v);
int pyro_setting_get(pyro_slice_t in, pyro_setting_value_t *v);

/* The end of the five-minute slot that time is in. */
int64_t pyro_last_round(int64_t time);

/* The file name of a partition; name has room for PYRO_FILE_NAME_MAX. */
void pyro_partition_name(char *name, uint64_t start, uint32_t length,
    uint32_t generation);


#endif /* _PYRO_SCHEMA_H_INCLUDED_ */
