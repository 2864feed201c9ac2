#!/usr/bin/perl

# Each limit of queries, for each RPC that it is for: at it, and one beyond, in
# both encodings; and clients that go away while they are asking.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use JSON::PP ();
use PyroJfr;
use PyroTest;
use PyroTest::Rpc;
use PyroTest::Util;
use Socket ();
use Test::More;

my $CPU = PyroJfr::CPU;
my $FROM = PyroJfr::FROM;
my $small = 'new_spancontext';
my $large = 'goland-multichunk';
my @ranged = grep { PyroTest::Rpc::sample($_, {}) } @RPCS;
my @stacks = grep { /Merge|Diff/ } @ranged;

my $h2 = free_port();
my $old_http2 = PyroTest::old_http2();

my $t = PyroTest->new(workers => 1, server => <<"END")->start;
        listen 127.0.0.1:%PORT%;
        listen 127.0.0.1:$h2@{[$old_http2 ? ' http2' : '']};
        @{[$old_http2 ? '' : 'http2 on;']}
END

my $rpc = PyroTest::Rpc->new($t);

# A section of the YAML with these keys.
sub limits {
    my ($section, %keys) = @_;

    $t->reload(more_yaml => join '', "$section:\n",
               map { "  $_: $keys{$_}\n" } sort keys %keys);
    $t->wait_workers(1);
}

sub pushed {
    my ($recording, $name, $from) = @_;

    is $t->push_jfr(PyroJfr::recording($recording), name => $name,
                    from => $from, until => $from + 10)->{status}, 200,
       "$recording as $name";
}

# In both encodings: 200, or an error with this status and message.
sub answered {
    my ($name, $message, $status, $text, $what) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    for my $codec (qw(proto json)) {
        my $r = $rpc->ask($codec, $name, $message);

        is_limit($r, $status, $text, "$name, $codec, $what");
    }
}

my %CODE = (400 => 'invalid_argument', 422 => 'resource_exhausted',
            429 => 'resource_exhausted', 504 => 'deadline_exceeded');

sub is_limit {
    my ($r, $status, $text, $what) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    is $r->{status}, $status, "$what: $status"
        or return diag substr $r->{body}, 0, 300;
    return if $status == 200;

    my $json = eval { JSON::PP->new->utf8->decode($r->{body}) } // {};

    is $json->{code}, $CODE{$status}, "$what: its code";
    like $json->{message} // '', $text, "$what: its message";
    is $r->{headers}{'retry-after'}, $status == 429 ? 1 : undef,
       "$what: Retry-After";
}

# The older URLs for the same: [path, its arguments], ...
sub urls {
    my ($start, $end, $selector, $nodes) = @_;

    my $query = uri_escape("$CPU$selector");
    my $more = defined $nodes ? "&max-nodes=$nodes" : '';
    my $side = sub { "$_[0]Query=$query&$_[0]From=$_[1]&$_[0]Until=$_[2]" };

    return (
        ['render', "query=$query&from=$start&until=$end$more"],
        ['render', "query=$query&from=$start&until=$end$more&format=pprof"],
        ['render-diff', $side->('left', $start, $end) . '&'
                        . $side->('right', $start, $start + 1) . $more],
        defined $nodes ? ()
        : (['labels', 'query=' . uri_escape($selector)
                      . "&from=$start&until=$end"],
           ['label-values', 'label=service_name&query='
            . uri_escape($selector) . "&from=$start&until=$end"]));
}

sub urls_answered {
    my ($status, $text, $what, @urls) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    is_limit($t->get("/$_->[0]?$_->[1]"), $status, $text, "$_->[0], $what")
        for @urls;
}

# A selector in the field that an RPC has for it.
sub selecting {
    my ($name, $range, $selector, %fields) = @_;

    return PyroTest::Rpc::sample($name, $range, %fields,
        $name =~ /^(?:LabelNames|LabelValues|Series)$/
        ? (matchers => [$selector])
        : $name eq 'AnalyzeQuery' ? (query => "$CPU$selector")
        : $name eq 'ProfileTypes' ? () : (labelSelector => $selector));
}

pushed($small, "s$_", $FROM + $_) for 1 .. 4;
pushed($large, 'large', $FROM + 100);
pushed($small, 'recent', time - 3600);


# ---- limits.max_query_length ------------------------------------------------

{
    my $start = $FROM * 1000;
    my $end = $start + 3_600_000;
    my $text = qr/range exceeds .*max_query_length, actual: 3601s, limit: 3600/;

    limits('limits', max_query_length => '1h');

    for my $name (@ranged) {
        my %range = (start => $start, end => $end);

        answered($name, PyroTest::Rpc::sample($name, \%range), 200, undef,
                 'an hour');
        $range{end}++;
        answered($name, PyroTest::Rpc::sample($name, \%range), 400, $text,
                 'a ms more');
        answered($name, PyroTest::Rpc::sample($name, {}), 400,
                 qr/max_query_length/, 'no range');
    }

    urls_answered(200, undef, 'an hour', urls($start, $end, '{}'));
    urls_answered(400, $text, 'a ms more', urls($start, $end + 1, '{}'));
}


# ---- limits.max_query_lookback ----------------------------------------------

# What of all services can be seen.
sub seen {
    my ($name) = @_;

    my %range = (start => 1, end => PyroJfr::LAST);
    my $message = PyroTest::Rpc::sample($name, \%range,
        $name eq 'SelectSeries' || $name eq 'SelectHeatmap'
        ? (step => 3600, groupBy => ['service_name'])
        : $name eq 'Series' ? (labelNames => ['service_name']) : ());
    my $r = $rpc->ask('proto', $name, $message);

    return "status $r->{status}" if $r->{status} != 200;

    my $m = PyroTest::Rpc::message($name, $r);

    return $name eq 'LabelValues' ? join ' ', @{ $m->{names} }
           : $name =~ /Series|Heatmap/
             ? join ' ', sort map { $_->{value} } map { @{ $_->{labels} } }
                              @{ $m->{series} // $m->{labelsSet} }
           : $name eq 'SelectMergeProfile'
             ? eval { my $sum = 0; $sum += $_->{value}[0] for @{ $m->{sample} };
                      $sum }
           : $name eq 'AnalyzeQuery'
             ? eval { my $sum = 0; $sum += $_->{profileCount} // 0
                          for @{ $m->{queryScopes} }; $sum }
           : $m->{flamegraph}{leftTicks} // $m->{flamegraph}{total};
}

{
    my $total = PyroJfr::cpu_total($small);

    limits('limits', max_query_lookback => '1d');

    for my $name (grep { !/^(?:ProfileTypes|LabelNames)$/ } @ranged) {
        is seen($name), $name eq 'AnalyzeQuery' ? 1
                        : $name =~ /Merge|Diff/ ? $total : 'recent',
           "$name: what is older than a day is not there";
    }

    # the first point sums up what lies a step before it, but for what is older
    for my $name (qw(SelectSeries SelectHeatmap)) {
        my $end = (time + 600) * 1000;
        my $m = PyroTest::Rpc::message($name, $rpc->ask('proto', $name,
            PyroTest::Rpc::sample($name, { start => $end, end => $end },
                                  step => 86400 * 10000,
                                  groupBy => ['service_name'])));

        is_deeply [map { $_->{value} } map { @{ $_->{labels} } }
                   @{ $m->{series} // [] }], ['recent'],
                  "$name: nothing older within a step";
    }

    for my $name (@ranged) {
        answered($name, PyroTest::Rpc::sample($name, { start => $FROM * 1000,
                 end => ($FROM + 600) * 1000 }), 200, undef, 'before it');
    }

    my %old = (start => $FROM * 1000, end => ($FROM + 600) * 1000);

    is_deeply PyroTest::Rpc::message($_, $rpc->ask('json', $_,
              PyroTest::Rpc::sample($_, \%old))), {}, "$_: nothing before it"
        for qw(ProfileTypes LabelNames LabelValues Series SelectSeries
               SelectMergeProfile SelectHeatmap);
}


# ---- limits.max_flamegraph_nodes_* ------------------------------------------

{
    my %range = (start => $FROM * 1000, end => ($FROM + 600) * 1000);
    my $text = qr/nodes limit 51 is greater than allowed 50/;

    limits('limits', max_flamegraph_nodes_default => 5,
           max_flamegraph_nodes_max => 50);

    for my $name (@stacks) {
        answered($name, PyroTest::Rpc::sample($name, \%range, maxNodes => 50),
                 200, undef, '50 nodes');
        answered($name, PyroTest::Rpc::sample($name, \%range, maxNodes => 51),
                 400, $text, '51 nodes');
    }

    urls_answered($_ == 50 ? 200 : 400, $text, "$_ nodes",
                  urls(@range{qw(start end)}, '{}', $_)) for 50, 51;

    for my $name (grep { $_ ne 'SelectMergeProfile' } @stacks) {
        my $m = PyroTest::Rpc::message($name, $rpc->ask('proto', $name,
                    PyroTest::Rpc::sample($name, \%range)));
        my $width = $name eq 'Diff' ? 7 : 4;
        my $nodes = -1;

        $nodes += @{ $_->{values} } / $width
            for @{ $m->{flamegraph}{levels} };

        # a level below each of five nodes, or of twice five, may be cut
        cmp_ok $nodes, '<', 60, "$name: five nodes unless asked for more";
    }
}


# ---- query.max_series -------------------------------------------------------

{
    my $text = qr/\b3\b.*query\.max_series|query\.max_series.*\b3\b/;
    my %range = (start => $FROM * 1000, end => ($FROM + 50) * 1000);

    limits('query', max_series => 3);

    # of the values and types that there are few
    for my $name (grep { !/^(?:ProfileTypes|LabelNames|LabelValues)$/ }
                  @ranged) {
        for my $n (3, 4) {
            answered($name, selecting($name, \%range,
                     "{service_name=~\"s[1-$n]\"}"), $n == 3 ? 200 : 422,
                     $text, "$n series");
        }
    }

    urls_answered($_ == 3 ? 200 : 422, $text, "$_ series",
                  grep { $_->[0] =~ /render/ } urls(@range{qw(start end)},
                  "{service_name=~\"s[1-$_]\"}")) for 3, 4;
}


# ---- query.max_memory, query.max_response_bytes -----------------------------

{
    my %range = (start => $FROM * 1000, end => ($FROM + 600) * 1000);
    my @large = urls(@range{qw(start end)}, '{service_name="large"}',
                     1_000_000);
    my @small = urls(@range{qw(start end)}, '{service_name="s1"}', 100);

    for (['max_memory', '1MiB', 'max_memory'],
         ['max_response_bytes', '64KiB', 'max_response_bytes']) {
        my ($key, $value, $text) = @$_;

        limits('query', $key => $value);

        for my $name (@stacks) {
            answered($name, selecting($name, \%range, '{service_name="s1"}',
                                      maxNodes => 100), 200, undef,
                     "$key, a small query");
            answered($name, selecting($name, \%range, '{service_name="large"}',
                                      maxNodes => 1_000_000), 422, qr/$text/,
                     "$key, a large one");
        }

        # a file of pprof is packed, and small by that
        urls_answered(200, undef, "$key, a small query", @small);
        urls_answered(422, qr/$text/, "$key, a large one",
                      grep { $key eq 'max_memory' || $_->[1] !~ /pprof/ }
                      @large);
    }

    limits('query', max_response_bytes => '64KiB');

    pushed($small, 'n' x 200 . "-$_", $FROM + 300) for 1 .. 400;

    answered($_, PyroTest::Rpc::sample($_, \%range,
             groupBy => ['service_name']), 422, qr/max_response_bytes/,
             'max_response_bytes') for qw(SelectSeries SelectHeatmap);
    answered($_, PyroTest::Rpc::sample($_, \%range), 422,
             qr/max_response_bytes/, 'max_response_bytes')
        for qw(LabelValues Series);
}


# ---- query.timeout, query.max_concurrent ------------------------------------

# A request that waits, all but its last byte sent.
sub waiting {
    my ($codec, $name, $message) = @_;

    my $request = PyroTest::Rpc::request($codec, $name, $message);

    return PyroJfr::prepare($t, 'POST', $request->{path}, %$request);
}

my %everything = (start => 1, end => PyroJfr::LAST);

sub slow {
    my ($n) = @_;

    return map { waiting('proto', 'SelectMergeStacktraces',
                         PyroTest::Rpc::sample('SelectMergeStacktraces',
                         \%everything, maxNodes => 1_000_000)) } 1 .. $n;
}

# Requests of all RPCs behind slow ones, until each has seen this status.
sub until_each {
    my ($status, $text, $allowed, $slow) = @_;

    my %left = map { ("$_ proto" => 1, "$_ json" => 1) } @RPCS;
    my %others;

    # nothing is set by them: what is not refused deletes what is not there
    my %message = (Set => {}, Delete => { name => 'nothing' });

    eval {
        wait_for(sub {
            my @first = slow($slow);
            my @names = sort keys %left;
            my @prepared = map {
                my ($name, $codec) = split / /;

                waiting($codec, $name, $message{$name}
                        // PyroTest::Rpc::sample($name, \%everything) // {})
            } @names;

            PyroJfr::finish(@first, @prepared);

            my @answers = PyroJfr::answers($t, @first, @prepared);

            $others{$_ ? $_->{status} : 'none'}++ for @answers;
            splice @answers, 0, $slow;

            for my $name (@names) {
                my $r = shift @answers;

                next if !$r || $r->{status} != $status;

                is_limit($r, $status, $text, $name);
                delete $left{$name};
            }

            return !%left;
        }, 60, 'each RPC');
    } or diag $@;

    is_deeply [sort keys %left], [], "each RPC: $status in both encodings";
    is_deeply [grep { $_ !~ $allowed } keys %others], [], 'nothing else';
}

limits('query', max_concurrent => 1);
until_each(429, qr/\d queries run in this worker, query\.max_concurrent is 1/,
           qr/^(?:200|400|429)$/, 2);

# two threads have more to do than can be done in that time
limits('query', timeout => '100ms', max_concurrent => 1000);
until_each(504, qr/query\.timeout/,
           qr/^(?:200|400|504)$/, 60);


# ---- clients that go away ---------------------------------------------------

limits('query', max_concurrent => 4);

answered($_, PyroTest::Rpc::sample($_, \%everything) // {}, 200, undef,
         'with other limits') for grep { !/^(?:Set|Delete)$/ } @RPCS;

my @workers = $t->worker_pids;

sub gone {
    return $t->answered(status_code => 499,
                        route => 'querier_v1_querierservice_'
                                 . 'selectmergestacktraces') // 0;
}

# Two run and two wait when their clients leave.
sub leave {
    my ($how) = @_;

    my @asking = slow(4);

    PyroJfr::finish(@asking);

    for my $sock (map { $_->{sock} } @asking) {
        setsockopt $sock, Socket::SOL_SOCKET(), Socket::SO_LINGER(),
                   pack('ii', 1, 0) if $how eq 'reset';
        close $sock;
    }
}

for my $how (qw(close reset)) {
    my $before = gone();

    wait_for(sub { leave($how); gone() >= $before + 8 }, 60,
             "queries whose clients left ($how)");
    pass "$how: what was given up is counted as 499";

    ok wait_for(sub {
        my @asking = slow(4);

        PyroJfr::finish(@asking);

        return 4 == grep { $_ && $_->{status} == 200 }
                    PyroJfr::answers($t, @asking);
    }, undef, 'four queries at once'), "$how: all queries get free again";
}

# a stream of HTTP/2 that is taken back; the first bytes are what RFC 9113 wants
# of every client, names and values are texts without an index
sub h2_frame {
    my ($type, $flags, $stream, $bytes) = @_;

    return substr(pack('N', length $bytes), 1)
           . pack('CCN', $type, $flags, $stream) . $bytes;
}

sub h2_request {
    my ($stream, $request) = @_;

    my $block = join '', map { my ($name, $value) = @$_;
        "\0" . chr(length $name) . $name . chr(length $value) . $value
    } ([':method', 'POST'], [':scheme', 'http'], [':path', $request->{path}],
       [':authority', 'a'],
       ['content-type', $request->{headers}{'Content-Type'}]);

    return h2_frame(1, 4, $stream, $block)
           . h2_frame(0, 1, $stream, $request->{body});
}

{
    my $client = PyroTest::Client->new(port => $h2);
    my $before = gone();
    my $request = PyroTest::Rpc::request('proto', 'SelectMergeStacktraces',
                      PyroTest::Rpc::sample('SelectMergeStacktraces',
                      \%everything, maxNodes => 1_000_000));

    # an answer to a ping: what came before it was read, and is in work
    wait_for(sub {
        my $sock = $client->connect;
        my $in = '';

        $client->send_bytes($sock, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
            . h2_frame(4, 0, 0, '')
            . join('', map { h2_request($_, $request) } 1, 3, 5)
            . h2_frame(6, 0, 0, 'ping-one'));

        1 while $in !~ /ping-one/ && sysread $sock, $in, 65536, length $in;

        $client->send_bytes($sock, join '',
                            map { h2_frame(3, 0, $_, pack 'N', 8) } 1, 3, 5);

        return gone() >= $before + 3;
    }, 60, 'streams that were taken back');
    pass 'HTTP/2: what was given up is counted as 499';

    answered('SelectMergeStacktraces', PyroTest::Rpc::sample(
             'SelectMergeStacktraces', \%everything), 200, undef,
             'after it');
}


# ---- the end ----------------------------------------------------------------

is_deeply [$t->worker_pids], \@workers, 'the worker that there was';
is PyroJfr::total($t, name => 's1'), PyroJfr::cpu_total($small),
   'it answers as before';
is_deeply [PyroJfr::errors($t)], [], 'no error';
is $t->stop, 0, 'a clean end';
$t->log_ok;

done_testing;
