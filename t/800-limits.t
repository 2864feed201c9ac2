#!/usr/bin/perl

# Every limit of the YAML: exactly at it, and one beyond.  Full queues, queries
# that take too long, clients that leave.  One server, reloaded for each limit.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use PyroJfr;
use PyroTest;
use PyroTest::Util;
use Socket ();
use Test::More;

my $SERVICE = '/querier.v1.QuerierService';
my $small = 'new_spancontext';
my $bytes = PyroJfr::bytes($small);
my $total = PyroJfr::cpu_total($small);
my $large = 'goland-multichunk';
my $packed = read_file(PyroJfr::recording($large));
my $inflated = PyroJfr::expect($large)->{recordingBytes};
my $time = PyroJfr::FROM;

our $t = PyroTest->new(workers => 1)->start;

# A section of the YAML with these keys.
sub limits {
    my ($section, %keys) = @_;

    $t->reload(location => '', more_yaml => join '', "$section:\n",
               map { "  $_: $keys{$_}\n" } sort keys %keys);
    $t->wait_workers(1);
}

sub answered {
    my ($what, $r, $status, $message, $retry) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    is $r->{status}, $status, "$what: $status" or diag $r->{body};
    return if $status == 200;

    like $r->{json}{message} // '', $message, "$what: its message";
    is $r->{json}{code},
       { 400 => 'invalid_argument', 504 => 'deadline_exceeded' }->{$status}
       // 'resource_exhausted', "$what: its code";
    like $r->{headers}{'retry-after'} // 'none',
         $retry // ($status == 429 ? qr/^1$/ : qr/^none$/),
         "$what: Retry-After";
}

my $count = 0;

sub push_raw {
    my ($body, %opt) = @_;
    return $t->post($t->ingest_path(name => 'p' . $count++, from => $time,
                                    %opt), $body);
}


# ---- pushes -----------------------------------------------------------------

{
    my $size = length $bytes;
    my $limit = qr/$size.*max_profile_size_bytes|max_profile_size_bytes.*$size/;

    limits('limits', max_profile_size_bytes => $size);
    answered("a recording of $size bytes", push_raw($bytes), 200);
    answered('the same in gzip', push_raw(gzip($bytes)), 200);
    answered('the same in a part',
             $t->push_jfr(\$bytes, name => 'part'), 200);
    answered('one more', push_raw("${bytes}x"), 413, $limit);
    answered('one more in gzip', push_raw(gzip("${bytes}x")), 413, $limit);
    answered('one more in a part',
             $t->push_jfr(\"${bytes}x", name => 'part'), 413, $limit);
    answered('one more, labels',
             $t->push_jfr(\$bytes, name => 'part',
                          labels => \('x' x ($size + 1))), 413, $limit);
}

{
    limits('limits', max_label_value_length => 20,
           max_label_name_length => 14);

    answered('a value of 20 bytes',
             push_raw($bytes, name => 'a{k=' . 'v' x 20 . '}'), 200);
    answered('a value of 21', push_raw($bytes, name => 'a{k='
             . 'v' x 21 . '}'), 422, qr/"k".*21.*20.*max_label_value_length/);
    answered('a service name of 21', push_raw($bytes, name => 's' x 21), 422,
             qr/"service_name".*21.*20/);
    answered('bytes, not characters', push_raw($bytes,
             name => 'a{k=' . "\xc3\xa9" x 11 . '}'), 422, qr/22.*20/);
    answered('a name of 14 bytes',
             push_raw($bytes, name => 'a{' . 'n' x 14 . '=v}'), 200);
    answered('a name of 15', push_raw($bytes, name => 'a{'
             . 'n' x 15 . '=v}'), 422, qr/"n+.*15.*14.*max_label_name_length/);
}

{
    # service_name and pyroscope_spy are two of them
    my $labels = sub { 'a{' . join(',', map { "l$_=v" } 1 .. $_[0]) . '}' };

    limits('limits', max_label_names_per_series => 5);
    answered('5 labels', push_raw($bytes, name => $labels->(3)), 200);
    answered('6 labels', push_raw($bytes, name => $labels->(4)), 422,
             qr/6 .*5.*max_label_names_per_series/);
}

{
    limits('limits', reject_older_than => '1h', reject_newer_than => '30m');

    for my $case ([-3500, 200], [-3700, 422, qr/reject_older_than/],
                  [1700, 200], [1900, 422, qr/reject_newer_than/]) {
        my ($offset, $status, $message) = @$case;

        answered("a push at now $offset s",
                 push_raw($bytes, from => time + $offset), $status, $message);
    }

    limits('limits', reject_newer_than => 0);
    answered('without a limit', push_raw($bytes, from => time + 86_400), 200);

    limits('compactor', retention_period => '1d');
    answered('within the retention', push_raw($bytes, from => time - 86_000),
             200);
    answered('before it', push_raw($bytes, from => time - 87_000), 422,
             qr/retention/);
}

{
    $t->reload(more_yaml => '', location => 'client_max_body_size 20000;');
    $t->wait_workers(1);

    my $body = $t->multipart([[jfr => $bytes]]);
    my $pad = 20_000 - length $body;

    # what precedes the first delimiter does not count
    for my $chunked (0, 1, 7) {
        for my $size (20_000, 20_001) {
            my $r = $t->request('POST', $t->ingest_path(
                name => "body-$chunked-$size", from => $time),
                body => 'x' x ($size - length($body) - 2) . "\r\n$body",
                chunked => $chunked,
                headers => { 'Content-Type' => $t->multipart_type });

            answered("a body of $size bytes, chunks of $chunked", $r,
                     $size == 20_000 ? 200 : 413,
                     qr/client_max_body_size, 20000 bytes/);
        }
    }
}

# new partitions outside of the last two days: of all workers, in the store

{
    local $t = PyroTest->new(workers => 2,
                             more_yaml => "lmdb:\n  max_late_partitions: 5\n");

    $t->start;

    my (%statuses, $refused);
    my $day = sub { push_raw($bytes, from => $time + $_[0] * 86_400) };
    my $first = time;

    # a fifth of an hour, of which some has passed
    my $soon = sub {
        my $passed = time - $first + 1;
        my $all = join '|', 720 - $passed .. 720;
        return qr/^(?:$all)$/;
    };

    for my $n (1 .. 20) {
        my $r = $day->($n);

        $statuses{$r->{status}}++;
        $refused = $r if $r->{status} == 429;
    }

    is_deeply \%statuses, { 200 => 5, 429 => 15 },
              '5 partitions in the hour, 15 pushes beyond it';
    answered('one more', $refused, 429,
             qr/2023-12-04T\S+Z, .*lmdb\.max_late_partitions allows 5 new/,
             $soon->());
    is $t->metric('ngx_pyroscope_store_partitions'), 5, 'and no file';
    is $t->metric('pyroscope_discarded_samples_total',
                  reason => 'late_partitions', tenant => 'anonymous'), 15,
       'they are counted';
    answered('a partition that is there', $day->(1), 200);
    answered('one of now', push_raw($bytes, from => time - 10), 200);
    answered('one of yesterday', push_raw($bytes, from => time - 86_400), 200);

    $t->reload;
    answered('other workers', $day->(21), 429, qr/max_late_partitions/,
             $soon->());
    is $t->stop, 0, 'stopped';
    $t->start;
    answered('another server', $day->(22), 429, qr/max_late_partitions/,
             $soon->());

    $t->reload(more_yaml => "lmdb:\n  max_late_partitions: 0\n");
    answered('without a limit', $day->($_), 200) for 23 .. 30;
    is $t->stop, 0, 'the end';
    $t->log_ok;
}


# ---- queues -----------------------------------------------------------------

# These at once: how many got which status, and the answers.
sub at_once {
    my (@prepared) = @_;

    PyroJfr::finish(@prepared);

    my @answers = PyroJfr::answers($t, @prepared);
    my %statuses;

    $statuses{$_ ? $_->{status} : 'none'}++ for @answers;

    return (\%statuses, @answers);
}

sub large_pushes {
    my ($n, $name) = @_;

    return map {
        PyroJfr::prepare($t, 'POST', $t->ingest_path(
            name => "$name-$_", from => $time), body => $packed)
    } 1 .. $n;
}

for my $case (
    ['queue_pushes', 1, 'lmdb', qr/uploads wait.*lmdb\.queue_pushes is 1/],
    ['queue_bytes', '4MiB', 'lmdb', qr/lmdb\.queue_bytes is 4194304/],
    ['parse_bytes', $inflated + 10_000, 'lmdb',
     qr/lmdb\.parse_bytes is @{[$inflated + 10_000]}/],
) {
    my ($key, $value, $section, $message) = @$case;

    limits($section, $key => $value);

    my ($statuses, @answers) = at_once(large_pushes(8, $key));
    my @kept = grep { $answers[$_] && $answers[$_]{status} == 200 } 0 .. 7;

    is_deeply [grep { !/^(?:200|429)$/ } keys %$statuses], [],
              "$key: 200 or 429";
    cmp_ok scalar @kept, '>=', 1, "$key: some pass";
    cmp_ok $statuses->{429} // 0, '>=', 1, "$key: some do not";

    for my $r (grep { $_ && $_->{status} == 429 } @answers) {
        answered($key, $r, 429, $message);
        last;
    }

    is_deeply [map { PyroJfr::total($t, name => "$key-$_") ? $_ - 1 : () }
               1 .. 8], \@kept, "$key: what passed is there";

    answered("$key: one alone", $t->post($t->ingest_path(
        name => "$key-alone", from => $time), $packed), 200);
}

cmp_ok $t->metric('pyroscope_discarded_samples_total',
                  reason => 'queue_full'), '>=', 3, 'counted';


# ---- queries ----------------------------------------------------------------

{
    limits('limits', max_flamegraph_nodes_default => 5,
           max_flamegraph_nodes_max => 50);

    my $graph = PyroJfr::merge($t)->{json}{flamegraph};

    cmp_ok PyroJfr::flamegraph_nodes($graph), '<', 30, 'the default of nodes';
    is_deeply [PyroJfr::flamegraph_faults($graph)], [], 'is sound';
    answered('as many as allowed', PyroJfr::merge($t, max_nodes => 50), 200);
    answered('one more', PyroJfr::merge($t, max_nodes => 51), 400,
             qr/51.*50/);
}

{
    limits('limits', max_query_length => '1h');

    my %hour = (start => $time * 1000, end => ($time + 3600) * 1000,
                max_nodes => 10);

    answered('an hour', PyroJfr::merge($t, %hour), 200);
    answered('a ms more', PyroJfr::merge($t, %hour, end => $hour{end} + 1),
             400, qr/max_query_length/);
    answered('a ms more of series',
             PyroJfr::series($t, %hour, end => $hour{end} + 1), 400,
             qr/max_query_length/);
    answered('everything', $t->rpc('LabelNames', { start => 1, end => 4e12 }),
             400, qr/max_query_length/);
}

{
    limits('limits', max_query_lookback => '1d');
    push_raw($bytes, name => 'recent', from => time - 3600);

    is PyroJfr::total($t, name => 'p0'), 0, 'older than the lookback: nothing';
    is PyroJfr::total($t, name => 'recent'), $total, 'within it: as it is';
    is_deeply [PyroJfr::label_values($t, 'service_name',
               '{service_name=~"p0|recent"}')], ['recent'],
              'and of the labels';
}

{
    limits('query', max_series => 3);
    push_raw($bytes, name => "s$_", from => $time + 1_000_000) for 1 .. 4;

    for my $n (3, 4) {
        my $selector = '{service_name=~"s[1-' . $n . ']"}';
        my $status = $n == 3 ? 200 : 422;

        answered("$n series", PyroJfr::merge($t, selector => $selector),
                 $status, qr/max_series.*3|3.*max_series/);
        answered("$n series, their labels", $t->rpc('Series',
                 { start => 1, end => 4e12, matchers => [$selector] }),
                 $status, qr/max_series.*3|3.*max_series/);
        answered("$n series, their totals", PyroJfr::series($t, start => 1,
                 end => 4e12, selector => $selector), $status,
                 qr/max_series.*3|3.*max_series/);
    }
}

{
    limits('query', max_response_bytes => '64KiB');

    my $name = 'queue_pushes-alone';

    answered('a small answer', PyroJfr::merge($t, name => $name,
                                              max_nodes => 10), 200);
    answered('a large one', PyroJfr::merge($t, name => $name,
             max_nodes => 1_000_000), 422, qr/max_response_bytes/);
}

{
    limits('query', max_memory => '1MiB');

    answered('a small query', PyroJfr::merge($t, name => 's1'), 200);
    answered('one that needs more memory',
             PyroJfr::merge($t, name => 'queue_pushes-alone'), 422,
             qr/max_memory/);
}

sub queries {
    my ($n, %headers) = @_;

    return map {
        PyroJfr::prepare($t, 'POST', "$SERVICE/SelectMergeStacktraces",
            body => '{"profileTypeID":"' . PyroJfr::CPU
                    . '","labelSelector":"{}","start":1,'
                    . '"end":4000000000000,"maxNodes":10}',
            headers => { 'Content-Type' => 'application/json', %headers })
    } 1 .. $n;
}

{
    limits('query', max_concurrent => 1);

    my ($statuses, @answers) = at_once(queries(12));

    is_deeply [sort keys %$statuses], [200, 429],
              'max_concurrent: some pass, some do not';

    for my $r (grep { $_ && $_->{status} == 429 } @answers) {
        answered('max_concurrent', $r, 429, qr/query\.max_concurrent is 1/);
        last;
    }

    answered('one alone', PyroJfr::merge($t, name => 's1'), 200);
}

{
    limits('query', timeout => '100ms', max_concurrent => 1000);

    # as many as cannot be answered in that time by two threads
    my ($statuses, @answers) = at_once(queries(250));

    is_deeply [grep { !/^(?:200|504)$/ } keys %$statuses], [],
              'timeout: 200 or 504';
    cmp_ok $statuses->{504} // 0, '>=', 1, 'timeout: some take too long';

    for my $r (grep { $_ && $_->{status} == 504 } @answers) {
        answered('timeout', $r, 504, qr/deadline|timeout/);
        last;
    }

    # a machine that is busy may take that long for any of them
    ok wait_for(sub { PyroJfr::merge($t, name => 's1')->{status} == 200 },
                undef, 'a query'), 'one alone';
}


# ---- clients that leave -----------------------------------------------------

# Closed with a reset, or by the client's end of the stream.
sub leave {
    my ($reset, @prepared) = @_;

    for my $p (@prepared) {
        setsockopt $p->{sock}, Socket::SOL_SOCKET(), Socket::SO_LINGER(),
                   pack('ii', 1, 0) if $reset;
        close $p->{sock};
    }
}

limits('lmdb', queue_pushes => 4);

for my $reset (0, 1) {
    for my $round (1 .. 10) {
        my @gone = ((map { PyroJfr::prepare($t, 'POST', $t->ingest_path(
            name => "gone-$reset-$round-$_", from => $time),
            body => $bytes) } 1 .. 3), large_pushes(1, "gone-$reset-$round"));

        PyroJfr::finish(@gone);
        leave($reset, @gone);
    }

    # the ones that wait are parsed and written, or given up; none stays
    ok wait_for(sub {
        my ($statuses) = at_once(map { PyroJfr::prepare($t, 'POST',
            $t->ingest_path(name => "after-$reset-$_", from => $time),
            body => $bytes) } 1 .. 4);

        return ($statuses->{200} // 0) == 4;
    }, undef, 'the queue'), 'the whole queue gets free again'
                            . ($reset ? ', after resets' : '');
}

limits('query', max_concurrent => 3);

for my $reset (0, 1) {
    for my $round (1 .. 10) {
        my @gone = queries(3);

        PyroJfr::finish(@gone);
        leave($reset, @gone);
    }

    ok wait_for(sub {
        my ($statuses) = at_once(queries(3));

        return ($statuses->{200} // 0) == 3;
    }, undef, 'the queries'), 'all queries get free again'
                              . ($reset ? ', after resets' : '');
}

# in the middle of the body, and of the answer
{
    my @half = map { PyroJfr::prepare($t, 'POST', $t->ingest_path(
        name => 'half', from => $time), body => $packed) } 1 .. 5;

    leave(1, @half);

    my @prepared = map {
        PyroJfr::prepare($t, 'POST', "$SERVICE/SelectMergeStacktraces",
            body => '{"profileTypeID":"' . PyroJfr::CPU
                    . '","labelSelector":"{}","start":1,"end":4e12,'
                    . '"maxNodes":1000000}',
            headers => { 'Content-Type' => 'application/json' })
    } 1 .. 3;

    PyroJfr::finish(@prepared);

    for my $p (@prepared) {
        sysread $p->{sock}, my $in, 1;
    }

    leave(1, @prepared);
    is PyroJfr::total($t, name => 'half'), 0, 'half a body is nothing';
}

for my $path ('/metrics', "$SERVICE/LabelNames") {
    my @gone = map { PyroJfr::prepare($t, $path eq '/metrics' ? 'GET' : 'POST',
        $path, $path eq '/metrics' ? () : (body => '{}'), headers =>
        { 'Content-Type' => 'application/json' }) } 1 .. 20;

    PyroJfr::finish(@gone);
    leave(1, @gone);
    is $t->get('/metrics')->{status}, 200, "$path, twenty left";
}


# ---- the end ----------------------------------------------------------------

is_deeply [PyroJfr::errors($t, qr/client intended to send too large/)], [],
          'no error';
is $t->stop, 0, 'a clean end';
$t->log_ok;

done_testing;
