#!/usr/bin/perl

# /metrics: what pushes and queries add to it, to the number; histograms that
# add up; gauges of work that go when the work or its worker goes; and that
# neither services nor requests can make it grow without end.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use IO::Select ();
use PyroJfr;
use PyroTest;
use PyroTest::Util;
use Test::More;
use Time::HiRes ();

my $ROOT = PyroTest::root();
my $SERVICES = 512;                 # that have a row
my $MANY = 2000;

my $name = 'ap45-itimer-alloc-lock-live';
my $jfr = PyroJfr::bytes($name);
my $profiles = PyroJfr::expect($name)->{profiles};
my %distinct = map { $_ => $profiles->{$_}{distinctStackAndLabels} }
               keys %$profiles;
my $small = PyroJfr::bytes('ap18-itimer');
my $time = PyroJfr::FROM;
my $sent = 0;

my $yaml = <<'EOF';
server: {http_listen_address: 127.0.0.1, http_listen_port: %PORT%}
storage: {filesystem: {dir: '%DATA%'}}
lmdb:
  durability: periodic
  queue_age: 10m
  seal_after: off
EOF

my $t = PyroTest->new(workers => 2, yaml => $yaml)->start;


# ---- helpers ----------------------------------------------------------------

# The text: family => { type, rows => [[name, { label => value }, value], ...] }
sub scrape {
    my $text = $t->get('/metrics')->{body};
    my (%families, $family, %seen);

    for my $line (split /\n/, $text) {
        if ($line =~ /^# TYPE (\S+) (\S+)$/) {
            $families{$1} and die "$1 twice\n";
            $family = $families{$1} = { type => $2, rows => [] };
            next;
        }

        next if $line =~ /^#/;
        my ($row, $labels, $value) =
            $line =~ /^(\w+)(?:\{(.*)\})? (\S+)$/ or die "what: $line\n";
        my %labels;

        while (($labels // '') =~ /(\w+)="((?:[^"\\]|\\.)*)"/g) {
            $labels{$1} = $2;
        }

        $seen{$row . ($labels // '')}++ and die "twice: $line\n";
        push @{ $family->{rows} }, [$row, \%labels, $value];
    }

    return (\%families, $text);
}

# { value of the label => value } of a metric that has it.
sub by {
    my ($metric, $label) = @_;

    my ($families) = scrape();
    my $base = $metric =~ s/_(?:sum|count)$//r;

    return { map { $_->[1]{$label} // '' => $_->[2] }
             grep { $_->[0] eq $metric }
             @{ ($families->{$metric} // $families->{$base})->{rows} } };
}

sub pushed {
    my ($what, $service, $from, %opt) = @_;

    my $body = $opt{body} // $jfr;
    my $r = $t->post($t->ingest_path(name => $service, from => $from), $body,
                     %{ $opt{headers} // {} });

    is $r->{status}, 200, $what or diag $r->{body};
    $sent += length $body;
}

# All that is in work, but this request.
sub in_work {
    my ($families) = scrape();
    my $sum = 0;

    for my $row (map { @{ $families->{$_}{rows} } }
                 qw(ngx_pyroscope_queue_pushes ngx_pyroscope_queue_bytes
                    ngx_pyroscope_parse_bytes ngx_pyroscope_queries
                    pyroscope_inflight_requests))
    {
        $sum += $row->[2] if ($row->[1]{route} // '') ne 'metrics';
    }

    return $sum;
}

sub is_idle {
    my ($what) = @_;

    ok eval { wait_for(sub { in_work() == 0 }, undef, 'the end of work') },
       "$what: nothing is in work" or diag +(scrape())[1];
}

sub inflight { $t->metric('pyroscope_inflight_requests', route => $_[0]) }

# A signal takes a moment, in which the process may accept more.
sub stand_still {
    my ($pid) = @_;

    kill 'STOP', $pid;
    wait_for(sub {
        !grep { read_file("$_/stat") !~ /\) T /s } glob "/proc/$pid/task/*"
    }, undef, "process $pid to stand still");
}

sub is_answered { IO::Select->new($_[0]{sock})->can_read(0) }

# Uploads that wait for their last byte.
sub held {
    my ($n) = @_;

    return map {
        PyroJfr::prepare($t, 'POST', $t->ingest_path(
            name => "held-$_", from => $time), body => $jfr)
    } 1 .. $n;
}


# ---- what pushes add --------------------------------------------------------

my $before = Time::HiRes::time();

pushed('a push', 'shop', $time);
pushed('another one', 'shop', $time + 60);
pushed('of another service', 'cart', $time);
pushed('once more', 'shop', $time);

is $t->post($t->ingest_path(name => 'shop', from => $time), 'xx')->{status},
   422, 'a push that is none';
$sent += 2;

my $received = 'pyroscope_distributor_received';
my %anonymous = (type => 'jfr', tenant => 'anonymous');

is $t->metric("${received}_compressed_bytes_sum", %anonymous), $sent,
   'bytes of bodies';
is $t->metric("${received}_compressed_bytes_count", %anonymous), 5,
   'of all that came';
is $t->metric("${received}_decompressed_bytes_sum", %anonymous), $sent,
   'bytes of recordings';
is $t->metric('pyroscope_distributor_parse_duration_seconds_count',
              %anonymous), 5, 'all were read';

is_deeply by("${received}_samples_sum", 'type'), {
    process_cpu => 4 * $distinct{cpu},
    memory => 4 * $distinct{alloc_in_new_tlab},
    mutex => 4 * $distinct{mutex}, block => 4 * $distinct{block}, wall => 0,
    other => 0,
}, 'samples by type';
is_deeply by("${received}_samples_count", 'type'), {
    (map { $_ => 4 } qw(process_cpu memory mutex block)), wall => 0,
    other => 0,
}, 'of all that could be read';

is_deeply by('ngx_pyroscope_pushes_total', 'result'),
          { stored => 3, repeated => 1, empty => 0, refused => 1 },
          'pushes by result';


# ---- services ---------------------------------------------------------------

is_deeply by('ngx_pyroscope_service_pushes_total', 'service_name'),
          { shop => 3, 'cart' => 1 }, 'pushes of services';
is_deeply by('ngx_pyroscope_service_received_bytes_total', 'service_name'),
          { shop => 3 * length $jfr, 'cart' => length $jfr },
          'bytes of services';

is_deeply by('ngx_pyroscope_service_refused_total', 'service_name'),
          { shop => 1, cart => 0 }, 'refused ones of services';

{
    my $samples = by('ngx_pyroscope_service_samples_total', 'service_name');
    my $last = by('ngx_pyroscope_service_last_push_timestamp_seconds',
                  'service_name');

    is $samples->{shop}, 2 * $samples->{'cart'}, 'samples that were stored';
    is $samples->{shop} + $samples->{'cart'},
       $t->metric('ngx_pyroscope_samples_total'), 'are all of them';

    for (sort keys %$last) {
        cmp_ok $last->{$_}, '>=', $before - 1, "the last push of $_";
        cmp_ok $last->{$_}, '<=', Time::HiRes::time() + 1, 'is not later';
    }
}


# ---- requests ---------------------------------------------------------------

is $t->rpc('LabelNames', {})->{status}, 200, 'a query';
is $t->request('PUT', '/ingest')->{status}, 405, 'a wrong method';
is $t->get('/nowhere')->{status}, 404, 'a wrong path';
is $t->request('HEAD', '/ready')->{status}, 200, 'HEAD';

for my $case (
    [{ method => 'POST', route => 'ingest', status_code => 200 }, 4],
    [{ method => 'POST', route => 'ingest', status_code => 422 }, 1],
    [{ method => 'other', route => 'ingest', status_code => 405 }, 1],
    [{ method => 'GET', route => 'other', status_code => 404 }, 1],
    [{ method => 'HEAD', route => 'ready', status_code => 200 }, 1],
    [{ method => 'POST', status_code => 200, ws => 'false',
       route => 'querier_v1_querierservice_labelnames' }, 1],
) {
    my ($labels, $n) = @$case;

    is $t->answered(%$labels), $n, join ' ', 'requests:',
       map { "$_=$labels->{$_}" } sort keys %$labels;
}

{
    my $sums = by('pyroscope_request_duration_seconds_sum', 'status_code');

    cmp_ok $sums->{422}, '>', 0, 'they take time';
}


# ---- work that is there, and goes ------------------------------------------

is $t->metric('ngx_pyroscope_workers'), 2, 'two workers';
is_idle('at first');

{
    my @held = held(6);

    ok wait_for(sub { inflight('ingest') == 6 }, undef, 'six'), 'six uploads';

    # those of before the reload live as long as they have something to do
    $t->reload;
    cmp_ok $t->metric('ngx_pyroscope_workers'), '>=', 3, 'old ones live on';
    is inflight('ingest'), 6, 'and what they have counts';

    PyroJfr::finish(@held);
    is_deeply [map { $_->{status} } PyroJfr::answers($t, @held)],
              [(200) x 6], 'it is stored';

    is_idle('after a reload');
    ok wait_for(sub { $t->metric('ngx_pyroscope_workers') == 2 }, undef,
                'the old to go'), 'they are gone';
}

# A worker is stopped while it has uploads in work: its numbers stay as they
# are, whatever the clock does, until it dies.
{
    my ($victim, $full, @held);

    for (1 .. 200) {
        $victim = ($t->worker_pids)[0];
        @held = held(16);

        PyroJfr::finish(@held);
        stand_still($victim);

        # a new connection has the other one look for those nobody accepted
        $t->get('/healthz');

        # it ends what it has, unless it waits for a lock of the victim's
        my @others = grep {
            ($t->worker_of($_->{sock}) // 0) != $victim
        } @held;
        my $alone = eval {
            wait_for(sub { !grep { !is_answered($_) } @others }, 2);
        };

        $full = $alone && $t->metric('ngx_pyroscope_queue_pushes');
        last if $full;

        kill 'CONT', $victim;
        PyroJfr::answers($t, @held);
    }

    ok $full, 'a worker that stands still has uploads in work';
    cmp_ok $t->metric('ngx_pyroscope_queue_bytes'), '>=', $full * length $jfr,
           'their bytes';
    cmp_ok $t->metric('ngx_pyroscope_limit_used_ratio',
                      limit => 'lmdb.queue_pushes'), '>', 0,
           'that is a part of its limit';

    kill 'KILL', $victim;
    is_idle('a worker that was killed');
    PyroJfr::answers($t, @held);

    ok wait_for(sub { $t->metric('ngx_pyroscope_workers') == 2 }, undef,
                'a new one'), 'another one in its place';
}

is $t->metric('ngx_pyroscope_queue_limit_pushes'), 4096, 'a limit';
is $t->metric('ngx_pyroscope_queue_age_limit_seconds'), 600,
   'a limit of time';


# ---- the store --------------------------------------------------------------

is_deeply [by('ngx_pyroscope_store_partitions', 'state')->@{qw(open sealed)}],
          [1, 0], 'partitions by state';
is $t->metric('ngx_pyroscope_store_oldest_timestamp_seconds'),
   $time - $time % 86400, 'the first one begins';
is $t->metric('ngx_pyroscope_store_newest_timestamp_seconds'),
   $time - $time % 86400 + 86400, 'the last one ends';
is $t->metric('ngx_pyroscope_store_partitions_aside'), 0, 'none is set aside';
cmp_ok $t->metric('ngx_pyroscope_store_readers'), '>', 0, 'readers';

# the upkeep may be writing
ok wait_for(sub {
    my $files = 0;

    $files += -s for glob $t->data . '/*.mdb';
    return $t->metric('ngx_pyroscope_store_bytes') == $files;
}, undef, 'the bytes of the files'), 'bytes of its files';

# the upkeep has what was pushed behind it, and says when
ok wait_for(sub {
    $t->metric('ngx_pyroscope_upkeep_timestamp_seconds') >= $before
        && $t->metric('ngx_pyroscope_rollup_slots_total') > 0
        && $t->metric('ngx_pyroscope_rollup_lag_seconds') < 30
}, 120, 'the upkeep'), 'the upkeep runs, and nothing is left to roll up';


# ---- without end ------------------------------------------------------------

{
    my $n = 0;

    while ($n < $MANY) {
        my @prepared = map {
            PyroJfr::prepare($t, 'POST', $t->ingest_path(
                name => "s-$_", from => $time), body => $small)
        } $n .. $n + 99;

        PyroJfr::finish(@prepared);
        $_->{status} == 200 or die "$_->{status}: $_->{body}\n"
            for PyroJfr::answers($t, @prepared);
        $n += 100;
    }

    my ($families, $text) = scrape();
    my @rows = @{ $families->{ngx_pyroscope_service_pushes_total}{rows} };
    my @rest = grep { exists $_->[1]{rest} } @rows;
    my $own = grep { ($_->[1]{service_name} // '') =~ /^s-\d+$/
                     && $_->[2] == 1 } @rows;

    is scalar @rows, $SERVICES + 1, "$MANY services: $SERVICES rows, and one";
    is scalar @rest, 1, 'of the rest';
    is $rest[0][2], $MANY - $own, 'which has what is not in the others';
    cmp_ok length $text, '<', 1 << 19, 'the text has an end';

    pushed('a service that came first', 'shop', $time + 120);
    is by('ngx_pyroscope_service_pushes_total', 'service_name')->{shop}, 4,
       'keeps its row';
}

{
    # more than there are rows of requests, if each had one
    my @methods = qw(GET HEAD POST PUT);
    my @paths = map { "/$_" } qw(
        ingest pyroscope/ingest pyroscope/render render pyroscope/render-diff
        render-diff pyroscope/label-values label-values pyroscope/labels
        labels ready healthz metrics api/v1/status/buildinfo
        api/v1/status/config api/v1/jfr-info nowhere);

    for my $path (@paths) {
        for my $method (@methods) {
            $t->request($method, $path);
            $t->request($method, "$path?query=%zz&from=x&name=");
        }
    }

    my ($families) = scrape();
    my $rows = grep { $_->[0] =~ /_count$/ }
               @{ $families->{pyroscope_request_duration_seconds}{rows} };

    cmp_ok $rows, '>', 60, 'rows of requests';
    cmp_ok $rows, '<=', 257, 'are not without end';
}


# ---- histograms add up ------------------------------------------------------

{
    my ($families, $text) = scrape();
    my @histograms = grep { $families->{$_}{type} eq 'histogram' }
                     sort keys %$families;
    my @bad;

    is_deeply \@histograms,
              [qw(ngx_pyroscope_commit_duration_seconds
                  ngx_pyroscope_query_duration_seconds
                  pyroscope_distributor_parse_duration_seconds
                  pyroscope_distributor_received_compressed_bytes
                  pyroscope_distributor_received_decompressed_bytes
                  pyroscope_distributor_received_samples
                  pyroscope_request_duration_seconds)], 'histograms';

    for my $family (@histograms) {
        my %series;

        for my $row (@{ $families->{$family}{rows} }) {
            my %labels = %{ $row->[1] };
            my $le = delete $labels{le};
            my $key = join ',', map { "$_=$labels{$_}" } sort keys %labels;
            my ($kind) = $row->[0] =~ /^\Q$family\E_(bucket|sum|count)$/;

            push @bad, $row->[0] if !$kind;
            push @{ $series{$key}{bucket} }, [$le, $row->[2]]
                if $kind eq 'bucket';
            $series{$key}{$kind} = $row->[2] if $kind ne 'bucket';
        }

        for my $key (sort keys %series) {
            my $s = $series{$key};
            my @buckets = @{ $s->{bucket} };

            for (1 .. $#buckets) {
                push @bad, "$family $key: $buckets[$_][0]"
                    if $buckets[$_][1] < $buckets[$_ - 1][1]
                       || $buckets[$_ - 1][0] eq '+Inf'
                       || ($buckets[$_][0] ne '+Inf'
                           && $buckets[$_][0] <= $buckets[$_ - 1][0]);
            }

            push @bad, "$family $key: the end"
                if $buckets[-1][0] ne '+Inf' || !defined $s->{sum}
                   || $buckets[-1][1] != $s->{count};
        }
    }

    is_deeply \@bad, [], 'buckets ascend to the count';

    chomp(my $promtool = `$ROOT/t/lib/promtool`);
    write_file($t->dir . '/metrics.txt', $text);

    my $said = `'$promtool' check metrics < '@{[$t->dir]}/metrics.txt' 2>&1`;
    is $?, 0, 'promtool has nothing against it' or diag $said;
    is $said, '', 'and says nothing';
}


# ---- tenants ----------------------------------------------------------------

$t->write_config(yaml => $yaml . "multitenancy_enabled: true\n");
is $t->stop, 0, 'a stop';
$t->start;

is_deeply by('ngx_pyroscope_service_pushes_total', 'service_name'), {},
          'a restart begins anew';

pushed("of tenant $_", 'shop', $time + 200,
       headers => { 'X-Scope-OrgID' => $_ }) for qw(a b b anonymous);

is_deeply by('ngx_pyroscope_service_pushes_total', 'tenant'),
          { a => 1, b => 2, anonymous => 1 }, 'services of tenants';
is by("${received}_samples_sum", 'type')->{process_cpu}, 4 * $distinct{cpu},
   'what upstream has by tenant is of all';

$t->reload(yaml => $yaml);
is_deeply by('ngx_pyroscope_service_pushes_total', 'tenant'),
          { a => 1, b => 2, '' => 1 }, 'and are told apart without them';

is $t->stop, 0, 'the end';
$t->log_ok(qr/process \d+ exited on signal 9/);

done_testing;
