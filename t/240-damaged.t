#!/usr/bin/perl

# Recordings that are damaged, cut off, or have nothing to say: what can be read
# is stored, what was lost is in the log and in /metrics by reason, and only
# what gives nothing at all is refused.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use PyroJfr;
use PyroTest;
use Test::More;

my $t = PyroTest->new(workers => 2)->start;
my @pids = $t->worker_pids;
my %before;

sub count { $t->metric('ngx_pyroscope_jfr_total', kind => $_[0]) }

# Pushes bytes; what the answer is, how many samples of CPU came in, by how much
# counters grew, and what the log says of it.
sub pushed {
    my ($name, $bytes, %want) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    my @kinds = sort keys %{ $want{counters} // {} };
    my %old = map { $_ => count($_) } @kinds;
    my $log = length $t->error_log;
    my $r = $t->push_jfr(\$bytes, name => $name, from => PyroJfr::FROM,
                         until => PyroJfr::FROM + 10, rate => $want{rate});

    is $r->{status}, $want{status} // 200, "$name: status"
        or diag $r->{body};
    is_deeply { map { $_ => count($_) - $old{$_} } @kinds },
              $want{counters} // {}, "$name: counters";
    is PyroJfr::total($t, selector => qq({service_name="$name"})),
       $want{cpu} // 0, "$name: CPU";

    my $said = substr $t->error_log, $log;

    like $said, $want{log}, "$name: log" if $want{log};
    unlike $said, qr/pyroscope recording/, "$name: no log" if !$want{log};

    return $r;
}

# The chunks of a recording, as its headers have them.
sub chunks {
    my ($bytes) = @_;

    my @chunks;

    while (length $bytes) {
        my $size = unpack 'Q>', substr $bytes, 8, 8;
        push @chunks, substr $bytes, 0, $size, '';
    }

    return @chunks;
}

my $kafka = PyroJfr::bytes('cortex-dev-01__kafka-0__cpu__0');
my $other = PyroJfr::bytes('cortex-dev-01__kafka-0__cpu__3');
my $cpu = PyroJfr::cpu_total('cortex-dev-01__kafka-0__cpu__0');
my $other_cpu = PyroJfr::cpu_total('cortex-dev-01__kafka-0__cpu__3');

# ---- several chunks ---------------------------------------------------------

pushed('two', $kafka . $other, cpu => $cpu + $other_cpu,
       counters => { chunks => 2, chunks_broken => 0 });

# the first one's size, its constant pool, an event in it; the second is whole
for my $case (
    ['size 0', 8, pack('Q>', 0), $cpu],
    ['size of both', 8, pack('Q>', length($kafka . $other) + 5), $cpu],
    ['no checkpoint', 16, pack('Q>', 0), $cpu],
    ['no metadata', 24, pack('Q>', 12345678), $cpu],
    ['version 9', 4, pack('n', 9), 0],
    ['metadata', 80, "\xff" x 200, 0],
) {
    my ($what, $at, $with, $first) = @$case;
    my $bytes = $kafka;

    substr $bytes, $at, length $with, $with;
    pushed($what =~ tr/ /_/r, $bytes . $other, cpu => $first + $other_cpu,
           counters => { chunks => 1, chunks_broken => 1 },
           log => qr/\[warn\].*pyroscope\ recording:\ chunk\ at\ byte\ 0:.*;
                     \ chunks\ read:\ 1,.*lost:\ 1\ chunks_broken/x);
}

pushed('between', $kafka . 'nothing' . $other, cpu => $cpu + $other_cpu,
       counters => { chunks => 2, chunks_broken => 1 },
       log => qr/chunk at byte 148987: no chunk magic/);

pushed('behind', $kafka . "\0" x 100, cpu => $cpu,
       counters => { chunks => 1, chunks_broken => 1 },
       log => qr/no chunk magic/);

{
    my @chunks = chunks(PyroJfr::bytes('goland-multichunk'));

    is @chunks, 6, 'six chunks';

    # the third is cut off in its constant pools, all others are there
    substr $chunks[2], length($chunks[2]) / 2, length($chunks[2]), '';

    my $r = $t->push_jfr(\join('', @chunks), name => 'goland',
                         from => PyroJfr::FROM, until => PyroJfr::FROM + 10);

    is $r->{status}, 200, 'goland: status';
    like $t->error_log, qr/chunks read: 5, .*lost: 1 chunks_broken,/,
         'goland: five of six';
    ok PyroJfr::total($t, name => 'goland')
       > PyroJfr::cpu_total('goland-multichunk') / 2, 'goland: CPU';
}

# ---- cut off ----------------------------------------------------------------

pushed('cut', substr($kafka, 0, -1), status => 422,
       counters => { chunks_broken => 1 },
       log => qr/\[warn\].*it ends behind the recording's end/);

pushed('cut_later', $kafka . substr($other, 0, 100_000), cpu => $cpu,
       counters => { chunks => 1, chunks_broken => 1 },
       log => qr/chunk at byte 148987: it ends behind/);

# the JDK has metadata and constant pools all over a chunk
{
    my $bytes = PyroJfr::bytes('jdk17-own');
    my $whole = PyroJfr::cpu_total('jdk17-own');
    my $r = $t->push_jfr(\substr($bytes, 0, length($bytes) / 2),
                         name => 'jdk', from => PyroJfr::FROM,
                         until => PyroJfr::FROM + 10);
    my $got = PyroJfr::total($t, selector => '{service_name="jdk"}');

    is $r->{status}, 200, 'jdk: half of it';
    ok $got > $whole / 5 && $got < $whole,
       "jdk: $got of $whole ns from half of the bytes";
}

pushed('magic', "FLR\1" . substr($kafka, 4), status => 422);

# ---- nothing to say ---------------------------------------------------------

# native memory alone has no CPU samples; its pools and events are sound
pushed('idle', PyroJfr::bytes('nativemem'), counters => { chunks => 1 });

{
    my $r = $t->get('/api/v1/jfr-info?service_name=cut_later');

    is $r->{status}, 200, 'jfr-info of a damaged recording';
    is_deeply $r->{json}{lost}, { chunks_broken => 1, stack_missing => 698 },
              'and what it lost';
    like $r->{json}{jvm}{version}, qr/^17\./, 'its JVM';
    like $r->{json}{agent}{recorder}, qr/^async-profiler 2\.9/,
         'its recorder';
    is $r->{json}{settings}{event}, 'cpu', 'its event';
    ok $r->{json}{os}{version}, 'its system';
}

# lost by the JVM itself: at info
{
    my $log = length $t->error_log;

    is $t->push_jfr(PyroJfr::recording('jdk17-own'), name => 'own')->{status},
       200, 'a sound one with cut stacks';
    like substr($t->error_log, $log), qr/\[info\].*pyroscope\ recording:
         \ chunks\ read:\ 1,.*lost:\ 2\ stack_missing,\ 198\ stack_truncated/x,
         'told at info';
}

is_deeply [$t->worker_pids], \@pids, 'the workers of the beginning';
is_deeply [PyroJfr::errors($t)], [], 'no error';
is $t->stop, 0, 'a clean end';
$t->log_ok;

done_testing;
