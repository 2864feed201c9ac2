#!/usr/bin/perl

# Every recording of t/data/jfr, pushed: each profile type has the total that
# its expect.json says, in flame graph and series, whichever worker is asked.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use PyroJfr;
use PyroTest;
use Test::More;

# connections go to the workers by their source port, so both get some
my $t = PyroTest->new(
    workers  => 2,
    server   => 'listen 127.0.0.1:%PORT% reuseport;',
    location => 'add_header X-Worker $pid;')->start;

my @pids = $t->worker_pids;

# What both workers say to a question: { answer => 1 }
sub ask_both {
    my ($question) = @_;

    my (%answers, %asked);

    for (1 .. 100) {
        my ($answer, $r) = $question->();

        $asked{$r->{headers}{'x-worker'}} = 1;
        $answers{$answer} = 1;
        last if keys %asked == 2;
    }

    is keys %asked, 2, 'both workers answered' if keys %asked != 2;

    return [sort keys %answers];
}

for my $name (PyroJfr::names()) {
    my $e = PyroJfr::expect($name);
    my $r = $t->push_jfr(PyroJfr::recording($name), name => $name,
                         labels => PyroJfr::labels($name),
                         from => PyroJfr::FROM, until => PyroJfr::FROM + 10,
                         rate => $e->{sampleRate});

    is $r->{status}, 200, "$name: pushed" or diag $r->{body};

    my %stored = map { $_ => 1 } PyroJfr::label_values(
        $t, '__profile_type__', qq({service_name="$name"}));

    for my $kind (sort keys %{ $e->{profiles} }) {
        my $totals = PyroJfr::totals($name, $kind);

        for my $type (sort keys %$totals) {
            my $total = $totals->{$type};

            delete $stored{$type};

            is_deeply ask_both(sub {
                my $r = PyroJfr::merge($t, name => $name, type => $type,
                                       max_nodes => 10);
                return ($r->{json}{flamegraph}{total} // 0, $r);
            }), [$total], "$name: $type: the flame graph";

            is_deeply ask_both(sub {
                my $r = PyroJfr::series($t, name => $name, type => $type,
                                        group_by => ['service_name']);
                my $sum = 0;

                $sum += $_->{value} for map { @{ $_->{points} } }
                                        @{ $r->{json}{series} // [] };

                return ($sum, $r);
            }), [$total], "$name: $type: the series";
        }
    }

    # what comes of jdk.CPUTimeSample stands in a file alone
    if (my $total = PyroJfr::sum_of($name, 'cpu_time_extension')) {
        is PyroJfr::total($t, name => $name), $total, "$name: CPU time";
        delete $stored{+PyroJfr::CPU};
    }

    is_deeply [sort keys %stored], [], "$name: no other profile type";

    if ($e->{jfrEvent}) {
        is_deeply [PyroJfr::label_values($t, 'jfr_event',
                   qq({service_name="$name"}))], [$e->{jfrEvent}],
                  "$name: jfr_event";
    }
}

# without a sample nothing is stored
for my $name (grep { %{ PyroJfr::expect($_)->{profiles} } }
              PyroJfr::names())
{
    my $graph = PyroJfr::merge($t, name => $name)->{json}{flamegraph};

    is_deeply [PyroJfr::flamegraph_faults($graph)], [],
              "$name: a sound flame graph";
}

is_deeply [sort { $a <=> $b } $t->worker_pids], \@pids,
          'the workers of the beginning';
is_deeply [PyroJfr::errors($t)], [], 'no error';
is $t->stop, 0, 'a clean end';
$t->log_ok;

done_testing;
