/*
 * What the settings of a recording say: jdk.ActiveSetting events, of which the
 * last of a name and an event counts, in whatever chunk.
 *
 * The period of CPU and wall samples, in ns, comes from the first of these that
 * is there: async-profiler's interval, where it contradicts the request's
 * sample rate or there is no rate; the rate; the period of the JDK's
 * jdk.ExecutionSample; 100 Hz.
 *
 * Lives in the profile's arena; one thread.
 */

#ifndef _PYRO_JFR_SETTINGS_H_INCLUDED_
#define _PYRO_JFR_SETTINGS_H_INCLUDED_


#include "jfr/jfr_info.h"


#define PYRO_JFR_MAX_EVENT      512     /* bytes of an event, zero included */
#define PYRO_JFR_MAX_SETTINGS   64      /* a chunk's that are kept */
#define PYRO_JFR_SETTING_SLOTS  128     /* a power of two above that */


/* The settings that decide what samples are. */
typedef enum {
    PYRO_JFR_SETTING_EVENT,
    PYRO_JFR_SETTING_ENGINE,
    PYRO_JFR_SETTING_INTERVAL,
    PYRO_JFR_SETTING_PERIOD,            /* of jdk.ExecutionSample */
    PYRO_JFR_SETTING_COUNT
} pyro_jfr_setting_e;


/* A setting as its event has it: the chunk's bytes; a null value is empty. */
typedef struct {
    pyro_slice_t          type;     /* of the event it is for; may be empty */
    pyro_slice_t          name;
    pyro_slice_t          value;
} pyro_jfr_setting_t;


/* Those of a chunk: what decides, and what is kept as facts. */
typedef struct {
    uint64_t              seed;
    uint32_t              n;
    uint32_t              given;        /* a bit for each of decisive */
    pyro_slice_t          decisive[PYRO_JFR_SETTING_COUNT];
    pyro_jfr_setting_t    items[PYRO_JFR_MAX_SETTINGS];
    uint8_t               slots[PYRO_JFR_SETTING_SLOTS];
} pyro_jfr_setting_list_t;


typedef struct {
    char                  event[PYRO_JFR_MAX_EVENT];    /* empty: none, null */
    char                  engine[PYRO_JFR_MAX_EVENT];
    int64_t               interval;     /* ns, 0: none */
    int64_t               period;       /* ns, 0: none */
} pyro_jfr_settings_t;


void pyro_jfr_setting_list_init(pyro_jfr_setting_list_t *list);

/*
 * Takes one setting.  Facts are those that have a value; of the JDK's, which
 * repeat for each of its events, only those of events with a type given, that
 * is of those that become samples.
 */
void pyro_jfr_setting_list_add(pyro_jfr_setting_list_t *list,
    const pyro_jfr_setting_t *setting);

/* Takes over what decides. */
void pyro_jfr_settings_take(pyro_jfr_settings_t *settings,
    const pyro_jfr_setting_list_t *list);

/* Adds the list to the facts.  -1: no memory. */
int pyro_jfr_settings_keep(pyro_jfr_info_t *info, pyro_arena_t *arena,
    const pyro_jfr_setting_list_t *list);

/* ns that one sample stands for; sample_rate in Hz, unusable if not above 0. */
int64_t pyro_jfr_period(const pyro_jfr_settings_t *settings,
    int64_t sample_rate);

/* 1 if the event is wall: execution samples are wall time too. */
int pyro_jfr_is_wall(const pyro_jfr_settings_t *settings);

/* The label jfr_engine, empty for none. */
pyro_slice_t pyro_jfr_engine(const pyro_jfr_settings_t *settings);


#endif /* _PYRO_JFR_SETTINGS_H_INCLUDED_ */
