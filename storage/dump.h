/*
 * The dump: pushes outside of a store, for another one or this one again.
 *
 *   header        "pyroscope-store dump 1\n"
 *   blocks        each: u8 kind, be32 length of the body, the body, be32 low
 *                 half of XXH3-64 (seed 0) over kind, length and body
 *
 * Numbers and varints are as in storage/schema.h.  Kinds:
 *
 *   S  scope      the tenant's name; forgets everything that D has defined
 *   D  defined    five lists, each a varint n and n entries, which are numbered
 *                 on from those of the D blocks before:
 *                   strings, from 1 (0 is the empty one): varint length, bytes
 *                   frames, from 0: varints function, file (strings), line,
 *                     start line
 *                   nodes, from 1 (0 is the root): varint number less the
 *                     parent's, varint frame
 *                   types, from 0: varint name, sample type, sample unit,
 *                     period type, period unit (strings), n, n pairs of
 *                     strings: extra labels
 *                   label sets, from 0: varint n, n pairs of strings
 *   P  push       be64 time (ns), varint duration (ms), be64 × 2 digest (high
 *                 half first), varint label set;
 *                 varint n, n spans: be64 id, be64 × 2 trace id (0: none);
 *                 varint n, n sections: varint type, varint m, m samples,
 *                 ascending by node, then span: varint node less the one
 *                 before, varint span (from 1, 0: none), varint value
 *   E  end        varint number of P blocks; nothing follows
 *
 * Labels and digest are those of the stored record, so that a store that has it
 * knows it again.  A dump without E was cut off.
 *
 * Writing and reading know no LMDB.  One thread.  Memory: what one scope has
 * defined and one block.
 */

#ifndef _PYRO_DUMP_H_INCLUDED_
#define _PYRO_DUMP_H_INCLUDED_


#include "core/model/profile.h"


#define PYRO_DUMP_HEADER     "pyroscope-store dump 1\n"
#define PYRO_DUMP_BLOCK_MAX  (256 * 1024 * 1024)
#define PYRO_DUMP_FRAME      9      /* bytes of a block around its body */


/* ---- writing ---- */

/* -1: errno says why. */
typedef int (*pyro_dump_write_pt)(void *ctx, const void *data, size_t len);


/* A growing range of bytes, of malloc. */
typedef struct {
    uint8_t                *data;
    size_t                  len;
    size_t                  cap;
} pyro_dump_bytes_t;


enum {
    PYRO_DUMP_STRINGS = 0,
    PYRO_DUMP_FRAMES,
    PYRO_DUMP_NODES,
    PYRO_DUMP_TYPES,
    PYRO_DUMP_LABELS,
    PYRO_DUMP_LISTS
};


typedef struct {
    pyro_dump_write_pt      write;
    void                   *ctx;
    pyro_arena_t           *arena;      /* of the scope */
    pyro_intern_t           strings;
    pyro_dump_bytes_t       lists[PYRO_DUMP_LISTS];     /* not written yet */
    uint32_t                waiting[PYRO_DUMP_LISTS];
    uint32_t                given[PYRO_DUMP_LISTS];     /* numbers, in all */
    pyro_dump_bytes_t       block;
    uint64_t                pushes;
    int                     failed;     /* no memory, or errno */
} pyro_dump_writer_t;


typedef struct {
    int64_t                 time;       /* ns */
    uint64_t                duration;   /* ms */
    pyro_hash128_t          digest;
    uint32_t                labels;
    const pyro_span_t      *spans;      /* number i + 1 is spans[i] */
    uint32_t                n_spans;
    const pyro_section_t   *sections;   /* type and samples; nodes and types by
                                         * number in the dump */
    uint32_t                n_sections;
} pyro_dump_record_t;


/*
 * All of these do nothing after a failure; pyro_dump_end() tells.  Numbers are
 * returned.
 */
void pyro_dump_begin(pyro_dump_writer_t *w, pyro_dump_write_pt write,
    void *ctx);
void pyro_dump_scope(pyro_dump_writer_t *w, pyro_slice_t tenant);
uint32_t pyro_dump_string(pyro_dump_writer_t *w, pyro_slice_t s);
uint32_t pyro_dump_frame(pyro_dump_writer_t *w, pyro_slice_t function,
    pyro_slice_t file, uint32_t line, uint32_t start_line);
uint32_t pyro_dump_node(pyro_dump_writer_t *w, uint32_t parent,
    uint32_t frame);
uint32_t pyro_dump_type(pyro_dump_writer_t *w,
    const pyro_profile_column_t *column);
uint32_t pyro_dump_labels(pyro_dump_writer_t *w, const pyro_labels_t *labels);
void pyro_dump_push(pyro_dump_writer_t *w, const pyro_dump_record_t *record);

/* The end block, if nothing failed, and the writer's memory. */
pyro_status_e pyro_dump_end(pyro_dump_writer_t *w, pyro_error_t *err);


/* ---- reading ---- */

/* Up to n bytes, 0 at the end; -1: errno says why. */
typedef ssize_t (*pyro_dump_read_pt)(void *ctx, void *data, size_t n);


typedef struct {
    uint32_t                parent;
    uint32_t                frame;
    uint32_t                push;       /* whose profile has it as node */
    uint32_t                node;
} pyro_dump_node_t;


typedef struct {
    pyro_dump_read_pt       read;
    void                   *ctx;
    uint64_t                offset;     /* of the block */
    uint64_t                next;       /* behind it */
    pyro_dump_bytes_t       block;
    int                     started;
    int                     ended;
    uint32_t                pushes;

    pyro_arena_t           *arena;      /* of the scope; NULL: none yet */
    pyro_slice_t            tenant;
    pyro_slice_t           *strings;    /* by number */
    uint32_t                n_strings;
    uint32_t                cap_strings;
    pyro_frame_t           *frames;
    uint32_t                n_frames;
    uint32_t                cap_frames;
    pyro_dump_node_t       *nodes;
    uint32_t                n_nodes;
    uint32_t                cap_nodes;
    pyro_profile_column_t  *types;
    uint32_t                n_types;
    uint32_t                cap_types;
    pyro_labels_t          *labels;
    uint32_t                n_labels;
    uint32_t                cap_labels;
    uint32_t               *path;       /* room for a stack */
    uint32_t                cap_path;
} pyro_dump_reader_t;


/* In the arena that was given. */
typedef struct {
    pyro_slice_t            tenant;
    pyro_profile_t         *profile;    /* finished; one label set */
    int64_t                 time;       /* ns */
    int64_t                 duration;   /* ns */
} pyro_dump_push_t;


void pyro_dump_reader_init(pyro_dump_reader_t *r, pyro_dump_read_pt read,
    void *ctx);
void pyro_dump_reader_free(pyro_dump_reader_t *r);

/*
 * The next push.  PYRO_NOT_FOUND: that was all.  PYRO_UNPROCESSABLE: no dump, a
 * damaged one, or one cut off, with the offset in err and in its message.
 */
pyro_status_e pyro_dump_next(pyro_dump_reader_t *r, pyro_arena_t *arena,
    pyro_dump_push_t *push, pyro_error_t *err);

/* Room for n more bytes; -1: no memory. */
int pyro_dump_bytes_grow(pyro_dump_bytes_t *bytes, size_t n);


#endif /* _PYRO_DUMP_H_INCLUDED_ */
