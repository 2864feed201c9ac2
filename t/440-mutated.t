#!/usr/bin/perl

# Ten thousand requests that are nearly right, in protobuf, in JSON and as URLs
# of the older API: none of them is the server's fault, none ends a worker, and
# all of them are answered in memory that is bounded.
#
# PYRO_MUTATED is another number of them, PYRO_MUTATE_SEED another seed.  What
# fails is said with its seed and bytes.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use JSON::PP ();
use POSIX ();
use PyroJfr;
use PyroTest;
use PyroTest::Mutate;
use PyroTest::Rpc;
use PyroTest::Util;
use Test::More;

my $REQUESTS = $ENV{PYRO_MUTATED} || 10_000;
my $SEED = $ENV{PYRO_MUTATE_SEED} || 20_260_101;
my $PROCESSES = 4;
my $AHEAD = 10;                         # requests sent before they are answered
my $RSS = 512 * 1024;                   # KiB: four queries, what nginx needs

my $data = PyroTest::root() . '/t/data/api';
my $set = JSON::PP->new->decode(read_file("$data/set.json"));
my $differences = JSON::PP->new->decode(read_file("$data/differences.json"));

# its recordings are of one week of 2026, whatever the clock says
my $t = PyroTest->new(workers => 2, more_yaml => <<'END')->start;
limits:
  reject_newer_than: 0
query:
  timeout: 60s
  max_memory: 64MiB
  max_response_bytes: 16MiB
END

for my $p (@{ $set->{pushes} }) {
    is $t->push_jfr(PyroJfr::recording($p->{jfr}), name => $p->{app},
                    from => $p->{from}, until => $p->{until},
                    rate => $p->{rate}, labels =>
                    $p->{labels} ? PyroJfr::labels($p->{jfr}) : undef)
       ->{status}, 200, "push $p->{app} $p->{from}";
}

my $total = PyroJfr::total($t);
my @workers = $t->worker_pids;

cmp_ok $total, '>', 0, 'there is something to ask for';


# ---- requests that are right ------------------------------------------------

my %ENUM = (PROFILE_FORMAT_DOT => 3,
            TIME_SERIES_AGGREGATION_TYPE_AVERAGE => 1);
my %range = (start => 1_795_381_140_000, end => 1_795_388_400_000);
my %span = (spanSelector => ['00000000000000ef']);

# [RPC, message]: those of the set, and of what it does not ask
my @messages = (
    (map { my $path = $_->{path};
           ref $_->{body} && grep({ PyroTest::Rpc::path($_) eq $path } @RPCS)
           ? [$path =~ m{([^/]+)$}, $_->{body}] : () }
     @{ $set->{asks} }, @{ $differences->{asks} }),
    (map { [$_, PyroTest::Rpc::sample($_, \%range) // {}] } @RPCS),
    [SelectMergeStacktraces => PyroTest::Rpc::sample('SelectMergeStacktraces',
        \%range, format => 2, maxNodes => 100, stackTraceSelector =>
        { callSite => [{ name => 'java/lang/Thread.run' }] })],
    [SelectMergeStacktraces => PyroTest::Rpc::sample('SelectMergeStacktraces',
        \%range, format => 4, %span)],
    [SelectMergeStacktraces => PyroTest::Rpc::sample('SelectMergeStacktraces',
        \%range, traceIdSelector => ['0' x 32], profileIdSelector =>
        ['7c9e6679-7425-40de-944b-e07fc1f90ae7'])],
    [SelectMergeSpanProfile => PyroTest::Rpc::sample('SelectMergeSpanProfile',
        \%range, %span, format => 2)],
    [SelectMergeProfile => PyroTest::Rpc::sample('SelectMergeProfile', \%range,
        stackTraceSelector => { goPgo => { keepLocations => 3 } })],
    [SelectSeries => PyroTest::Rpc::sample('SelectSeries', \%range,
        exemplarType => 2, groupBy => ['service_name', 'region'])],
    [SelectHeatmap => PyroTest::Rpc::sample('SelectHeatmap', \%range,
        queryType => 2, exemplarType => 3, limit => 3, groupBy => ['env'])],
    [Set => { setting => { name => 'a', value => 'b', modifiedAt => 1 } }],
    [Delete => { name => 'a' }],
);

# Numbers for the names of enums, which protobuf has not.
sub numbered {
    my ($x) = @_;

    return ref $x eq 'HASH' ? { map { $_ => numbered($x->{$_}) } keys %$x }
           : ref $x eq 'ARRAY' ? [map { numbered($_) } @$x]
           : $ENUM{$x} // $x;
}

my $type = uri_escape(PyroJfr::CPU . '{service_name="shop.order"}');
my $time = 'from=1795381140000&until=1795388400000';
my @urls = (
    (map { my $query = $_->{query};
           "$_->{path}?" . join '&', map { "$_=" . uri_escape($query->{$_}) }
                                     sort keys %$query }
     grep { ($_->{method} // '') eq 'GET' && $_->{query} }
     @{ $set->{asks} }, @{ $differences->{asks} }),
    (map { "/render?query=$type&$time&format=$_&max-nodes=100" }
     qw(json pprof collapsed speedscope html dot)),
    "/pyroscope/render?query=$type&from=now-1h&until=now&groupBy=region"
    . '&groupBy=env&aggregation=avg',
    '/pyroscope/labels?query=' . uri_escape('{region="eu"}') . "&$time",
    "/labels?$time", '/label-values?label=__name__',
    "/pyroscope/label-values?label=region&$time&query="
    . uri_escape('{env=~"a|b"}'),
    '/api/v1/jfr-info?service_name=shop.order',
);

my %messages = (json => \@messages,
                proto => [map { [$_->[0], numbered($_->[1])] } @messages]);
my %others = map { my $codec = $_;
    $codec => [map { PyroTest::Rpc::body($codec, @$_) }
               @{ $messages{$codec} }] } qw(proto json);


# ---- requests that are not --------------------------------------------------

sub request_of {
    my ($mutate) = @_;

    return url_of($mutate) if rand() < 0.2;

    my $codec = $mutate->pick(qw(proto json));
    my ($name, $message) = @{ $mutate->pick(@{ $messages{$codec} }) };
    my $packed = rand() < 0.1;
    my $body;

    if (rand() < 0.5) {
        $body = PyroTest::Rpc::body($codec, $name,
                                    $mutate->message($message));

    } else {
        $body = PyroTest::Rpc::body($codec, $name, $message);
        $body = gzip($body) if $packed && rand() < 0.5;
        $body = $mutate->bytes($body, $others{$codec});
    }

    # what is packed is broken before it, or after it
    $body = gzip($body) if $packed && $body !~ /\A\x1f\x8b/;

    return $t->request_bytes('POST', PyroTest::Rpc::path($name),
        keepalive => 1, body => $body, headers => {
            'Content-Type' => "application/$codec",
            $packed ? ('Content-Encoding' => 'gzip') : (),
            rand() < 0.1 ? ('Accept-Encoding' => 'gzip') : () });
}

# Its arguments; bytes that end a line, or a URL, are escaped, nearly always.
sub url_of {
    my ($mutate) = @_;

    my ($path, $args) = split /\?/, $mutate->pick(@urls), 2;
    my @others = map { s/.*?\?//r } @urls;

    $args = $mutate->bytes($args, \@others);
    $args = substr $args, 0, 8000;
    $args =~ s/([\0-\x20#\x7f-\xff])/sprintf '%%%02X', ord $1/ge
        if rand() < 0.9;
    $args =~ s/([\r\n])/sprintf '%%%02X', ord $1/ge;

    return $t->request_bytes('GET', "$path?$args", keepalive => 1);
}


# ---- a process that asks ----------------------------------------------------

# What is wrong with an answer; nothing: undef.
sub fault {
    my ($r) = @_;

    my $status = $r->{status};
    my $type = $r->{headers}{'content-type'} // '';

    # 501 is the answer to a field that is not supported, and names it
    return "status $status" if $status >= 500
        && !($status == 501 && $r->{body} =~ /"unimplemented".*not supported/);

    return if $type ne 'application/json'
              || $status == 200 && length $r->{body} > 10_000;

    my $json = eval { JSON::PP->new->utf8->allow_nonref->decode($r->{body}) };

    return 'no JSON' if !defined $json && $r->{body} !~ /\Anull\s*\z/;
    return if $status == 200;

    return 'no error in it' if ref $json ne 'HASH' || !length $json->{code}
                               || !length $json->{message};
    return;
}

# { statuses => { status => how many }, faults => [text] }
sub ask {
    my ($seed, $count) = @_;

    my $mutate = PyroTest::Mutate->new($seed);
    my %seen = (statuses => {}, faults => []);
    my (@asked, $sock);

    while ($count || @asked) {
        my $new = !$sock;

        $sock ||= $t->connect;

        # on a new connection those are sent once more that were not answered
        my @more = map { request_of($mutate) }
                   1 .. ($AHEAD - @asked < $count ? $AHEAD - @asked : $count);

        $count -= @more;
        $t->send_bytes($sock, join '', $new ? @asked : (), @more);
        push @asked, @more;

        my $r = eval { $t->read_response($sock, json => 0, timeout => 120) };
        my $asked = shift @asked;
        my $fault = $r ? fault($r) : $@;

        $seen{statuses}{$r ? $r->{status} : 'none'}++;
        push @{ $seen{faults} }, "seed $seed: $fault: "
            . substr($r ? $r->{body} : '', 0, 200) . "\n" . unpack 'H*', $asked
            if defined $fault;

        undef $sock if !$r
            || ($r->{headers}{connection} // '') eq 'close';
    }

    return \%seen;
}

my @pids;

for my $i (0 .. $PROCESSES - 1) {
    my $pid = fork // die "fork: $!\n";

    if ($pid == 0) {
        my $seen = eval { ask($SEED + $i, int $REQUESTS / $PROCESSES) }
                   // { statuses => {}, faults => ["$@"] };

        write_file($t->dir . "/seen-$i", JSON::PP->new->utf8->encode($seen));
        POSIX::_exit(0);
    }

    push @pids, $pid;
}

waitpid $_, 0 for @pids;


# ---- what came of it --------------------------------------------------------

my (%statuses, @faults);

for my $i (0 .. $PROCESSES - 1) {
    my $seen = JSON::PP->new->utf8->decode(read_file($t->dir . "/seen-$i"));

    $statuses{$_} += $seen->{statuses}{$_} for keys %{ $seen->{statuses} };
    push @faults, @{ $seen->{faults} };
}

my $sum = 0;
$sum += $_ for values %statuses;

note join ', ', map { "$statuses{$_} of $_" } sort keys %statuses;

is $sum, $REQUESTS, 'all of them were answered';
is_deeply [@faults ? splice @faults, 0, 5 : ()], [], 'each as it should be';
cmp_ok $statuses{$_} // 0, '>', $sum / 20, "some got as far as $_"
    for 200, 400;

is_deeply [$t->worker_pids], \@workers, 'no worker ended';

SKIP: {
    skip 'a sanitizer takes its own memory' if PyroJfr::under_sanitizer();

    for my $pid (@workers) {
        my $most = PyroJfr::proc_status($pid, 'VmHWM');

        note "VmHWM of a worker: $most KiB";
        cmp_ok $most, '<', $RSS, 'the memory of a worker is bounded';
    }
}

is PyroJfr::total($t), $total, 'what was stored is as it was';
is_deeply [PyroJfr::errors($t)], [], 'no error';
is $t->stop, 0, 'a clean end';
$t->log_ok;

done_testing;
