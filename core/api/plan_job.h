/*
 * A request that is being decoded: what plan_rpc.c reads from its message, and
 * plan.c checks and puts into the plan.
 */

#ifndef _PYRO_PLAN_JOB_H_INCLUDED_
#define _PYRO_PLAN_JOB_H_INCLUDED_


#include "core/api/plan.h"


#define PYRO_PLAN_MAX_MS  (INT64_MAX / 1000000)


/* Fields that several requests have. */
typedef struct {
    int64_t       start;            /* ms */
    int64_t       end;              /* ms */
    const char   *type;             /* profile_typeID, or NULL */
    char        **matchers;
    size_t        n_matchers;
} pyro_plan_common_t;


typedef struct {
    pyro_arena_t                   *arena;
    pyro_plan_t                    *plan;
    pyro_error_t                   *err;
    const pyro_querier_limits_t    *limits;
    pyro_plan_common_t              common;
} pyro_planner_t;


/* ---- plan.c ---- */

/*
 * What is common: the range, from milliseconds, then the selectors with the
 * profile type.
 */
pyro_status_e pyro_plan_range(pyro_planner_t *p);
pyro_status_e pyro_plan_selectors(pyro_planner_t *p);

/* max_nodes of a request, 0 if there is none: unlimited, or the default. */
pyro_status_e pyro_plan_max_nodes(pyro_planner_t *p, int64_t n, int limited);

/* A step in seconds to series->step in ms. */
pyro_status_e pyro_plan_step(pyro_planner_t *p, double seconds);

/* NULL: no memory.  The strings are the message's. */
pyro_slice_t *pyro_plan_names(pyro_planner_t *p, char **names, size_t n);

pyro_status_e pyro_plan_not_supported(pyro_planner_t *p, const char *field,
    const char *hint);


/* ---- plan_pick.c ---- */

/* Hexadecimal digits, 16 or 32 of them, and UUIDs. */
pyro_status_e pyro_plan_spans(pyro_planner_t *p, char **texts, size_t n);
pyro_status_e pyro_plan_traces(pyro_planner_t *p, char **texts, size_t n);
pyro_status_e pyro_plan_profiles(pyro_planner_t *p, char **texts, size_t n);


/* ---- plan_rpc.c ---- */

extern const ProtobufCMessageDescriptor
    *const pyro_plan_messages[PYRO_RPC_COUNT];
extern const char *const pyro_plan_names_of_rpcs[PYRO_RPC_COUNT];

/* All of a plan but plan->rpc from its message. */
pyro_status_e pyro_plan_message(pyro_planner_t *p, ProtobufCMessage *m);


/* ---- plan_side.c ---- */

/* The same of the services beside querier.v1. */
pyro_status_e pyro_plan_beside(pyro_planner_t *p, ProtobufCMessage *m);


#endif /* _PYRO_PLAN_JOB_H_INCLUDED_ */
