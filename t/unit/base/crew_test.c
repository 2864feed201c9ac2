#include "unit.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/crew.h"


typedef struct {
    atomic_int  work;
    char        room[200];
} member_t;


typedef struct {
    pyro_crew_t  *crew;
    size_t        size;
    int           told[2];          /* a byte from each that has joined */
} fixture_t;


static int
setup(void **state)
{
    fixture_t  *f;

    f = calloc(1, sizeof(fixture_t));
    assert_non_null(f);

    f->size = pyro_crew_size(sizeof(member_t));
    f->crew = mmap(NULL, f->size, PROT_READ|PROT_WRITE,
                   MAP_SHARED|MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(f->crew, MAP_FAILED);
    assert_int_equal(pyro_crew_init(f->crew, sizeof(member_t)), 0);
    assert_int_equal(pipe(f->told), 0);

    *state = f;

    return 0;
}


static int
teardown(void **state)
{
    fixture_t  *f;

    f = *state;

    close(f->told[0]);
    close(f->told[1]);
    munmap(f->crew, f->size);
    free(f);

    return 0;
}


static void
add(void *ctx, const void *data)
{
    *(int *) ctx += ((const member_t *) data)->work;
}


static int
sum(fixture_t *f, unsigned members)
{
    int  n;

    n = 0;
    assert_int_equal(pyro_crew_each(f->crew, add, &n), members);

    return n;
}


/* A process that joins with so much work and waits; it has joined. */
static pid_t
member(fixture_t *f, int work)
{
    char       c;
    pid_t      pid;
    member_t  *m;

    pid = fork();
    assert_int_not_equal(pid, -1);

    if (pid == 0) {
        m = pyro_crew_join(f->crew);
        c = m != NULL && m->work == 0 ? 'j' : 'n';

        if (m != NULL) {
            m->work = work;
        }

        (void) !write(f->told[1], &c, 1);

        for ( ;; ) {
            pause();
        }
    }

    assert_int_equal(read(f->told[0], &c, 1), 1);
    assert_int_equal(c, 'j');

    return pid;
}


static void
end(pid_t pid, int signo)
{
    int  status;

    assert_int_equal(kill(pid, signo), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
}


static void
who_dies_counts_no_more(void **state)
{
    pid_t       a, b, c;
    fixture_t  *f;

    f = *state;
    assert_int_equal(sum(f, 0), 0);

    a = member(f, 1);
    b = member(f, 20);
    assert_int_equal(sum(f, 2), 21);

    end(a, SIGKILL);
    assert_int_equal(sum(f, 1), 20);
    assert_int_equal(sum(f, 1), 20);

    /* its slot is taken again, with nothing in it */

    c = member(f, 300);
    assert_int_equal(sum(f, 2), 320);

    end(b, SIGTERM);
    end(c, SIGKILL);
    assert_int_equal(sum(f, 0), 0);
}


static void
a_slot_of_the_dead_is_taken_unseen(void **state)
{
    pid_t       pid;
    fixture_t  *f;

    f = *state;

    end(member(f, 1), SIGKILL);
    pid = member(f, 2);
    assert_int_equal(sum(f, 1), 2);
    end(pid, SIGKILL);
}


/* Threads stand for processes: a slot is a thread's as well. */
static void *
join(void *crew)
{
    return pyro_crew_join(crew);
}


static void
as_many_as_there_are_slots(void **state)
{
    int         i;
    void       *data;
    pthread_t   thread;
    member_t   *m;
    fixture_t  *f;

    f = *state;

    for (i = 0; i < PYRO_CREW_SLOTS; i++) {
        m = pyro_crew_join(f->crew);
        assert_non_null(m);
        assert_int_equal((uintptr_t) m % 64, 0);
        m->work = 1;
    }

    assert_null(pyro_crew_join(f->crew));
    assert_int_equal(pthread_create(&thread, NULL, join, f->crew), 0);
    assert_int_equal(pthread_join(thread, &data), 0);
    assert_null(data);
    assert_int_equal(sum(f, PYRO_CREW_SLOTS), PYRO_CREW_SLOTS);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(who_dies_counts_no_more, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_slot_of_the_dead_is_taken_unseen,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(as_many_as_there_are_slots, setup,
                                        teardown),
    };

    return unit_run(tests);
}
