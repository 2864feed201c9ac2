/*
 * What the tests of settings share: an arena and an error for each test, and
 * an environment without what the shipped file names.
 */

#ifndef _PYRO_SETTINGS_FIXTURE_H_INCLUDED_
#define _PYRO_SETTINGS_FIXTURE_H_INCLUDED_


#include "unit.h"

#include "core/base/arena.h"
#include "core/base/status.h"


#define N(list)     (sizeof(list) / sizeof((list)[0]))
#define TEST(name)  cmocka_unit_test_setup_teardown(name, setup, teardown)


static pyro_error_t   err;
static pyro_arena_t  *arena;


static int
setup(void **state)
{
    (void) state;

    memset(&err, 0, sizeof(err));
    unsetenv("PYROSCOPE_PORT");
    unsetenv("PYROSCOPE_DATA");
    arena = pyro_arena_create(0);

    return arena == NULL;
}


static int
teardown(void **state)
{
    (void) state;

    pyro_arena_destroy(arena);

    return 0;
}


#endif /* _PYRO_SETTINGS_FIXTURE_H_INCLUDED_ */
