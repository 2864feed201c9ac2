/*
 * The names that the reader knows: of types, of fields, and the words of the
 * metadata.  Each string of a chunk's metadata is looked up once, so that
 * everything afterwards compares numbers.  Any thread.
 */

#ifndef _PYRO_JFR_WORD_H_INCLUDED_
#define _PYRO_JFR_WORD_H_INCLUDED_


#include "core/base/slice.h"


/* In the order of length, then of bytes: pyro_jfr_word() searches by halves. */

#define PYRO_JFR_WORDS(X)                                                     \
    X(ONE,              "1")                                                  \
    X(ID,               "id")                                                 \
    X(CPU,              "cpu")                                                \
    X(INT,              "int")                                                \
    X(PID,              "pid")                                                \
    X(BYTE,             "byte")                                               \
    X(CHAR,             "char")                                               \
    X(LONG,             "long")                                               \
    X(NAME,             "name")                                               \
    X(SIZE,             "size")                                               \
    X(TRUE,             "true")                                               \
    X(TYPE,             "type")                                               \
    X(CLASS,            "class")                                              \
    X(CORES,            "cores")                                              \
    X(FIELD,            "field")                                              \
    X(FLOAT,            "float")                                              \
    X(SHORT,            "short")                                              \
    X(STATE,            "state")                                              \
    X(VALUE,            "value")                                              \
    X(AMOUNT,           "amount")                                             \
    X(DOUBLE,           "double")                                             \
    X(FAILED,           "failed")                                             \
    X(FRAMES,           "frames")                                             \
    X(METHOD,           "method")                                             \
    X(SPAN_ID,          "spanId")                                             \
    X(STRING_FIELD,     "string")                                             \
    X(WEIGHT,           "weight")                                             \
    X(BOOLEAN,          "boolean")                                            \
    X(JVM_NAME,         "jvmName")                                            \
    X(SAMPLES,          "samples")                                            \
    X(SOCKETS,          "sockets")                                            \
    X(DURATION,         "duration")                                           \
    X(SPAN_NAME,        "spanName")                                           \
    X(TLAB_SIZE,        "tlabSize")                                           \
    X(CONTEXT_ID,       "contextId")                                          \
    X(DIMENSION,        "dimension")                                          \
    X(HW_THREADS,       "hwThreads")                                          \
    X(OS_VERSION,       "osVersion")                                          \
    X(TRACE_ID_HI,      "traceIdHi")                                          \
    X(TRACE_ID_LO,      "traceIdLo")                                          \
    X(TRUNCATED,        "truncated")                                          \
    X(JVM_VERSION,      "jvmVersion")                                         \
    X(LINE_NUMBER,      "lineNumber")                                         \
    X(STACK_TRACE,      "stackTrace")                                         \
    X(DESCRIPTION,      "description")                                        \
    X(LOST_SAMPLES,     "lostSamples")                                        \
    X(CONSTANT_POOL,    "constantPool")                                       \
    X(JDK_DATA_LOSS,    "jdk.DataLoss")                                       \
    X(JVM_ARGUMENTS,    "jvmArguments")                                       \
    X(JVM_START_TIME,   "jvmStartTime")                                       \
    X(JAVA_ARGUMENTS,   "javaArguments")                                      \
    X(ALLOCATION_SIZE,  "allocationSize")                                     \
    X(JDK_THREAD_PARK,  "jdk.ThreadPark")                                     \
    X(SAMPLING_PERIOD,  "samplingPeriod")                                     \
    X(JAVA_LANG_CLASS,  "java.lang.Class")                                    \
    X(PROFILER_MALLOC,  "profiler.Malloc")                                    \
    X(JAVA_LANG_STRING, "java.lang.String")                                   \
    X(JDK_TYPES_METHOD, "jdk.types.Method")                                   \
    X(JDK_TYPES_SYMBOL, "jdk.types.Symbol")                                   \
    X(JDK_ACTIVE_SETTING, "jdk.ActiveSetting")                                \
    X(JDK_CPU_TIME_SAMPLE, "jdk.CPUTimeSample")                               \
    X(JDK_OS_INFORMATION, "jdk.OSInformation")                                \
    X(JDK_CPU_INFORMATION, "jdk.CPUInformation")                              \
    X(JDK_JVM_INFORMATION, "jdk.JVMInformation")                              \
    X(JDK_ACTIVE_RECORDING, "jdk.ActiveRecording")                            \
    X(JDK_EXECUTION_SAMPLE, "jdk.ExecutionSample")                            \
    X(PROFILER_LIVE_OBJECT, "profiler.LiveObject")                            \
    X(JDK_JAVA_MONITOR_ENTER, "jdk.JavaMonitorEnter")                         \
    X(JDK_TYPES_STACK_FRAME, "jdk.types.StackFrame")                          \
    X(JDK_TYPES_STACK_TRACE, "jdk.types.StackTrace")                          \
    X(JDK_TYPES_THREAD_STATE, "jdk.types.ThreadState")                        \
    X(JDK_CPU_TIME_SAMPLES_LOST, "jdk.CPUTimeSamplesLost")                    \
    X(PROFILER_WALL_CLOCK_SAMPLE, "profiler.WallClockSample")                 \
    X(JDK_OBJECT_ALLOCATION_SAMPLE, "jdk.ObjectAllocationSample")             \
    X(JDK_OBJECT_ALLOCATION_IN_NEW_TLAB, "jdk.ObjectAllocationInNewTLAB")     \
    X(JDK_OBJECT_ALLOCATION_OUTSIDE_TLAB, "jdk.ObjectAllocationOutsideTLAB")


#define PYRO_JFR_MAX_WORD  31           /* bytes of the longest */


typedef enum {
    PYRO_JFR_WORD_NONE = 0,
#define PYRO_JFR_WORD_ENUM(id, text)  PYRO_JFR_WORD_##id,
    PYRO_JFR_WORDS(PYRO_JFR_WORD_ENUM)
#undef PYRO_JFR_WORD_ENUM
    PYRO_JFR_WORD_COUNT
} pyro_jfr_word_e;


/* PYRO_JFR_WORD_NONE: not one of them. */
pyro_jfr_word_e pyro_jfr_word(pyro_slice_t text);

/*
 * The same for a chunk of version 1, where JDK 9 and 10 call jdk.X
 * com.oracle.jdk.X, and jdk.types.X com.oracle.jfr.types.X.
 */
pyro_jfr_word_e pyro_jfr_word_v1(pyro_slice_t text);

/* The word's text, empty for NONE. */
pyro_slice_t pyro_jfr_word_text(pyro_jfr_word_e word);


#endif /* _PYRO_JFR_WORD_H_INCLUDED_ */
