#include "unit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/tally.h"


#define PROCESSES  4
#define NAMES      700
#define ROUNDS     20


static int
setup(void **state)
{
    pyro_tally_t  *tally;

    tally = mmap(NULL, sizeof(pyro_tally_t), PROT_READ|PROT_WRITE,
                 MAP_SHARED|MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(tally, MAP_FAILED);
    assert_int_equal(pyro_tally_init(tally), 0);

    *state = tally;

    return 0;
}


static int
teardown(void **state)
{
    munmap(*state, sizeof(pyro_tally_t));

    return 0;
}


static void
add(pyro_tally_t *tally, const char *tenant, pyro_slice_t name, uint64_t n)
{
    uint64_t  sums[PYRO_TALLY_SUMS] = { 1, n, 10 * n };

    pyro_tally_add(tally, pyro_slice_str(tenant), name, sums, (int64_t) n);
}


static void
row_is(const pyro_tally_row_t *row, const char *tenant, const char *name,
    uint64_t pushes, uint64_t bytes, int64_t last)
{
    assert_int_equal(row->tenant_len, strlen(tenant));
    assert_memory_equal(row->tenant, tenant, strlen(tenant));
    assert_int_equal(row->name_len, strlen(name));
    assert_memory_equal(row->name, name, strlen(name));
    assert_int_equal(row->sums[PYRO_TALLY_PUSHES], pushes);
    assert_int_equal(row->sums[PYRO_TALLY_BYTES], bytes);
    assert_int_equal(row->sums[PYRO_TALLY_SAMPLES], 10 * bytes);
    assert_int_equal(row->last, last);
}


static void
a_row_each(void **state)
{
    pyro_tally_t  *tally;

    tally = *state;

    add(tally, "t", PYRO_SLICE("shop"), 5);
    add(tally, "t", PYRO_SLICE("cart"), 7);
    add(tally, "u", PYRO_SLICE("shop"), 1);
    add(tally, "t", PYRO_SLICE("shop"), 6);
    add(tally, "t", PYRO_SLICE(""), 2);

    assert_int_equal(pyro_tally_rows(tally), 4);
    row_is(&tally->rows[0], "t", "shop", 2, 11, 6);
    row_is(&tally->rows[1], "t", "cart", 1, 7, 7);
    row_is(&tally->rows[2], "u", "shop", 1, 1, 1);
    row_is(&tally->rows[3], "t", "", 1, 2, 2);
    row_is(&tally->rest, "", "", 0, 0, 0);
}


/* What looks the same is the same. */
static void
names_can_be_shown(void **state)
{
    char           longest[PYRO_TALLY_NAME + 1];
    pyro_tally_t  *tally;

    tally = *state;
    memset(longest, 'x', sizeof(longest));

    add(tally, "t", PYRO_SLICE("a\nb"), 1);
    add(tally, "t", PYRO_SLICE("a\xff" "b"), 2);
    add(tally, "t", PYRO_SLICE("a?b"), 3);
    add(tally, "t", PYRO_SLICE("\xc3\xa4\"\\"), 4);
    add(tally, "t", pyro_slice(longest, sizeof(longest) - 1), 5);
    add(tally, "t", pyro_slice(longest, sizeof(longest)), 6);

    assert_int_equal(pyro_tally_rows(tally), 3);
    row_is(&tally->rows[0], "t", "a?b", 3, 6, 3);
    row_is(&tally->rows[1], "t", "\xc3\xa4\"\\", 1, 4, 4);
    assert_int_equal(tally->rows[2].name_len, PYRO_TALLY_NAME);
    row_is(&tally->rest, "", "", 1, 6, 6);
}


/* Each process takes all names, in an order of its own. */
static void
push_all(pyro_tally_t *tally, int process)
{
    int   i, round;
    char  name[16];

    for (round = 0; round < ROUNDS; round++) {
        for (i = 0; i < NAMES; i++) {
            snprintf(name, sizeof(name), "s%d",
                     (i * 11 + process * 101) % NAMES);
            add(tally, "t", pyro_slice_str(name), 1);
        }
    }
}


static void
many_names_of_many_processes(void **state)
{
    int            i, j, status;
    pid_t          pids[PROCESSES];
    uint64_t       all;
    pyro_tally_t  *tally;

    tally = *state;

    for (i = 0; i < PROCESSES; i++) {
        pids[i] = fork();
        assert_int_not_equal(pids[i], -1);

        if (pids[i] == 0) {
            push_all(tally, i);
            _exit(0);
        }
    }

    for (i = 0; i < PROCESSES; i++) {
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }

    assert_int_equal(pyro_tally_rows(tally), PYRO_TALLY_ROWS);
    all = tally->rest.sums[PYRO_TALLY_PUSHES];
    assert_int_not_equal(all, 0);

    for (i = 0; i < PYRO_TALLY_ROWS; i++) {
        all += tally->rows[i].sums[PYRO_TALLY_PUSHES];
        assert_in_range(tally->rows[i].sums[PYRO_TALLY_PUSHES], 1,
                        PROCESSES * ROUNDS);

        for (j = 0; j < i; j++) {
            assert_false(tally->rows[i].name_len == tally->rows[j].name_len
                         && memcmp(tally->rows[i].name, tally->rows[j].name,
                                   tally->rows[i].name_len) == 0);
        }
    }

    assert_int_equal(all, PROCESSES * ROUNDS * NAMES);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(a_row_each, setup, teardown),
        cmocka_unit_test_setup_teardown(names_can_be_shown, setup, teardown),
        cmocka_unit_test_setup_teardown(many_names_of_many_processes, setup,
                                        teardown),
    };

    return unit_run(tests);
}
