/*
 * Selectors by id: spans are 16 hexadecimal digits, traces 32, profiles UUIDs.
 */

#include "core/api/plan_job.h"

#include "core/base/uuid.h"


static pyro_status_e pyro_plan_hex(pyro_planner_t *p, const char *field,
    const char *text, size_t digits, pyro_hash128_t *id);
static int pyro_plan_digit(char c);


pyro_status_e
pyro_plan_spans(pyro_planner_t *p, char **texts, size_t n)
{
    size_t             i;
    pyro_hash128_t     id;
    pyro_status_e      status;
    pyro_plan_pick_t  *pick;

    pick = &p->plan->pick;
    pick->spans = pyro_arena_calloc(p->arena, n, sizeof(uint64_t));

    if (pick->spans == NULL) {
        return pyro_error_memory(p->err);
    }

    for (i = 0; i < n; i++) {
        status = pyro_plan_hex(p, "span_selector", texts[i], 16, &id);

        if (status != PYRO_OK) {
            return status;
        }

        pick->spans[pick->n_spans++] = id.lo;
    }

    return PYRO_OK;
}


pyro_status_e
pyro_plan_traces(pyro_planner_t *p, char **texts, size_t n)
{
    size_t             i;
    pyro_status_e      status;
    pyro_plan_pick_t  *pick;

    pick = &p->plan->pick;
    pick->traces = pyro_arena_calloc(p->arena, n, sizeof(pyro_hash128_t));

    if (pick->traces == NULL) {
        return pyro_error_memory(p->err);
    }

    for (i = 0; i < n; i++) {
        status = pyro_plan_hex(p, "trace_id_selector", texts[i], 32,
                               &pick->traces[i]);

        if (status != PYRO_OK) {
            return status;
        }

        pick->n_traces++;
    }

    return PYRO_OK;
}


pyro_status_e
pyro_plan_profiles(pyro_planner_t *p, char **texts, size_t n)
{
    size_t             i;
    pyro_status_e      status;
    pyro_plan_pick_t  *pick;

    pick = &p->plan->pick;
    pick->profiles = pyro_arena_calloc(p->arena, n, sizeof(pyro_hash128_t));

    if (pick->profiles == NULL) {
        return pyro_error_memory(p->err);
    }

    for (i = 0; i < n; i++) {
        status = pyro_uuid_parse("profile_id_selector",
                                 pyro_slice_str(texts[i]), &pick->profiles[i],
                                 p->err);

        if (status != PYRO_OK) {
            return status;
        }

        pick->n_profiles++;
    }

    return PYRO_OK;
}


static pyro_status_e
pyro_plan_hex(pyro_planner_t *p, const char *field, const char *text,
    size_t digits, pyro_hash128_t *id)
{
    int      digit;
    size_t   i;

    id->lo = 0;
    id->hi = 0;

    for (i = 0; text[i] != '\0' && i <= digits; i++) {
        digit = pyro_plan_digit(text[i]);

        if (digit == -1) {
            break;
        }

        id->hi = id->hi << 4 | id->lo >> 60;
        id->lo = id->lo << 4 | (uint64_t) digit;
    }

    return i == digits && text[i] == '\0' ? PYRO_OK
           : pyro_error_set(p->err, PYRO_INVALID, PYRO_REASON_REQUEST,
                            "%s: \"%.64s\" is not %zu hexadecimal digits",
                            field, text, digits);
}


static int
pyro_plan_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}
