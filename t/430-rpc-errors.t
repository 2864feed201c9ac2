#!/usr/bin/perl

# What each RPC refuses, and how: the status, Connect's code, and a message that
# names the field, the value and the limit; the same in both encodings.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use JSON::PP ();
use PyroJfr;
use PyroTest;
use PyroTest::Grafana;
use PyroTest::Rpc;
use PyroTest::Util;
use Test::More;

my $CPU = PyroJfr::CPU;
my $FROM = PyroJfr::FROM;
my %range = (start => $FROM * 1000, end => ($FROM + 60) * 1000);

my $t = PyroTest->new(workers => 2)->start;
my $rpc = PyroTest::Rpc->new($t);
my @workers = $t->worker_pids;

is $t->push_jfr(PyroJfr::recording('new_spancontext'), name => 'cart',
                from => $FROM, until => $FROM + 10)->{status}, 200,
   'something is there';

my %setting = (name => 'a', value => 'b', modifiedAt => 1000);
my %good = (
    (map { $_ => PyroTest::Rpc::sample($_, \%range) // {} } @RPCS),
    Set    => { setting => { %setting } },
    Delete => { name => 'a' },
);
my @ranged = grep { PyroTest::Rpc::sample($_, \%range) } @RPCS;


# ---- helpers ----------------------------------------------------------------

my %STATUS = (invalid_argument => 400, unimplemented => 501,
              already_exists => 409, deadline_exceeded => 504,
              resource_exhausted => 422);

# An error in JSON, whatever the question was in.
sub is_error {
    my ($r, $status, $code, $message, $what) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    my $json = eval { JSON::PP->new->utf8->decode($r->{body}) } // {};

    is $r->{status}, $status, "$what: $status" or diag $r->{body};
    is $r->{headers}{'content-type'}, 'application/json', "$what: its type";
    is_deeply [sort keys %$json], [qw(code message)], "$what: its members";
    is $json->{code}, $code, "$what: its code";
    like $json->{message} // '', $message, "$what: its message";
    is $r->{headers}{'retry-after'}, undef, "$what: not to be tried again";
}

# The same question in both encodings, which get the same answer.
sub refused {
    my ($name, $message, $code, $text, $what, %opt) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    my %r = map { $_ => $rpc->ask($_, $name, $message, %opt) }
            qw(json proto);

    is_error($r{json}, $opt{status} // $STATUS{$code}, $code, $text,
             "$name, $what");
    is_deeply [@{ $r{proto} }{qw(status body)}],
              [@{ $r{json} }{qw(status body)}],
              "$name, $what: the same for protobuf";
}

# A message with another field.
sub with {
    my ($name, %fields) = @_;

    return PyroTest::Rpc::sample($name, \%range, %fields);
}


# ---- what comes before the message ------------------------------------------

for my $name (@RPCS) {
    my $path = PyroTest::Rpc::path($name);

    for my $method (qw(GET HEAD PUT DELETE PATCH OPTIONS)) {
        my $r = $t->request($method, $path, headers =>
                            { 'Content-Type' => 'application/json' });

        is_deeply [$r->{status}, $r->{headers}{allow}, $r->{raw}],
                  [405, 'POST', ''], "$name, $method: 405";
    }

    for my $type (undef, '', 'text/plain', 'application/x-protobuf',
                  'application/protobuf', 'application/connect+json',
                  'application/connect+proto', 'application/jsonx',
                  'application/x-www-form-urlencoded') {
        my $r = $t->request('POST', $path, body => '{}', headers =>
                            { 'Content-Type' => $type });

        is_deeply [$r->{status}, $r->{raw}], [415, ''],
                  "$name, Content-Type " . ($type // 'missing') . ': 415';
        like $r->{headers}{'accept-post'} // '',
             qr{application/proto\b.*\bapplication/json\b},
             "$name: what is taken instead";
    }

    my @headers = (
        ['Content-Encoding' => 'br', 'unimplemented', qr/"br".*gzip/],
        ['Connect-Protocol-Version' => '2', 'invalid_argument',
         qr/Connect-Protocol-Version: "2".*1 is/],
        ['Connect-Timeout-Ms' => 'soon', 'invalid_argument',
         qr/Connect-Timeout-Ms: "soon"/],
        ['Connect-Timeout-Ms' => '12345678901', 'invalid_argument',
         qr/Connect-Timeout-Ms: "12345678901".*10 digits/],
        ['Connect-Timeout-Ms' => '0', 'deadline_exceeded',
         qr/Connect-Timeout-Ms/],
    );

    for (@headers) {
        my ($header, $value, $code, $text) = @$_;

        refused($name, $good{$name}, $code, $text, "$header: $value",
                headers => { $header => $value });
    }
}

is_deeply PyroTest::Rpc::message('Get', $rpc->ask('proto', 'Get', {})), {},
          'nothing was set by what was refused';

# 404: two names with a dot in the first are an RPC
for my $path ('/querier.v1.QuerierService/Nothing',
              '/querier.v1.QuerierService/labelnames',
              '/querier.v1.QuerierService/LabelNames/',
              '/querier.v1.QuerierService/', '/querier.v1.QuerierService',
              '/querier.v1.Querier/LabelNames',
              '/settings.v1.RecordingRulesService/ListRecordingRules',
              '/push.v1.PusherService/Nothing', '/v1/nothing') {
    for my $type (qw(proto json)) {
        is_error($t->post($path, '{}', 'Content-Type' => "application/$type"),
                 404, 'unimplemented', qr/\Q$path\E/, "$path, $type");
    }
}


# ---- bodies -----------------------------------------------------------------

for my $name (@RPCS) {
    for my $body ("\xff", "\x0a\x7f", "\x0a\xff\xff\xff\xff\x7f", "\x0f\0",
                  "\0\0", "\x08", "\x80" x 20) {
        is_error($rpc->ask('proto', $name, undef, body => $body), 400,
                 'invalid_argument', qr/body of \d+ bytes is not a binary /,
                 "$name, protobuf " . unpack 'H*', $body);
    }

    for (['nothing', '', qr/empty.*\{\}/], ['a brace', '{', qr/./],
         ['an array', '[]', qr/not a JSON object.*array/],
         ['a text', '"x"', qr/./],
         ['two', '{}{}', qr/./], ['a comma', '{"a":1,}', qr/./],
         ['no UTF-8', "{\"a\":\"\xff\"}", qr/./],
         ['2^63', '{"start":9223372036854775808}', qr/9223372036854775808/],
         ['33 levels', '{"x":' . '[' x 33 . ']' x 33 . '}', qr/deeper.*32/]) {
        my ($what, $body, $text) = @$_;

        is_error($rpc->ask('json', $name, undef, body => $body), 400,
                 'invalid_argument', $text, "$name, JSON, $what");
    }

    is_error($rpc->ask('json', $name, undef, body => '{"x":"'
                       . 'y' x 1_048_576 . '"}'), 413, 'resource_exhausted',
             qr/JSON body of 1048584 bytes, at most 1048576/,
             "$name, JSON of more than 1 MiB");

    for my $codec (qw(proto json)) {
        my $packed = gzip(PyroTest::Rpc::body($codec, $name, $good{$name}));
        my %gzip = (headers => { 'Content-Encoding' => 'gzip' });

        for (['no gzip', 'x' x 40], ['a cut one', substr $packed, 0, -9],
             ['nothing', ''], ['a wrong checksum',
              substr($packed, 0, -8) . 'abcdefgh']) {
            my ($what, $body) = @$_;

            is_error($rpc->ask($codec, $name, undef, body => $body, %gzip),
                     400, 'invalid_argument', qr/gzip: /,
                     "$name, $codec, gzip, $what");
        }
    }
}

# a bomb, and what nginx refuses before it is sent
for my $codec (qw(proto json)) {
    is_error($rpc->ask($codec, 'LabelNames', undef, body => "\0" x 30_000_000,
                       gzip => 1), 413, 'resource_exhausted',
             qr/gzip: more than 4194304 bytes.*size of a query/,
             "LabelNames, $codec, a gzip bomb");

    for my $name (@RPCS) {
        my $sock = $t->connect;
        my $bytes = $t->request_bytes('POST', PyroTest::Rpc::path($name),
            headers => { 'Content-Type' => "application/$codec",
                         'Content-Length' => 99_999_999 });

        $t->send_bytes($sock, $bytes);
        is_error($t->read_response($sock), 413, 'resource_exhausted',
                 qr/client_max_body_size/, "$name, $codec, 99999999 bytes");
    }
}


# ---- fields of another type -------------------------------------------------

# For each field: what it is not, in JSON, and on the wire of protobuf.
sub wrong_values {
    my ($type) = @_;

    my $of = ref $type ? $type->[0] : $type =~ s/^\?//r;
    my @json = $of eq 'int'      ? ('"x"', '1.5', '"9223372036854775808"',
                                    '{}', 'true', '""', '[1]')
               : $of eq 'double' ? ('"x"', '{}', 'true', '[1]')
               : $of eq 'text'   ? ('1', '{}', 'false', '["a"]')
                                 : ('1', '"x"', '[]');

    @json = ((map { "[$_]" } grep { !/^\[/ } @json), '"x"', '1', '{}')
        if ref $type;

    # wire types: a length, an integer, 8 bytes
    my @wire = $of eq 'int' ? (2, 1) : $of eq 'double' ? (0, 2) : (0, 1);

    return (\@json, \@wire);
}

for my $name (@RPCS) {
    my %fields = PyroTest::Grafana::fields("${name}Request");

    for my $field (sort keys %fields) {
        my ($number, $type) = @{ $fields{$field} };
        my ($json, $wire) = wrong_values($type);

        for my $value (@$json) {
            my $enum = $field =~ /^(?:format|\w+Type|aggregation)$/;

            # a name that an enum has not is one of tomorrow
            next if $enum && $value =~ /^"/;

            is_error($rpc->ask('json', $name, undef, body =>
                               "{\"$field\":$value}"), 400, 'invalid_argument',
                     qr/field $field: expected an? .*, got /,
                     "$name, JSON, $field: $value");
        }

        for my $wire (@$wire) {
            my $body = PyroJfr::varint($number << 3 | $wire)
                       . ($wire == 0 ? "\1" : $wire == 1 ? "\0" x 8
                                            : "\2\xff\xff");

            is_error($rpc->ask('proto', $name, undef, body => $body), 400,
                     'invalid_argument', qr/not a binary .*/,
                     "$name, protobuf, $field of wire type $wire");
        }

        my $text = ref $type ? $type->[0] : $type;

        next if $text ne 'text';

        is_error($rpc->ask('proto', $name, undef, body =>
                           PyroJfr::pb([$number, ["a\xffb"]])), 400,
                 'invalid_argument', qr/^field \w+: .* is not UTF-8$/,
                 "$name, protobuf, $field is not UTF-8");
        is_error($rpc->ask('proto', $name, undef, body =>
                           PyroJfr::pb([$number, ["a\0b"]])), 400,
                 'invalid_argument', qr/^field \w+: "a" is followed by a zero/,
                 "$name, protobuf, $field has a zero byte");
    }
}


# ---- times, types and selectors of all that have them -----------------------

my @selecting = grep { with($_)->{labelSelector} || $_ eq 'Diff' } @ranged;

for my $name (@ranged) {
    refused($name, with($name, start => 2000, end => 1999), 'invalid_argument',
            qr/start time is after end time \(start 2000, end 1999\)/,
            'the end before the start');
}

for my $name (@selecting) {
    my ($id) = grep { /^profileTypeID$/ } keys %{ with($name) };

    for (['none', '', qr/profile type "": expected name:.*, got 1 /],
         ['of one piece', 'cpu', qr/profile type "cpu": .*, got 1 pieces/],
         ['of seven', 'a:b:c:d:e:f:g', qr/"a:b:c:d:e:f:g": .*, got 7 pieces/],
         ['of 1000 bytes', 'x' x 1000, qr/profile type "x{10,400}": /]) {
        my ($what, $type, $text) = @$_;

        refused($name, with($name, profileTypeID => $type),
                'invalid_argument', $text, "a type, $what");
    }
}

my @selectors = (
    ['torn', '{a="b"', qr/label selector: parse error: position 6: .*end/],
    ['without a value', '{a=}', qr/parse error: position 3: .*got "\}"/],
    ['without an operator', '{a}', qr/parse error: position 2/],
    ['with a text that is open', '{a="b}', qr/parse error/],
    ['with an unknown operator', '{a=="b"}', qr/parse error/],
    ['with a tail', '{a="b"}}', qr/parse error: position 7/],
    ['with a pattern that is none', '{a=~"("}',
     qr/regular expression "\(" at offset 1/],
    ['that looks around', '{a=~"(?=b)"}', qr/\(\?=.* not supported/],
    ['that looks back', '{a=~"(b)\\\\1"}', qr/not supported/],
    ['with a long pattern', '{a=~"' . 'b' x 100_000 . '"}',
     qr/regular expression of 100000 bytes, at most \d+ are allowed/],
    ['with many matchers', '{' . join(',', map { "a$_!=\"b\"" } 1 .. 101)
     . '}', qr/more than 100 matchers/],
);

for my $name (grep { $_ ne 'ProfileTypes' } @ranged) {
    my %field = map { $_ => 1 } keys %{ { PyroTest::Grafana::fields(
                    $name eq 'Diff' ? 'SelectMergeStacktracesRequest'
                                    : "${name}Request") } };

    for (@selectors) {
        my ($what, $selector, $text) = @$_;

        refused($name, with($name, $field{matchers}
                                   ? (matchers => [$selector])
                                   : $field{query} ? (query => $selector)
                                   : (labelSelector => $selector)),
                'invalid_argument', $text, "a selector $what");
    }

    refused($name, with($name, matchers => [('{}') x 101]), 'invalid_argument',
            qr/matchers: 101 selectors, at most 100/, '101 selectors')
        if $field{matchers};
}


# ---- what only some have ----------------------------------------------------

my $max_nodes = 1_048_576;

for my $name (grep { /Merge|Diff/ } @ranged) {
    refused($name, with($name, maxNodes => -1), 'invalid_argument',
            qr/max_nodes -1: .*max allowed $max_nodes/, 'less than no nodes');
    refused($name, with($name, maxNodes => $max_nodes + 1), 'invalid_argument',
            qr/nodes limit 1048577 is greater than allowed $max_nodes/,
            'one node more');
}

for my $name (qw(SelectSeries SelectHeatmap)) {
    refused($name, with($name, step => $_), 'invalid_argument',
            qr/step must be >= 1ms, got \Q$_\E s/, "a step of $_ s")
        for 0, -15, 0.0009;
}

is_error($rpc->ask('proto', 'SelectSeries', with('SelectSeries',
                   step => 'NaN')), 400, 'invalid_argument', qr/step.*nan/,
         'SelectSeries, a step that is no number');

my $trace = '0' x 31 . '1';
my @ids = (
    # what, RPCs, fields, message
    ['a span of 1', qr/Stacktraces|Span|Diff/, { spanSelector => ['7'] },
     qr/span_selector: "7" is not 16 hexadecimal/],
    ['a span that is none', qr/Stacktraces|Span|Diff/,
     { spanSelector => ['0' x 16, 'g' x 16] }, qr/"g{16}" is not 16 hex/],
    ['a trace of 16', qr/Stacktraces|Profile$|Diff/,
     { traceIdSelector => ['0' x 16] }, qr/trace_id_selector: "0{16}" is.* 32/],
    ['a profile', qr/Stacktraces|MergeProfile|Diff/,
     { profileIdSelector => ['7'] }, qr/profile_id_selector "7" is no UUID/],
    ['spans and traces', qr/Stacktraces|Diff/,
     { spanSelector => ['0' x 16], traceIdSelector => [$trace] },
     qr/span_selector and trace_id_selector cannot be combined/],
);

for (@ids) {
    my ($what, $names, $fields, $text) = @$_;

    for my $name (grep { $_ =~ $names } @ranged) {
        next if $name eq 'SelectMergeSpanProfile' && !$fields->{spanSelector};
        refused($name, with($name, %$fields), 'invalid_argument', $text, $what);
    }
}

my @others = (
    # what, RPC, message, code, text
    ['no name', 'LabelValues', { %range }, 'invalid_argument',
     qr/^name is required$/],
    ['no kind', 'SelectHeatmap', with('SelectHeatmap', queryType => 0),
     'invalid_argument', qr/query_type 0: must be .*INDIVIDUAL or .*SPAN/],
    ['an unknown kind', 'SelectHeatmap', with('SelectHeatmap', queryType => 3),
     'invalid_argument', qr/query_type 3/],
    ['exemplars of another kind', 'SelectHeatmap',
     with('SelectHeatmap', exemplarType => 3), 'invalid_argument',
     qr/exemplar_type 3: .*query_type, 1/],
    ['a limit below 0', 'SelectHeatmap', with('SelectHeatmap', limit => -1),
     'invalid_argument', qr/limit -1: must be 0/],
    ['exemplars of spans', 'SelectSeries',
     with('SelectSeries', exemplarType => 3), 'unimplemented',
     qr/exemplar_type with this value is not supported, only NONE and/],
    ['an unknown aggregation', 'SelectSeries',
     with('SelectSeries', aggregation => 2), 'unimplemented',
     qr/aggregation .* only sum and average/],
    ['a call site', 'SelectSeries', with('SelectSeries', stackTraceSelector =>
     { callSite => [{ name => 'a' }] }), 'unimplemented',
     qr/stack_trace_selector\.call_site/],
    ['nothing', 'Diff', {}, 'invalid_argument', qr/^left is required$/],
    ['one side', 'Diff', { left => with('Diff')->{left} }, 'invalid_argument',
     qr/^right is required$/],
    ['the right one', 'Diff', { %{ with('Diff') }, right =>
     { %range, profileTypeID => 'x' } }, 'invalid_argument', qr/"x"/],

    ['nothing', 'Set', {}, 'invalid_argument', qr/no setting values provided/],
    ['no name', 'Set', { setting => { value => 'b' } }, 'invalid_argument',
     qr/setting\.name is empty/],
    ['a long name', 'Set', { setting => { %setting, name => 'n' x 129 } },
     'invalid_argument', qr/setting\.name .* 129 bytes, the limit is 128/],
    ['nothing', 'Delete', {}, 'invalid_argument',
     qr/no setting name provided/],
    ['a long name', 'Delete', { name => 'n' x 129 }, 'invalid_argument',
     qr/setting\.name .* 129 bytes, the limit is 128/],
);

for (@others) {
    my ($what, $name, $message, $code, $text) = @$_;

    refused($name, $message, $code, $text, $what);
}

refused('Set', { setting => { %setting, value => 'v' x 65_537 } },
        'resource_exhausted', qr/setting\.value .* 65537 bytes.* 65536/,
        'a long value', status => 413);


# ---- what is shown of a text is cut between its characters ------------------

for my $n (0 .. 3) {
    my $text = 'x' x $n . "\x{20ac}" x 400;
    my $bytes = 'x' x $n . "\xe2\x82\xac" x 400;

    refused('LabelNames', with('LabelNames', matchers => [$_]),
            'invalid_argument', qr/./, "$n letters, a selector")
        for "{a=$text}", "{a=~\"($text\"}", "{a=~\"(?=$text)\"}";
    refused('SelectMergeStacktraces', with('SelectMergeStacktraces', @$_),
            'invalid_argument', qr/x{$n}\x{20ac}/, "$n letters, $_->[0]")
        for [profileTypeID => $text], [spanSelector => [$text]],
            [traceIdSelector => [$text]], [profileIdSelector => [$text]];
    refused('Set', { setting => { %setting, name => $text } },
            'invalid_argument', qr/x{$n}\x{20ac}/, "$n letters, a setting");

    for my $in ($bytes, "$bytes\xff", "\xff" x 90 . $bytes) {
        is_error($t->post('/a.b/' . uri_escape($in), ''), 404,
                 'unimplemented', qr/unknown RPC/, "$n letters, a path");
        is_error($rpc->ask('json', 'Get', {}, headers => { $_ => $in }),
                 /Enc/ ? 501 : 400, /Enc/ ? 'unimplemented'
                 : 'invalid_argument', qr/^$_: ".*is not /, "$n letters, $_")
            for 'Content-Encoding', 'Connect-Protocol-Version',
                'Connect-Timeout-Ms';
        is_error($rpc->ask('proto', 'LabelNames', {}, body =>
                           PyroJfr::pb([1, [$in]])), 400, 'invalid_argument',
                 qr/./, "$n letters, a matcher in protobuf");
        is_error($t->get('/render?query=' . uri_escape($in)), 400,
                 'invalid_argument', qr/query/, "$n letters, a query");
    }
}


# ---- settings: what is there, and how many ----------------------------------

my $set = sub { $rpc->ask('json', 'Set', { setting => { %setting, @_ } }) };

is $set->()->{status}, 200, 'a setting';
refused('Set', { setting => { %setting, modifiedAt => 999 } },
        'already_exists', qr/"a" was changed at 1000, .*modifiedAt, 999/,
        'an older one');
is_deeply [grep { $set->(name => "n$_")->{status} != 200 } 2 .. 256], [],
          '256 settings';
refused('Set', { setting => { %setting, name => 'more' } },
        'resource_exhausted', qr/"more" would be one more than the 256/,
        'one more');
is $set->(name => 'n256', value => 'c')->{status}, 200, 'another value is none';
is scalar @{ PyroTest::Rpc::message('Get', $rpc->ask('json', 'Get', {}))
             ->{settings} }, 256, 'these are there';


# ---- the older HTTP API -----------------------------------------------------

sub get {
    my ($path, @query) = @_;

    my @pairs;

    while (my ($name, $value) = splice @query, 0, 2) {
        push @pairs, "$name=" . uri_escape($value);
    }

    return $t->get("$path?" . join '&', @pairs);
}

my @query = (query => "$CPU\{}", from => $FROM, until => $FROM + 60);
my @left = (leftQuery => "$CPU\{}", leftFrom => $FROM, leftUntil => $FROM + 1);
my @right = map { s/^left/right/r } @left;

for my $prefix ('', '/pyroscope') {
    for (
        ['render', [], qr/^"query" is required$/],
        ['render', [query => '{a="b"}'], qr/"query" must contain a profile-/],
        ['render', [query => 'cpu{}'], qr/failed to parse "query": "cpu" is /],
        ['render', [query => "$CPU\{a="], qr/failed to parse "query": .*error/],
        ['render', [query => "$CPU\{a=~\"(\"}"], qr/failed to parse.* expres/],
        ['render', [@query, from => 2, until => 1, @query[0, 1]], qr/./, 200],
        ['render', [@query[0, 1], from => $FROM, until => $FROM - 1],
         qr/start time is after end time \(start ${FROM}000, end /],
        ['render', [@query, 'max-nodes' => 1_048_577],
         qr/1048577 is greater than allowed 1048576/],
        ['render', [@query, maxNodes => -1], qr/max_nodes -1/],
        ['render', [@query, (groupBy => 'a') x 17], qr/groupBy: .*17.* 16/],
        ['render-diff', [@right], qr/^"leftQuery" is required$/],
        ['render-diff', [@left], qr/^"rightQuery" is required$/],
        ['render-diff', [@left, @right[2 .. 5], rightQuery => 'a:b:c:d:e{}'],
         qr/leftQuery, rightQuery: profile types must match/],
        ['render-diff', [@left[2 .. 5], @right, leftQuery => "$CPU\{a"],
         qr/failed to parse "leftQuery"/],
        ['label-values', [], qr/label parameter is required/],
        ['label-values', [label => 'a', query => '{b'], qr/parse error/],
        ['label-values', [label => 'a', from => 2000, until => 1000],
         qr/start time is after/],
        ['labels', [query => '{b'], qr/parse error/],
    ) {
        my ($path, $args, $text, $status) = @$_;
        my $r = get("$prefix/$path", @$args);

        next if $status && is $r->{status}, $status, "$path: the first counts";

        is_error($r, 400, 'invalid_argument', $text, "$path " . join ' ',
                 map { substr $_, 0, 40 } @$args);
    }

    for my $path (qw(render render-diff label-values labels)) {
        my $r = $t->post("$prefix/$path", '');

        is_error($r, 405, 'unimplemented', qr/must be GET or HEAD/,
                 "POST of $path");
        is $r->{headers}{allow}, 'GET, HEAD', 'Allow';
    }
}


# ---- the end ----------------------------------------------------------------

for my $name (@RPCS) {
    my $route = lc PyroTest::Rpc::path($name) =~ s{^/}{}r =~ s{[./]}{_}gr;

    cmp_ok $t->answered(route => $route, status_code => $_), '>', 1,
           "$name: $_ is counted"
        for 400, 405, 413, 415, 504;
}

is PyroJfr::total($t), PyroJfr::cpu_total('new_spancontext'),
   'it answers as before';
is_deeply [$t->worker_pids], \@workers, 'the workers that there were';
is_deeply [PyroJfr::errors($t, qr/client intended to send too large body/)],
          [], 'no error';
is $t->stop, 0, 'a clean end';
$t->log_ok;

done_testing;
