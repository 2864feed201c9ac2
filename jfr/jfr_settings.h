/*
 * What the settings of a recording say: jdk.ActiveSetting events, of which the
 * last of a name counts, in whatever chunk.
 *
 * The period of CPU and wall samples, in ns, comes from the first of these that
 * is there: async-profiler's interval, where it contradicts the request's
 * sample rate or there is no rate; the rate; the period of the JDK's
 * jdk.ExecutionSample; 100 Hz.
 *
 * One thread.
 */

#ifndef _PYRO_JFR_SETTINGS_H_INCLUDED_
#define _PYRO_JFR_SETTINGS_H_INCLUDED_


#include "core/base/slice.h"


#define PYRO_JFR_MAX_EVENT  512     /* bytes of an event, zero included */


typedef struct {
    char     event[PYRO_JFR_MAX_EVENT];     /* empty: none, or null */
    char     engine[PYRO_JFR_MAX_EVENT];
    int64_t  interval;                      /* ns, 0: none */
    int64_t  period;                        /* ns, 0: none */
} pyro_jfr_settings_t;


/*
 * Takes one setting; a null value is empty.  of_sample is set for those of
 * jdk.ExecutionSample.
 */
void pyro_jfr_setting(pyro_jfr_settings_t *settings, pyro_slice_t name,
    pyro_slice_t value, int of_sample);

/* ns that one sample stands for; sample_rate in Hz, unusable if not above 0. */
int64_t pyro_jfr_period(const pyro_jfr_settings_t *settings,
    int64_t sample_rate);

/* 1 if the event is wall: execution samples are wall time too. */
int pyro_jfr_is_wall(const pyro_jfr_settings_t *settings);

/* The label jfr_engine, empty for none. */
pyro_slice_t pyro_jfr_engine(const pyro_jfr_settings_t *settings);


#endif /* _PYRO_JFR_SETTINGS_H_INCLUDED_ */
