#!/usr/bin/perl

# Damage anywhere in the file of the day, of a server that runs or that starts
# then: a push may meet the death of its worker, but is stored when it is sent
# again, and what answers lack they say.  PYRO_SOAK: rounds; PYRO_SEED: to do the
# same damage once more.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/../lib";

use List::Util qw(sum);
use PyroJfr;
use PyroTest;
use PyroTest::Util;
use Test::More;
use Time::HiRes ();

my $PAGE = 4096;
my $PUSHES = 60;
my $ATTEMPTS = 20;

my $bytes = PyroJfr::bytes('new_spancontext');
my $from = PyroJfr::FROM;
my $rounds = $ENV{PYRO_SOAK} // 20;
my $seed = $ENV{PYRO_SEED} // time;

srand $seed;
diag "PYRO_SEED=$seed";

sub pushed {
    my ($t, $name, $time) = @_;

    my $r = eval {
        $t->push_jfr(\$bytes, name => $name, from => $time,
                     until => $time + 10);
    };
    return $r ? $r->{status} : 0;
}

sub asked {
    my ($t, $name) = @_;

    return wait_for(sub {
        my $r = eval { PyroJfr::merge($t, name => $name) };
        return $r && $r->{status} == 200 && $r;
    }, undef, 'an answer');
}

# Some pages: zeros, anything, or anything in a header.
sub damage {
    my ($file) = @_;

    my $pages = (-s $file) / $PAGE;
    my @said;

    open my $out, '+<:raw', $file or die "$file: $!\n";

    for (1 .. 1 + int rand 6) {
        my $page = int rand $pages;
        my $kind = int rand 3;
        my ($at, $n) = $kind == 2 ? (8, 16) : (0, $PAGE);
        my $junk = pack 'C*', map { $kind ? int rand 256 : 0 } 1 .. $n;

        sysseek $out, $page * $PAGE + $at, 0;
        syswrite $out, $junk;
        push @said, "$page/$kind";
    }

    return "pages @said of $pages";
}

for my $round (1 .. $rounds) {
    my $t = PyroTest->new(workers => 2,
                          more_yaml => "lmdb:\n  seal_after: off\n")->start;
    my $running = $round % 2;

    pushed($t, 'one', $from);
    my $one = asked($t, 'one')->{json}{flamegraph}{total};
    pushed($t, 'before', $from + $_ * 60) for 1 .. 40;

    my ($file) = glob $t->data . '/p-*.mdb';

    $t->stop if !$running;
    my $what = damage($file);
    $t->start(ready => 0) if !$running;

    my %statuses;

    for my $n (1 .. $PUSHES) {
        for (1 .. $ATTEMPTS) {
            my $status = pushed($t, 'beside', $from + $n);

            $statuses{$status}++;
            last if $status == 200;
            Time::HiRes::sleep(0.1);
        }
    }

    my $r = asked($t, 'beside');
    my $stored = $r->{json}{flamegraph}{total} / $one;
    my $lacks = $r->{headers}{'x-pyroscope-incomplete'} // '';

    is $statuses{200}, $PUSHES, "$round: pushes go on";
    my $again = sum(0, map { $statuses{$_} }
                       grep { $_ ne '200' } keys %statuses);

    cmp_ok $again, '<=', 4, "$round: few were to be sent again";

    # one whose worker died may be in the damage, where nobody finds it
    cmp_ok $stored, '<=', $PUSHES + $again, "$round: each once";
    ok $stored >= $PUSHES || $lacks,
       "$round: all are there, or in what the answer is without"
        or diag "$stored of $PUSHES";
    note "$round: ", $running ? 'running' : 'stopped', ", $what; ",
         join(' ', map { "$_: $statuses{$_}" } sort keys %statuses);

    $t->{sound} = 0;
    $t->stop;
}

done_testing;
