#!/usr/bin/perl

# Old data goes: by age and by size, whole partitions, and their room on the
# disk is free again though nobody asks the workers anything.  It does not go by
# a clock that somebody has set.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use PyroJfr;
use PyroTest;
use PyroTest::Util;
use Test::More;

my $bytes = PyroJfr::bytes('new_spancontext');
my $day = 86400;
my $now = time;

# what is of today stays so: just before midnight it is of tomorrow, which is
# near enough for pushes

my $left = $day - $now % $day;
$now += $left if $left < 500;

my $ago = $now % $day < 90 ? 0 : 60;

my $removed = 'ngx_pyroscope_removed_partitions_total';

# a copy that sealing makes would be one file more for a moment

my $open = "lmdb:\n  seal_after: off\n";
my $t = PyroTest->new(workers => 2, more_yaml => $open)->start;

sub pushed {
    my ($what, $time) = @_;

    my $r = $t->push_jfr(\$bytes, name => 'shop', from => $time,
                         until => $time + 10);
    is $r->{status}, 200, "$what: pushed" or diag $r->{body};
}

# Some minutes before, so that a day is over before midnight as well.
sub pushed_of {
    pushed("$_ days ago", $now - ($_ ? $_ * $day + 600 : $ago)) for @_;
}

sub files { my @files = glob $t->data . '/p-*.mdb'; return scalar @files }

sub total {
    my ($from, $until) = @_;

    return PyroJfr::total($t, name => 'shop', start => $from * 1000,
                          end => $until * 1000);
}

# removed files that some process of the server has open still
sub held {
    return grep { (readlink $_ // '') =~ m{/p-[^/]*\.mdb(?:-lock)? \(deleted\)} }
           map { glob "/proc/$_/fd/*" } $t->pid, $t->worker_pids;
}

pushed_of(0, 3, 5, 9);
is files(), 4, 'four partitions';
my $all = total(0, $now);
ok $all > 0, 'with data';

# both workers have all of them open now, as likely as not

total(0, $now) for 1 .. 20;

$t->{more_yaml} = "${open}compactor:\n  retention_period: 4d\n";
$t->write_config;
$t->reload;

ok wait_for(sub { files() == 2 }, undef, 'two partitions less'), 'by age';
ok wait_for(sub { $t->metric($removed) == 2 }, undef, 'the count'), 'counted';
is total(0, $now - 4 * $day), 0, 'nothing is older';
is total(0, $now), $all / 2, 'the rest is there';

my $r = $t->push_jfr(\$bytes, name => 'shop', from => $now - 6 * $day,
                     until => $now - 6 * $day + 10);
is $r->{status}, 422, 'a push that is too old for the retention period';
like $r->{json}{message}, qr/retention/, 'names it';
is files(), 2, 'and makes no partition';

ok wait_for(sub { !held() }, 60, 'no removed file is open'),
   'the room on the disk is free';

$t->{more_yaml} = "$open  max_disk_size: 1\n";
$t->write_config;
$t->reload;

ok wait_for(sub { files() == 1 }, undef, 'one partition'),
   'by size: all but the one of today';
is total(0, $now), $all / 4, 'which is there';
pushed('now', $now - $ago / 2);
is $t->metric('ngx_pyroscope_upkeep_failures_total'), 0, 'no failures';

is $t->stop, 0, 'the end';
$t->log_ok;


# ---- a clock that is set ----------------------------------------------------

# A library between the server and its clock: "+3600" in a file sets it an hour
# ahead.  The name is compiled in, since nginx empties its environment.
my $SHIM = <<'END';
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static time_t
shift(void)
{
    long   seconds;
    FILE  *f;

    seconds = 0;
    f = fopen(SHIFT, "r");

    if (f != NULL) {
        if (fscanf(f, "%ld", &seconds) != 1) {
            seconds = 0;
        }

        fclose(f);
    }

    return seconds;
}

int
clock_gettime(clockid_t id, struct timespec *ts)
{
    int  rc;

    rc = (int) syscall(SYS_clock_gettime, id, ts);

    if (rc == 0 && id == CLOCK_REALTIME) {
        ts->tv_sec += shift();
    }

    return rc;
}

int
gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
    struct timespec  ts;

    (void) tz;

    if (clock_gettime(CLOCK_REALTIME, &ts) != 0) {
        return -1;
    }

    tv->tv_sec = ts.tv_sec;
    tv->tv_usec = ts.tv_nsec / 1000;

    return 0;
}
END

SKIP: {
    skip 'a sanitizer wants to be the first library', 1
        if $ENV{TEST_NGINX_LD_PRELOAD};

    $t = PyroTest->new(workers => 2,
                       more_yaml => "${open}compactor:\n"
                                    . "  retention_period: 20d\n");

    my $dir = $t->dir;
    my $shift = "$dir/shift";

    write_file("$dir/shim.c", $SHIM);
    system('gcc', '-shared', '-fPIC', "-DSHIFT=\"$shift\"", '-o',
           "$dir/shim.so", "$dir/shim.c") == 0 or die "gcc: $?\n";

    $t->{env}{LD_PRELOAD} = "$dir/shim.so";
    $t->start;

    pushed_of(0, 1, 9);
    is files(), 3, 'three partitions';
    $all = total(0, $now);

    # the upkeep has seen the right clock
    wait_for(sub { $t->metric('ngx_pyroscope_rollup_slots_total') > 0 },
             undef, 'the upkeep');

    write_file("$shift.new", 10 * 365 * $day);
    rename "$shift.new", $shift;

    my $steps = 'ngx_pyroscope_clock_steps_total';

    ok wait_for(sub { $t->metric($steps) == 1 }, undef, 'the step'),
       'ten years ahead';
    ok wait_for(sub {
        $t->error_log
        =~ /the clock is 3153\d+ seconds ahead of the time that/
    }, undef, 'the message'), 'the log says it';
    is files(), 3, 'nothing goes';
    is total(0, $now), $all, 'all is there';

    # another upkeep process, and another server
    $t->reload;
    is $t->stop, 0, 'a stop';
    $t->start;
    ok wait_for(sub { $t->metric($steps) == 1 }, undef, 'the step'),
       'the store remembers what the time was';
    is files(), 3, 'nothing goes';

    unlink $shift;
    ok wait_for(sub { $t->error_log =~ /are removed by the clock again/ },
                undef, 'the end of it'), 'and back';
    pushed('now', $now - $ago / 2);
    is files(), 3, 'nothing has gone';
    is $t->metric($removed), 0, 'nothing at all';

    $t->reload(more_yaml => "${open}compactor:\n  retention_period: 5d\n");
    ok wait_for(sub { files() == 2 }, undef, 'a partition less'),
       'what is due goes';
    is $t->stop, 0, 'the end';
    $t->log_ok;
}

done_testing;
