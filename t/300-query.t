#!/usr/bin/perl

# The querier's six RPCs: both codecs, gzip, selectors, shapes of the answers,
# Connect's errors.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use JSON::PP ();
use PyroJfr;
use PyroTest;
use PyroTest::Util;
use Test::More;

my $t = PyroTest->new(workers => 2)->start;

my $SERVICE = '/querier.v1.QuerierService';
my @RPCS = qw(ProfileTypes LabelNames LabelValues Series SelectSeries
              SelectMergeStacktraces);
my $CPU = PyroJfr::CPU;
my $BYTES = 'memory:alloc_in_new_tlab_bytes:bytes:space:bytes';
my $FROM = PyroJfr::FROM;

my %range = (start => PyroJfr::FIRST, end => PyroJfr::LAST);

# a message that each RPC accepts
my %message = (
    ProfileTypes           => { %range },
    LabelNames             => { %range },
    LabelValues            => { %range, name => 'service_name' },
    Series                 => { %range },
    SelectSeries           => { profileTypeID => $CPU, labelSelector => '{}',
                                start => $FROM * 1000,
                                end => ($FROM + 600) * 1000, step => 15 },
    SelectMergeStacktraces => { %range, profileTypeID => $CPU,
                                labelSelector => '{}' },
);

sub post_json {
    my ($rpc, $body, %headers) = @_;
    return $t->post("$SERVICE/$rpc", $body,
                    'Content-Type' => 'application/json', %headers);
}

sub post_proto {
    my ($rpc, $body, %headers) = @_;
    return $t->post("$SERVICE/$rpc", $body,
                    'Content-Type' => 'application/proto', %headers);
}


# ---- an empty store ---------------------------------------------------------

for my $rpc (@RPCS) {
    my $r = $t->rpc($rpc, $message{$rpc});
    my $empty = $rpc eq 'SelectMergeStacktraces'
                ? '{"flamegraph":{"names":["total"],'
                  . '"levels":[{"values":["0","0","0","0"]}]}}'
                : '{}';

    is $r->{status}, 200, "empty store, $rpc: 200";
    is $r->{raw}, $empty, "empty store, $rpc: JSON";
    is $r->{headers}{'content-type'}, 'application/json',
       "empty store, $rpc: its type";
}

is post_proto('LabelValues', PyroJfr::pb([1, ['service_name']]))->{raw}, '',
   'empty store: an empty message in protobuf';


# ---- what is asked about ----------------------------------------------------

sub pushed {
    my ($recording, $name, $from, %opt) = @_;

    my $r = $t->push_jfr(PyroJfr::recording($recording), name => $name,
                         from => $from, until => $from + 10, %opt);

    is $r->{status}, 200, "$recording as $name";
}

my @kafka = map { "cortex-dev-01__kafka-0__$_" }
            qw(cpu_lock_alloc__0 cpu_lock_alloc__1 cpu__0 cpu__3);

pushed($kafka[0], 'shop{env=prod,region=eu}', $FROM);
pushed($kafka[1], 'shop{env=prod,region=eu}', $FROM + 10);
pushed($kafka[2], 'shop{env=prod,region=us}', $FROM + 20);
pushed($kafka[3], 'till{env=dev,otel.scope.name=x}', $FROM + 30);
pushed('new_spancontext', 'cart', $FROM + 40,
       labels => PyroJfr::labels('new_spancontext'));

my @cpu = map { PyroJfr::cpu_total($_) } @kafka, 'new_spancontext';
my ($eu, $us, $till, $cart) = ($cpu[0] + $cpu[1], @cpu[2 .. 4]);
my $shop = $eu + $us;
my $all = $shop + $till + $cart;
my $alloc = PyroJfr::totals($kafka[0])->{$BYTES}
            + PyroJfr::totals($kafka[1])->{$BYTES};

is PyroJfr::total($t), $all, 'all of it';
is PyroJfr::total($t, type => $BYTES), $alloc, 'all of another type';


# ---- selectors --------------------------------------------------------------

for (
    ['{service_name="shop"}',                 $shop],
    ['{service_name="shop",region="us"}',     $us],
    ['{service_name="shop", region="us",}',   $us],
    ['{ service_name = "shop" }',             $shop],
    [q({service_name='shop'}),                $shop],
    ['{service_name=`shop`}',                 $shop],
    ['{service_name!="shop"}',                $till + $cart],
    ['{service_name=~"shop|cart"}',           $shop + $cart],
    ['{service_name=~"sho."}',                $shop],
    ['{service_name=~"ho"}',                  0],
    ['{service_name=~"sh.*"}',                $shop],
    ['{service_name!~"sh.*"}',                $till + $cart],
    ['{service_name!~"ho"}',                  $all],
    ['{service_name=~"(?i)SHOP"}',            $shop],
    ['{env=""}',                              $cart],
    ['{env!=""}',                             $shop + $till],
    ['{env=~".*"}',                           $all],
    ['{env=~".+"}',                           $shop + $till],
    ['{env!="prod"}',                         $till + $cart],
    ['{env=~"|dev"}',                         $till + $cart],
    ['{env="prod",region!="eu"}',             $us],
    ['{region=~"eu|us",region!="eu"}',        $us],
    ['{nowhere="x"}',                         0],
    ['{service_name="\u0073hop"}',            $shop],
    ['{__profile_type__="' . $CPU . '"}',     $all],
    ['{__name__="process_cpu"}',              $all],
    ['{__type__="cpu",__unit__="nanoseconds"}', $all],
    ['{__service_name__="till"}',             $till],
    ['{jfr_event!~"cpu|itimer"}',             $cart],
    ['{"service_name"="shop"}',               $shop],
    ['{"otel.scope.name"="x"}',               $till],

    # what people and dashboards write besides
    ['',                                      $all],
    ['{}',                                    $all],
    ['  {}  ',                                $all],
    ['service_name="shop"',                   $shop],
    ['service_name="shop",region="us"',       $us],
    ['{otel.scope.name="x"}',                 $till],
    ['process_cpu{service_name="shop"}',      $shop],
    ['process_cpu',                           $all],
    [$CPU . '{service_name="shop"}',          $shop],
    ["$CPU\{}",                               $all],
) {
    my ($selector, $total) = @$_;

    is PyroJfr::total($t, selector => $selector), $total,
       "selector $selector";
}

for (
    ['{service_name="shop"',     qr/./],
    ['{service_name}',           qr/./],
    ['{service_name=}',          qr/./],
    ['{service_name="shop}',     qr/./],
    ['{service_name=="shop"}',   qr/./],
    ['{service_name="shop"}}',   qr/./],
    ['{service_name="a" b="c"}', qr/./],
    ['{="shop"}',                qr/./],
    ['{service_name=~"("}',      qr/\(/],
    ['{service_name=~"a{2"}x',   qr/./],
    ['{service_name=~"(?=a)"}',  qr/./],
    ['{service_name=~"(a)\\\\1"}', qr/./],
) {
    my ($selector, $message) = @$_;

    for my $r (PyroJfr::merge($t, selector => $selector),
               PyroJfr::series($t, selector => $selector),
               $t->rpc('Series', { %range, matchers => [$selector] })) {
        is $r->{status}, 400, "selector $selector: 400";
        is $r->{json}{code}, 'invalid_argument', 'its code';
        like $r->{json}{message} // '', $message, 'its message';
    }
}

# a pattern that would run for ever
{
    pushed('new_spancontext', 'long{a=' . 'a' x 60 . '!}', $FROM + 50);

    my $r = PyroJfr::merge($t, selector => '{a=~"(a+)+"}');

    like $r->{status}, qr/^(?:200|400)$/, 'a pattern that explodes ends';
    is PyroJfr::total($t), $all + $cart, 'the rest is as it was';
}

# from here on the fifth service is out of range
$range{end} = ($FROM + 45) * 1000;
$message{$_}{end} = $range{end} for grep { $_ ne 'SelectSeries' } @RPCS;
$message{SelectSeries}{end} = ($FROM + 45) * 1000;


# ---- times ------------------------------------------------------------------

for (
    [$FROM * 1000,       $FROM * 1000,        $cpu[0], 'one ms'],
    [$FROM * 1000 + 1,   ($FROM + 10) * 1000, $cpu[1], 'after the first'],
    [$FROM * 1000,       ($FROM + 10) * 1000 - 1, $cpu[0], 'before the next'],
    [$FROM * 1000,       ($FROM + 10) * 1000, $eu,     'both ends included'],
    [1,                  2,                   0,       'nothing then'],
    [0,                  0,                   $all + $cart, 'no range'],
) {
    my ($start, $end, $total, $what) = @$_;

    is PyroJfr::total($t, start => $start, end => $end), $total, $what;
}

for my $rpc (@RPCS) {
    my %m = %{ $message{$rpc} };
    my $r = $t->rpc($rpc, { %m, start => $m{end}, end => $m{start} });

    is $r->{status}, 400, "$rpc, the end before the start: 400";
    is $r->{json}{code}, 'invalid_argument', 'its code';
    like $r->{json}{message}, qr/start|end/, 'its message';
}


# ---- label RPCs -------------------------------------------------------------

is_deeply [map { $_->{ID} }
           @{ $t->rpc('ProfileTypes', { %range })->{json}{profileTypes} }],
          ['memory:alloc_in_new_tlab_bytes:bytes:space:bytes',
           'memory:alloc_in_new_tlab_objects:count:space:bytes', $CPU],
          'ProfileTypes: sorted';
is_deeply [grep { $_->{ID} eq $CPU }
           @{ $t->rpc('ProfileTypes', {})->{json}{profileTypes} }],
          [{ ID => $CPU, name => 'process_cpu', sampleType => 'cpu',
             sampleUnit => 'nanoseconds', periodType => 'cpu',
             periodUnit => 'nanoseconds' }],
          'ProfileTypes without a range: all fields';

my @names = qw(__name__ __period_type__ __period_unit__ __profile_type__
               __service_name__ __type__ __unit__ env jfr_event pyroscope_spy
               region service_name);

is_deeply $t->rpc('LabelNames', { %range, matchers =>
                  ['{service_name="shop"}'] })->{json}{names},
          \@names, 'LabelNames with a matcher: sorted';
is_deeply [grep { $_ eq 'env' }
           @{ $t->rpc('LabelNames', { %range, matchers =>
              ['{service_name="cart"}'] })->{json}{names} }], [],
          'LabelNames: only of what matches';

{
    my $plain = $t->rpc('LabelNames', { %range })->{json}{names};
    my $utf8 = $t->rpc('LabelNames', { %range }, Accept =>
                       '*/*;allow-utf8-labelnames=true')->{json}{names};

    is_deeply [grep { /\./ } @$plain], [], 'dotted names are left out';
    is_deeply [grep { /\./ } @$utf8], ['otel.scope.name'],
              'but for a client that takes them';

    my %till = (%range, matchers => ['{service_name="till"}']);

    $plain = $t->rpc('Series', \%till)->{json}{labelsSet};
    $utf8 = $t->rpc('Series', \%till, Accept =>
                    '*/*; allow-utf8-labelnames=true')->{json}{labelsSet};

    is_deeply [grep { /\./ } map { $_->{name} } map { @{ $_->{labels} } }
               @$plain], [], 'Series leaves them out as well';
    is_deeply [grep { /\./ } map { $_->{name} } map { @{ $_->{labels} } }
               @$utf8], ['otel.scope.name'], 'and has them on demand';
}

for (
    ['service_name', [],                              'cart shop till'],
    ['service_name', ['{env="prod"}'],                'shop'],
    ['service_name', ['{env="dev"}', '{env=""}'],     'cart till'],
    ['service_name', ['{__profile_type__="' . $BYTES . '"}'], 'shop'],
    ['env',          [],                              'dev prod'],
    ['region',       ['{service_name="shop"}'],       'eu us'],
    ['otel.scope.name', [],                           'x'],
    ['__type__',     [],
     'alloc_in_new_tlab_bytes alloc_in_new_tlab_objects cpu'],
    ['nowhere',      [],                              ''],
    ['env',          ['{service_name="nobody"}'],     ''],
) {
    my ($name, $matchers, $values) = @$_;
    my $r = $t->rpc('LabelValues', { %range, name => $name,
                                     matchers => $matchers });

    is join(' ', @{ $r->{json}{names} // [] }), $values,
       "LabelValues $name @$matchers";
}

{
    my $r = $t->rpc('LabelValues', { %range });

    is $r->{status}, 400, 'LabelValues without a name: 400';
    like $r->{json}{message}, qr/name/, 'its message';
}

is_deeply $t->rpc('Series', { %range, labelNames => ['service_name', 'env'],
                  matchers => ["{__profile_type__=\"$CPU\"}"] })
          ->{json}{labelsSet},
          [map { { labels => [map { { name => $_->[0], value => $_->[1] } }
                              @$_] } }
           [[env => 'dev'], [service_name => 'till']],
           [[env => 'prod'], [service_name => 'shop']],
           [[service_name => 'cart']]], 'Series: sorted, cut down, each once';
is_deeply $t->rpc('Series', { %range, labelNames => ['region'], matchers =>
                  ['{service_name="till"}'] })->{json}{labelsSet},
          [{}], 'Series: a set without any of the labels';
is_deeply [map { $_->{name} } map { @{ $_->{labels} } }
           @{ $t->rpc('Series', { %range, matchers => ['{region="us"}'] })
              ->{json}{labelsSet} }], \@names, 'Series: all labels';


# ---- SelectSeries -----------------------------------------------------------

sub points {
    my (%opt) = @_;

    my $r = PyroJfr::series($t, %opt);

    return [map { my $s = $_;
        join ' ', (map { "$_->{name}=$_->{value}" } @{ $s->{labels} // [] }),
             map { $_->{timestamp} / 1000 - $FROM . ":$_->{value}" }
             @{ $s->{points} } } @{ $r->{json}{series} // [] }];
}

my %grid = (start => $FROM * 1000, end => ($FROM + 40) * 1000);

is_deeply points(%grid, step => 10, name => 'shop'),
          ["0:$cpu[0] 10:$cpu[1] 20:$cpu[2]"], 'SelectSeries: a step of 10';
is_deeply points(%grid, step => 15, name => 'shop'),
          ["0:$cpu[0] 15:$cpu[1] 30:$cpu[2]"], 'a step of 15';
is_deeply points(%grid, step => 20, name => 'shop'),
          ["0:$cpu[0] 20:" . ($cpu[1] + $cpu[2])], 'a step of 20';
is_deeply points(%grid, step => 0.5, name => 'shop'),
          ["0:$cpu[0] 10:$cpu[1] 20:$cpu[2]"], 'a step of half a second';
is_deeply points(%grid, start => ($FROM - 5) * 1000, step => 10,
                 name => 'shop'),
          ["5:$cpu[0] 15:$cpu[1] 25:$cpu[2]"], 'the grid begins at start';
is_deeply points(%grid, start => ($FROM + 5) * 1000, step => 10,
                 name => 'shop'),
          ["5:$cpu[0] 15:$cpu[1] 25:$cpu[2]"],
          'the first point has what is before it';
is_deeply points(start => 1, end => 4_000_000_000_000, step => 0.001,
                 name => 'shop'),
          ["0:$cpu[0] 10:$cpu[1] 20:$cpu[2]"],
          'a fine grid over a century has these points';
is_deeply points(%grid, step => 20, name => 'shop', aggregation =>
                 'TIME_SERIES_AGGREGATION_TYPE_AVERAGE'),
          ["0:$cpu[0] 20:" . ($cpu[1] + $cpu[2]) / 2], 'the average';

my @by = sort { $b->[1] <=> $a->[1] }
         (['service_name=shop', $shop], ['service_name=till', $till],
          ['service_name=cart', $cart]);

sub sums {
    my (%opt) = @_;

    return [map { [join(',', map { "$_->{name}=$_->{value}" }
                             @{ $_->{labels} // [] }),
                   eval { my $n = 0; $n += $_->{value} for @{ $_->{points} };
                          $n }] }
            @{ PyroJfr::series($t, %grid, step => 10, %opt)
               ->{json}{series} // [] }];
}

is_deeply sums(group_by => ['service_name']), \@by, 'by service, largest first';
is_deeply sums(group_by => ['service_name'], limit => 2), [@by[0, 1]],
          'the first two of them';
is_deeply sums(group_by => ['service_name'], limit => 0), \@by, 'no limit';
is_deeply [sort map { $_->[0] } @{ sums(group_by => ['env', 'region']) }],
          ['', 'env=dev', 'env=prod,region=eu', 'env=prod,region=us'],
          'by two labels, some missing';
is_deeply sums(), [['', $all]], 'by none';
is_deeply sums(type => 'a:b:c:d:e'), [], 'an unknown type';

for (
    ['no step',         step => 0],
    ['a tiny step',     step => 0.0001],
    ['a negative step', step => -1],
) {
    my ($what, %opt) = @$_;
    my $r = PyroJfr::series($t, %opt);

    is $r->{status}, 400, "$what: 400";
    is $r->{json}{code}, 'invalid_argument', 'its code';
    like $r->{json}{message}, qr/step/, 'its message';
}


# ---- flame graphs -----------------------------------------------------------

my $whole = PyroJfr::merge($t, end => $range{end})->{json}{flamegraph};
my $nodes = PyroJfr::flamegraph_nodes($whole);

is $whole->{total}, $all, 'the flame graph of all';
is_deeply [PyroJfr::flamegraph_faults($whole)], [], 'is sound';
cmp_ok $nodes, '>', 300, "has $nodes nodes";

for my $max (1, 2, 10, 100, $nodes - 1, $nodes, $nodes + 1, 1_048_576) {
    my $graph = PyroJfr::merge($t, end => $range{end}, max_nodes => $max)
                ->{json}{flamegraph};
    my $has_other = grep { $_ eq 'other' } @{ $graph->{names} };

    is $graph->{total}, $all, "max_nodes $max: the same total";
    is_deeply [PyroJfr::flamegraph_faults($graph)], [],
              "max_nodes $max: sound";

    # nodes of the same size as the last one stay, and "other" comes to each
    is !!$has_other, $max < $nodes && PyroJfr::flamegraph_nodes($graph)
       < $nodes || !!grep({ $_ eq 'other' } @{ $whole->{names} }),
       "max_nodes $max: other";
}

cmp_ok PyroJfr::flamegraph_nodes(PyroJfr::merge($t, max_nodes => 10)
       ->{json}{flamegraph}), '<', 60, 'max_nodes 10: few of them';
is_deeply PyroJfr::merge($t, end => $range{end}, max_nodes => 0)
          ->{json}{flamegraph}, $whole, 'max_nodes 0: the default';

for (
    ['max_nodes below 0',  qr/nodes/,        max_nodes => -1],
    ['max_nodes beyond',   qr/1048577.*1048576/, max_nodes => 1_048_577],
    ['a type of one piece', qr/profile.?type/i, type => 'cpu'],
    ['no type',            qr/profile.?type/i, type => ''],
    ['a type of seven',    qr/profile.?type/i, type => 'a:b:c:d:e:delta:g'],
) {
    my ($what, $message, %opt) = @$_;
    my $r = PyroJfr::merge($t, %opt);

    is $r->{status}, 400, "$what: 400";
    is $r->{json}{code}, 'invalid_argument', 'its code';
    like $r->{json}{message}, $message, 'its message';
}

is PyroJfr::total($t, type => "$CPU:delta", end => $range{end}), $all,
   'a sixth piece of the type is ignored';
is PyroJfr::merge($t, type => 'a:b:c:d:e')->{raw},
   '{"flamegraph":{"names":["total"],"levels":[{"values":["0","0","0","0"]}]}}',
   'an unknown type: empty';

my $nothing = { names => ['total'],
                levels => [{ values => ['0', '0', '0', '0'] }] };

for my $field (
    '"stackTraceSelector":{"callSite":[{"name":"main"}]}',
    '"profileIdSelector":["7c9e6679-7425-40de-944b-e07fc1f90ae7"]',
    '"spanSelector":["00f067aa0ba902b7"]',
    '"traceIdSelector":["4bf92f3577b34da6a3ce929d0e0e4736"]',
    '"format":"PROFILE_FORMAT_FUNCTIONS"', '"format":17') {
    my $r = post_json('SelectMergeStacktraces',
        "{\"profileTypeID\":\"$CPU\",\"labelSelector\":\"{}\","
        . "\"start\":\"1\",\"end\":\"2\",$field}");

    is $r->{status}, 200, "$field: 200";
    is_deeply $r->{json}{flamegraph}, $nothing, 'there is nothing';
}

for my $case (
    ['SelectMergeStacktraces', '"profileIdSelector":["7"]',
     qr/profile_id_selector/],
    ['SelectMergeStacktraces', '"spanSelector":["7"]', qr/span_selector: "7"/],
    ['SelectMergeStacktraces', '"traceIdSelector":["00f067aa0ba902b7"]',
     qr/trace_id_selector: "00f067aa0ba902b7"/],
    ['SelectMergeStacktraces', '"spanSelector":["00f067aa0ba902b7"],'
     . '"traceIdSelector":["4bf92f3577b34da6a3ce929d0e0e4736"]',
     qr/cannot be combined/],
    ['SelectMergeProfile', '"maxNodes":1048577', qr/1048577 is greater/],
    ['SelectMergeSpanProfile', '"maxNodes":-1', qr/max_nodes -1/],
    ['SelectHeatmap', '"step":0,"queryType":1', qr/step must be >= 1ms/],
    ['SelectHeatmap', '"step":15', qr/query_type 0/],
    ['SelectHeatmap', '"step":15,"queryType":2,"limit":"-1"', qr/limit -1/],
) {
    my ($rpc, $field, $message) = @$case;
    my $r = post_json($rpc,
        "{\"profileTypeID\":\"$CPU\",\"labelSelector\":\"{}\","
        . "\"start\":\"1\",\"end\":\"2\",$field}");

    is $r->{status}, 400, "$rpc, $field: 400";
    is $r->{json}{code}, 'invalid_argument', 'its code';
    like $r->{json}{message}, $message, 'its message';
}


# ---- JSON -------------------------------------------------------------------

for my $body (
    '{"name":"service_name","start":"1700000000000","end":"1700000045000"}',
    '{"name":"service_name","start":1700000000000,"end":1700000045000}',
    ' {"end" : 1.700000045e12, "start":0, "name":"\u0073ervice_name" } ',
    '{"name":"service_name","start":null,"end":"1700000045000","x":[{}]}',
) {
    my $r = post_json('LabelValues', $body);

    is_deeply $r->{json}{names}, [qw(cart shop till)], "JSON $body";
}

is post_json('SelectMergeStacktraces',
             "{\"profile_typeID\":\"$CPU\",\"label_selector\":"
             . '"{service_name=\"cart\"}","start":1,"end":1700000045000,'
             . '"max_nodes":"10"}')->{json}{flamegraph}{total}, $cart,
   'JSON: the names of the .proto';
is post_json('LabelValues', '{"name":"service_name"}', 'Content-Type' =>
             'Application/JSON; charset=UTF-8')->{status}, 200,
   'JSON: the type with a charset';

for my $body ('', '{', '[]', '"x"', '1', '{}x', '{"name":1}',
              '{"name":["a"]}', '{"start":"x"}', '{"start":1.5}',
              '{"start":9223372036854775808}', '{"matchers":"{}"}',
              "{\"name\":\"\xff\"}", '{"matchers":[' x 3,
              '[' x 100_000, '{"name":"a"' . ' ' x 2_000_000 . '}') {
    my $r = post_json('LabelValues', $body);
    my $what = 'bad JSON ' . substr uri_escape($body), 0, 30;

    like $r->{status}, length $body > 1_000_000 ? qr/^413$/ : qr/^400$/,
         $what;
    like $r->{json}{code} // '', qr/^(?:invalid_argument|resource_exhausted)$/,
         'its code';
    ok length($r->{json}{message} // ''), 'its message';
}


# ---- protobuf ---------------------------------------------------------------

sub labels_of {
    my ($bytes) = @_;

    return join ',', map { my $l = PyroJfr::pb_fields($_);
                           ($l->{1}[0] // '') . '=' . ($l->{2}[0] // '') }
           @{ PyroJfr::pb_fields($bytes)->{1} // [] };
}

{
    my @range = ($range{start}, $range{end});
    my $r = post_proto('ProfileTypes', PyroJfr::pb([1, $range[0]],
                                                   [2, $range[1]]));

    is $r->{headers}{'content-type'}, 'application/proto',
       'protobuf: the type';
    is_deeply [map { PyroJfr::pb_fields($_)->{1}[0] }
               @{ PyroJfr::pb_fields($r->{raw})->{1} }],
              [$BYTES, $BYTES =~ s/bytes:bytes/objects:count/r, $CPU],
              'protobuf: ProfileTypes';

    $r = post_proto('LabelNames', PyroJfr::pb([1, ['{service_name="shop"}']],
                    [2, $range[0]], [3, $range[1]]));
    is_deeply PyroJfr::pb_fields($r->{raw})->{1}, \@names,
              'protobuf: LabelNames';

    $r = post_proto('LabelValues', PyroJfr::pb([1, ['service_name']],
                    [2, ['{env="dev"}']], [2, ['{env=""}']], [3, $range[0]],
                    [4, $range[1]], [99, ['unknown']]));
    is_deeply PyroJfr::pb_fields($r->{raw})->{1}, ['cart', 'till'],
              'protobuf: LabelValues';

    $r = post_proto('Series', PyroJfr::pb([2, ['service_name']],
                    [3, $range[0]], [4, $range[1]]));
    is_deeply [map { labels_of($_) }
               @{ PyroJfr::pb_fields($r->{raw})->{2} }],
              [map { "service_name=$_" } qw(cart shop till)],
              'protobuf: Series';

    $r = post_proto('SelectSeries', PyroJfr::pb([1, [$CPU]],
                    [2, ['{service_name="shop"}']], [3, $grid{start}],
                    [4, $grid{end}], [5, ['region']], [6, [undef, 10]],
                    [9, 1]));

    my @series = @{ PyroJfr::pb_fields($r->{raw})->{1} };
    my $s = PyroJfr::pb_fields($series[0]);

    is @series, 1, 'protobuf: SelectSeries, the limit';
    is_deeply [map { my $l = PyroJfr::pb_fields($_);
                     "$l->{1}[0]=$l->{2}[0]" } @{ $s->{1} }],
              [$eu > $us ? 'region=eu' : 'region=us'], 'its labels';
    is_deeply [map { my $p = PyroJfr::pb_fields($_);
                     "$p->{2}[0] $p->{1}[0]" } @{ $s->{2} }],
              $eu > $us ? ["$grid{start} $cpu[0]",
                           ($FROM + 10) * 1000 . " $cpu[1]"]
                        : [($FROM + 20) * 1000 . " $cpu[2]"],
              'its points';

    $r = post_proto('SelectMergeStacktraces', PyroJfr::pb([1, [$CPU]],
                    [2, ['{}']], [3, $range[0]], [4, $range[1]]));

    my $g = PyroJfr::pb_fields(PyroJfr::pb_fields($r->{raw})->{1}[0]);

    is_deeply { names => $g->{1}, total => $g->{3}[0], maxSelf => $g->{4}[0],
                levels => [map { { values => [PyroJfr::pb_packed(
                    PyroJfr::pb_fields($_)->{1}[0])] } } @{ $g->{2} }] },
              { %$whole, names => [map { my $n = $_; utf8::encode($n); $n }
                                   @{ $whole->{names} }] },
              'protobuf: SelectMergeStacktraces is what JSON has';
}

for my $body ("\xff", "\x0a\x7f", "\x0a\xff\xff\xff\xff\x7f", "\x7a\5abc",
              "\x0f\0", "\0\0") {
    for my $rpc (@RPCS) {
        my $r = post_proto($rpc, $body);

        is $r->{status}, 400, "$rpc, bad protobuf: 400";
        is $r->{headers}{'content-type'}, 'application/json', 'its type';
        is $r->{json}{code}, 'invalid_argument', 'its code';
    }
}

{
    my $r = post_proto('SelectMergeStacktraces', '');

    is $r->{status}, 400, 'an empty message in protobuf is one';
    like $r->{json}{message}, qr/profile.?type/i, 'that lacks a type';
}


# ---- gzip -------------------------------------------------------------------

my %gzip = ('Accept-Encoding' => 'gzip');

for my $rpc (@RPCS) {
    my $plain = $t->rpc($rpc, $message{$rpc});
    my $r = $t->rpc($rpc, $message{$rpc}, %gzip);

    is $r->{headers}{'content-encoding'}, 'gzip', "$rpc: a gzip answer";
    is $r->{body}, $plain->{body}, "$rpc: the same";
    is $plain->{headers}{'content-encoding'}, undef, "$rpc: only if wanted";

    $r = post_json($rpc, gzip(JSON::PP->new->encode($message{$rpc})),
                   'Content-Encoding' => 'gzip', %gzip);
    is $r->{status}, 200, "$rpc: a gzip request";
    is $r->{body}, $plain->{body}, "$rpc: the same again";
}

for (['gzip;q=0', undef], ['gzip; q=0.5, br', 'gzip'], ['br', undef],
     ['*', 'gzip'], ['deflate, gzip', 'gzip'], ['identity', undef],
     ['GZIP', 'gzip']) {
    my ($accept, $expected) = @$_;

    is $t->rpc('LabelNames', {}, 'Accept-Encoding' => $accept)
       ->{headers}{'content-encoding'}, $expected, "Accept-Encoding: $accept";
}

is post_json('LabelNames', '{}', 'Content-Encoding' => 'identity')->{status},
   200, 'Content-Encoding: identity';

{
    my $r = post_json('LabelNames', '{}', 'Content-Encoding' => 'br');

    is $r->{status}, 501, 'Content-Encoding: br: 501';
    is $r->{json}{code}, 'unimplemented', 'its code';
    like $r->{json}{message}, qr/br.*gzip/, 'its message';
}

for (['not gzip', '{}', qr/^400$/],
     ['cut', substr(gzip('{}'), 0, 15), qr/^400$/],
     ['a bomb', gzip('{' . ' ' x 30_000_000), qr/^413$/]) {
    my ($what, $body, $status) = @$_;
    my $r = post_json('LabelNames', $body, 'Content-Encoding' => 'gzip');

    like $r->{status}, $status, "a gzip request, $what";
    ok length($r->{json}{message} // ''), 'its message';
}


# ---- Connect ----------------------------------------------------------------

is $t->rpc('LabelNames', {}, 'Connect-Protocol-Version' => 1)->{status}, 200,
   'Connect-Protocol-Version: 1';
is $t->rpc('LabelNames', {}, 'Connect-Timeout-Ms' => '10000')->{status}, 200,
   'Connect-Timeout-Ms';

for (['Connect-Protocol-Version', '2'], ['Connect-Protocol-Version', ''],
     ['Connect-Timeout-Ms', 'soon'], ['Connect-Timeout-Ms', '-1'],
     ['Connect-Timeout-Ms', '12345678901'], ['Connect-Timeout-Ms', '']) {
    my ($header, $value) = @$_;

    for my $rpc (qw(LabelNames SelectMergeStacktraces)) {
        my $r = $t->rpc($rpc, $message{$rpc}, $header => $value);

        is $r->{status}, 400, "$rpc, $header: \"$value\": 400";
        is $r->{json}{code}, 'invalid_argument', 'its code';
        like $r->{json}{message}, qr/$header/, 'its message';
    }
}

{
    my $r = $t->rpc('SelectMergeStacktraces',
                    $message{SelectMergeStacktraces},
                    'Connect-Timeout-Ms' => '0');

    is $r->{status}, 504, 'Connect-Timeout-Ms: 0 is over at once: 504';
    is $r->{json}{code}, 'deadline_exceeded', 'its code';
}

# chunked, in pieces, in a file
{
    my $body = '{"name":"service_name","x":"' . 'y' x 100_000 . '"}';

    for my $chunked (0, 1, 100) {
        my $r = $t->request('POST', "$SERVICE/LabelValues", body => $body,
                            chunked => $chunked, headers =>
                            { 'Content-Type' => 'application/json' });

        is $r->{status}, 200, "a long message, chunks of $chunked";
        is_deeply $r->{json}{names}, [qw(cart long shop till)],
                  'its answer';
    }
}

# several on one connection
{
    my $sock = $t->connect;
    my $one = $t->request_bytes('POST', "$SERVICE/LabelValues",
        body => '{"name":"env"}', keepalive => 1,
        headers => { 'Content-Type' => 'application/json' });

    $t->send_bytes($sock, $one x 5);
    is_deeply [map { $t->read_response($sock)->{raw} } 1 .. 5],
              [('{"names":["dev","prod"]}') x 5], 'five in a row';
}


# ---- the end ----------------------------------------------------------------

cmp_ok $t->answered(status_code => 200,
                    route => 'querier_v1_querierservice_selectseries'), '>', 10,
       'queries are counted by route';
cmp_ok $t->metric('ngx_pyroscope_query_duration_seconds_count'), '>', 100,
       'and their time';
is_deeply [PyroJfr::errors($t)], [], 'no error';
is $t->stop, 0, 'a clean end';
$t->log_ok;

done_testing;
