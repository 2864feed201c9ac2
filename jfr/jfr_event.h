/*
 * The events that become samples, and those that say how: bound to a chunk's
 * metadata by name, read in one pass, everything else skipped by its size.
 *
 * Lives in the chunk's arena; one thread.
 */

#ifndef _PYRO_JFR_EVENT_H_INCLUDED_
#define _PYRO_JFR_EVENT_H_INCLUDED_


#include "jfr/jfr_cpool.h"
#include "jfr/jfr_fact.h"
#include "jfr/jfr_report.h"
#include "jfr/jfr_sample.h"
#include "jfr/jfr_settings.h"


typedef enum {
    PYRO_JFR_EV_NONE = 0,
    PYRO_JFR_EV_EXECUTION,
    PYRO_JFR_EV_WALL_CLOCK,
    PYRO_JFR_EV_CPU_TIME,
    PYRO_JFR_EV_IN_TLAB,
    PYRO_JFR_EV_OUTSIDE_TLAB,
    PYRO_JFR_EV_ALLOC_SAMPLE,
    PYRO_JFR_EV_MONITOR,
    PYRO_JFR_EV_PARK,
    PYRO_JFR_EV_LIVE,
    PYRO_JFR_EV_MALLOC,
    PYRO_JFR_EV_CPU_TIME_LOST,
    PYRO_JFR_EV_DATA_LOSS,
    PYRO_JFR_EV_SETTING,
    PYRO_JFR_EV_FACT,               /* and the facts after it */
    PYRO_JFR_EV_COUNT = PYRO_JFR_EV_FACT + PYRO_JFR_FACT_COUNT
} pyro_jfr_event_e;


#define PYRO_JFR_SMALL_TYPES  256


typedef struct {
    pyro_jfr_metadata_t      *md;
    pyro_jfr_cpool_t         *cpool;
    pyro_jfr_report_t        *report;
    pyro_jfr_samples_t        samples;
    pyro_jfr_facts_t          facts;
    pyro_jfr_plan_t           plans[PYRO_JFR_EV_FACT];
    uint16_t                  small[PYRO_JFR_SMALL_TYPES];  /* class + 1 */
    uint8_t                  *of_class;         /* class to event */
    uint8_t                  *states;           /* of the pool's entries */
    uint32_t                  n_metadata;
    uint32_t                  n_checkpoints;

    pyro_jfr_setting_list_t   settings;         /* clears itself */
} pyro_jfr_events_t;


/*
 * Reads all events of the chunk into samples, facts and settings; counts has
 * room for each class, or is NULL.  PYRO_JFR_MALFORMED: an event's size is
 * wrong, so that nothing behind it can be found.  A bad payload costs that
 * event and is counted.
 */
pyro_jfr_bad_e pyro_jfr_events_read(pyro_jfr_events_t *events,
    pyro_jfr_cpool_t *cpool, pyro_jfr_report_t *report, uint64_t *counts);


#endif /* _PYRO_JFR_EVENT_H_INCLUDED_ */
