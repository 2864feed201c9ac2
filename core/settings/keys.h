/*
 * The one table of the keys of pyroscope-config.yml that mean something here:
 * where a value goes, its default and its range, or why it is refused.
 *
 * Constant data, any thread.  Numbers are in the unit of the struct's field
 * (settings.h): bytes, seconds, milliseconds, a count.
 */

#ifndef _PYRO_KEYS_H_INCLUDED_
#define _PYRO_KEYS_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>


typedef enum {
    PYRO_KEY_TEXT = 0,      /* min and max are its length */
    PYRO_KEY_WORD,          /* one of words, stored as its position */
    PYRO_KEY_COUNT,
    PYRO_KEY_NUMBER,        /* with a fraction; stored as so many units */
    PYRO_KEY_SIZE,
    PYRO_KEY_SHARE,         /* a size, or a percentage as minus its number */
    PYRO_KEY_DURATION,
    PYRO_KEY_BOOL,
    PYRO_KEY_TENANTS,       /* a map of tenants: overrides.c */
    PYRO_KEY_BLANK          /* a list or map that must be empty: see why */
} pyro_key_type_e;


typedef enum {
    PYRO_KEY_STORE = 0,
    PYRO_KEY_SHORTEST       /* the field keeps the least value but 0 */
} pyro_key_action_e;


typedef struct {
    const char         *path;
    uint8_t             type;       /* pyro_key_type_e */
    uint8_t             action;     /* pyro_key_action_e */
    uint8_t             zero;       /* 0 is allowed whatever min is */
    uint8_t             zero_max;   /* 0 is allowed and stands for max */
    uint16_t            offset;     /* of the field in pyro_settings_t */
    uint16_t            size;       /* of the field; 0: there is none */
    uint16_t            given;      /* offset of a uint8_t that becomes 1 where
                                       the file has the key; 0: there is none */
    int64_t             unit;       /* of a duration, in ns; of a number */
    int64_t             step;       /* a value is a multiple of it; 0: any */
    int64_t             min;
    int64_t             max;
    int64_t             def;
    const char         *text;       /* the default of PYRO_KEY_TEXT */
    const char         *zero_word;  /* may be written for 0; or NULL */
    const char *const  *words;      /* of PYRO_KEY_WORD, NULL at the end */
    const char         *why;        /* said with a refusal; or NULL */
} pyro_key_t;


extern const pyro_key_t  pyro_keys[];
extern const size_t      pyro_keys_count;


/* NULL if there is none. */
const pyro_key_t *pyro_key_find(const char *path);


#endif /* _PYRO_KEYS_H_INCLUDED_ */
