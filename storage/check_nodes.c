/*
 * The trees of stacks, scope by scope: each chunk has its nodes and no more,
 * parents come before children, frames are there, and a stack's hash finds its
 * node.
 */

#include "storage/check.h"

#include "storage/dict.h"
#include "storage/nodes.h"


#define PYRO_CHECK_FRAMES  4096     /* hashes that are remembered */


typedef struct {
    uint32_t             id;
    pyro_chain_t    hash;
} pyro_check_frame_t;


/* A scope's nodes so far. */
typedef struct {
    pyro_check_t        *c;
    uint32_t             scope;
    uint32_t             nodes;
    int                  indexed;   /* "nodex" is there and can be asked */
    uint64_t            *chains;
    uint32_t            *checks;
    pyro_check_frame_t  *frames;    /* by id modulo their number */
    uint64_t             chunks;    /* of all scopes */
    uint64_t             found;     /* in "nodex" */
} pyro_check_tree_t;


static pyro_status_e pyro_check_tree(pyro_check_tree_t *tree,
    const pyro_scope_value_t *scope);
static int pyro_check_tree_begin(pyro_check_tree_t *tree,
    const pyro_scope_value_t *scope, pyro_arena_t *arena);
static int pyro_check_chunk(pyro_check_tree_t *tree, uint32_t first,
    pyro_slice_t value);
static void pyro_check_node(pyro_check_tree_t *tree, uint32_t node,
    uint32_t parent, uint32_t frame);
static int pyro_check_frame_hash(pyro_check_tree_t *tree, uint32_t frame,
    pyro_chain_t *hash);
static int pyro_check_nodex(pyro_check_tree_t *tree, uint32_t node);
static pyro_status_e pyro_check_pointers(pyro_check_tree_t *tree);


pyro_status_e
pyro_check_nodes(pyro_check_t *c)
{
    int                 rc;
    pyro_kv_stat_t      stat;
    pyro_kv_cursor_t   *cursor;
    pyro_slice_t        key, value;
    pyro_status_e       status;
    pyro_check_tree_t   tree;
    pyro_scope_value_t  scope;

    memset(&tree, 0, sizeof(pyro_check_tree_t));

    tree.c = c;
    tree.frames = pyro_arena_calloc(c->arena, PYRO_CHECK_FRAMES,
                                    sizeof(pyro_check_frame_t));

    if (tree.frames == NULL) {
        return pyro_error_memory(&c->err);
    }

    key = pyro_slice(NULL, 0);
    status = pyro_view_cursor(&c->view, PYRO_DB_SCOPE, &cursor);

    if (status != PYRO_OK) {
        return status;
    }

    while ((status = pyro_view_seek(&c->view, cursor, PYRO_KV_NEXT, &key,
                                    &value))
           == PYRO_OK)
    {
        if (key.len != 4 || pyro_scope_get(value, &scope)) {
            continue;
        }

        tree.scope = pyro_get_be32((const uint8_t *) key.data);
        status = pyro_check_tree(&tree, &scope);

        if (status != PYRO_OK) {
            break;
        }
    }

    pyro_kv_cursor_close(cursor);

    rc = pyro_kv_stat(c->view.txn, c->part.dbi[PYRO_DB_NODE], &stat);

    if (rc == 0 && status == PYRO_NOT_FOUND && stat.entries != tree.chunks)
    {
        pyro_check_damage(c, PYRO_DB_NODE, 0, "it has %llu chunks, the scopes "
                          "have %llu", (unsigned long long) stat.entries,
                          (unsigned long long) tree.chunks);
    }

    return status == PYRO_NOT_FOUND ? PYRO_OK : status;
}


static pyro_status_e
pyro_check_tree(pyro_check_tree_t *tree, const pyro_scope_value_t *scope)
{
    size_t          len;
    uint8_t         key[PYRO_KEY_MAX];
    uint32_t        first;
    pyro_slice_t    value;
    pyro_arena_t   *arena;
    pyro_status_e   status;
    pyro_check_t   *c;

    c = tree->c;
    arena = pyro_arena_create(0);

    if (arena == NULL || pyro_check_tree_begin(tree, scope, arena)) {
        pyro_arena_destroy(arena);
        return pyro_error_memory(&c->err);
    }

    status = PYRO_OK;

    for (first = 1; first <= scope->nodes; first += PYRO_NODES_PER_CHUNK) {
        len = pyro_key_chunk(key, tree->scope,
                             (first - 1) / PYRO_NODES_PER_CHUNK);
        status = pyro_view_get(&c->view, PYRO_DB_NODE, key, len, &value);

        if (status == PYRO_NOT_FOUND) {
            pyro_check_damage(c, PYRO_DB_NODE, tree->scope, "scope %u has %u "
                              "nodes, and those from %u on are not there",
                              tree->scope, scope->nodes, first);
            status = PYRO_OK;
            tree->indexed = 0;
            break;
        }

        if (status != PYRO_OK) {
            break;
        }

        tree->chunks++;

        if (pyro_check_chunk(tree, first, value)) {
            pyro_check_damage(c, PYRO_DB_NODE, tree->scope, "the chunk of "
                              "scope %u with node %u cannot be read",
                              tree->scope, first);
            tree->indexed = 0;
        }
    }

    if (status == PYRO_OK && tree->indexed) {
        status = pyro_check_pointers(tree);
    }

    pyro_arena_destroy(arena);

    return status;
}


static int
pyro_check_tree_begin(pyro_check_tree_t *tree, const pyro_scope_value_t *scope,
    pyro_arena_t *arena)
{
    size_t         len;
    uint8_t        key[PYRO_KEY_MAX];
    uint64_t       seed;
    pyro_check_t  *c;
    pyro_slice_t   tenant, service;

    c = tree->c;
    seed = c->part.seed;

    tree->nodes = scope->nodes;
    tree->found = 0;
    tree->chains = pyro_arena_calloc(arena, (size_t) scope->nodes + 1,
                                     sizeof(uint64_t));
    tree->checks = pyro_arena_calloc(arena, (size_t) scope->nodes + 1,
                                     sizeof(uint32_t));

    if (tree->chains == NULL || tree->checks == NULL) {
        return -1;
    }

    len = pyro_key_id(key, scope->tenant);

    tree->indexed = pyro_check_is_indexed(c, PYRO_DB_NODEX)
                    && pyro_check_has(c, PYRO_DB_STR, scope->service)
                    && pyro_view_get(&c->view, PYRO_DB_TENANT, key, len,
                                     &tenant)
                       == PYRO_OK;

    if (tree->indexed) {
        service = pyro_check_text(c, scope->service);
        tree->chains[0] = pyro_hash_mix(seed,
                            pyro_hash_mix(pyro_hash64(tenant.data, tenant.len,
                                                      seed),
                                          pyro_hash64(service.data,
                                                      service.len, seed)));
        tree->checks[0] = (uint32_t) tree->chains[0];
    }

    return 0;
}


/* -1: there are less nodes in it than there should be, or more bytes. */
static int
pyro_check_chunk(pyro_check_tree_t *tree, uint32_t first, pyro_slice_t value)
{
    uint32_t       i, last, distance, frame;
    pyro_bytes_t   in;

    in = pyro_bytes(value.data, value.len);
    last = tree->nodes - first < PYRO_NODES_PER_CHUNK
           ? tree->nodes : first + PYRO_NODES_PER_CHUNK - 1;

    for (i = first; i <= last; i++) {

        if (pyro_take_u32(&in, &distance) || pyro_take_u32(&in, &frame)) {
            return -1;
        }

        if (distance == 0 || distance > i) {
            pyro_check_damage(tree->c, PYRO_DB_NODE, tree->scope, "node %u of "
                              "scope %u has no parent before it", i,
                              tree->scope);
            tree->indexed = 0;
            continue;
        }

        pyro_check_node(tree, i, i - distance, frame);
    }

    return in.p == in.end ? 0 : -1;
}


static void
pyro_check_node(pyro_check_tree_t *tree, uint32_t node, uint32_t parent,
    uint32_t frame)
{
    pyro_chain_t  hash;

    if (!pyro_check_has(tree->c, PYRO_DB_FRAME, frame)) {
        pyro_check_damage(tree->c, PYRO_DB_NODE, tree->scope, "node %u of "
                          "scope %u has frame %u, which is not there", node,
                          tree->scope, frame);
        tree->indexed = 0;
        return;
    }

    if (!tree->indexed) {
        return;
    }

    if (pyro_check_frame_hash(tree, frame, &hash)) {
        tree->indexed = 0;
        return;
    }

    tree->chains[node] = pyro_hash_mix(tree->chains[parent], hash.hash);
    tree->checks[node] = pyro_nodes_check(tree->checks[parent], hash.check);

    if (!pyro_check_nodex(tree, node)) {
        pyro_check_damage(tree->c, PYRO_DB_NODEX, tree->scope, "node %u of "
                          "scope %u is not found by its stack", node,
                          tree->scope);
    }
}


/* -1: it cannot be made, which was reported. */
static int
pyro_check_frame_hash(pyro_check_tree_t *tree, uint32_t frame,
    pyro_chain_t *hash)
{
    pyro_check_t        *c;
    pyro_check_frame_t  *known;
    pyro_frame_value_t   value;

    c = tree->c;
    known = &tree->frames[frame % PYRO_CHECK_FRAMES];

    if (known->id != frame) {

        if (pyro_dict_frame_get(&c->view, frame, &value) != PYRO_OK) {
            return -1;
        }

        known->id = frame;
        known->hash = pyro_nodes_frame_hash(c->part.seed, &value,
                                            pyro_check_text(c, value.function),
                                            pyro_check_text(c, value.file));
    }

    *hash = known->hash;

    return 0;
}


/* 1 if its chain finds the node. */
static int
pyro_check_nodex(pyro_check_tree_t *tree, uint32_t node)
{
    size_t          i, len;
    uint8_t         key[PYRO_KEY_MAX];
    pyro_slice_t    list;
    const uint8_t  *p;

    len = pyro_key_pair(key, tree->scope, tree->chains[node]);

    if (pyro_view_get(&tree->c->view, PYRO_DB_NODEX, key, len, &list)
        != PYRO_OK)
    {
        return 0;
    }

    for (i = 0; i + 8 <= list.len; i += 8) {
        p = (const uint8_t *) list.data + i;

        if (pyro_get_be32(p) == node
            && pyro_get_be32(p + 4) == tree->checks[node])
        {
            tree->found++;
            return 1;
        }
    }

    return 0;
}


/* "nodex" has for the scope what was found, and nothing else. */
static pyro_status_e
pyro_check_pointers(pyro_check_tree_t *tree)
{
    uint8_t            first[PYRO_KEY_MAX];
    uint64_t           n;
    pyro_kv_cursor_t  *cursor;
    pyro_check_t      *c;
    pyro_slice_t       key, list;
    pyro_status_e      status;

    n = 0;
    c = tree->c;
    key = pyro_slice(first, pyro_key_pair(first, tree->scope, 0));
    status = pyro_view_cursor(&c->view, PYRO_DB_NODEX, &cursor);

    if (status != PYRO_OK) {
        return status;
    }

    status = pyro_view_seek(&c->view, cursor, PYRO_KV_SEEK, &key, &list);

    while (status == PYRO_OK && key.len == 12
           && memcmp(key.data, first, 4) == 0)
    {
        n += (list.len + 7) / 8;
        status = pyro_view_seek(&c->view, cursor, PYRO_KV_NEXT, &key, &list);
    }

    pyro_kv_cursor_close(cursor);

    if (n > tree->found) {
        pyro_check_damage(c, PYRO_DB_NODEX, tree->scope, "%llu of its entries "
                          "for scope %u are of no node",
                          (unsigned long long) (n - tree->found),
                          tree->scope);
    }

    return status == PYRO_NOT_FOUND ? PYRO_OK : status;
}
