/*
 * pyro_store_merge(): pairs of push records and roll-ups (storage/plan.h) added
 * into a dense array over the nodes of a scope, then the live nodes, those with
 * a value and their ancestors, joined by function name, or by frame, into the
 * query's tree.
 */

#include "storage/dict.h"
#include "storage/nodes.h"
#include "storage/pick.h"
#include "storage/plan.h"
#include "storage/select.h"
#include "storage/series_index.h"


#define PYRO_MERGE_POLL  1024       /* nodes from poll to poll */


typedef struct {
    pyro_tree_t       *tree;

    uint64_t          *values;      /* by node, 0 between two scopes */
    uint32_t           cap_values;
    uint32_t          *parents;
    uint32_t           cap_parents;
    uint32_t          *frames;
    uint32_t           cap_frames;
    uint32_t          *joined;      /* node of the tree; first: is it live */
    uint32_t           cap_joined;
    uint32_t          *names;       /* by frame: name in the tree, or frame
                                     * there, + 1 */
    uint32_t           cap_names;
    uint32_t           n_names;
    pyro_dict_walk_t   frame;       /* while nodes are joined */
    pyro_dict_walk_t   text;
    pyro_dict_walk_t   file;

    pyro_pick_t       *pick;        /* NULL: everything is meant */
    pyro_plan_read_t   plan;
    uint8_t           *types;       /* by ptype - 1: wanted of this stream */
    uint32_t           cap_types;
    uint32_t           scope;
    uint32_t           n;           /* nodes with the root */
    uint32_t           snapshot;    /* that n is of */
} pyro_merge_t;


static pyro_status_e pyro_merge_partition(pyro_read_t *read, void *ctx);
static pyro_status_e pyro_merge_scope(pyro_read_t *read, pyro_merge_t *m,
    const pyro_selected_t *selected, uint32_t n);
static pyro_status_e pyro_merge_room(pyro_read_t *read, pyro_merge_t *m);
static pyro_status_e pyro_merge_stream(pyro_read_t *read, pyro_merge_t *m,
    const pyro_selected_t *selected);
static void pyro_merge_want(pyro_read_t *read, pyro_merge_t *m,
    const uint32_t *ptypes, uint32_t n);
static pyro_status_e pyro_merge_raw(pyro_read_t *read, pyro_merge_t *m,
    uint32_t stream, int64_t start, int64_t end);
static pyro_status_e pyro_merge_record(pyro_scan_t *scan, pyro_merge_t *m);
static pyro_status_e pyro_merge_picked(pyro_scan_t *scan, pyro_merge_t *m);
static pyro_status_e pyro_merge_rollups(pyro_read_t *read, pyro_merge_t *m,
    uint32_t stream, uint32_t ptype, const pyro_segment_t *segment);
static pyro_status_e pyro_merge_join(pyro_read_t *read, pyro_merge_t *m);
static pyro_status_e pyro_merge_names(pyro_read_t *read, pyro_merge_t *m);
static pyro_status_e pyro_merge_node(pyro_read_t *read, pyro_merge_t *m,
    uint32_t node);
static pyro_status_e pyro_merge_name(pyro_read_t *read, pyro_merge_t *m,
    uint32_t frame, uint32_t *name);
static pyro_status_e pyro_merge_frame(pyro_read_t *read, pyro_merge_t *m,
    const pyro_frame_value_t *value, uint32_t *name);
static pyro_status_e pyro_merge_text(pyro_read_t *read, pyro_merge_t *m,
    pyro_dict_walk_t *walk, uint32_t string, uint32_t *name);


pyro_status_e
pyro_store_merge(pyro_store_t *store, const pyro_store_query_t *query,
    pyro_tree_t *tree, pyro_error_t *err)
{
    pyro_pick_t   pick;
    pyro_merge_t  merge;

    memset(&merge, 0, sizeof(pyro_merge_t));
    merge.tree = tree;

    if (query->pick != NULL) {

        if (pyro_pick_prepare(&pick, query->pick, query->arena)) {
            return pyro_error_memory(err);
        }

        merge.pick = &pick;
    }

    return pyro_read_each(store, query, pyro_merge_partition, &merge, err);
}


static pyro_status_e
pyro_merge_partition(pyro_read_t *read, void *ctx)
{
    uint32_t          i, end, n;
    pyro_merge_t     *m;
    pyro_status_e     status;
    pyro_selected_t  *selected;

    m = ctx;
    m->n_names = 0;
    n = 0;

    status = pyro_plan_begin(read, &m->plan);

    if (status == PYRO_OK && m->pick != NULL
        && pyro_plan_pushes(read, &m->plan))
    {
        return PYRO_OK;
    }

    if (status == PYRO_OK) {
        status = pyro_select(read, &selected, &n);
    }

    if (status == PYRO_OK
        && pyro_arena_grow(read->query->arena, &m->types, &m->cap_types,
                           read->ptypes.n, 1))
    {
        status = pyro_error_memory(read->view.err);
    }

    for (i = 0; i < n && status == PYRO_OK; i = end) {

        for (end = i + 1; end < n; end++) {
            if (selected[end].scope != selected[i].scope) {
                break;
            }
        }

        status = pyro_merge_scope(read, m, &selected[i], end - i);
    }

    return status;
}


static pyro_status_e
pyro_merge_scope(pyro_read_t *read, pyro_merge_t *m,
    const pyro_selected_t *selected, uint32_t n)
{
    uint32_t       i;
    pyro_status_e  status;

    m->scope = selected->scope;
    m->n = 0;

    status = pyro_merge_room(read, m);

    for (i = 0; i < n && status == PYRO_OK; i++) {
        status = pyro_merge_stream(read, m, &selected[i]);
    }

    return status == PYRO_OK ? pyro_merge_join(read, m) : status;
}


/* Room for all nodes that the scope has in the present snapshot. */
static pyro_status_e
pyro_merge_room(pyro_read_t *read, pyro_merge_t *m)
{
    uint32_t             n;
    pyro_status_e        status;
    pyro_scope_value_t   scope;

    status = pyro_scope_read(&read->view, m->scope, &scope);

    if (status != PYRO_OK) {
        return status;
    }

    n = scope.nodes + 1;

    if (pyro_arena_grow(read->query->arena, &m->values, &m->cap_values, n,
                        sizeof(uint64_t)))
    {
        return pyro_error_memory(read->view.err);
    }

    if (n > m->n) {
        memset(m->values + m->n, 0, (size_t) (n - m->n) * sizeof(uint64_t));
        m->n = n;
    }

    m->snapshot = read->snapshot;

    return PYRO_OK;
}


static pyro_status_e
pyro_merge_stream(pyro_read_t *read, pyro_merge_t *m,
    const pyro_selected_t *selected)
{
    uint32_t               i, k;
    pyro_status_e          status;
    const pyro_segment_t  *segment;

    status = pyro_plan_stream(read, &m->plan, selected->stream);

    for (i = 0; i < m->plan.n && status == PYRO_OK; i++) {
        segment = &m->plan.items[i];

        if (segment->level == PYRO_LEVEL_RAW) {
            pyro_merge_want(read, m, selected->ptypes, selected->n);
            status = pyro_merge_raw(read, m, selected->stream, segment->start,
                                    segment->end);
            continue;
        }

        for (k = 0; k < selected->n && status == PYRO_OK; k++) {
            status = pyro_merge_rollups(read, m, selected->stream,
                                        selected->ptypes[k], segment);
        }
    }

    return status;
}


static void
pyro_merge_want(pyro_read_t *read, pyro_merge_t *m, const uint32_t *ptypes,
    uint32_t n)
{
    uint32_t  i;

    memset(m->types, 0, read->ptypes.n);

    for (i = 0; i < n; i++) {
        m->types[ptypes[i] - 1] = 1;
    }
}


static pyro_status_e
pyro_merge_raw(pyro_read_t *read, pyro_merge_t *m, uint32_t stream,
    int64_t start, int64_t end)
{
    pyro_scan_t    scan;
    pyro_status_e  status;

    pyro_scan_start(&scan, read, stream, start, end);

    while ((status = pyro_scan_next(&scan)) == PYRO_OK) {

        if (m->snapshot != read->snapshot) {
            status = pyro_merge_room(read, m);
        }

        if (status == PYRO_OK) {
            status = m->pick == NULL ? pyro_merge_record(&scan, m)
                                     : pyro_merge_picked(&scan, m);
        }

        if (status != PYRO_OK) {
            return status;
        }
    }

    return status == PYRO_NOT_FOUND ? PYRO_OK : status;
}


static pyro_status_e
pyro_merge_record(pyro_scan_t *scan, pyro_merge_t *m)
{
    int                     rc;
    pyro_record_section_t   section;

    while ((rc = pyro_record_next(&scan->record, &section)) == 1) {

        if (section.ptype && section.ptype <= scan->read->ptypes.n
            && m->types[section.ptype - 1]
            && pyro_record_add(&section, m->values, m->n))
        {
            rc = -1;
            break;
        }
    }

    if (rc == -1) {
        scan->read->store->damaged++;
    }

    return PYRO_OK;
}


static pyro_status_e
pyro_merge_picked(pyro_scan_t *scan, pyro_merge_t *m)
{
    pyro_status_e  status;

    if (!pyro_pick_has_profile(m->pick, scan->record.digest, scan->time)) {
        return PYRO_OK;
    }

    if (!pyro_pick_has_spans(m->pick)) {
        return pyro_merge_record(scan, m);
    }

    status = pyro_pick_add(m->pick, &scan->record, m->types,
                           scan->read->ptypes.n, m->values, m->n);

    if (status == PYRO_UNAVAILABLE) {
        return pyro_error_memory(scan->read->view.err);
    }

    if (status != PYRO_OK) {
        scan->read->store->damaged++;
    }

    return PYRO_OK;
}


/* In the place of a damaged one come the push records of its slot. */
static pyro_status_e
pyro_merge_rollups(pyro_read_t *read, pyro_merge_t *m, uint32_t stream,
    uint32_t ptype, const pyro_segment_t *segment)
{
    uint32_t             first, last;
    pyro_status_e        status;
    pyro_rollup_scan_t   scan;

    pyro_rollup_scan_start(&scan, read, segment->level, stream, ptype,
                           segment->from, segment->to);

    while ((status = pyro_rollup_scan_next(&scan)) != PYRO_NOT_FOUND) {

        if (status == PYRO_OK && m->snapshot != read->snapshot) {
            status = pyro_merge_room(read, m);
        }

        if (status == PYRO_OK
            && pyro_record_add(&scan.rollup.section, m->values, m->n))
        {
            read->store->damaged++;

        } else if (status == PYRO_UNPROCESSABLE) {
            first = pyro_slot_first(segment->level, scan.slot);
            last = pyro_slot_last(segment->level, scan.slot);

            pyro_merge_want(read, m, &ptype, 1);
            status = pyro_merge_raw(read, m, stream, pyro_slot_start(first),
                                    pyro_slot_end(last) - 1);
        }

        if (status != PYRO_OK) {
            return status;
        }
    }

    return PYRO_OK;
}


static pyro_status_e
pyro_merge_join(pyro_read_t *read, pyro_merge_t *m)
{
    uint32_t        i;
    pyro_arena_t   *arena;
    pyro_status_e   status;

    arena = read->query->arena;

    if (pyro_arena_grow(arena, &m->parents, &m->cap_parents, m->n,
                        sizeof(uint32_t))
        || pyro_arena_grow(arena, &m->frames, &m->cap_frames, m->n,
                           sizeof(uint32_t))
        || pyro_arena_grow(arena, &m->joined, &m->cap_joined, m->n,
                           sizeof(uint32_t)))
    {
        return pyro_error_memory(read->view.err);
    }

    status = pyro_nodes_load(&read->view, m->scope, m->n - 1, m->parents,
                             m->frames);

    if (status == PYRO_OK) {
        status = pyro_merge_names(read, m);
    }

    if (status != PYRO_OK) {
        return status;
    }

    memset(m->joined, 0, m->n * sizeof(uint32_t));

    for (i = m->n - 1; i > 0; i--) {
        if (m->values[i] || m->joined[i]) {
            m->joined[i] = 1;
            m->joined[m->parents[i]] = 1;
        }
    }

    m->joined[0] = 0;
    pyro_tree_add(m->tree, 0, m->values[0]);

    for (i = 1; i < m->n && status == PYRO_OK; i++) {

        if (i % PYRO_MERGE_POLL == 0) {
            status = pyro_read_poll(read);
        }

        if (status == PYRO_OK && m->joined[i]) {
            status = pyro_merge_node(read, m, i);
        }
    }

    pyro_dict_walk_end(&m->frame);
    pyro_dict_walk_end(&m->text);
    pyro_dict_walk_end(&m->file);

    return status;
}


/* Room to remember the name of each frame that the partition has. */
static pyro_status_e
pyro_merge_names(pyro_read_t *read, pyro_merge_t *m)
{
    uint32_t        n;
    pyro_ids_t      ids;
    pyro_status_e   status;

    status = pyro_view_ids(&read->view, &ids);

    if (status != PYRO_OK) {
        return status;
    }

    n = ids.frame + 1;

    if (pyro_arena_grow(read->query->arena, &m->names, &m->cap_names, n,
                        sizeof(uint32_t)))
    {
        return pyro_error_memory(read->view.err);
    }

    if (n > m->n_names) {
        memset(m->names + m->n_names, 0,
               (size_t) (n - m->n_names) * sizeof(uint32_t));
        m->n_names = n;
    }

    return PYRO_OK;
}


static pyro_status_e
pyro_merge_node(pyro_read_t *read, pyro_merge_t *m, uint32_t node)
{
    uint32_t       name, joined;
    pyro_status_e  status;

    status = pyro_merge_name(read, m, m->frames[node], &name);

    if (status != PYRO_OK) {
        return status;
    }

    joined = pyro_tree_node(m->tree, m->joined[m->parents[node]], name);

    if (joined == PYRO_NONE) {
        return pyro_error_memory(read->view.err);
    }

    m->joined[node] = joined;

    if (m->values[node]) {
        pyro_tree_add(m->tree, joined, m->values[node]);
    }

    return PYRO_OK;
}


static pyro_status_e
pyro_merge_name(pyro_read_t *read, pyro_merge_t *m, uint32_t frame,
    uint32_t *name)
{
    pyro_slice_t         in;
    pyro_status_e        status;
    pyro_frame_value_t   value;

    if (frame >= m->n_names) {
        return pyro_env_damaged(read->view.part->env, "frame", frame,
                                read->view.err);
    }

    if (m->names[frame]) {
        *name = m->names[frame] - 1;
        return PYRO_OK;
    }

    status = pyro_dict_walk(&read->view, PYRO_DB_FRAME, &m->frame,
                            read->snapshot, frame, &in);

    if (status == PYRO_OK && pyro_frame_get(in, &value)) {
        status = pyro_env_damaged(read->view.part->env, "frame", frame,
                                  read->view.err);
    }

    if (status == PYRO_OK) {
        status = m->tree->by_lines
                 ? pyro_merge_frame(read, m, &value, name)
                 : pyro_merge_text(read, m, &m->text, value.function, name);
    }

    if (status == PYRO_OK) {
        m->names[frame] = *name + 1;
    }

    return status;
}


static pyro_status_e
pyro_merge_frame(pyro_read_t *read, pyro_merge_t *m,
    const pyro_frame_value_t *value, uint32_t *name)
{
    pyro_status_e       status;
    pyro_tree_frame_t   frame;

    frame.file = PYRO_NONE;
    frame.line = value->line;
    frame.start_line = value->start_line;

    status = pyro_merge_text(read, m, &m->text, value->function,
                             &frame.function);

    if (status == PYRO_OK && value->file) {
        status = pyro_merge_text(read, m, &m->file, value->file, &frame.file);
    }

    if (status != PYRO_OK) {
        return status;
    }

    *name = pyro_tree_frame(m->tree, &frame);

    return *name == PYRO_NONE ? pyro_error_memory(read->view.err) : PYRO_OK;
}


/* A string of the partition as a name of the tree. */
static pyro_status_e
pyro_merge_text(pyro_read_t *read, pyro_merge_t *m, pyro_dict_walk_t *walk,
    uint32_t string, uint32_t *name)
{
    pyro_slice_t   text;
    pyro_status_e  status;

    text = pyro_slice(NULL, 0);

    if (string) {
        status = pyro_dict_walk(&read->view, PYRO_DB_STR, walk,
                                read->snapshot, string, &text);

        if (status != PYRO_OK) {
            return status;
        }
    }

    *name = pyro_tree_name(m->tree, text);

    return *name == PYRO_NONE ? pyro_error_memory(read->view.err) : PYRO_OK;
}
