#include "unit.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/rate.h"


#define SEC  PYRO_NS_PER_SEC
#define NOW  (1000 * SEC)


static pyro_rates_t *
rates_create(void)
{
    pyro_rates_t  *rates;

    rates = mmap(NULL, sizeof(pyro_rates_t), PROT_READ|PROT_WRITE,
                 MAP_SHARED|MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(rates, MAP_FAILED);

    return rates;
}


static int64_t
take(pyro_rates_t *rates, uint64_t owner, uint64_t n, int64_t now)
{
    return pyro_rate_take(rates, owner, PYRO_RATE_BYTES, n, 100, 200, now);
}


static void
a_bucket_fills_by_the_rate(void **state)
{
    pyro_rates_t  *rates;

    (void) state;

    rates = rates_create();

    /* full at first; what is refused takes nothing */

    assert_int_equal(take(rates, 7, 201, NOW), INT64_MAX);
    assert_int_equal(take(rates, 7, 150, NOW), 0);
    assert_int_equal(take(rates, 7, 150, NOW), SEC);
    assert_int_equal(take(rates, 7, 150, NOW), SEC);
    assert_int_equal(take(rates, 7, 50, NOW), 0);
    assert_int_equal(take(rates, 7, 1, NOW), SEC / 100);

    assert_int_equal(take(rates, 7, 1, NOW + SEC / 100 - 1), 1);
    assert_int_equal(take(rates, 7, 1, NOW + SEC / 100), 0);

    /* never above the burst, however long nothing came */

    assert_int_equal(take(rates, 7, 200, NOW + 1000 * SEC), 0);
    assert_int_equal(take(rates, 7, 1, NOW + 1000 * SEC), SEC / 100);

    /* another owner, another kind, and no rate */

    assert_int_equal(take(rates, 8, 200, NOW), 0);
    assert_int_equal(pyro_rate_take(rates, 7, PYRO_RATE_PUSHES, 2, 1, 2,
                                    NOW + 1000 * SEC), 0);
    assert_int_equal(pyro_rate_take(rates, 7, PYRO_RATE_PUSHES, 1, 1, 2,
                                    NOW + 1000 * SEC), SEC);
    assert_int_equal(pyro_rate_take(rates, 7, PYRO_RATE_PUSHES, 1, 0, 0,
                                    NOW), 0);

    munmap(rates, sizeof(pyro_rates_t));
}


/* What was taken under another limit, before a reload, is not owed longer than
 * the bucket of today takes to fill. */
static void
another_rate(void **state)
{
    pyro_rates_t  *rates;

    (void) state;

    rates = rates_create();

    assert_int_equal(pyro_rate_take(rates, 7, PYRO_RATE_BYTES, 100000, 1,
                                    100000, NOW), 0);
    assert_int_equal(take(rates, 7, 100, NOW), SEC);
    assert_int_equal(take(rates, 7, 100, NOW + SEC), 0);
    assert_int_equal(take(rates, 7, 100, NOW + SEC), SEC);

    munmap(rates, sizeof(pyro_rates_t));
}


static void
large_numbers(void **state)
{
    pyro_rates_t  *rates;

    (void) state;

    rates = rates_create();

    assert_int_equal(pyro_rate_take(rates, 0, PYRO_RATE_BYTES, UINT64_MAX,
                                    UINT64_MAX, UINT64_MAX, NOW), 0);
    assert_int_equal(pyro_rate_take(rates, 0, PYRO_RATE_BYTES, UINT64_MAX,
                                    UINT64_MAX, UINT64_MAX, NOW), SEC);
    assert_int_equal(pyro_rate_take(rates, 3, PYRO_RATE_BYTES, UINT64_MAX, 1,
                                    UINT64_MAX, NOW), 0);
    assert_true(pyro_rate_take(rates, 3, PYRO_RATE_BYTES, UINT64_MAX, 1,
                               UINT64_MAX, NOW) > 0);

    munmap(rates, sizeof(pyro_rates_t));
}


/* Owners whose buckets are full again give their place away. */
static void
places_are_used_again(void **state)
{
    uint64_t       i;
    pyro_rates_t  *rates;

    (void) state;

    rates = rates_create();

    for (i = 1; i <= 4 * PYRO_RATE_SLOTS; i++) {
        assert_int_equal(take(rates, i, 200, NOW + (int64_t) i * 2 * SEC), 0);
        assert_true(take(rates, i, 1, NOW + (int64_t) i * 2 * SEC) > 0);
    }

    /* with all of them in debt one more has no bucket */

    for (i = 0; i < PYRO_RATE_SLOTS; i++) {
        rates->slots[i].owner = 100000 + i;
        rates->slots[i].due[PYRO_RATE_PUSHES] = INT64_MAX;
    }

    assert_int_equal(take(rates, 1, 200, NOW), 0);
    assert_int_equal(take(rates, 1, 200, NOW), 0);

    munmap(rates, sizeof(pyro_rates_t));
}


/* Four processes take one by one what is there: none twice, none lost. */
static void
processes_share_a_bucket(void **state)
{
    int            i, status;
    pid_t          pids[4];
    unsigned       k, taken;
    pyro_rates_t  *rates;

    (void) state;

    rates = rates_create();
    taken = 0;

    for (i = 0; i < 4; i++) {
        pids[i] = fork();
        assert_true(pids[i] >= 0);

        if (pids[i] == 0) {
            for (k = 0; k < 100; k++) {
                taken += take(rates, 9, 1, NOW) == 0;
            }

            _exit((int) taken);
        }
    }

    for (i = 0; i < 4; i++) {
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_true(WIFEXITED(status));
        taken += (unsigned) WEXITSTATUS(status);
    }

    assert_int_equal(taken, 200);

    munmap(rates, sizeof(pyro_rates_t));
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(a_bucket_fills_by_the_rate),
        cmocka_unit_test(another_rate),
        cmocka_unit_test(large_numbers),
        cmocka_unit_test(places_are_used_again),
        cmocka_unit_test(processes_share_a_bucket),
    };

    return unit_run(tests);
}
