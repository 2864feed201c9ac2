#!/usr/bin/perl

# Tenants: whose a push and a question is, that nobody sees what is another's,
# questions over several, limits of one, and what none of it touches.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use IO::Socket::INET ();
use JSON::PP ();
use MIME::Base64 qw(encode_base64);
use PyroJfr;
use PyroTest;
use PyroTest::Util;
use Test::More;

my $SERVICE = '/querier.v1.QuerierService';
my $CPU = PyroJfr::CPU;
my $FROM = PyroJfr::FROM;
my @RECORDINGS = map { "cortex-dev-01__kafka-0__$_" }
                 qw(cpu__0 cpu__3 cpu_lock_alloc__0);
my @TOTALS = map { PyroJfr::cpu_total($_) } @RECORDINGS;

my $yaml = <<'EOF';
server: {http_listen_address: 127.0.0.1, http_listen_port: %PORT%}
storage: {filesystem: {dir: '%DATA%'}}
multitenancy_enabled: true
runtime_config: {file: tenants.yml}
overrides:
  "short(1)":
    max_query_length: 1h
    max_flamegraph_nodes_max: 50
    max_label_names_per_series: 5
  young:
    retention_period: 30d
EOF

my $t = PyroTest->new(workers => 2, yaml => $yaml);

write_file($t->dir . '/tenants.yml', "overrides: {}\n");
$t->start;

sub org { defined $_[0] ? ('X-Scope-OrgID' => $_[0]) : () }

sub push_as {
    my ($tenant, $n, %opt) = @_;

    return $t->push_jfr(PyroJfr::recording($RECORDINGS[$n]),
                        name => $opt{name} // 'shop{zone=eu}',
                        from => $opt{from} // $FROM,
                        headers => { org($tenant) });
}

sub pushed {
    my ($tenant, $n, %opt) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    my $r = push_as($tenant, $n, %opt);

    is $r->{status}, 200, "$tenant pushes" or diag $r->{body};
}

my %range = (start => $FROM * 1000, end => ($FROM + 600) * 1000);
my %query = (%range, profileTypeID => $CPU, labelSelector => '{}');

sub ask {
    my ($tenant, $rpc, $message, %headers) = @_;

    return $t->rpc($rpc, $message, org($tenant), %headers);
}

sub total {
    my ($tenant) = @_;

    my $r = ask($tenant, SelectMergeStacktraces => { %query, maxNodes => 10 });

    return $r->{status} == 200 ? $r->{json}{flamegraph}{total} // 0
                               : "status $r->{status}";
}

sub get {
    my ($tenant, $path, %headers) = @_;

    return $t->request('GET', $path, headers => { org($tenant), %headers });
}


# ---- whose it is ------------------------------------------------------------

pushed('acme', 0);
pushed('beta', 1);
pushed('beta', 2, name => 'till', from => $FROM + 60);

is total('acme'), $TOTALS[0], 'acme sees its own';
is total('beta'), $TOTALS[1] + $TOTALS[2], 'beta sees its own';
is total('gamma'), 0, 'gamma sees nothing';
is total('acm'), 0, 'neither does part of a name';
is total('ACME'), 0, 'nor one in capitals';
is total('acme|beta'), $TOTALS[0] + $TOTALS[1] + $TOTALS[2], 'both together';
is total('beta|acme|beta|gamma'), $TOTALS[0] + $TOTALS[1] + $TOTALS[2],
   'in any order, each once';

for my $name ('a b', '..', 'a/b', 'n' x 151) {
    for my $r (push_as($name, 0), ask($name, ProfileTypes => {}),
               get($name, '/pyroscope/labels'),
               get($name, '/api/v1/jfr-info?service_name=shop')) {
        is $r->{status}, 400, "\"$name\": 400";
        is $r->{json}{code}, 'invalid_argument', 'its code';
        like $r->{json}{message}, qr/tenant/, 'its message';
    }
}

{
    my $r = push_as('acme|beta', 0);

    is $r->{status}, 400, 'nobody pushes for two';
    like $r->{json}{message}, qr/"acme\|beta"/, 'its message';
}


# ---- every question, of one, of the other, of both, of nobody ---------------

my %rpcs = (
    ProfileTypes => [{ %range }, sub { scalar @{ $_[0]{profileTypes} // [] } },
                     sub { $_[0] ? 1 : 0 }],
    LabelNames => [{ %range },
                   sub { scalar grep { $_ eq 'zone' } @{ $_[0]{names} // [] } },
                   sub { $_[0] ? 1 : 0 }],
    LabelValues => [{ %range, name => 'service_name' },
                    sub { join ' ', @{ $_[0]{names} // [] } }],
    Series => [{ %range, labelNames => ['service_name'] },
               sub { join ' ', map { $_->{labels}[0]{value} }
                               @{ $_[0]{labelsSet} // [] } }],
    SelectSeries => [{ %query, step => 60 },
                     sub { my $sum = 0;
                           $sum += $_->{value} for map { @{ $_->{points} } }
                                               @{ $_[0]{series} // [] };
                           $sum }],
    SelectMergeStacktraces => [{ %query },
                               sub { $_[0]{flamegraph}{total} // 0 }],
    SelectMergeProfile => [{ %query },
                           sub { my $sum = 0;
                                 $sum += $_->{value}[0]
                                     for @{ $_[0]{sample} // [] };
                                 $sum }],
    SelectHeatmap => [{ %query, step => 60, queryType => 1 },
                      sub { my $n = 0;
                            $n += $_ for map { @{ $_->{counts} // [] } }
                                         map { @{ $_->{slots} // [] } }
                                         @{ $_[0]{series} // [] };
                            $n }],
    Diff => [{ left => \%query, right => \%query },
             sub { $_[0]{flamegraph}{leftTicks} // 0 }],
    GetProfileStats => [{}, sub { $_[0]{dataIngested} ? 1 : 0 }],
    AnalyzeQuery => [{ %range, query => $CPU . '{}' },
                     sub { my $sum = 0;
                           $sum += $_->{profileCount} // 0
                               for @{ $_[0]{queryScopes} // [] };
                           $sum }],
);

for my $rpc (sort keys %rpcs) {
    my ($message, $look) = @{ $rpcs{$rpc} };
    my %seen;

    for my $tenant ('acme', 'beta', 'acme|beta', 'gamma') {
        my $r = ask($tenant, $rpc, $message);

        is $r->{status}, 200, "$rpc of $tenant: 200" or diag $r->{body};
        $seen{$tenant} = $look->($r->{json});
    }

    my %want = $rpc =~ /^(?:LabelValues|Series)$/
               ? (acme => 'shop', beta => 'shop till',
                  'acme|beta' => 'shop till', gamma => '')
               : $rpc =~ /Merge|Diff|SelectSeries/
               ? (acme => $TOTALS[0], beta => $TOTALS[1] + $TOTALS[2],
                  'acme|beta' => $TOTALS[0] + $TOTALS[1] + $TOTALS[2],
                  gamma => 0)
               : $rpc =~ /Heatmap|Analyze/
               ? (acme => 1, beta => 2, 'acme|beta' => 3, gamma => 0)
               : ();

    if (%want) {
        is_deeply \%seen, \%want, "$rpc: to each what is its own";
    } else {
        is $seen{gamma}, 0, "$rpc: nobody sees anything";
        cmp_ok $seen{$_}, '>', 0, "$rpc: $_ sees something"
            for 'acme', 'beta', 'acme|beta';
    }

    my $r = ask(undef, $rpc, $message);

    is_deeply [$r->{status}, $r->{json}],
              [401, { code => 'unauthenticated', message => 'no org id' }],
              "$rpc: without a tenant";
    is ask('', $rpc, $message)->{status}, 401, "$rpc: an empty one";
}


# ---- URLs -------------------------------------------------------------------

my $render = '/pyroscope/render?query=' . uri_escape("$CPU\{}")
             . "&from=$FROM&until=" . ($FROM + 600);

for my $path ($render, '/pyroscope/labels', '/pyroscope/label-values?label='
              . 'service_name', "/pyroscope/render-diff?"
              . join('&', map { ("${_}Query=" . uri_escape("$CPU\{}"),
                                 "${_}From=$FROM", "${_}Until=" . ($FROM + 9)) }
                          qw(left right)),
              '/api/v1/jfr-info?service_name=shop') {
    my $r = get(undef, $path);

    is_deeply [$r->{status}, $r->{json}],
              [401, { code => 'unauthenticated', message => 'no org id' }],
              "$path: without a tenant";
    isnt get('acme', $path)->{body}, get('gamma', $path)->{body},
         "$path: not everybody's";
}

is get('acme', $render)->{json}{flamebearer}{numTicks}, $TOTALS[0],
   'render: its own';
is get('acme|beta', $render)->{json}{flamebearer}{numTicks},
   $TOTALS[0] + $TOTALS[1] + $TOTALS[2], 'render: of both';
is get('gamma', '/api/v1/jfr-info?service_name=shop')->{status}, 404,
   'jfr-info: not of others';
is get('beta', '/api/v1/jfr-info?service_name=till')->{status}, 200,
   'jfr-info: its own';

{
    is get('acme', $render)->{headers}{vary},
       'Accept-Encoding, X-Scope-OrgID',
       'Vary: a browser keeps an answer for its tenant';

    # the upkeep may write into the day between the two
    my $etag = wait_for(sub {
        my $given = get('acme', $render)->{headers}{etag};
        my $r = get('acme', $render, 'If-None-Match' => $given);

        return $r->{status} == 304 && $given;
    }, undef, '304');

    pass 'ETag: known to its tenant';
    is get($_, $render, 'If-None-Match' => $etag)->{status}, 200,
       "ETag: not to $_" for 'beta', 'acme|beta';
}


# ---- settings ---------------------------------------------------------------

sub setting {
    my ($tenant, $method, $message) = @_;

    return $t->post("/settings.v1.SettingsService/$method",
                    JSON::PP->new->utf8->encode($message),
                    'Content-Type' => 'application/json', org($tenant));
}

is setting('acme', Set => { setting => { name => 'color', value => 'red' } }
           )->{status}, 200, 'a setting of acme';
is_deeply setting('beta', Get => {})->{json}, {}, 'is none of beta';
is setting('acme', Get => {})->{json}{settings}[0]{value}, 'red',
   'but of acme';
is setting('beta', Delete => { name => 'color' })->{status}, 200,
   'beta deletes what it does not have';
is setting('acme', Get => {})->{json}{settings}[0]{value}, 'red',
   'acme has it still';

for (['acme|beta', 400, qr/settings are of one tenant, not of 2/],
     [undef, 401, qr/no org id/]) {
    my ($tenant, $status, $message) = @$_;
    my $r = setting($tenant, Get => {});

    is $r->{status}, $status, 'settings of ' . ($tenant // 'nobody');
    like $r->{json}{message}, $message, 'its message';
}


# ---- what needs no tenant ---------------------------------------------------

is get(undef, $_)->{status}, 200, "$_: no tenant needed"
    for qw(/ready /healthz /metrics /api/v1/status/buildinfo
           /api/v1/status/config);

is $t->post($_, '{}', 'Content-Type' => 'application/json')->{status}, 200,
   "$_: no tenant needed"
    for qw(/version.v1.Version/Version /grpc.health.v1.Health/Check);

{
    my $r = $t->post("$SERVICE/ProfileTypes", "\0\0\0\0\0",
                     'Content-Type' => 'application/grpc');

    is $r->{headers}{'grpc-status'}, 16, 'gRPC: unauthenticated';
    is $r->{headers}{'grpc-message'}, 'no org id', 'its message';
}

{
    my $r = push_as(undef, 0);

    is_deeply [$r->{status}, $r->{json}],
              [401, { code => 'unauthenticated', message => 'no org id' }],
              'a push without a tenant';
    like $t->get('/metrics')->{body},
         qr/^pyroscope_discarded_samples_total\{reason="invalid_request"\} /m,
         'what is refused is counted for all together';
}


# ---- limits of one ----------------------------------------------------------

my %day = (%query, end => ($FROM + 86400) * 1000);

for (['short(1)', 400], ['acme', 200], ['acme|short(1)', 400]) {
    my ($tenant, $status) = @$_;
    my $r = ask($tenant, SelectMergeStacktraces => \%day);

    is $r->{status}, $status, "a day of $tenant";
    like $r->{json}{message}, qr/max_query_length, actual: 86400s, limit: 3600/,
         'its message' if $status != 200;
    is ask($tenant, SelectMergeStacktraces => { %query, maxNodes => 51 }
           )->{status}, $status, "51 nodes of $tenant";
}

my $names = join ',', map { "l$_=1" } 1 .. 6;

is push_as('short(1)', 0, name => "shop{$names}")->{status}, 422,
   'too many labels for one';
is push_as('acme', 0, name => "shop{$names}")->{status}, 200,
   'not for another';

is push_as('young', 0)->{status}, 422, 'too old for one';
is push_as('young', 0, from => time - 60)->{status}, 200, 'now is not';

# the file of its own is read again on HUP, and a broken one changes nothing
write_file($t->dir . '/tenants.yml',
           "overrides: {\"short(1)\": {max_query_length: 2d}, "
           . "acme: {max_query_length: 1h}}\n");
$t->reload;
is ask('short(1)', SelectMergeStacktraces => \%day)->{status}, 200,
   'longer since the reload';
is ask('acme', SelectMergeStacktraces => \%day)->{status}, 400,
   'shorter since the reload';

{
    write_file($t->dir . '/tenants.yml', "overrides: {acme: {nonsense: 1}}\n");
    kill HUP => $t->pid;
    wait_for(sub { $t->error_log
                   =~ m{\[emerg\].*/tenants\.yml:1:\ overrides\.acme\.nonsense:
                        \ is\ not\ a\ limit}x }, undef, 'the mistake is told');
    is ask('acme', SelectMergeStacktraces => \%day)->{status}, 400,
       'and the limits stay';
}


# ---- the tool ---------------------------------------------------------------

is setting('beta', Set => { setting => { name => "b\x{e9}", value => 'x' } }
           )->{status}, 200, 'a setting of beta';
is $t->stop, 0, 'stopped';

sub tool {
    my $command = join ' ', PyroTest::root() . '/build/pyroscope-store',
                  map { "'$_'" } @_;

    return scalar `$command 2>&1`;
}

{
    my $data = $t->data;
    my %series = map { $_ => scalar(split /\n/,
                                    tool('list', '--series', "--tenant=$_",
                                         '--selector={service_name="till"}',
                                         $data)) } qw(acme beta gamma);

    is_deeply [@series{qw(acme gamma)}], [0, 0], 'list: not of others';
    cmp_ok $series{beta}, '>', 0, 'list: of a tenant';

    my $dump = tool('export', '--tenant=beta', $data);

    cmp_ok length $dump, '>', 1000, 'export: of a tenant';
    cmp_ok length tool('export', $data), '<', 1000,
           'export: anonymous has nothing';
    like tool('export', '--tenant=a/b', $data), qr/--tenant: tenant "a\/b"/,
         'a name that is none';

    my @listed = split /\n/, tool('list', '--tenants', $data);

    is_deeply [grep { /^(?:acme|beta|gamma)$/ } @listed],
              [qw(acme beta)], 'list: tenants that have pushed';
    is_deeply JSON::PP::decode_json(tool('list', '--tenants', '--json', $data)),
              \@listed, 'the same in JSON';

    my @all = ('delete', '--tenant=beta', '--everything', $data);

    like tool(@all, '--dry-run'),
         qr/^control\.mdb:\ setting\ "b\xc3\xa9"\n
            control\.mdb:\ jfr-info\ "till"\n
            control\.mdb:\ jfr-info\ "shop"\n
            \d+\ label\ sets\ would\ be\ deleted,\ 1\ settings,
            \ jfr-info\ of\ 2\ services$/mx, 'delete --dry-run: a tenant';
    like tool(@all), qr/^\d+ label sets deleted, 2 records, 1 settings, jfr-info of 2 services$/m,
         'delete: a tenant';
    like tool(@all), qr/\A0 label sets deleted, 0 records, 0 settings, jfr-info of 0 services\n\z/,
         'and nothing is left to delete';
    is tool('delete', '--tenant=bet', '--everything', $data),
       qq(pyroscope-store: delete: the store has no tenant "bet"\n),
       'a name that is not there';
}

write_file($t->dir . '/tenants.yml', '');
$t->start;
is total('beta'), 0, 'beta is gone';
is_deeply setting('beta', Get => {})->{json}, {}, 'so are its settings';
is get('beta', '/api/v1/jfr-info?service_name=till')->{status}, 404,
   'and its jfr-info';
is total('acme'), 2 * $TOTALS[0], 'acme, which has pushed twice, is not';
is setting('acme', Get => {})->{json}{settings}[0]{value}, 'red',
   'nor is its setting';
is get('acme', '/api/v1/jfr-info?service_name=shop')->{status}, 200,
   'nor its jfr-info';


# ---- without tenants the header means nothing -------------------------------

is $t->stop, 0, 'stopped';
$t->write_config(yaml => $yaml =~ s/^multitenancy_enabled.*\n//mr);
$t->start;

is total($_), 0, 'anonymous has nothing' for undef, 'acme', 'a b';
pushed('..', 1);
is total($_), $TOTALS[1], 'it is everybody\'s now' for undef, 'acme', 'x|y';

# ---- who may name which, as the README has it -------------------------------

{
    my $guarded = PyroTest->new(
        workers => 1, yaml => $yaml =~ s/^runtime_config.*\n//mr,
        http => <<'EOF', location => <<'EOF2');
    underscores_in_headers on;

    map "$remote_user:$http_x_scope_orgid" $refused {
        default          1;
        "~^alice:acme$"  0;
        "~^bob:beta$"    0;
    }
EOF
            if ($refused) {
                return 403;
            }

            auth_basic           tenants;
            auth_basic_user_file %DIR%/passwd;
EOF2

    write_file($guarded->dir . '/passwd',
               "alice:{PLAIN}secret\nbob:{PLAIN}other\n");
    $guarded->start(ready => 0);

    for (['alice', 'secret', 'acme', 200], ['bob', 'other', 'beta', 200],
         ['alice', 'secret', 'beta', 403], ['alice', 'secret', 'ACME', 403],
         ['alice', 'secret', 'acme|beta', 403], ['alice', 'secret', '', 403],
         ['alice', 'wrong', 'acme', 401], ['bob', 'other', 'acme', 403],
         ['mallory', 'secret', 'acme', 403]) {
        my ($user, $word, $tenant, $status) = @$_;

        is $guarded->rpc('ProfileTypes', {}, 'X-Scope-OrgID' => $tenant,
                         Authorization => 'Basic '
                         . encode_base64("$user:$word", ''))->{status},
           $status, "$user, $word, '$tenant': $status";
    }

    is $guarded->rpc('ProfileTypes', {}, 'X-Scope-OrgID' => 'acme')->{status},
       403, 'nobody';

    # what the map is asked about is whose it is: to nginx both are one header,
    # of which it takes the first one, or from 1.23 on both together

    for my $names (['X_Scope_OrgID', 'X-Scope-OrgID'],
                   ['X-Scope-OrgID', 'X_Scope_OrgID']) {
        my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                         PeerPort => $guarded->port) // die;

        print $sock "POST $SERVICE/ProfileTypes HTTP/1.0\r\n",
                    'Authorization: Basic ',
                    encode_base64('alice:secret', ''), "\r\n",
                    "$names->[0]: acme\r\n$names->[1]: not acme\r\n",
                    "Content-Type: application/json\r\n",
                    "Content-Length: 2\r\n\r\n{}";

        like <$sock>, qr{^HTTP/1\.1 (?:200|403) }, "@$names";
    }

    is $guarded->stop, 0, 'a clean end of it';
}

is $t->stop, 0, 'a clean end';
is_deeply [grep { !/overrides\.acme\.nonsense/ } PyroJfr::errors($t)], [],
          'no error';

done_testing;
