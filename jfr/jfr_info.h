/*
 * What a recording says of itself: the JVM, the machine, the profiler and its
 * settings.  Kept per service for whoever wonders what runs there.
 *
 * Sources: jdk.JVMInformation, jdk.OSInformation, jdk.CPUInformation,
 * jdk.ActiveRecording (the first that says it counts, async-profiler's before
 * all others), jdk.ActiveSetting (the last counts).  Texts are valid UTF-8
 * without control characters, cut at their limits, and live in the profile's
 * arena.  Values of JVM arguments that look like secrets are replaced by "***";
 * of the program's arguments only the main class is kept.  One thread.
 */

#ifndef _PYRO_JFR_INFO_H_INCLUDED_
#define _PYRO_JFR_INFO_H_INCLUDED_


#include "core/base/arena.h"
#include "core/base/rope.h"


#define PYRO_JFR_INFO_TEXT      512     /* bytes of a text */
#define PYRO_JFR_INFO_LONG      4096    /* bytes of JVM arguments */
#define PYRO_JFR_INFO_VALUE     128     /* bytes of a setting's value */
#define PYRO_JFR_INFO_SETTINGS  64


/* "interval", or with the event it belongs to: "jdk.ExecutionSample#period". */
typedef struct {
    pyro_slice_t              name;
    pyro_slice_t              value;
    size_t                    room;             /* bytes that value has */
} pyro_jfr_info_setting_t;


/* Empty texts and zeros are not known. */
typedef struct {
    pyro_slice_t              jvm_name;
    pyro_slice_t              jvm_version;
    pyro_slice_t              jvm_arguments;
    pyro_slice_t              main_class;
    int64_t                   jvm_started;      /* ms since the epoch */
    int64_t                   pid;
    pyro_slice_t              os;
    pyro_slice_t              cpu;
    int64_t                   sockets;
    int64_t                   cores;
    int64_t                   threads;
    pyro_slice_t              recorder;         /* "async-profiler 4.5.0.0" */
    int64_t                   start;            /* ns since the epoch */
    int64_t                   duration;         /* ns, of all chunks */
    pyro_jfr_info_setting_t  *settings;         /* in order of appearance */
    uint32_t                  n_settings;
} pyro_jfr_info_t;


/* What the server knows beside it. */
typedef struct {
    pyro_slice_t              service;
    pyro_slice_t              spy;              /* spyName */
    pyro_slice_t              agent_version;    /* label otel.scope.version */
    int64_t                   time;             /* ns: the push's "from" */
} pyro_jfr_seen_t;


/*
 * Puts a copy of text that may be shown into *to, over what was there if that
 * has *room for it: valid UTF-8, no control characters, at most max bytes (the
 * same max each time).  -1: no memory.
 */
int pyro_jfr_info_set(pyro_arena_t *arena, pyro_slice_t *to, size_t *room,
    pyro_slice_t text, size_t max);


#endif /* _PYRO_JFR_INFO_H_INCLUDED_ */
