#!/usr/bin/perl

# The store's upkeep: roll-ups are built by a process of its own, answers are
# the same with them and without, and it survives what kills it.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use PyroJfr;
use PyroTest;
use PyroTest::Util;
use Test::More;

my $HOURS = 30;
my $from = PyroJfr::FROM;
my $bytes = PyroJfr::bytes('new_spancontext');
my $killed = qr/cache manager process \d+ exited on signal 9/;

# sealed, a late push would go to a file beside the one that is rolled up

my $t = PyroTest->new(workers => 2,
                      more_yaml => "lmdb:\n  seal_after: off\n")->start;

sub pushed {
    my ($what, $time, %opt) = @_;

    my $r = $t->push_jfr(\$bytes, name => 'shop', from => $time,
                         until => $time + 10, %opt);
    is $r->{status}, 200, "$what: pushed" or diag $r->{body};
}

# Everything that may be read another way now.
sub answers {
    my %all;

    for my $range ([0, $HOURS * 3600], [17, 3 * 3600 + 5], [3600, 7200],
                   [299, 301], [86000, 90000])
    {
        my %range = (start => ($from + $range->[0]) * 1000,
                     end   => ($from + $range->[1]) * 1000);

        $all{"@$range"} = PyroJfr::merge($t, name => 'shop', %range)->{json};

        for my $step (15, 300, 3600, 86400) {
            $all{"@$range, $step"} = PyroJfr::series(
                $t, name => 'shop', step => $step, %range)->{json};
        }
    }

    return \%all;
}

# the manager's processes, which nginx calls cache managers
sub managers {
    return grep {
        my $stat = eval { read_file("/proc/$_/stat") } // '';
        my $title = eval { read_file("/proc/$_/cmdline") } // '';

        $stat =~ /.*\) (\S) (\d+) /s && $2 == $t->pid && $1 ne 'Z'
            && $title =~ /^nginx: cache manager process/
            && $title !~ /shutting down/;
    } map { m{/proc/(\d+)$} } glob '/proc/[0-9]*';
}

# The one that there is: it comes after the workers, and after a reload the old
# one may go later than they do.
sub manager {
    wait_for(sub { managers() == 1 }, undef, 'one process for the upkeep');

    return (managers())[0];
}

my $slots = 'ngx_pyroscope_rollup_slots_total';
my $late = 'ngx_pyroscope_rollup_late_slots_total';

ok manager(), 'one process for the upkeep';
ok wait_for(sub { -e $t->data . '/upkeep.lock' }, undef, 'the lock'),
   'it holds a lock';

pushed("hour $_", $from + $_ * 3600 + ($_ % 5) * 300) for 0 .. $HOURS - 1;

my $before = answers();
ok $before->{'0 ' . $HOURS * 3600}{flamegraph}{total} > 0, 'there is data';

# a reload starts another one, which begins at once

$t->reload;
wait_for(sub { $t->metric($slots) >= $HOURS }, undef, 'the roll-ups');
is_deeply answers(), $before, 'the same answers with roll-ups';

# late, into slots that are rolled up

pushed('late', $from + 3600 + 310);
my $after = answers();
isnt $after->{'3600 7200'}{flamegraph}{total},
     $before->{'3600 7200'}{flamegraph}{total}, 'a late push is seen at once';

# killed, it comes again

my $pid = manager();
kill 'KILL', $pid;
ok wait_for(sub { my @m = managers(); @m == 1 && $m[0] != $pid }, undef,
            'another manager'), 'killed: the master starts another one';

# what the first one has done is not always counted: it was killed

pushed('late, once more', $from + 2 * 3600 + 310);
$after = answers();
wait_for(sub { $t->metric($late) >= 1 }, undef, 'the late slot');
is_deeply answers(), $after, 'the same answers when it was rolled up again';
is $t->metric('ngx_pyroscope_upkeep_failures_total'), 0, 'no failures';

is $t->stop, 0, 'the end';
$t->start;
is_deeply answers(), $after, 'the same answers after a restart';
$t->log_ok($killed);

# a master that is killed takes the manager with it, and its lock

$pid = manager();
my @left = ($t->pid, $t->worker_pids);
kill 'KILL', @left;
ok wait_for(sub { !-e "/proc/$pid" }, 60, 'the end of the manager'),
   'the master was killed: the manager ends';

done_testing;
