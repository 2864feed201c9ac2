/*
 * What every unit test includes: cmocka with TAP output.  A test program is
 * one topic; t/001-unit.t runs them all.
 */

#ifndef _PYRO_UNIT_H_INCLUDED_
#define _PYRO_UNIT_H_INCLUDED_


#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>


/* The body of main(): unit_run(tests), an array of struct CMUnitTest. */
#define unit_run(tests)                                                       \
    (cmocka_set_message_output(CM_OUTPUT_TAP),                                \
     cmocka_run_group_tests(tests, NULL, NULL))


#endif /* _PYRO_UNIT_H_INCLUDED_ */
