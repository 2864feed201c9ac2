#include "core/settings/yaml.h"

#include <stdio.h>

#include <yaml.h>

#include "core/base/utf8.h"


typedef struct {
    pyro_arena_t      *arena;
    pyro_error_t      *err;
    const char        *file;
    pyro_slice_t       input;
    pyro_yaml_node_t  *root;
    pyro_yaml_node_t  *open;        /* the map or list being filled */
    pyro_slice_t       key;         /* read, its value is still to come */
    uint32_t           key_line;
    uint32_t           nodes;
    uint32_t           depth;
    uint32_t           documents;
} pyro_yaml_reader_t;


static pyro_status_e pyro_yaml_check(pyro_yaml_reader_t *reader);
static uint32_t pyro_yaml_line(pyro_slice_t text, size_t offset);
static pyro_status_e pyro_yaml_run(pyro_yaml_reader_t *reader,
    yaml_parser_t *parser);
static pyro_status_e pyro_yaml_syntax(pyro_yaml_reader_t *reader,
    yaml_parser_t *parser);
static pyro_status_e pyro_yaml_event(pyro_yaml_reader_t *reader,
    yaml_event_t *event);
static pyro_status_e pyro_yaml_open(pyro_yaml_reader_t *reader,
    pyro_yaml_type_e type, const yaml_char_t *tag, uint32_t line);
static pyro_status_e pyro_yaml_scalar(pyro_yaml_reader_t *reader,
    yaml_event_t *event, uint32_t line);
static pyro_status_e pyro_yaml_key(pyro_yaml_reader_t *reader, pyro_slice_t key,
    uint32_t line);
static pyro_status_e pyro_yaml_add(pyro_yaml_reader_t *reader,
    pyro_yaml_type_e type, uint32_t line, pyro_yaml_node_t **node);
static void pyro_yaml_link(pyro_yaml_reader_t *reader,
    pyro_yaml_node_t *node);
static pyro_status_e pyro_yaml_error(pyro_yaml_reader_t *reader, uint32_t line,
    const char *text);


pyro_status_e
pyro_yaml_parse(pyro_arena_t *arena, const char *file, pyro_slice_t text,
    pyro_yaml_node_t **root, pyro_error_t *err)
{
    pyro_status_e       rc;
    yaml_parser_t       parser;
    pyro_yaml_node_t   *node;
    pyro_yaml_reader_t  reader;

    memset(&reader, 0, sizeof(pyro_yaml_reader_t));

    reader.arena = arena;
    reader.err = err;
    reader.file = file;
    reader.input = text;

    rc = pyro_yaml_check(&reader);

    if (rc != PYRO_OK) {
        return rc;
    }

    if (!yaml_parser_initialize(&parser)) {
        return pyro_error_memory(err);
    }

    yaml_parser_set_input_string(&parser, (const unsigned char *) text.data,
                                 text.len);

    rc = pyro_yaml_run(&reader, &parser);
    yaml_parser_delete(&parser);

    if (rc == PYRO_OK && reader.root == NULL) {
        rc = pyro_yaml_add(&reader, PYRO_YAML_SCALAR, 1, &node);

        if (rc == PYRO_OK) {
            node->plain = 1;
        }
    }

    *root = reader.root;

    return rc;
}


/* libyaml would take UTF-16 as well, which no editor should give us */

static pyro_status_e
pyro_yaml_check(pyro_yaml_reader_t *reader)
{
    size_t        n, pos;
    pyro_slice_t  text;

    text = reader->input;

    if (text.len > PYRO_YAML_SIZE_MAX) {
        return pyro_error_set(reader->err, PYRO_INVALID, PYRO_REASON_UNKNOWN,
                              "%s: has more than %d bytes", reader->file,
                              PYRO_YAML_SIZE_MAX);
    }

    if (pyro_utf8_valid(text.data, text.len)) {
        return PYRO_OK;
    }

    for (pos = 0; pos < text.len; pos += n) {
        n = pyro_utf8_char(text.data + pos, text.len - pos);

        if (n == 0) {
            break;
        }
    }

    return pyro_yaml_error(reader, pyro_yaml_line(text, pos),
                           "is not UTF-8 text");
}


static uint32_t
pyro_yaml_line(pyro_slice_t text, size_t offset)
{
    size_t    i;
    uint32_t  line;

    line = 1;

    for (i = 0; i < offset && i < text.len; i++) {
        line += text.data[i] == '\n';
    }

    return line;
}


static pyro_status_e
pyro_yaml_run(pyro_yaml_reader_t *reader, yaml_parser_t *parser)
{
    int            done;
    yaml_event_t   event;
    pyro_status_e  rc;

    do {
        if (!yaml_parser_parse(parser, &event)) {
            return pyro_yaml_syntax(reader, parser);
        }

        done = event.type == YAML_STREAM_END_EVENT;
        rc = pyro_yaml_event(reader, &event);

        yaml_event_delete(&event);

    } while (rc == PYRO_OK && !done);

    return rc;
}


static pyro_status_e
pyro_yaml_syntax(pyro_yaml_reader_t *reader, yaml_parser_t *parser)
{
    uint32_t     line;
    const char  *text;

    if (parser->error == YAML_MEMORY_ERROR) {
        return pyro_error_memory(reader->err);
    }

    /* errors of libyaml's byte reader have an offset only */

    line = parser->error == YAML_READER_ERROR
           ? pyro_yaml_line(reader->input, parser->problem_offset)
           : (uint32_t) parser->problem_mark.line + 1;

    text = parser->problem != NULL ? parser->problem : "unreadable";

    return pyro_error_set(reader->err, PYRO_INVALID, PYRO_REASON_UNKNOWN,
                          "%s:%u: is not YAML: %s", reader->file, line, text);
}


static pyro_status_e
pyro_yaml_event(pyro_yaml_reader_t *reader, yaml_event_t *event)
{
    uint32_t  line;

    line = (uint32_t) event->start_mark.line + 1;

    switch (event->type) {

    case YAML_DOCUMENT_START_EVENT:
        if (reader->documents++) {
            return pyro_yaml_error(reader, line,
                                   "a second document; one is allowed");
        }

        return PYRO_OK;

    case YAML_ALIAS_EVENT:
        return pyro_yaml_error(reader, line,
                               "aliases are not allowed; write the value out");

    case YAML_SCALAR_EVENT:
        return pyro_yaml_scalar(reader, event, line);

    case YAML_SEQUENCE_START_EVENT:
        return pyro_yaml_open(reader, PYRO_YAML_LIST,
                              event->data.sequence_start.tag, line);

    case YAML_MAPPING_START_EVENT:
        return pyro_yaml_open(reader, PYRO_YAML_MAP,
                              event->data.mapping_start.tag, line);

    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        reader->open = reader->open->parent;
        reader->depth--;
        return PYRO_OK;

    default:
        return PYRO_OK;
    }
}


static pyro_status_e
pyro_yaml_open(pyro_yaml_reader_t *reader, pyro_yaml_type_e type,
    const yaml_char_t *tag, uint32_t line)
{
    pyro_status_e      rc;
    pyro_yaml_node_t  *node;

    if (tag != NULL) {
        return pyro_yaml_error(reader, line, "tags are not allowed");
    }

    if (reader->depth == PYRO_YAML_DEPTH_MAX) {
        return pyro_error_set(reader->err, PYRO_INVALID, PYRO_REASON_UNKNOWN,
                              "%s:%u: maps and lists nested deeper than %d",
                              reader->file, line, PYRO_YAML_DEPTH_MAX);
    }

    rc = pyro_yaml_add(reader, type, line, &node);

    if (rc == PYRO_OK) {
        reader->open = node;
        reader->depth++;
    }

    return rc;
}


static pyro_status_e
pyro_yaml_scalar(pyro_yaml_reader_t *reader, yaml_event_t *event, uint32_t line)
{
    pyro_slice_t       text;
    pyro_status_e      rc;
    pyro_yaml_node_t  *node, *open;

    if (event->data.scalar.tag != NULL) {
        return pyro_yaml_error(reader, line, "tags are not allowed");
    }

    text = pyro_arena_dup(reader->arena, pyro_slice(event->data.scalar.value,
                                                   event->data.scalar.length));

    if (text.data == NULL) {
        return pyro_error_memory(reader->err);
    }

    open = reader->open;

    if (open != NULL && open->type == PYRO_YAML_MAP
        && reader->key.data == NULL)
    {
        return pyro_yaml_key(reader, text, line);
    }

    rc = pyro_yaml_add(reader, PYRO_YAML_SCALAR, line, &node);

    if (rc == PYRO_OK) {
        node->text = text;
        node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    }

    return rc;
}


static pyro_status_e
pyro_yaml_key(pyro_yaml_reader_t *reader, pyro_slice_t key, uint32_t line)
{
    pyro_yaml_node_t  *node;

    if (key.len == 0) {
        return pyro_yaml_error(reader, line, "an empty key");
    }

    if (key.len > PYRO_YAML_KEY_MAX) {
        return pyro_error_set(reader->err, PYRO_INVALID, PYRO_REASON_UNKNOWN,
                              "%s:%u: %.32s...: a key of %zu bytes; allowed "
                              "are %d", reader->file, line, key.data, key.len,
                              PYRO_YAML_KEY_MAX);
    }

    for (node = reader->open->first; node != NULL; node = node->next) {

        if (pyro_slice_eq(node->key, key)) {
            return pyro_error_set(reader->err, PYRO_INVALID,
                                  PYRO_REASON_UNKNOWN,
                                  "%s:%u: %.*s: is there twice, first on line "
                                  "%u", reader->file, line,
                                  PYRO_SLICE_ARG(key), node->line);
        }
    }

    reader->key = key;
    reader->key_line = line;

    return PYRO_OK;
}


static pyro_status_e
pyro_yaml_add(pyro_yaml_reader_t *reader, pyro_yaml_type_e type, uint32_t line,
    pyro_yaml_node_t **out)
{
    pyro_yaml_node_t  *node, *open;

    open = reader->open;

    if (open != NULL && open->type == PYRO_YAML_MAP
        && reader->key.data == NULL)
    {
        return pyro_yaml_error(reader, line, "a key must be a text");
    }

    if (reader->nodes++ == PYRO_YAML_NODES_MAX) {
        return pyro_error_set(reader->err, PYRO_INVALID, PYRO_REASON_UNKNOWN,
                              "%s:%u: more than %d values", reader->file, line,
                              PYRO_YAML_NODES_MAX);
    }

    node = pyro_arena_calloc(reader->arena, 1, sizeof(pyro_yaml_node_t));

    if (node == NULL) {
        return pyro_error_memory(reader->err);
    }

    node->type = (uint8_t) type;
    node->line = line;
    *out = node;

    pyro_yaml_link(reader, node);

    return PYRO_OK;
}


static void
pyro_yaml_link(pyro_yaml_reader_t *reader, pyro_yaml_node_t *node)
{
    pyro_yaml_node_t  *open;

    open = reader->open;
    node->parent = open;

    if (open == NULL) {
        reader->root = node;
        return;
    }

    if (open->type == PYRO_YAML_MAP) {
        node->key = reader->key;
        node->line = reader->key_line;
        reader->key = pyro_slice(NULL, 0);
    }

    node->index = open->n++;

    if (open->last != NULL) {
        open->last->next = node;

    } else {
        open->first = node;
    }

    open->last = node;
}


static pyro_status_e
pyro_yaml_error(pyro_yaml_reader_t *reader, uint32_t line, const char *text)
{
    return pyro_error_set(reader->err, PYRO_INVALID, PYRO_REASON_UNKNOWN,
                          "%s:%u: %s", reader->file, line, text);
}


int
pyro_yaml_is_null(pyro_slice_t text, int plain)
{
    return plain && (text.len == 0 || pyro_slice_is(text, "~")
                     || pyro_slice_is(text, "null")
                     || pyro_slice_is(text, "Null")
                     || pyro_slice_is(text, "NULL"));
}


int
pyro_yaml_is_blank(const pyro_yaml_node_t *top)
{
    const pyro_yaml_node_t  *node;

    for (node = top; ; node = node->next) {

        while (node->first != NULL) {

            if (node->type == PYRO_YAML_LIST) {
                return 0;
            }

            node = node->first;
        }

        if (node->type == PYRO_YAML_SCALAR && node->text.len
            && !pyro_yaml_is_null(node->text, node->plain))
        {
            return 0;
        }

        while (node != top && node->next == NULL) {
            node = node->parent;
        }

        if (node == top) {
            return 1;
        }
    }
}


void
pyro_yaml_path(const pyro_yaml_node_t *node, char *path)
{
    char                    *p, *end;
    uint32_t                 n;
    const pyro_yaml_node_t  *up[PYRO_YAML_DEPTH_MAX];

    for (n = 0; node->parent != NULL && n < PYRO_YAML_DEPTH_MAX; n++) {
        up[n] = node;
        node = node->parent;
    }

    p = path;
    end = path + PYRO_YAML_PATH_MAX;
    *p = '\0';

    while (n--) {

        if (up[n]->parent->type == PYRO_YAML_LIST) {
            p += snprintf(p, (size_t) (end - p), "[%u]", up[n]->index);

        } else {
            p += snprintf(p, (size_t) (end - p), "%s%.*s",
                          p == path ? "" : ".", PYRO_SLICE_ARG(up[n]->key));
        }
    }
}
