#include "core/api/plan_job.h"

#include "core/api/proto/side.pb-c.h"


static pyro_status_e pyro_plan_set(pyro_planner_t *p,
    const Side__V1__SetSettingsRequest *m);
static pyro_status_e pyro_plan_delete(pyro_planner_t *p,
    const Side__V1__DeleteSettingsRequest *m);
static pyro_status_e pyro_plan_health(pyro_planner_t *p,
    const Side__V1__HealthCheckRequest *m);


pyro_status_e
pyro_plan_beside(pyro_planner_t *p, ProtobufCMessage *m)
{
    switch (p->plan->rpc) {

    case PYRO_RPC_SET_SETTINGS:
        return pyro_plan_set(p, (void *) m);

    case PYRO_RPC_DELETE_SETTINGS:
        return pyro_plan_delete(p, (void *) m);

    case PYRO_RPC_HEALTH:
        return pyro_plan_health(p, (void *) m);

    default:
        return PYRO_OK;
    }
}


static pyro_status_e
pyro_plan_set(pyro_planner_t *p, const Side__V1__SetSettingsRequest *m)
{
    if (m->setting == NULL) {
        return pyro_error_set(p->err, PYRO_INVALID, PYRO_REASON_REQUEST,
                              "no setting values provided");
    }

    p->plan->name = pyro_slice_str(m->setting->name);
    p->plan->value = pyro_slice_str(m->setting->value);
    p->plan->modified = m->setting->modifiedat > 0
                        ? m->setting->modifiedat : p->limits->now / 1000000;

    return PYRO_OK;
}


static pyro_status_e
pyro_plan_delete(pyro_planner_t *p, const Side__V1__DeleteSettingsRequest *m)
{
    p->plan->name = pyro_slice_str(m->name);

    return p->plan->name.len ? PYRO_OK
           : pyro_error_set(p->err, PYRO_INVALID, PYRO_REASON_REQUEST,
                            "no setting name provided");
}


/* Of a service that is here, or of the server as a whole, the empty name. */
static pyro_status_e
pyro_plan_health(pyro_planner_t *p, const Side__V1__HealthCheckRequest *m)
{
    size_t  i;

    static const char *const  services[] = {
        "", "querier.v1.QuerierService", "settings.v1.SettingsService",
        "version.v1.Version", "capabilities.v1.FeatureFlagsService",
        "grpc.health.v1.Health"
    };

    for (i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
        if (strcmp(m->service, services[i]) == 0) {
            return PYRO_OK;
        }
    }

    return pyro_error_set(p->err, PYRO_NOT_FOUND, PYRO_REASON_REQUEST,
                          "unknown service: \"%.128s\"", m->service);
}
