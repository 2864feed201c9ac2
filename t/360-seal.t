#!/usr/bin/perl

# Sealing: days that are over are rewritten compactly, answers are the same byte
# for byte, what comes late is counted once, and nothing that is killed
# meanwhile loses anything.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use PyroJfr;
use PyroTest;
use PyroTest::Util;
use Test::More;

my $DAY = 86400;
my $today = int(time / $DAY) * $DAY;
my @days = map { $today - $_ * $DAY } 5, 4, 3;
my $sealed = 'ngx_pyroscope_sealed_partitions_total';
my $rolled = 'ngx_pyroscope_rollup_slots_total';
my $killed = qr/cache manager process \d+ exited on signal 9/;
my @recordings = qw(ap30-multi new_spancontext ap45-all ap18-alloc);


# ---- the setting ------------------------------------------------------------

my @servers;

for my $value ('soon', '-1s', '1', '1s2', '[]') {
    my $t = PyroTest->new(more_yaml => "lmdb:\n  seal_after: $value\n");
    my ($status, $said) = $t->test_config;

    push @servers, $t;
    ok $status && $said =~ /\[emerg\].*lmdb\.seal_after/,
       "seal_after: $value is refused" or diag $said;
}

for my $value ('off', '2h', '1s', '0') {
    my $t = PyroTest->new(more_yaml => "lmdb:\n  seal_after: $value\n");
    my ($status, $said) = $t->test_config;

    push @servers, $t;
    is $status, 0, "seal_after: $value is accepted" or diag $said;
}


# ---- a server ---------------------------------------------------------------

my $t = PyroTest->new(workers => 2,
                      more_yaml => "lmdb:\n  seal_after: off\n")->start;

sub configured {
    my ($value) = @_;

    $t->{more_yaml} = "lmdb:\n  seal_after: $value\n";
    $t->write_config;
    $t->reload;
}

sub pushed {
    my ($what, $recording, $time, %opt) = @_;

    my $bytes = PyroJfr::bytes($recording);
    my $r = $t->push_jfr(\$bytes, name => 'shop', from => $time,
                         until => $time + 10,
                         labels => PyroJfr::labels($recording), %opt);
    is $r->{status}, 200, "$what: pushed" or diag $r->{body};
}

# What an agent has sent, but for its time.
sub sent {
    my ($what, $request, $time) = @_;

    my $r = PyroJfr::send_http($t, $request, sed => sub {
        my $until = $time + 10;

        s/([?&]from=)\d+/$1$time/;
        s/([?&]until=)\d+/$1$until/;
    });
    is $r->{status}, 200, "$what: sent" or diag $r->{body};
}

sub files {
    my @names = sort map { m{/(p-[^/]*\.mdb)$} } glob $t->data . '/p-*.mdb';
    return "@names";
}

sub bytes {
    my $sum = 0;

    $sum += -s for glob $t->data . '/p-*.mdb';

    return $sum;
}

# The bodies of all that may be read another way now.
sub answers {
    my %all;

    for my $range ([$days[0], $today], [$days[0] + 17, $days[0] + 3605],
                   [$days[1], $days[1] + 7200],
                   [$days[1] + 299, $days[1] + 3601],
                   [$days[0] + 80000, $days[2] + 90000])
    {
        my %range = (start => $range->[0] * 1000, end => $range->[1] * 1000);

        for my $type (PyroJfr::CPU, PyroJfr::WALL,
                      'memory:alloc_in_new_tlab_bytes:bytes:space:bytes')
        {
            for my $selector ('{}', '{service_name="shop"}',
                              '{service_name="shop",region=~"e.*"}')
            {
                my %ask = (type => $type, selector => $selector, %range);

                $all{"@$range $type $selector"} =
                    PyroJfr::merge($t, %ask)->{body};
                $all{"@$range $type $selector, $_"} =
                    PyroJfr::series($t, %ask, step => $_,
                                    group_by => ['service_name'])->{body}
                    for 15, 300, 3600, 86400;
            }
        }

        for my $call (['Series', { matchers => [], labelNames => [] }],
                      ['LabelNames', {}],
                      ['LabelValues', { name => 'service_name' }],
                      ['ProfileTypes', {}])
        {
            $all{"@$range $call->[0]"} =
                $t->rpc($call->[0], { %{ $call->[1] }, %range })->{body};
        }
    }

    return \%all;
}

# Byte for byte; those that differ are named.
sub same {
    my ($got, $expected, $name) = @_;

    my @differ = grep { ($got->{$_} // '') ne $expected->{$_} }
                 sort keys %$expected;

    ok(!@differ, $name)
        or diag map { substr "$_:\n  $expected->{$_}\n  $got->{$_}\n", 0, 2000 }
                splice @differ, 0, 3;
}

sub total {
    return PyroJfr::total($t, name => 'shop', start => $days[0] * 1000,
                          end => $today * 1000);
}

sub manager {
    my ($pid) = grep {
        my $stat = eval { read_file("/proc/$_/stat") } // '';
        my $title = eval { read_file("/proc/$_/cmdline") } // '';

        $stat =~ /.*\) (\S) (\d+) /s && $2 == $t->pid && $1 ne 'Z'
            && $title =~ /^nginx: cache manager process/
            && $title !~ /shutting down/;
    } map { m{/proc/(\d+)$} } glob '/proc/[0-9]*';

    return $pid;
}

# Sealed once more since then, and no file but one a day.  By the files' names:
# what a killed process has done is not always counted.
sub sealed_again {
    my ($before, $what) = @_;

    ok wait_for(sub { files() ne $before && split(' ', files()) == @days },
                120, "the $what"),
       "$what: sealed";
}

for my $day (@days) {
    for my $i (0 .. 5) {
        pushed("day $day, $i", $recordings[$i % @recordings],
               $day + $i * 3900 + ($i % 3) * 100);
    }

    sent("day $day", 'agent-default-chunked', $day + 40000);
    sent("day $day", 'agent-nocompress-contentlength', $day + 40010);
}

my $open = files();
is scalar(split ' ', $open), @days, 'a file a day';
my $size = bytes();
my $before = answers();
my $all = total();
ok $all > 0, 'there is data';
ok scalar(grep { /"total":"?[1-9]/ } values %$before) > 10,
   'many answers have some';


# ---- off --------------------------------------------------------------------

# rolled up is what the same process does first

wait_for(sub { ($t->metric($rolled) // 0) > 3 * @days }, 120, 'the roll-ups');
configured('off');
wait_for(sub { defined manager() }, undef, 'the manager');
same(answers(), $before, 'the same answers, rolled up');
is $t->metric($sealed) // 0, 0, 'off: nothing is sealed';
is files(), $open, 'off: the files stay what they are';


# ---- sealed -----------------------------------------------------------------

configured('1s');
ok wait_for(sub { ($t->metric($sealed) // 0) >= @days }, 120, 'the sealing'),
   'all days are sealed';
is $t->metric($sealed), @days, 'each once';
is $t->metric('ngx_pyroscope_store_partitions', state => 'sealed'), @days,
   'and they are shown as such';
is scalar(split ' ', files()), @days, 'a file a day';
isnt files(), $open, 'other ones';
cmp_ok bytes(), '<', $size, 'which are smaller';
same(answers(), $before, 'the same answers, sealed');


# ---- late -------------------------------------------------------------------

my $count = files();
my $one = PyroJfr::cpu_total('new_spancontext');

pushed('late', 'new_spancontext', $days[1] + 50000);
is total(), $all + $one, 'a late push is counted at once';
pushed('late, again', 'new_spancontext', $days[1] + 50000);
is total(), $all + $one, 'its repeat is not';
pushed('of a sealed time, again', 'new_spancontext',
       $days[1] + 3900 + 100);
is total(), $all + $one, 'nor one of what was sealed before';

my $after = answers();
configured('1s');
sealed_again($count, 'what came late');
same(answers(), $after, 'the same answers, sealed again');
pushed('late, once more', 'new_spancontext', $days[1] + 50000);
is total(), $all + $one, 'its repeat is still none';


# ---- killed, and reloaded ---------------------------------------------------

for my $i (1 .. 4) {
    $count = files();
    pushed("while it is killed, $i", 'new_spancontext',
           $days[$i % @days] + 60000 + 20 * $i);
    my $expected = $all + (1 + $i) * $one;
    is total(), $expected, 'counted';

    # quiet for a second, then at any moment of its work

    select undef, undef, undef, 1.1;

    if ($i % 2) {
        configured('1s');

    } elsif (my $pid = manager()) {
        kill 'KILL', $pid;
        wait_for(sub { my $now = manager(); defined $now && $now != $pid },
                 undef, 'another manager');
    }

    for my $k (1 .. 3) {
        select undef, undef, undef, 0.01 + rand 0.1;
        my $pid = manager();
        kill 'KILL', $pid if defined $pid;
    }

    is total(), $expected, 'killed: nothing is lost';
    wait_for(sub { defined manager() }, undef, 'the manager');
    sealed_again($count, "round $i");
    is total(), $expected, 'and sealed';
}

$after = answers();
is $t->metric('ngx_pyroscope_upkeep_failures_total'), 0, 'no failures';

is $t->stop, 0, 'the end';
$t->start;
same(answers(), $after, 'the same answers after a restart');
is scalar(split ' ', files()), @days, 'a file a day';
is $t->stop, 0, 'the end';
$t->log_ok($killed);

done_testing;
