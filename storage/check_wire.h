/*
 * What a checking child tells its parent: messages of one size through a pipe.
 *
 * The first PYRO_CHECK_MOST findings of a database are told one by one, the
 * rest is counted.
 */

#ifndef _PYRO_CHECK_WIRE_H_INCLUDED_
#define _PYRO_CHECK_WIRE_H_INCLUDED_


#include "storage/partition.h"


#define PYRO_CHECK_MOST   20
#define PYRO_CHECK_KINDS  32        /* databases, and the file itself */


/* What the catalogue says of a partition. */
typedef struct {
    char                name[PYRO_FILE_NAME_MAX];
    uint64_t            start;
    uint32_t            length;
    uint32_t            generation;
    int                 known;      /* 0: the catalogue cannot be read */
    int                 damaged;    /* the parent's: something was found */
} pyro_check_part_t;


typedef struct {
    uint32_t            tenant;
    uint64_t            hash;       /* of the name, unseeded */
} pyro_check_tenant_t;


typedef enum {
    PYRO_CHECK_DAMAGE = 0,
    PYRO_CHECK_NOTE,
    PYRO_CHECK_AT,                  /* what is read next */
    PYRO_CHECK_PART,
    PYRO_CHECK_TENANT,
    PYRO_CHECK_GONE,                /* the file is not there */
    PYRO_CHECK_REFUSED,             /* the store is another version's */
    PYRO_CHECK_DONE
} pyro_check_kind_e;


typedef struct {
    pyro_check_kind_e   kind;
    uint64_t            id;
    char                what[16];
    union {
        char                   text[PYRO_ERROR_MESSAGE_MAX];
        pyro_check_part_t      part;
        pyro_check_tenant_t    tenant;
        struct {
            uint64_t           pushes;
            uint64_t           rollups;
            uint64_t           more;    /* findings not told */
        } done;
    };
} pyro_check_message_t;


/* The child's end. */
typedef struct {
    int                 fd;
    const char         *kinds[PYRO_CHECK_KINDS];
    uint32_t            told[PYRO_CHECK_KINDS];
    uint64_t            more;
    uint64_t            pushes;
    uint64_t            rollups;
    uint64_t            damages;    /* told or not */
} pyro_check_sink_t;


/* Writing fails only if the parent is gone: the child ends then. */
void pyro_check_send(pyro_check_sink_t *sink,
    const pyro_check_message_t *message);

/* kind: DAMAGE, NOTE, AT, GONE, REFUSED; what: a literal. */
void pyro_check_tell(pyro_check_sink_t *sink, pyro_check_kind_e kind,
    const char *what, uint64_t id, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

void pyro_check_vtell(pyro_check_sink_t *sink, pyro_check_kind_e kind,
    const char *what, uint64_t id, const char *fmt, va_list args);

/* The end of what the child has to say. */
void pyro_check_done(pyro_check_sink_t *sink);


#endif /* _PYRO_CHECK_WIRE_H_INCLUDED_ */
