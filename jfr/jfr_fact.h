/*
 * The events by which a recording speaks of itself: bound to a chunk's metadata
 * by name, remembered as positions while the events are read, decoded once at
 * the chunk's end (jfr_info.h).
 *
 * Lives in the chunk's arena; one thread.
 */

#ifndef _PYRO_JFR_FACT_H_INCLUDED_
#define _PYRO_JFR_FACT_H_INCLUDED_


#include "jfr/jfr_cpool.h"
#include "jfr/jfr_report.h"


typedef enum {
    PYRO_JFR_FACT_JVM = 0,
    PYRO_JFR_FACT_OS,
    PYRO_JFR_FACT_CPU,
    PYRO_JFR_FACT_RECORDING,
    PYRO_JFR_FACT_COUNT
} pyro_jfr_fact_e;


#define PYRO_JFR_FACT_SLOTS  6


typedef struct {
    int              found;
    uint64_t         slots[PYRO_JFR_FACT_SLOTS];
} pyro_jfr_fact_t;


typedef struct {
    pyro_jfr_plan_t  plans[PYRO_JFR_FACT_COUNT];
    pyro_jfr_fact_t  facts[PYRO_JFR_FACT_COUNT];
} pyro_jfr_facts_t;


/* The name of the event's type. */
pyro_jfr_word_e pyro_jfr_fact_type(pyro_jfr_fact_e fact);

/* -1: no memory. */
int pyro_jfr_fact_bind(pyro_jfr_facts_t *facts, pyro_jfr_fact_e fact,
    pyro_jfr_metadata_t *md, uint32_t class);

/* Takes an event's payload, the first of its type. */
void pyro_jfr_fact_read(pyro_jfr_facts_t *facts, pyro_jfr_fact_e fact,
    pyro_jfr_metadata_t *md, pyro_jfr_reader_t *r);

/* Adds what is new to info, whose texts live in arena.  -1: no memory. */
int pyro_jfr_facts_end(pyro_jfr_facts_t *facts, pyro_jfr_cpool_t *cpool,
    pyro_arena_t *arena, pyro_jfr_info_t *info);


#endif /* _PYRO_JFR_FACT_H_INCLUDED_ */
