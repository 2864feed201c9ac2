#!/usr/bin/perl

# Every RPC in both encodings: one question gives one answer, and the right one,
# plain and packed, whatever a browser accepts, over HTTP/1.1 and HTTP/2.

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
my $BYTES = 'memory:alloc_in_new_tlab_bytes:bytes:space:bytes';
my $FROM = PyroJfr::FROM;

my $h2 = free_port();
my $old_http2 = PyroTest::old_http2();

# sealing would change what is counted between two questions
my $t = PyroTest->new(workers => 2, more_yaml =>
                      "lmdb:\n  seal_after: off\n", server => <<"END")->start;
        listen 127.0.0.1:%PORT%;
        listen 127.0.0.1:$h2@{[$old_http2 ? ' http2' : '']};
        @{[$old_http2 ? '' : 'http2 on;']}
END

my $rpc = PyroTest::Rpc->new($t);
my @workers = $t->worker_pids;
my %range = (start => ms(-60), end => ms(600));

sub ms { return ($FROM + $_[0]) * 1000 }

sub sum {
    my $sum = 0;
    $sum += $_ for @_;

    return $sum;
}


# ---- what is pushed ---------------------------------------------------------

my %pushed = (                          # what => [recording, name, seconds]
    eu   => ['cortex-dev-01__kafka-0__cpu_lock_alloc__0',
             'shop{env=prod,region=eu}', 0],
    us   => ['cortex-dev-01__kafka-0__cpu__0', 'shop{env=prod,region=us}', 10],
    till => ['ap45-itimer-alloc-lock-live', 'till{env=dev}', 20],
    cart => ['new_spancontext', 'cart', 40],
);

for my $what (sort keys %pushed) {
    my ($recording, $name, $at) = @{ $pushed{$what} };

    is $t->push_jfr(PyroJfr::recording($recording), name => $name,
                    from => $FROM + $at, until => $FROM + $at + 10,
                    labels => PyroJfr::labels($recording),
                    rate => PyroJfr::expect($recording)->{sampleRate})
       ->{status}, 200, "$recording as $name";
}

# { stack => value } of the samples that these recordings hold; of one kind, and
# optionally of what has these labels, with lines, or changed by a function.
sub golden {
    my ($kind, $options, @what) = @_;

    my %stacks;

    for my $recording (map { $pushed{$_}[0] } @what) {
        my $file = PyroJfr::recording($recording)
                   =~ s/recording\.jfr/$kind.samples.tsv/r;

        for my $line (split /\n/, gunzip(read_file($file))) {
            utf8::decode($line);

            my ($labels, $stack, $values) = split /\t/, $line;

            next if $labels !~ ($options->{labels} // qr//);
            $stack =~ s/:\d+(?=;|\z)//g if !$options->{lines};
            $stack = $options->{change}->($stack) if $options->{change};
            $stacks{$stack} += (split / /, $values)[-1];
        }
    }

    return \%stacks;
}

my %total = map { $_ => PyroJfr::totals($pushed{$_}[0]) } keys %pushed;
my $shop = $total{eu}{$CPU} + $total{us}{$CPU};
my $all = sum(map { $_->{$CPU} } values %total);
my %shop = (%range, profileTypeID => $CPU, labelSelector =>
            '{service_name="shop"}');
my %cart = (%shop, labelSelector => '{service_name="cart"}');
my @spans = ('00000000000000ef', '0000000000001092');
my $of_spans = golden('cpu', { labels => qr/profile_id=/ }, 'cart');
my $uuid = qr/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;


# ---- what answers hold ------------------------------------------------------

sub label_text {
    return join ',', map { "$_->{name}=$_->{value}" }
                     @{ $_[0]{labels} // [] };
}

sub is_graph {
    my ($graph, $total, $stacks) = @_;

    is PyroTest::Grafana::faults($graph), '', 'it adds up';
    is $graph->{total}, $total, 'its total';
    is_deeply PyroTest::Grafana::stacks(PyroTest::Grafana::frame($graph)),
              $stacks, 'its stacks' if $stacks;
}

sub is_profile {
    my ($profile, $stacks) = @_;

    my @strings = @{ $profile->{stringTable} };

    is_deeply [map { "$strings[$_->{type}] $strings[$_->{unit}]" }
               @{ $profile->{sampleType} }, $profile->{periodType}],
              [('cpu nanoseconds') x 2], 'its types';
    is_deeply PyroTest::Grafana::profile_stacks($profile), $stacks,
              'its stacks';
}

# "function:line" instead of functions
sub with_lines {
    my ($profile) = @_;

    my @strings = @{ $profile->{stringTable} };
    my %function = map { $_->{id} => $strings[$_->{name}] }
                   @{ $profile->{function} };
    my %location = map { $_->{id} => join ';', map {
        $function{$_->{functionId}} . ':' . ($_->{line} // 0)
    } reverse @{ $_->{line} } } @{ $profile->{location} };
    my %stacks;

    for my $sample (@{ $profile->{sample} }) {
        $stacks{join ';', map { $location{$_} }
                          reverse @{ $sample->{locationId} }}
            += $sample->{value}[0];
    }

    return \%stacks;
}

# Nodes, depth first, are a name, its self and how many children follow.
sub tree_stacks {
    my ($bytes) = @_;

    my (%stacks, @path);
    my $node;

    $node = sub {
        my ($length) = _uvarint(\$bytes);

        push @path, substr $bytes, 0, $length, '';
        utf8::decode($path[-1]);

        my ($self, $children) = (_uvarint(\$bytes), _uvarint(\$bytes));

        $stacks{join ';', @path[1 .. $#path]} += $self if $self;
        $node->() for 1 .. $children;
        pop @path;
    };

    $node->();
    is $bytes, '', 'nothing follows the tree';

    return \%stacks;
}

sub _uvarint { return PyroTest::Grafana::_take_varint($_[0]) }

# { function => "self of total" } as a graph writes them
sub functions {
    my ($stacks) = @_;

    my %functions;

    for my $stack (keys %$stacks) {
        my @frames = split /;/, $stack;
        my %seen;

        $functions{$frames[-1]}[0] += $stacks->{$stack};
        $functions{$_}[1] += $stacks->{$stack}
            for grep { !$seen{$_}++ } @frames;
    }

    return { map {
        my ($self, $total) = map { seconds($_ // 0) } @{ $functions{$_} };
        $_ => "$self of $total"
    } keys %functions };
}

sub seconds {
    my ($ns) = @_;

    return $ns < 1e9 ? sprintf '%.2fms', $ns / 1e6
                     : sprintf '%.2fs', $ns / 1e9;
}

sub stacks_of_side {
    my ($graph, $side) = @_;

    return PyroTest::Grafana::stacks(
               PyroTest::Grafana::frame($graph, side => $side));
}


# ---- the questions: [what, RPC, message, what is true of the answer] --------

my %grid = (start => ms(0), end => ms(40), step => 10);
my %setting = (name => 'pluginSettings', value => "{\"a\":\"\xe4\"}",
               modifiedAt => 1700000000000);

my @questions = (
    ['types', ProfileTypes => \%range, sub {
        is_deeply [map { $_->{ID} } @{ $_[0]{profileTypes} }],
                  [sort keys %{ { map { %$_ } values %total } }],
                  'those of all recordings, in order';
    }],
    ['names', LabelNames => { %range, matchers => ['{service_name="shop"}'] },
     sub {
        is_deeply [grep { !/^__/ } @{ $_[0]{names} }],
                  [qw(env jfr_event pyroscope_spy region service_name)],
                  'those of the service';
    }],
    ['values', LabelValues => { %range, name => 'region', matchers =>
                                ['{env="prod"}', '{env="dev"}'] }, sub {
        is_deeply $_[0], { names => ['eu', 'eu-west-1', 'us'] }, 'all regions';
    }],
    ['no values', LabelValues => { %range, name => 'nowhere' }, sub {
        is_deeply $_[0], {}, 'none';
    }],
    ['series', Series => { %range, labelNames => [qw(service_name region)],
                           matchers => ["{__profile_type__=\"$CPU\"}"] }, sub {
        is_deeply [map { label_text($_) } @{ $_[0]{labelsSet} }],
                  ['region=eu,service_name=shop',
                   'region=eu-west-1,service_name=till',
                   'region=us,service_name=shop', 'service_name=cart',
                   'service_name=till'], 'one without a region as well';
    }],

    ['lines', SelectSeries => { %shop, %grid, groupBy => ['region'] }, sub {
        is_deeply { map { label_text($_) => $_->{points} }
                    @{ $_[0]{series} } },
                  { map { ("region=$_" => [{ value => $total{$_}{$CPU},
                                             timestamp =>
                                             ms($pushed{$_}[2]) }]) }
                    qw(eu us) }, 'a point each';
    }],
    ['an average', SelectSeries => { %shop, %grid, step => 20, aggregation =>
                                     1, start => ms(-20) }, sub {
        is_deeply [map { $_->{value} } map { @{ $_->{points} } }
                   @{ $_[0]{series} }], [$total{eu}{$CPU}, $total{us}{$CPU}],
                  'each is alone';
    }],
    ['the largest', SelectSeries => { %shop, %grid, labelSelector => '{}',
                                      groupBy => ['service_name'],
                                      limit => 1 }, sub {
        my ($most) = sort { $b->[1] <=> $a->[1] }
            ['shop', $shop], map { [$_, $total{$_}{$CPU}] } qw(till cart);

        is_deeply [map { label_text($_) } @{ $_[0]{series} }],
                  ["service_name=$most->[0]"], 'that service';
    }],
    ['exemplars', SelectSeries => { %shop, %grid, exemplarType => 2 }, sub {
        my @exemplars = map { @{ $_->{exemplars} } }
                        map { @{ $_->{points} } } @{ $_[0]{series} };

        is_deeply [map { $_->{value} } @exemplars],
                  [map { $total{$_}{$CPU} } qw(eu us)], 'the profiles';
        like $_->{profileId}, $uuid, 'its id' for @exemplars;
    }],

    ['a flame graph', SelectMergeStacktraces => \%shop, sub {
        is_graph($_[0]{flamegraph}, $shop, golden('cpu', {}, qw(eu us)));
    }],
    ['of bytes', SelectMergeStacktraces => { %shop, profileTypeID => $BYTES },
     sub {
        is_graph($_[0]{flamegraph}, $total{eu}{$BYTES},
                 golden('alloc_in_new_tlab', {}, 'eu'));
    }],
    ['of ten nodes', SelectMergeStacktraces => { %shop, maxNodes => 10 }, sub {
        is_graph($_[0]{flamegraph}, $shop);
        cmp_ok scalar PyroTest::Grafana::frame($_[0]{flamegraph}), '<', 60,
               'they are few';
    }],
    ['of nothing', SelectMergeStacktraces => { %shop, labelSelector =>
                                               '{service_name="no"}' }, sub {
        is_deeply $_[0], { flamegraph => { names => ['total'], levels =>
                           [{ values => [0, 0, 0, 0] }] } }, 'the root';
    }],
    ['of a call site', SelectMergeStacktraces =>
     { %shop, stackTraceSelector => { callSite =>
                                      [{ name => 'java/lang/Thread.run' }] } },
     sub {
        my $stacks = golden('cpu', {}, qw(eu us));
        my %below = map { $_ => $stacks->{$_} }
                    grep { m{^java/lang/Thread\.run(?:;|\z)} } keys %$stacks;

        is_graph($_[0]{flamegraph}, sum(values %below), \%below);
    }],
    ['of spans', SelectMergeStacktraces => { %cart, spanSelector => \@spans },
     sub {
        is_graph($_[0]{flamegraph}, sum(values %$of_spans), $of_spans);
    }],
    ['of no trace', SelectMergeStacktraces => { %cart, traceIdSelector =>
                                                ['0' x 31 . '1'] }, sub {
        is $_[0]{flamegraph}{total} // 0, 0, 'nothing';
    }],
    ['a tree', SelectMergeStacktraces => { %shop, format => 2, maxNodes =>
                                           100_000 }, sub {
        is_deeply [keys %{ $_[0] }], ['tree'], 'only that';
        is_deeply tree_stacks($_[0]{tree}), golden('cpu', {}, qw(eu us)),
                  'its stacks';
    }],
    ['DOT', SelectMergeStacktraces => { %shop, format => 3, maxNodes =>
                                        100_000 }, sub {
        is_deeply [keys %{ $_[0] }], ['dot'], 'only that';
        like $_[0]{dot}, qr/\Adigraph .*\}\n\z/s, 'a graph';
        is_deeply { map { @$_ } grep { @$_ } map { [m{
                      ^N\d+\ \[label="(.*)\\n(\S+)\ \(\S+\)\\n(of\ \S+)}x
                      ? ($1 => "$2 $3") : ()] } split /\n/, $_[0]{dot} },
                  functions(golden('cpu', {}, qw(eu us))), 'its functions';
    }],
    ['pprof', SelectMergeStacktraces => { %shop, format => 4 }, sub {
        is_deeply [keys %{ $_[0] }], ['pprof'], 'only that';
        is_profile($_[0]{pprof}{profile}, golden('cpu', {}, qw(eu us)));
    }],

    ['spans', SelectMergeSpanProfile => { %cart, spanSelector => [$spans[1]] },
     sub {
        my $stacks = golden('cpu', { labels => qr/profile_id=$spans[1]/ },
                            'cart');

        is_graph($_[0]{flamegraph}, sum(values %$stacks), $stacks);
    }],
    ['a tree of spans', SelectMergeSpanProfile =>
     { %cart, spanSelector => \@spans, format => 2, maxNodes => 100_000 }, sub {
        is_deeply tree_stacks($_[0]{tree}), $of_spans, 'its stacks';
    }],

    ['a profile', SelectMergeProfile => \%shop, sub {
        is_profile($_[0], golden('cpu', {}, qw(eu us)));
        is_deeply with_lines($_[0]), golden('cpu', { lines => 1 }, qw(eu us)),
                  'its lines';
    }],
    ['leaves', SelectMergeProfile =>
     { %shop, stackTraceSelector => { goPgo => { keepLocations => 2 } } }, sub {
        is_profile($_[0], golden('cpu', { change => sub {
            return join ';', grep { defined } (split /;/, $_[0])[-2, -1];
        } }, qw(eu us)));
    }],
    ['no profile', SelectMergeProfile => { %shop, labelSelector =>
                                           '{service_name="no"}' }, sub {
        is_deeply $_[0], {}, 'nothing';
    }],

    ['a heat map', SelectHeatmap => { %shop, %grid, queryType => 1,
                                      exemplarType => 2, groupBy => ['env'] },
     sub {
        my @slots = map { @{ $_->{slots} } } @{ $_[0]{series} };

        is_deeply [map { label_text($_) } @{ $_[0]{series} }], ['env=prod'],
                  'one group';
        is_deeply [map { $_->{timestamp} } @slots], [ms(0), ms(10)],
                  'the times';
        is_deeply [map { sum(@{ $_->{counts} }) } @slots], [1, 1],
                  'a profile each';
        is_deeply [map { $_->{value} } map { @{ $_->{exemplars} } } @slots],
                  [map { $total{$_}{$CPU} } qw(eu us)], 'their values';
        is_deeply [map { scalar @{ $_->{yMin} } } @slots], [20, 20], 'rows';
    }],
    ['a heat map of spans', SelectHeatmap => { %cart, %grid, queryType => 2 },
     sub {
        is sum(map { @{ $_->{counts} } } map { @{ $_->{slots} } }
               @{ $_[0]{series} }), 2, 'both spans';
    }],

    ['a difference', Diff => {
        left  => { %shop, labelSelector => '{region="eu"}' },
        right => { %shop, labelSelector => '{region="us"}' } }, sub {
        my $graph = $_[0]{flamegraph};

        is_deeply [@$graph{qw(total leftTicks rightTicks)}],
                  [$shop, map { $total{$_}{$CPU} } qw(eu us)], 'its totals';
        is_deeply stacks_of_side($graph, 0), golden('cpu', {}, 'eu'), 'left';
        is_deeply stacks_of_side($graph, 1), golden('cpu', {}, 'us'), 'right';
    }],

    ['times', GetProfileStats => {}, sub {
        is_deeply $_[0], { dataIngested => 1, oldestProfileTime => ms(0),
                           newestProfileTime => ms(40) }, 'the range of all';
    }],
    ['costs', AnalyzeQuery => { %range, query =>
                                "$CPU\{service_name=\"shop\"}" }, sub {
        is sum(map { $_->{profileCount} // 0 } @{ $_[0]{queryScopes} }), 2,
           'two profiles';
        is $_[0]{queryImpact}{totalQueriedSeries}, 2, 'of two series';
        cmp_ok $_[0]{queryImpact}{totalBytesInTimeRange}, '>', 0, 'bytes';
    }],

    ['no settings', Get => {}, sub { is_deeply $_[0], {}, 'none' }],
    ['a setting', Set => { setting => { %setting } }, sub {
        is_deeply $_[0], { setting => \%setting }, 'as it was sent';
    }],
    ['settings', Get => {}, sub {
        is_deeply $_[0], { settings => [\%setting] }, 'that one';
    }],
    ['no setting more', Delete => { name => $setting{name} }, sub {
        is_deeply $_[0], {}, 'nothing to say';
    }],
    ['settings again', Get => {}, sub { is_deeply $_[0], {}, 'none' }],

    ['the version', Version => {}, sub {
        is_deeply $_[0], { QuerierAPI => 1 }, 'of the API';
    }],
    ['flags', GetFeatureFlags => {}, sub {
        is_deeply [sort map { $_->{name} } grep { $_->{enabled} }
                   @{ $_[0]{featureFlags} }],
                  [qw(utf8LabelNames v2StorageLayer)], 'what there is';
    }],
);

my %asked = map { $_->[1] => 1 } @questions;

is_deeply [grep { !$asked{$_} } @RPCS], [], 'every RPC is asked';


# ---- the answers ------------------------------------------------------------

my @variants = (                        # what, options of a request
    ['packed both ways', gzip => 1, headers => { 'Accept-Encoding' => 'gzip' }],
    ['packed question', gzip => 1],
    ['packed answer', headers => { 'Accept-Encoding' => 'gzip, deflate, br' }],
    ['of a browser', headers => { 'Accept' => 'text/html,application/xhtml+xml,'
                                  . 'application/xml;q=0.9,*/*;q=0.8' }],
    ['the other type is accepted', headers => { Accept => {
        proto => 'application/json', json => 'application/proto' } }],
    ['of Connect', headers => { 'Connect-Protocol-Version' => 1,
                                'Connect-Timeout-Ms' => 30_000 }],
);

# Upkeep goes on in the background: what it writes is not the same twice.
sub lasting {
    my ($name, $r) = @_;

    my $message = PyroTest::Rpc::message($name, $r);

    return $name eq 'AnalyzeQuery' ? $message->{queryImpact}{totalQueriedSeries}
                                   : $message;
}

# Nearly always the bytes are the same, which is seen sooner.
sub same_answer {
    my ($question, $r, $first, $packed, $what) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    my $name = $question->[1];

    is $r->{status}, 200, "$what: 200" or return diag $r->{body};
    is $r->{headers}{'content-type'}, $first->{headers}{'content-type'},
       "$what: the type of the question";
    is $r->{headers}{'content-encoding'}, $packed ? 'gzip' : undef,
       "$what: " . ($packed ? 'packed' : 'not packed');

    $r->{body} eq $first->{body}
        ? pass("$what: the answer")
        : is_deeply lasting($name, $r), lasting($name, $first),
                    "$what: the answer";
}

my %first;                              # codec => answers to the questions

for my $question (@questions) {
    my ($what, $name, $message, $true) = @$question;
    my %plain = map { $_ => $rpc->ask($_, $name, $message) } qw(proto json);

    is $plain{$_}{status}, 200, "$name, $what, $_: 200" for sort keys %plain;
    is $plain{$_}{headers}{'content-type'}, "application/$_",
       "$name, $what, $_: its type" for sort keys %plain;

    subtest "$name, $what" => sub {
        eval {
            $true->(PyroTest::Rpc::message($name, $plain{proto}));
            is_deeply lasting($name, $plain{json}),
                      lasting($name, $plain{proto}), 'JSON says the same';
            1
        } or fail $@;
        done_testing;
    };

    for my $codec (qw(proto json)) {
        push @{ $first{$codec} }, $plain{$codec};

        for my $variant (@variants) {
            my ($how, %opt) = @$variant;
            my %headers = %{ $opt{headers} // {} };

            $headers{Accept} = $headers{Accept}{$codec}
                if ref $headers{Accept};

            same_answer($question, $rpc->ask($codec, $name, $message, %opt,
                                             headers => \%headers),
                        $plain{$codec}, $headers{'Accept-Encoding'},
                        "$name, $what, $codec, $how");
        }
    }
}


# ---- HTTP/2 -----------------------------------------------------------------

SKIP: {
    skip 'curl is not installed' if !which('curl');

    my $curl = which('curl');

    skip 'curl has no HTTP/2' if `$curl --version` !~ /\bHTTP2\b/;

    my @how = (['proto'], ['json'],
               ['proto', gzip => 1, headers => { 'Accept-Encoding' => 'gzip' }],
               ['json', gzip => 1, headers => { 'Accept-Encoding' => 'gzip' }]);

    for my $i (grep { $questions[$_][1] !~ /^(?:Get|Set|Delete)$/ }
               0 .. $#questions) {
        my ($what, $name, $message) = @{ $questions[$i] };
        my @answers = $rpc->over_http2($h2, map {
            my ($codec, %opt) = @$_;
            PyroTest::Rpc::request($codec, $name, $message, %opt)
        } @how);

        for (@how) {
            my ($codec, %opt) = @$_;

            same_answer($questions[$i], shift @answers, $first{$codec}[$i],
                        $opt{gzip}, "$name, $what, HTTP/2, $codec"
                        . ($opt{gzip} ? ', packed' : ''));
        }
    }

    # one after the other, since each changes what the next one finds
    for my $i (grep { $questions[$_][1] =~ /^(?:Get|Set|Delete)$/ }
               0 .. $#questions) {
        my ($what, $name, $message) = @{ $questions[$i] };

        for my $codec (qw(proto json)) {
            my ($r) = $rpc->over_http2($h2, PyroTest::Rpc::request(
                          $codec, $name, $message));

            same_answer($questions[$i], $r, $first{$codec}[$i], 0,
                        "$name, $what, HTTP/2, $codec");
        }
    }
}


# ---- the end ----------------------------------------------------------------

is PyroJfr::total($t), $all, 'all is there';
is_deeply [$t->worker_pids], \@workers, 'the workers that there were';
is_deeply [PyroJfr::errors($t)], [], 'no error';
is $t->stop, 0, 'a clean end';
$t->log_ok;

done_testing;
