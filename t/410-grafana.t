#!/usr/bin/perl

# What Grafana asks: its data source (connect-go, protobuf) and Profiles
# Drilldown (JSON through Grafana's proxy), request for request, from "Save &
# test" on an empty store to four panels, a selection, a filter and a
# comparison.  Whatever is drawn must add up.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use IO::Socket::INET ();
use JSON::PP ();
use PyroJfr;
use PyroTest;
use PyroTest::Grafana;
use PyroTest::Util;
use Socket ();
use Test::More;

my $CPU = PyroJfr::CPU;
my $WALL = PyroJfr::WALL;
my $BYTES = 'memory:alloc_in_new_tlab_bytes:bytes:space:bytes';
my $OBJECTS = 'memory:alloc_in_new_tlab_objects:count:space:bytes';
my $MUTEX = 'mutex:delay:nanoseconds:mutex:count';
my $BLOCK = 'block:delay:nanoseconds:block:count';
my $FROM = PyroJfr::FROM;

my $t = PyroTest->new(workers => 2)->start;
my %grafana = map { $_ => PyroTest::Grafana->new($t, client => $_) }
              qw(old new);
my $grafana = $grafana{new};
my @workers = $t->worker_pids;


# ---- helpers ----------------------------------------------------------------

# Some tests, of which one may die.
sub part {
    my ($name, $code) = @_;

    subtest $name => sub {
        eval { $code->(); 1 } or fail $@;
        done_testing;
    };
}

sub ms { return int(($FROM + $_[0]) * 1000) }

# The message of a call by both clients, which must be the same.
sub ask {
    my ($rpc, $message, $what, %opt) = @_;

    my @got = map { $grafana{$_}->call($rpc, $message, %opt) } qw(new old);

    is_deeply $_->{error}, undef, "$what: no error" for @got;
    is_deeply $got[1]{message}, $got[0]{message},
              "$what: the same for older clients";

    return $got[0]{message} // {};
}

# A call by the browser, through Grafana's proxy: no Connect headers.
sub browser {
    my ($path, $message, %headers) = @_;

    my $body = ref $message ? JSON::PP->new->utf8->canonical->encode($message)
                            : $message;

    $path = "/querier.v1.QuerierService/$path" if $path !~ m{^/};

    return $t->post($path, $body, 'Content-Type' => 'application/json',
                    'Accept' => 'application/json, text/plain, */*',
                    'Accept-Encoding' => 'gzip, deflate, br',
                    'User-Agent' => 'Mozilla/5.0', 'X-Grafana-Org-Id' => 1,
                    %headers);
}

sub browser_get {
    my ($path, %query) = @_;

    return $t->get("$path?" . join('&', map { "$_=" . uri_escape($query{$_}) }
                                        sort keys %query),
                   headers => { 'Accept' => '*/*', 'User-Agent' =>
                                'Mozilla/5.0', 'Accept-Encoding' =>
                                'gzip, deflate, br' });
}

# What a panel of flame graphs asks and gets: a frame that adds up to total.
sub panel {
    my ($what, $total, %query) = @_;

    my %message = (labelSelector => '{service_name="perfshop"}',
                   start => ms(-60), end => ms(1200), %query);
    my $graph = ask('SelectMergeStacktraces', \%message, $what)->{flamegraph};

    sound($graph, $total, $what);
    is_deeply browser('SelectMergeStacktraces', \%message)->{json}{flamegraph},
              $graph, "$what: JSON has the same";

    return $graph;
}

sub sound {
    my ($graph, $total, $what, %opt) = @_;

    is $graph->{total} // 0, $total, "$what: its total" if !%opt;
    is PyroTest::Grafana::faults($graph, %opt), '', "$what: adds up";
    is_deeply [PyroJfr::flamegraph_faults($graph)], [], "$what: is sound"
        if !%opt;
}

# { "labels" => { time => value } } of a panel of lines
sub lines {
    my ($what, %query) = @_;

    my $message = ask('SelectSeries', {
        labelSelector => '{service_name="perfshop"}', start => ms(-60),
        end => ms(1200), step => 15, exemplarType => 1, %query }, $what);
    my %lines;

    for my $series (@{ $message->{series} // [] }) {
        my $labels = join ',', map { "$_->{name}=$_->{value}" }
                               @{ $series->{labels} // [] };

        $lines{$labels} = { map { $_->{timestamp} => $_->{value} }
                            @{ $series->{points} } };
    }

    return \%lines;
}

sub sum {
    my $sum = 0;
    $sum += $_ for @_;

    return $sum;
}

my @nothing = ('an empty flame graph',
               { names => ['total'], levels => [{ values => [0, 0, 0, 0] }] });

# Nothing found: no flame graph, or one whose level 0 is the root alone.
sub nothing {
    my ($graph, $what) = @_;

    ok !defined $graph || eq_deeply_($graph, $nothing[1]),
       "$what: $nothing[0] or none";
}

sub eq_deeply_ {
    my $json = JSON::PP->new->canonical;
    my ($x, $y) = map { $json->encode($_) =~ s/"//gr } @_;

    return $x eq $y;
}


# ---- what would crash or mislead the data source is found -------------------

for (
    ['level 0 is empty',    qr/level 0/,    [], [0, 1, 1, 1]],
    ['two roots',           qr/level 0/,    [0, 3, 0, 0, 0, 3, 3, 0]],
    ['no such name',        qr/name 2/,     [0, 3, 0, 0], [0, 3, 3, 2]],
    ['a bar beside',        qr/in none/,    [0, 3, 0, 0], [1, 3, 3, 1]],
    ['a gap to the left',   qr/negative/,   [0, 3, 0, 0], [-1, 3, 3, 1]],
    ['a torn level',        qr/torn/,       [0, 3, 0, 0], [0, 3, 3]],
    ['children too small',  qr/children/,   [0, 3, 0, 0], [0, 2, 2, 1]],
    ['another total',       qr/not 3/,      [0, 2, 2, 0]],
    ['nothing is wrong',    qr/^$/,         [0, 3, 1, 0], [1, 2, 2, 1]],
) {
    my ($what, $fault, @levels) = @$_;

    like PyroTest::Grafana::faults({ names => ['total', 'a'], total => 3,
         levels => [map { { values => $_ } } @levels] }), $fault,
         "found: $what";
}


# ---- an empty store: Save & test, and what opens then -----------------------

my @panel_range = (start => ms(-3600), end => ms(0));

for (
    ['newer Grafana',     { start => 1000, end => 4000 }],
    ['older Grafana',     {}],
    ['a range of 0/0',    { start => 0, end => 0 }],
    ['a panel\'s range',  { @panel_range }],
) {
    my ($what, $message) = @$_;

    for my $client (qw(old new)) {
        my $r = $grafana{$client}->call('ProfileTypes', $message);

        is_deeply [@$r{qw(error message)}], [undef, {}],
                  "Save & test, $what, $client: fine, no types";
    }
}

is $grafana->call('ProfileTypes', {}, timeout => 29_998)->{error}, undef,
   'with a deadline';

for my $rpc (qw(LabelNames LabelValues Series)) {
    is_deeply ask($rpc, { $rpc eq 'LabelValues' ? (name => 'service_name') : (),
                          @panel_range }, "empty, $rpc"), {},
              "empty, $rpc: nothing";
}

nothing(ask('SelectMergeStacktraces', { profileTypeID => $CPU, labelSelector =>
            '{}', @panel_range }, 'empty, flame graph')->{flamegraph},
        'empty');
is_deeply ask('SelectSeries', { profileTypeID => $CPU, labelSelector => '{}',
              @panel_range, step => 15, exemplarType => 1 },
              'empty, series'), {}, 'empty, series: none';

part(GetProfileStats => sub {
    is_deeply browser('GetProfileStats', {})->{json}, {},
              'empty, GetProfileStats: onboarding';
});


# ---- what is pushed ---------------------------------------------------------

my %pushed = (                          # host => [recording, seconds]
    linux  => ['cortex-dev-01__kafka-0__cpu_lock0_alloc0__0', 0],
    docker => ['ap45-itimer-alloc-lock-live', 10],
    wall   => ['ap45-wall', 20],
    later  => ['cortex-dev-01__kafka-0__cpu__3', 600],
);

for my $host (sort keys %pushed) {
    my ($recording, $at) = @{ $pushed{$host} };
    my $rate = PyroJfr::expect($recording)->{sampleRate};
    my $r = $t->push_jfr(PyroJfr::recording($recording),
                         name => "perfshop{host=$host,otel.scope.name=x}",
                         from => $FROM + $at, until => $FROM + $at + 10,
                         rate => $rate);

    is $r->{status}, 200, "$recording of $host";
}

is $t->push_jfr(PyroJfr::recording('new_spancontext'), name => 'cart',
                from => $FROM + 30, until => $FROM + 40,
                labels => PyroJfr::labels('new_spancontext'))->{status}, 200,
   'new_spancontext of cart';

my %totals = map { $_ => PyroJfr::totals($pushed{$_}[0]) } keys %pushed;

sub total_of {
    my ($type, @hosts) = @_;
    return sum(map { $totals{$_}{$type} // 0 } @hosts ? @hosts : keys %totals);
}


# ---- the health check and the lists of the editor ---------------------------

my @types = sort keys %{ { map { %$_ } values %totals } };

for ({}, { start => ms(-60), end => ms(1200) }) {
    my $message = ask('ProfileTypes', $_, 'the list of types');

    is_deeply [map { $_->{ID} } @{ $message->{profileTypes} }], \@types,
              'all of them, in order';
    is_deeply [grep { my $type = $_; join(':', @$type{qw(name sampleType
               sampleUnit periodType periodUnit)}) ne $type->{ID} }
               @{ $message->{profileTypes} }], [], 'with their pieces';
}

# two seconds of 1970 have none
is $grafana->call('ProfileTypes', { start => 1000, end => 4000 })->{error},
   undef, 'Save & test with data';

# newer data sources pass on what the browser and the proxy have: the answer is
# in the codec of the request all the same
{
    my $r = $grafana->call('SelectMergeStacktraces', {
        profileTypeID => $MUTEX, labelSelector => '{}', start => ms(-60),
        end => ms(1200) }, headers => {
            'Accept' => 'application/json, text/plain, */*',
            'Authorization' => 'Basic dXNlcjpwYXNz', 'Cookie' => 'a=b',
            'X-Grafana-Org-Id' => 1, 'X-Scope-OrgID' => 'someone',
            'X-Forwarded-For' => '10.0.0.1', 'Via' => '1.1 proxy' });

    is $r->{error}, undef, 'headers of the browser: no error';
    is $r->{message}{flamegraph}{total}, total_of($MUTEX),
       'headers of the browser: the answer';
    is $r->{http}{headers}{'content-encoding'}, 'gzip',
       'headers of the browser: compressed';
}

# resource calls pass on what the browser accepts
for my $accept ('application/json, text/plain, */*',
                '*/*; allow-utf8-labelnames=true') {
    my $names = ask('LabelNames', {
        matchers => [qq({__profile_type__="$CPU",service_name="perfshop"})],
        start => ms(-60), end => ms(1200) }, "names, Accept: $accept",
        headers => { Accept => $accept })->{names};

    is_deeply [grep { !/^__/ } @$names],
              [qw(host jfr_engine jfr_event),
               $accept =~ /utf8/ ? 'otel.scope.name' : (),
               qw(pyroscope_spy service_name)], 'those of this service';
}

is_deeply ask('LabelValues', { name => 'jfr_event', matchers =>
              [qq({__profile_type__="$CPU",service_name="perfshop"})],
              start => ms(-60), end => ms(1200) }, 'values')->{names},
          [qw(cpu itimer wall)], 'values of jfr_event';

# selectors as the many versions write them
for (
    ["{__profile_type__=\"$CPU\"}",                     'cart perfshop'],
    ["{__profile_type__=\"$MUTEX\", }",                 'perfshop'],
    ["{__profile_type__=\"$CPU\", host=\"linux\",}",    'perfshop'],
    ["$CPU\{}",                                         'cart perfshop'],
    ["$BLOCK\{}",                                       'perfshop'],
    ["$CPU\{host=\"docker\"}",                          'perfshop'],
    ['{"otel.scope.name"="x"}',                         'perfshop'],
    ['{jfr_event=~"itimer|wall"}',                      'perfshop'],
    ['{jfr_event=~"cpu|ctimer",}',                      'cart perfshop'],
    ['{}',                                              'cart perfshop'],
    ['',                                                'cart perfshop'],
    ['{service_name="nobody"}',                         ''],
) {
    my ($matcher, $services) = @$_;

    is join(' ', @{ ask('LabelValues', { name => 'service_name', matchers =>
                        [$matcher] }, "services of $matcher")->{names} // [] }),
       $services, "services of $matcher";
}

# what a variable of several values becomes in =~
is_deeply ask('LabelValues', { name => 'host', matchers =>
              ['{jfr_event=~"{cpu,itimer}"}'] }, 'a brace group')->{names},
          [qw(docker later linux)], 'a brace group is an alternation';


# ---- the four panels --------------------------------------------------------

my $perf = 'jfr_event="cpu",jfr_engine!~"itimer|ctimer|wall"';
my %panel;

for (
    # panel, type, matchers, hosts
    [perf_event => $CPU, 'jfr_event="cpu"', qw(linux later)],
    [perf_engine => $CPU, $perf, qw(linux later)],
    [itimer => $CPU, 'jfr_event="itimer"', 'docker'],
    [itimer_engine => $CPU, 'jfr_engine="itimer"', 'docker'],
    [itimer_wall => $WALL, 'jfr_event="wall"', 'wall'],
    [merged => $CPU, ''],
    [heap => $BYTES, ''],
    [objects => $OBJECTS, ''],
    [heap_docker => $BYTES, 'jfr_event="itimer"', 'docker'],
    [lock => $MUTEX, ''],
    [park => $BLOCK, ''],
    [contentions => 'mutex:contentions:count:mutex:count', ''],
) {
    my ($name, $type, $matchers, @hosts) = @$_;

    my %query = (profileTypeID => $type, labelSelector =>
                 qq({service_name="perfshop",$matchers}));
    my $total = total_of($type, @hosts);
    my $graph = panel("panel $name", $total, %query);

    cmp_ok $total, '>', 0, "panel $name: there is something to see";
    is_deeply panel("panel $name, maxNodes", $total, %query,
                    maxNodes => 16384), $graph,
              "panel $name: none is cut";
    panel("panel $name, $_ nodes", $total, %query, maxNodes => $_)
        for 1, 20;

    # its companion: lines, whose points add up to it
    my $lines = lines("lines $name", %query, groupBy => ['host']);

    my %sums = map { $_ => sum(values %{ $lines->{$_} }) } keys %$lines;
    my %wanted = map { ("host=$_" => $totals{$_}{$type}) }
                 grep { $totals{$_}{$type} } @hosts ? @hosts : keys %totals;

    is_deeply \%sums, \%wanted, "lines $name: each host's points are its total";
    is sum(values %{ lines("lines $name", %query)->{''} }), $graph->{total},
       "lines $name: all points are the flame graph";

    $panel{$name} = $graph;
}

is_deeply $panel{perf_engine}, $panel{perf_event},
          'perf_events by its engine or by its event';
is_deeply $panel{itimer_engine}, $panel{itimer}, 'and itimer';

# which engines there are: the legend
is_deeply [sort keys %{ lines('by event', profileTypeID => $CPU,
                              groupBy => ['jfr_event', 'jfr_engine']) }],
          ['jfr_engine=itimer,jfr_event=itimer',
           'jfr_engine=wall,jfr_event=wall', 'jfr_event=cpu'],
          'lines by event and engine';

# a type without data, and a service without
for (['process_cpu:nothing:count:x:y', '{}'], [$CPU, '{service_name="none"}'],
     ['memory:alloc_sample_bytes:bytes:space:bytes', '{}']) {
    my ($type, $selector) = @$_;
    my %query = (profileTypeID => $type, labelSelector => $selector,
                 start => ms(-60), end => ms(1200));

    nothing(ask('SelectMergeStacktraces', \%query, "no data, $type $selector")
            ->{flamegraph}, "no data, $type $selector");
    is_deeply ask('SelectSeries', { %query, step => 15, exemplarType => 1 },
                  "no data, lines of $type"), {}, 'and no series';
}


# ---- steps ------------------------------------------------------------------

# points sit at start + k steps, each with what is in (t - step, t]
for my $step (15, 56.25, 7.5, 0.5, 1.001, 59.999, 3600) {
    for my $start (-60, -7.777, 0, 3.141) {
        my $ms = int($step * 1000);
        my ($first, $end) = (ms($start), ms(1200));
        my %points;

        for my $host (keys %pushed) {
            my $at = ms($pushed{$host}[1]);
            my $k = $at <= $first ? 0 : int(($at - $first + $ms - 1) / $ms);
            my $point = $first + $k * $ms;

            next if $at < $first - $ms || $point > $end;
            $points{$point} += $totals{$host}{$CPU};
        }

        is_deeply lines("step $step from $start", profileTypeID => $CPU,
                        start => $first, end => $end, step => $step)
                  ->{''} // {}, \%points, "step $step from $start: the points";
    }
}

{
    my $by_host = lines('limit', profileTypeID => $CPU, groupBy => ['host'],
                        limit => 2);
    my @hosts = sort { $totals{$b}{$CPU} <=> $totals{$a}{$CPU} }
                keys %totals;

    is_deeply [sort keys %$by_host], [sort map { "host=$_" } @hosts[0, 1]],
              'limit 2: the two largest';
}

for my $step (0, 0.0009) {
    is $grafana->call('SelectSeries', { profileTypeID => $CPU, labelSelector =>
                      '{}', start => ms(0), end => ms(60), step => $step })
       ->{error}{code}, 'invalid_argument', "step $step is an error";
}


# ---- queries in parallel, some of them cancelled ----------------------------

my %cpu = (profileTypeID => $CPU, labelSelector => '{}', start => ms(-60),
           end => ms(1200));
my @both = ([SelectSeries => { %cpu, step => 15, exemplarType => 1 }],
            [SelectMergeStacktraces => { %cpu }]);
my $all = total_of($CPU) + PyroJfr::cpu_total('new_spancontext');

sub reset_sock {
    my ($sock) = @_;

    setsockopt $sock, Socket::SOL_SOCKET(), Socket::SO_LINGER(),
               pack 'ii', 1, 0;
    close $sock;
}

# "both": when one fails the other one's connection is closed
for my $cancelled (0, 1) {
    for my $how (qw(close reset half)) {
        my $right = 0;

        for (1 .. 10) {
            my @socks = map { $t->connect } @both;

            for my $i (0, 1) {
                my $bytes = $grafana->request_bytes(@{ $both[$i] });

                substr($bytes, -5) = '' if $i == $cancelled && $how eq 'half';
                $t->send_bytes($socks[$i], $bytes);
            }

            $how eq 'reset' ? reset_sock($socks[$cancelled])
                            : close $socks[$cancelled];

            my $r = $grafana->answer($both[!$cancelled][0],
                                     $socks[!$cancelled]);

            $right++ if ($cancelled ? sum(map { $_->{value} }
                         @{ $r->{message}{series}[0]{points} })
                         : $r->{message}{flamegraph}{total}) == $all;
        }

        is $right, 10, "$both[$cancelled][0] cancelled by $how: the other one "
                       . 'is answered';
    }
}

# Each on a connection of its own that stays open; the names of what failed.
sub at_once {
    my ($g, $count) = @_;

    my %message = (matchers => ["{__profile_type__=\"$CPU\", }"],
                   start => ms(-60), end => ms(1200));
    my @socks = map { $g->{t}->connect } 1 .. $count;
    my %faults;

    for my $round (1 .. 3) {
        my @bytes = map {
            $g->request_bytes('LabelValues', { %message, name =>
                              $_ % 2 ? 'host' : 'service_name' })
        } 0 .. $#socks;
        my @last = map { chop } @bytes;

        $g->{t}->send_bytes($socks[$_], $bytes[$_]) for 0 .. $#socks;
        syswrite $socks[$_], $last[$_] for 0 .. $#socks;

        for my $i (0 .. $#socks) {
            my $r = $g->answer('LabelValues', $socks[$i]);
            my $names = join ' ', @{ $r->{message}{names} // [] };

            $faults{$r->{error} ? $r->{error}{message} : $names}++
                if $names ne ($i % 2 ? 'docker later linux wall'
                                     : 'cart perfshop');
        }
    }

    return \%faults;
}

for my $client (qw(old new)) {
    is_deeply at_once($grafana{$client}, 20), {},
              "three times twenty at a time, $client client";
}


# ---- errors -----------------------------------------------------------------

sub error_is {
    my ($r, $status, $code, $message, $what) = @_;

    is $r->{http}{status}, $status, "$what: $status";
    is $r->{http}{headers}{'content-type'}, 'application/json',
       "$what: its type";
    is $r->{error}{code}, $code, "$what: its code";
    like $r->{error}{message} // '', $message, "$what: its message";
}

for my $client (qw(old new)) {
    my $g = $grafana{$client};

    for (
        ['a selector that is torn', labelSelector => '{a=', qr/./],
        ['a pattern that is none',  labelSelector => '{a=~"("}', qr/\(/],
        ['a type of one piece',     profileTypeID => 'x', qr/profile.?type/i],
        ['no type',                 profileTypeID => '', qr/profile.?type/i],
        ['the end before the start', end => ms(-120), qr/start|end/],
        ['too many nodes',          maxNodes => 2_000_000, qr/2000000/],
        ['less than no nodes',      maxNodes => -1, qr/nodes/],
    ) {
        my ($what, $field, $value, $message) = @$_;

        error_is($g->call('SelectMergeStacktraces',
                          { %cpu, $field => $value }),
                 400, 'invalid_argument', $message, "$client, $what");
    }

    error_is($g->call('SelectMergeStacktraces', {}, body => "\xff\xff"), 400,
             'invalid_argument', qr/./, "$client, a torn message");
    error_is($g->call('LabelNames', {}, headers =>
             { 'Connect-Protocol-Version' => 2 }), 400, 'invalid_argument',
             qr/Connect-Protocol-Version/, "$client, another protocol");
    error_is($g->call('LabelNames', {}, timeout => 'soon'), 400,
             'invalid_argument', qr/Connect-Timeout-Ms/,
             "$client, a deadline that is none");
    error_is($g->call('Nothing', {}, body => ''), 404, 'unimplemented',
             qr{Nothing}, "$client, an RPC that there is not");
    error_is($g->call('ListRecordingRules', {}, body => '', service =>
             'settings.v1.RecordingRulesService'), 404, 'unimplemented',
             qr/./, "$client, a service that there is not");
}

{
    my $r = browser('LabelNames', { matchers => ['{' . 'x' x 2_000_000] });

    error_is({ http => $r, error => $r->{json} }, 413, 'resource_exhausted',
             qr/\d/, 'a long message');
}

# a body that nginx itself refuses, before any of it was sent
{
    my $sock = $t->connect;

    $t->send_bytes($sock, $grafana->request_bytes('LabelNames', {})
                          =~ s/^Content-Length: 0/Content-Length: 99999999/mr);
    error_is($grafana->answer('LabelNames', $sock), 413, 'resource_exhausted',
             qr/./, 'a body beyond client_max_body_size');
}

# these two have no body, as in the reference: the headers say what is allowed
{
    my $r = $t->get('/querier.v1.QuerierService/LabelNames');

    is $r->{status}, 405, 'GET: 405';
    is $r->{headers}{allow}, 'POST', 'GET: Allow';

    for my $type ('text/plain', 'application/x-protobuf', 'application/xml') {
        my $got = $grafana->call('LabelNames', {}, headers =>
                                 { 'Content-Type' => $type });

        is $got->{http}{status}, 415, "$type: 415";
        like $got->{http}{headers}{'accept-post'} // '',
             qr{application/proto.*application/json}, "$type: Accept-Post";
    }
}


# ---- Profiles Drilldown: its start ------------------------------------------

my %range = (start => ms(-60), end => ms(1200));

{
    my %asked = (%range, labelNames => ['service_name', '__profile_type__'],
                 matchers => []);
    my $r = browser('Series', \%asked);

    is $r->{headers}{'content-type'}, 'application/json', 'Series: its type';
    is $r->{headers}{'content-encoding'}, 'gzip', 'Series: compressed';

    my @sets = map { { map { $_->{name} => $_->{value} } @{ $_->{labels} } } }
               @{ $r->{json}{labelsSet} };

    is_deeply [grep { keys %$_ != 2 || !$_->{service_name}
                      || !$_->{__profile_type__} } @sets], [],
              'Series: each set has both labels';
    is_deeply [map { $_->{__profile_type__} }
               grep { $_->{service_name} eq 'perfshop' } @sets], \@types,
              'Series: the types of a service';

    delete @asked{qw(start end)};
    is browser('Series', \%asked)->{body}, $r->{body},
       'Series without a range: all of it';
    is browser('Series', { %asked, matchers => ['{service_name="cart", }'] })
       ->{body}, '{"labelsSet":[{"labels":[{"name":"__profile_type__",'
       . "\"value\":\"$CPU\"},{\"name\":\"service_name\",\"value\":\"cart\"}]}"
       . ']}', 'Series with a matcher';
}

{
    my $matcher = "{__profile_type__=\"$CPU\", service_name=\"perfshop\"}";
    my $names = browser('LabelNames', { %range, matchers => [$matcher] })
                ->{json}{names};

    is_deeply [grep { !/^__/ } @$names],
              [qw(host jfr_engine jfr_event pyroscope_spy service_name)],
              'LabelNames: the bar of labels to group by';

    my @socks = map {
        my $sock = $t->connect;
        $t->send_bytes($sock, $t->request_bytes('POST',
            '/querier.v1.QuerierService/LabelValues', keepalive => 1,
            body => JSON::PP->new->encode({ %range, name => $_, matchers =>
                        ["{__profile_type__=\"$CPU\","
                         . 'service_name="perfshop", }'] }),
            headers => { 'Content-Type' => 'application/json' }));
        $sock
    } (@$names) x 2;
    my @values = map { $t->read_response($_)->{json}{names} } @socks;
    my $half = @$names;

    is_deeply [@values[$half .. $#values]], [@values[0 .. $half - 1]],
              'LabelValues of all of them in parallel, twice';

    my %of = map { $names->[$_] => join ' ', @{ $values[$_] } } 0 .. $half - 1;

    is $of{host}, 'docker later linux wall', 'LabelValues: host';
    is $of{__profile_type__}, $CPU, 'LabelValues: the type that was chosen';
    is $of{jfr_engine}, 'itimer wall', 'LabelValues: jfr_engine';
}

part(GetProfileStats => sub {
    my $stats = browser('GetProfileStats', {})->{json};

    is_deeply ask('GetProfileStats', {}, 'GetProfileStats'), $stats,
              'GetProfileStats: both codecs';
    ok $stats->{dataIngested}, 'GetProfileStats: there is data';
    is $stats->{oldestProfileTime}, ms(0), 'GetProfileStats: since when';
    is $stats->{newestProfileTime}, ms(600), 'GetProfileStats: until when';
});

part(settings => sub {
    my $service = '/settings.v1.SettingsService';
    my $value = '{"collapsedFlamegraphs":false,"maxNodes":16384}';
    my %setting = (name => 'pluginSettings', value => $value);
    my $r = browser("$service/Get", {});

    is $r->{status}, 200, 'settings, Get: 200';
    is_deeply $r->{json}{settings} // [], [], 'settings: none';

    $r = browser("$service/Set", { setting => { %setting } });
    is $r->{status}, 200, 'settings, Set: 200';

    my $set = $r->{json}{setting} // {};

    is_deeply { map { $_ => $set->{$_} } qw(name value) }, \%setting,
              'settings, Set: what was set';
    like $set->{modifiedAt}, qr/^\d{13}$/, 'settings, Set: when';
    is_deeply browser("$service/Get", {})->{json}{settings}, [$set],
              'settings, Get: what was set';

    $r = browser("$service/Set", { setting => { %setting,
                                                modifiedAt => '1' } });
    is $r->{status}, 409, 'settings, an older Set: 409';
    is $r->{json}{code}, 'already_exists', 'settings, an older Set: its code';

    $r = browser("$service/Set", {});
    is $r->{status}, 400, 'settings, Set of nothing: 400';
    is $r->{json}{code}, 'invalid_argument', 'settings, Set of nothing: code';

    is browser("$service/Delete", { name => 'pluginSettings' })->{status}, 200,
       'settings, Delete: 200';
    is_deeply browser("$service/Get", {})->{json}{settings} // [], [],
              'settings, Delete: it is gone';
});

part(AnalyzeQuery => sub {
    my $r = browser('AnalyzeQuery', { %range, query =>
                    "$CPU\{service_name=\"perfshop\"}" });

    is $r->{status}, 200, 'AnalyzeQuery: 200';
    is ref $r->{json}, 'HASH', 'AnalyzeQuery: an object';
});

part('side-services' => sub {
    is_deeply browser('/version.v1.Version/Version', {})->{json},
              { QuerierAPI => 1 }, 'Version';
    is browser('/capabilities.v1.FeatureFlagsService/GetFeatureFlags', {})
       ->{status}, 200, 'GetFeatureFlags';

    my $r = $t->get('/pyroscope/label-values?label=host');

    is_deeply $r->{json}, [qw(docker later linux wall)], 'label-values';
});


# ---- Profiles Drilldown: exports and function details -----------------------

my %perfshop = (profileTypeID => $CPU, labelSelector =>
                '{service_name="perfshop"}', %range);
my %flame = %{ PyroTest::Grafana::stacks(
    PyroTest::Grafana::frame($panel{merged})) };

sub is_profile {
    my ($profile, $stacks, $what) = @_;

    my @strings = @{ $profile->{stringTable} // [] };

    is $strings[0], '', "$what: the first string is empty";
    is_deeply [map { $strings[$_->{type}] . ':' . $strings[$_->{unit}] }
               @{ $profile->{sampleType} }, $profile->{periodType}],
              [('cpu:nanoseconds') x 2], "$what: its types";
    is_deeply PyroTest::Grafana::profile_stacks($profile), $stacks,
              "$what: the stacks of the flame graph";
}

part(SelectMergeProfile => sub {
    my $profile = ask('SelectMergeProfile', \%perfshop, 'pprof');

    is_profile($profile, \%flame, 'pprof');

    my $r = $grafana->call('SelectMergeProfile', \%perfshop);
    unlike $r->{http}{body}, qr/\A\x1f\x8b/, 'pprof: the browser packs it';

    # names of the .proto among the others
    my %mixed = (profile_typeID => $CPU, label_selector =>
                 $perfshop{labelSelector}, start => $range{start},
                 end => "$range{end}");
    my $json = browser('SelectMergeProfile', \%mixed)->{json};

    is_profile($json, \%flame, 'pprof in JSON');
    is_deeply PyroTest::Grafana::profile_stacks($json),
              PyroTest::Grafana::profile_stacks($profile),
              'pprof: both codecs';

    is_deeply ask('SelectMergeProfile', { %perfshop, labelSelector =>
                  '{service_name="none"}' }, 'pprof of nothing'), {},
              'pprof of nothing: an empty message';
    is browser('SelectMergeProfile', { %perfshop, labelSelector =>
               '{service_name="none"}' })->{body}, '{}',
       'pprof of nothing in JSON';

    $json = browser('SelectMergeProfile', { %mixed, maxNodes => 50 })->{json};
    is sum(values %{ PyroTest::Grafana::profile_stacks($json) }),
       $panel{merged}{total}, 'pprof, maxNodes: the same total';
});

part('call-sites' => sub {
    my $root = 'java/lang/Thread.run';
    my %below = map { $_ => $flame{$_} } grep { /^\Q$root\E(?:;|$)/ }
                keys %flame;
    my %mixed = (profile_typeID => $CPU, label_selector =>
                 $perfshop{labelSelector}, %range,
                 stackTraceSelector => { call_site => [{ name => $root }] },
                 maxNodes => 100_000);

    is_profile(browser('SelectMergeProfile', \%mixed)->{json}, \%below,
               'function details');

    my $graph = ask('SelectMergeStacktraces', { %perfshop, stackTraceSelector =>
                    { callSite => [{ name => $root }] } }, 'a call site')
                ->{flamegraph};

    sound($graph, sum(values %below), 'a call site');
});

my %single = (query => "$CPU\{service_name=\"perfshop\", }",
              from => $range{start}, until => $range{end}, format => 'json');

part(render => sub {
    my $r = browser_get('/pyroscope/render', %single, 'max-nodes' => 16384);

    is $r->{status}, 200, 'render: 200';
    is $r->{headers}{'content-type'}, 'application/json', 'render: its type';

    my $json = $r->{json};
    my $bearer = $json->{flamebearer};
    my $graph = { names => $bearer->{names}, total => $bearer->{numTicks},
                  maxSelf => $bearer->{maxSelf}, levels =>
                  [map { { values => $_ } } @{ $bearer->{levels} }] };

    sound($graph, $panel{merged}{total}, 'render');
    is_deeply PyroTest::Grafana::stacks(PyroTest::Grafana::frame($graph)),
              \%flame, 'render: the stacks of the flame graph';
    is_deeply $json->{metadata},
              { format => 'single', spyName => '', sampleRate => 1e9,
                units => 'samples', name => 'cpu' }, 'render: metadata';
    is $json->{version}, 1, 'render: the version';
    is $json->{timeline}{durationDelta}, 15, 'render: the step';
    is $json->{timeline}{startTime}, int(($FROM - 60) / 15) * 15,
       'render: the start, cut to the step';
    is sum(@{ $json->{timeline}{samples} }), $panel{merged}{total},
       'render: the timeline adds up';
    is $json->{groups}, undef, 'render: no groups';

    $json = browser_get('/pyroscope/render', %single, groupBy => 'host')
            ->{json};
    is_deeply { map { $_ => sum(@{ $json->{groups}{$_}{samples} }) }
                keys %{ $json->{groups} } },
              { map { $_ => $totals{$_}{$CPU} } keys %totals },
              'render: a group each host';

    is browser_get('/pyroscope/render', %single, from => $FROM - 60,
                   until => $FROM + 1200)->{json}{flamebearer}{numTicks},
       $panel{merged}{total}, 'render: times in seconds';

    $json = browser_get('/pyroscope/render', %single,
                        query => "$CPU\{service_name=\"none\"}")->{json};
    is_deeply $json->{flamebearer},
              { names => ['total'], levels => [[0, 0, 0, 0]], numTicks => 0,
                maxSelf => 0 }, 'render: nothing';

    for (['no query',  {}],
         ['torn',      { query => "$CPU\{a=" }],
         ['no type',   { query => '{service_name="perfshop"}' }]) {
        my ($what, $query) = @$_;
        my $bad = browser_get('/pyroscope/render', from => 1, until => 2,
                              %$query);

        is $bad->{status}, 400, "render, $what: 400";
        is $bad->{json}{code}, 'invalid_argument', "render, $what: its code";
        like $bad->{json}{message}, qr/query|selector/,
             "render, $what: its message";
    }
});

part(dot => sub {
    my $r = browser_get('/pyroscope/render', %single, format => 'dot',
                        'max-nodes' => 100);

    is $r->{status}, 200, 'dot: 200';
    like $r->{headers}{'content-type'} // '', qr{^text/plain}, 'dot: its type';
    like $r->{body}, qr/\Adigraph\b.*->.*\}\s*\z/s, 'dot: a graph';

    $r = browser_get('/pyroscope/render', %single, format => 'dot',
                     query => "$CPU\{service_name=\"none\"}");
    is_deeply [@$r{qw(status body)}], [200, ''], 'dot of nothing: empty';
});


# ---- a comparison: two windows, two filters ---------------------------------

my %side = (                            # what => [selector, start, end, total]
    early => ['{service_name="perfshop"}', ms(-60), ms(300),
              total_of($CPU, qw(linux docker wall))],
    late  => ['{service_name="perfshop"}', ms(300), ms(1200),
              total_of($CPU, 'later')],
    linux => ['{service_name="perfshop",host="linux"}', @range{qw(start end)},
              total_of($CPU, 'linux')],
    none  => ['{service_name="none"}', @range{qw(start end)}, 0],
);

sub side {
    my ($selector, $start, $end) = @{ $side{$_[0]} };

    return { profileTypeID => $CPU, labelSelector => $selector,
             start => $start, end => $end };
}

sub side_stacks {
    my ($name) = @_;

    return PyroTest::Grafana::stacks(PyroTest::Grafana::frame(
        $grafana->call('SelectMergeStacktraces', side($name))
        ->{message}{flamegraph}));
}

# Both sides of a differential flame graph are those of the windows.
sub is_diff {
    my ($graph, $left, $right, $what) = @_;

    my @totals = ($side{$left}[3], $side{$right}[3]);

    is_deeply [map { $graph->{$_} // 0 } qw(total leftTicks rightTicks)],
              [sum(@totals), @totals], "$what: its totals";

    for my $i (0, 1) {
        my @side = (side => $i, total => $totals[$i]);

        sound($graph, undef, "$what, side $i", @side);
        is_deeply PyroTest::Grafana::stacks(
                  PyroTest::Grafana::frame($graph, @side)),
                  side_stacks(($left, $right)[$i]),
                  "$what, side $i: that window's stacks";
    }
}

for my $pair ([qw(early late)], [qw(late linux)], [qw(early early)],
              [qw(early none)]) {
    my ($left, $right) = @$pair;

    # each window by itself, first
    for my $name (@$pair) {
        my ($selector, $start, $end, $total) = @{ $side{$name} };

        panel("window $name", $total, profileTypeID => $CPU, labelSelector =>
              $selector, start => $start, end => $end) if $total;
    }

    my %diff = (left => side($left), right => side($right));

    part(Diff => sub {
        my $graph = ask('Diff', \%diff, "$left - $right")->{flamegraph};

        is_diff($graph, $left, $right, "$left - $right");
        is_deeply browser('Diff', \%diff)->{json}{flamegraph}, $graph,
                  "$left - $right: JSON has the same";
    });

    part('render-diff' => sub {
        my %query = map { my ($prefix, $name) = @$_;
            my ($selector, $start, $end) = @{ $side{$name} };

            ("${prefix}Query" => "$CPU$selector", "${prefix}From" => $start,
             "${prefix}Until" => $end)
        } [left => $left], [right => $right];
        my $json = browser_get('/pyroscope/render-diff', %query,
                               'max-nodes' => 16384)->{json};
        my $bearer = $json->{flamebearer};

        is $json->{metadata}{format}, 'double', 'render-diff: the format';
        is_diff({ names => $bearer->{names}, total => $bearer->{numTicks},
                  leftTicks => $json->{leftTicks},
                  rightTicks => $json->{rightTicks}, levels =>
                  [map { { values => $_ } } @{ $bearer->{levels} }] },
                $left, $right, "render-diff, $left - $right");

        my $bad = browser_get('/pyroscope/render-diff', %query, rightQuery =>
                              "$WALL\{service_name=\"perfshop\"}");

        is $bad->{status}, 400, 'render-diff of two types: 400';
        like $bad->{json}{message}, qr/types/, 'render-diff, its message';
    });
}


# ---- selections: profiles, spans, heat maps ---------------------------------

part(exemplars => sub {
    my $series = ask('SelectSeries', { %perfshop, step => 15, exemplarType => 2,
                     groupBy => ['host'] }, 'exemplars')->{series};
    my %seen;

    for my $one (@{ $series // [] }) {
        my ($host) = map { $_->{value} } @{ $one->{labels} };

        for my $exemplar (map { @{ $_->{exemplars} // [] } }
                          @{ $one->{points} }) {
            my $graph = ask('SelectMergeStacktraces', { %perfshop,
                            profileIdSelector => [$exemplar->{profileId}] },
                            "the profile of $host")->{flamegraph};

            like $exemplar->{profileId}, qr/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}
                                            -[0-9a-f]{12}$/x, "$host: an id";
            is $exemplar->{timestamp}, ms($pushed{$host}[1]), "$host: its time";
            is_deeply [grep { $_->{name} eq 'host' } @{ $exemplar->{labels} }],
                      [], "$host: the labels of the group are not repeated";
            sound($graph, $exemplar->{value}, "the profile of $host");
            $seen{$host} += $exemplar->{value};
        }
    }

    is_deeply \%seen, { map { $_ => $totals{$_}{$CPU} } keys %totals },
              'a profile each host';
    nothing(ask('SelectMergeStacktraces', { %perfshop, profileIdSelector =>
                ['00000000-0000-4000-8000-000000000000'] },
                'a profile that there is not')->{flamegraph},
            'a profile that there is not');
});

# the spans of a trace: a field of its own, or an RPC of older data sources
part(spans => sub {
    my %cart = (profileTypeID => $CPU, labelSelector =>
                '{service_name="cart"}', %range);
    my %span = ('00000000000000ef' => 0, '0000000000001092' => 0);

    for my $line (split /\n/, gunzip(read_file(PyroJfr::recording(
        'new_spancontext') =~ s/recording\.jfr/cpu.samples.tsv/r)))
    {
        my ($labels, undef, $value) = split /\t/, $line;

        $span{$1} += $value if $labels =~ /profile_id=(\w+)/;
    }

    for (map { [$_] } sort(keys %span), [sort keys %span]) {
        my @ids = map { ref $_ ? @$_ : $_ } @$_;
        my $total = sum(@span{@ids});
        my $new = ask('SelectMergeStacktraces', { %cart, spanSelector =>
                      \@ids }, "spans @ids")->{flamegraph};
        my $old = ask('SelectMergeSpanProfile', { %cart, spanSelector =>
                      \@ids }, "span profile @ids")->{flamegraph};

        sound($new, $total, "spans @ids");
        is_deeply $old, $new, "spans @ids: the older RPC has the same";
    }

    nothing(ask('SelectMergeSpanProfile', { %cart, spanSelector =>
                ['0123456789abcdef'] }, 'no such span')->{flamegraph},
            'no such span');
    error_is($grafana->call('SelectMergeStacktraces', { %cart, spanSelector =>
             ['00000000000000ef'], traceIdSelector => ['0' x 31 . '1'] }),
             400, 'invalid_argument', qr/span|trace/, 'spans and traces');
});

part(heatmap => sub {
    for my $step (15, 56.25) {
        my $series = ask('SelectHeatmap', { %perfshop, step => $step,
                         queryType => 1, exemplarType => 1 },
                         "a heat map, step $step")->{series};
        my @slots = map { @{ $_->{slots} } } @{ $series // [] };

        is_deeply [grep { @{ $_->{yMin} } != @{ $_->{counts} } } @slots], [],
                  "a heat map, step $step: as many counts as bounds";
        is sum(map { @{ $_->{counts} } } @slots), keys %pushed,
           "a heat map, step $step: every profile once";
        is_deeply [grep { ($_->{timestamp} - $range{start}) % ($step * 1000) }
                   @slots], [], "a heat map, step $step: on the grid";
    }
});


# ---- twenty at a time, of one worker ----------------------------------------

part('twenty-at-once' => sub {
    is_deeply [$t->worker_pids], \@workers, 'the workers that there were';
    $t->reload(workers => 1)->wait_workers;
    @workers = $t->worker_pids;

    my $g = PyroTest::Grafana->new($t);

    is_deeply at_once($g, 20), {}, 'Drilldown may ask that of one worker'
        for 1 .. 5;
});


# ---- the end ----------------------------------------------------------------

is_deeply [$t->worker_pids], \@workers, 'the workers that there were';
is_deeply [PyroJfr::errors($t, qr/client intended to send too large body/)], [],
          'no errors in the log';
is PyroJfr::total($t, end => ms(1200)), $all, 'and it answers';

is $t->stop, 0, 'stopped';
$t->log_ok;

done_testing;
