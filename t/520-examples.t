#!/usr/bin/perl

# Each file of docs/examples in a real nginx: who is let in, who is refused
# and told what, and that nothing secret comes into a log.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use File::Basename ();
use File::Temp ();
use MIME::Base64 ();
use PyroJfr;
use PyroTest;
use PyroTest::Example;
use PyroTest::Util;
use Test::More;

my $ONE = PyroTest::Example->pushed_total;
my $pki = File::Temp->newdir('pki-XXXXXX', DIR => make_base());
my %tested = ('log-format.conf' => 1);

system(PyroTest::root() . '/t/lib/pki', $pki) == 0
    or die "t/lib/pki: no certificates\n";

sub make_base {
    my $base = PyroTest::root() . '/build/t';

    File::Path::make_path($base);

    return $base;
}

# The example, running; files => { name => text } are beside its YAML.
sub example {
    my ($file, %opt) = @_;

    $tested{$file} = 1;
    diag $file if $ENV{PYRO_TEST_VERBOSE};

    my $e = PyroTest::Example->new($file, pki => "$pki", %opt);
    my $files = $opt{files} // {};

    write_file($e->dir . "/$_", $files->{$_}) for keys %$files;

    return $e->start;
}

# The line of a request that was answered, which comes after the answer.
sub logged {
    my ($e, $file, $line, $what) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    ok eval {
        wait_for(sub { read_file($e->dir . "/$file") =~ $line });
    }, $what or diag read_file($e->dir . "/$file");
}

sub header { map { ('-H', $_) } @_ }
sub user   { ('-u', $_[0]) }
sub cert   { ('--cert', "$pki/$_[0].pem", '--key', "$pki/$_[0].key") }
sub basic  { MIME::Base64::encode_base64($_[0], '') }

# In JSON, as every error of this server.
sub refused {
    my ($r, $status, $code, $message, $what) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    is_deeply [$r->{status}, $r->{json}{code}], [$status, $code],
              "$what: $status, $code" or diag $r->{body};
    like $r->{json}{message}, $message, "$what: why";
}

my $credentials = qr/^the credentials are missing or wrong$/;
my $configured = qr/^nginx is configured to refuse this client or request$/;
my $limited = qr/^nginx is configured to limit such requests$/;


# ---- TLS --------------------------------------------------------------------

{
    my $e = example('tls.conf');

    is $e->push(curl => ["--$_"])->{status}, 200, "TLS: a push, $_"
        for qw(http1.1 http2);
    is $e->total, 2 * $ONE, 'TLS: a query';
    is $e->grpc->{code}, 0, 'TLS: gRPC';
    is $e->get('/ready')->{body}, "ready", 'TLS: /ready';

    is $e->get('/ready', curl => ['--tls-max', '1.1'])->{curl}, 35,
       'TLS 1.1: no handshake';
    is $e->get('/ready', curl => ['--cacert', "$pki/clients-ca.pem"])->{curl},
       60, 'who does not trust the authority goes away';

    my $plain = $e->t->get('/ready');

    is $plain->{status}, 400, 'no TLS: 400';
    $e->finish;
}


# ---- mutual TLS -------------------------------------------------------------

{
    my $e = example('mutual-tls.conf');
    my @agent = (curl => [cert('agent')]);
    my @grafana = (curl => [cert('grafana')]);

    is $e->push(@agent)->{status}, 200, 'mutual TLS: an agent pushes';
    is $e->total(@grafana), $ONE, 'Grafana queries';
    is $e->grpc(@grafana)->{code}, 0, 'in gRPC, too';

    refused($e->ask(@agent), 403, 'permission_denied', $configured,
            'an agent that queries');
    refused($e->push(@grafana), 403, 'permission_denied', $configured,
            'Grafana that pushes');
    refused($e->$_(curl => [cert('other')]), 403, 'permission_denied',
            $configured, "another's $_") for qw(push ask);
    is $e->push(@grafana, query => '&x=OU=agents')->{status}, 403,
       'only the subject counts';

    my $r = $e->grpc(@agent);

    is $r->{code}, 7, 'gRPC: PERMISSION_DENIED';
    like $r->{message}, $configured, 'gRPC: why';

    for (['nobody', [], qr/the client sent no certificate$/],
         ['revoked', [cert('revoked')],
          qr/^the client's certificate is refused: certificate revoked$/],
         ['foreign', [cert('foreign')],
          qr/^the client's certificate is refused: unable to /]) {
        my ($who, $curl, $why) = @$_;

        refused($e->$_(curl => $curl), 400, 'invalid_argument', $why,
                "$who: $_") for qw(push ask);
    }

    is $e->get('/ready', port => 4041)->{status}, 200, 'a probe';
    is $e->$_(port => 4041)->{status}, 404, "but no $_" for qw(push ask);
    is $e->total(@grafana), $ONE, 'nothing else was stored';
    $e->finish;
}


# ---- users ------------------------------------------------------------------

{
    my ($push, $query) = ('pushpw-Zk8vQ2', 'querypw-Lw3nR7');
    my $hash = sub { my $h = `openssl passwd -apr1 '$_[0]'`; chomp $h; $h };
    my $e = example('basic-auth.conf', files => {
        'push.passwd' => 'agent:' . $hash->($push) . "\n",
        'query.passwd' => 'grafana:' . $hash->($query) . "\n" });

    my %who = (nobody => [], agent => [user("agent:$push")],
               grafana => [user("grafana:$query")],
               wrong => [user("agent:$query")],
               strange => [user("root:$push")]);

    is $e->push(curl => $who{agent})->{status}, 200, 'an agent pushes';
    is $e->total(curl => $who{grafana}), $ONE, 'Grafana queries';
    is $e->grpc(curl => $who{grafana})->{code}, 0, 'in gRPC, too';
    is $e->get('/ready')->{status}, 200, 'a probe needs none';

    for (qw(nobody grafana wrong strange)) {
        my $r = $e->push(curl => $who{$_});

        refused($r, 401, 'unauthenticated', $credentials, "$_ pushes");
        is $r->{headers}{'www-authenticate'}, 'Basic realm="pyroscope push"',
           'and is asked for them';
    }

    refused($e->ask(curl => $who{$_}), 401, 'unauthenticated', $credentials,
            "$_ queries") for qw(nobody agent wrong strange);
    is $e->grpc->{code}, 16, 'gRPC: UNAUTHENTICATED';
    is $e->get($_)->{status}, 401, "$_: 401"
        for '/metrics', '/api/v1/status/config', '/api/v1/jfr-info', '/no';

    logged($e, 'pyroscope.log',
           qr{^127\.0\.0\.1\ agent\ \[.*\]\ POST\ /ingest\ 200\ .*
              \ tenant=anonymous\ service=shop\ samples=\d+$}xm,
           'the access log');
    $e->finish($push, $query, map { basic($_) } "agent:$push",
               "grafana:$query", "agent:$query", "root:$push");
}


# ---- tokens -----------------------------------------------------------------

{
    my ($push, $query) = map { my $x = $_;
                               join '', map { sprintf '%02x', $_ * $x % 251 }
                                        1 .. 32 } 7, 13;
    my $e = example('bearer.conf', files => { 'tokens.map' => <<"END" });
"Bearer $push"  push;
"Bearer $query"  query;
END

    my $bearer = sub { [header("Authorization: Bearer $_[0]")] };

    is $e->push(curl => $bearer->($push))->{status}, 200, 'an agent pushes';
    is $e->total(curl => $bearer->($query)), $ONE, 'Grafana queries';
    is $e->grpc(curl => $bearer->($query))->{code}, 0, 'in gRPC, too';
    is $e->get('/ready')->{status}, 200, 'a probe needs none';

    my %wrong = (none => [], short => $bearer->(substr $push, 0, 63),
                 long => $bearer->("${push}0"), empty => $bearer->(''),
                 basic => [user("x:$push")],
                 bare => [header("Authorization: $push")]);

    for my $what (sort keys %wrong) {
        for my $how (qw(push ask)) {
            my $r = $e->$how(curl => $wrong{$what});

            refused($r, 401, 'unauthenticated', $credentials, "$what: $how");
            is $r->{headers}{'www-authenticate'}, 'Bearer realm="pyroscope"',
               'and is asked for one';
        }
    }

    my $r = $e->ask(curl => $bearer->($push));

    refused($r, 403, 'permission_denied', $configured, 'an agent queries');
    is $r->{headers}{'www-authenticate'}, undef, 'and is asked for nothing';
    refused($e->push(curl => $bearer->($query)), 403, 'permission_denied',
            $configured, 'Grafana pushes');
    is $e->grpc->{code}, 16, 'gRPC: UNAUTHENTICATED';
    is $e->grpc(curl => $bearer->($push))->{code}, 7,
       'gRPC: PERMISSION_DENIED';

    # in the wrong place, too, it stays a secret, also where something fails
    refused($e->push(query => "&token=$push"), 401, 'unauthenticated',
            $credentials, 'a token in the URL');
    is $e->push(bytes => 'none', query => "&token=$push&$push&x=1",
                curl => [header("Authorization: Bearer $push",
                                "Referer: http://x/?token=$query",
                                "Cookie: token=$query")])->{status}, 422,
       'a broken recording';
    like $e->t->error_log,
         qr{"POST\ /ingest\?name=shop&.*&format=jfr&token=\*\*\*&\*\*\*
            &x=\*\*\*\ HTTP/}x, 'its line in the log';
    $e->finish($push, $query, basic("x:$push"));
}


# ---- another service --------------------------------------------------------

{
    my $e = example('auth-request.conf', http => <<'END');
    map "$http_authorization $http_x_pyroscope_asks" $let_in {
        default                 401;
        "Bearer agent push"     204;
        "Bearer agent query"    403;
        "Bearer grafana query"  204;
        "~^Bearer trouble "     500;
    }

    server {
        listen 127.0.0.1:9000;
        access_log %DIR%/auth.log;

        location = /check {
            if ($let_in = 204) {
                return 204;
            }
            if ($let_in = 403) {
                return 403;
            }
            if ($let_in = 500) {
                return 500;
            }
            add_header WWW-Authenticate Bearer always;
            return 401;
        }
    }
END
    my $bearer = sub { [header("Authorization: Bearer $_[0]")] };

    is $e->push(curl => $bearer->('agent'))->{status}, 200, 'an agent pushes';
    is $e->total(curl => $bearer->('grafana')), $ONE, 'Grafana queries';
    is $e->grpc(curl => $bearer->('grafana'))->{code}, 0, 'in gRPC, too';

    refused($e->ask(curl => [@{ $bearer->('agent') },
                             header('X-Pyroscope-Asks: push')]),
            403, 'permission_denied', $configured, 'an agent queries');
    refused($e->push(curl => $bearer->('grafana')), 401, 'unauthenticated',
            $credentials, 'Grafana pushes');
    is $e->push->{headers}{'www-authenticate'}, 'Bearer',
       "nobody is asked what the service asks for";
    is $e->grpc->{code}, 16, 'gRPC: UNAUTHENTICATED';
    is $e->push(curl => $bearer->('trouble'))->{status}, 500,
       'its trouble is a 5xx, so that the agent tries again';
    is $e->grpc(curl => $bearer->('trouble'))->{code}, 13, 'gRPC: INTERNAL';
    is $e->get('/ready')->{status}, 200, 'a probe is asked for nothing';
    is $e->get('/auth')->{status}, 404, 'nobody asks it through us';
    logged($e, 'auth.log', qr{"GET /check HTTP/1.1" 204}, 'it was asked');
    $e->finish('Bearer agent', 'Bearer grafana');
}


# ---- two listeners ----------------------------------------------------------

{
    my $e = example('push-and-query.conf');
    my @query = (port => 4041);

    is $e->push->{status}, 200, 'a push';
    is $e->total(@query), $ONE, 'a query';

    refused($e->ask, 404, 'unimplemented', qr/^unknown RPC: /,
            'a query where is pushed');
    refused($e->push(@query), 404, 'unimplemented',
            qr{^no such path: /ingest$}, 'a push where is queried');
    is $e->get($_)->{status}, 404, "$_: not for agents"
        for '/metrics', '/pyroscope/render', '/api/v1/status/config',
            '/api/v1/jfr-info?service_name=shop';
    is $e->get('/metrics', @query)->{status}, 200, '/metrics: for Prometheus';
    is $e->get('/ready')->{status}, 200, '/ready: of the one';
    is $e->get('/ready', @query)->{status}, 200, '/ready: of the other';
    $e->finish;
}


# ---- rates ------------------------------------------------------------------

{
    my $e = example('limit-req.conf');
    my $t = $e->t;
    my ($r, $n);

    is $e->push->{status}, 200, 'a push';

    # as fast as it goes; far more than the burst has to be in the end
    for ($n = 1; $n < 20_000; $n++) {
        $r = $t->post('/ingest?name=shop&format=none', '');
        last if $r->{status} != 400;
    }

    cmp_ok $n, '>=', 50, 'the burst';
    refused($r, 429, 'resource_exhausted', $limited, 'beyond it');
    is $r->{headers}{'retry-after'}, 5, 'when to come again';

    is $e->total, $ONE, 'queries have a rate of their own';
    is $t->get($_)->{status}, 200, "$_: no limit" for '/ready', '/metrics';
    ok wait_for(sub { $e->push->{status} == 200 }, undef, 'a push'),
       'later it goes on';
    is $e->get('/healthz')->{headers}{'retry-after'}, undef,
       'no Retry-After without a reason';
    $e->finish;
}


# ---- addresses --------------------------------------------------------------

{
    my $e = example('allow.conf', networks => {
        '10.1.0.0/16' => '127.0.1.0/24', '10.2.0.5' => '127.0.2.5',
        '10.2.0.6' => '127.0.2.6' });
    my %at = (agents => '127.0.1.9', grafana => '127.0.2.5',
              prometheus => '127.0.2.6', other => '127.0.0.1');
    my %from = map { $_ => [curl => ['--interface', $at{$_}]] } keys %at;

    is $e->push(@{ $from{agents} })->{status}, 200, 'agents push';
    is $e->total(@{ $from{grafana} }), $ONE, 'Grafana queries';
    is $e->get('/metrics', @{ $from{prometheus} })->{status}, 200,
       'Prometheus reads';

    refused($e->push(@{ $from{$_} }), 403, 'permission_denied', $configured,
            "$_: a push") for qw(grafana prometheus other);
    refused($e->ask(@{ $from{$_} }), 403, 'permission_denied', $configured,
            "$_: a query") for qw(agents prometheus other);
    is $e->get('/metrics', @{ $from{$_} })->{status}, 403, "$_: /metrics"
        for qw(agents grafana other);
    is $e->get('/ready', @{ $from{$_} })->{status}, 200, "$_: /ready"
        for keys %at;
    is $e->push(curl => ['--interface', $at{other},
                         header('X-Forwarded-For: 127.0.1.9',
                                'X-Real-IP: 127.0.1.9')])->{status}, 403,
       'a header is no address';
    $e->finish;
}


# ---- tenants ----------------------------------------------------------------

{
    my %password = (alice => 'pw-a-H4s9', bob => 'pw-b-K7d2',
                    grafana => 'pw-g-M1c8');
    my $e = example('tenants.conf', yaml => "multitenancy_enabled: true\n",
                    files => { 'tenants.passwd' => join '', map {
                        "$_:{PLAIN}$password{$_}\n" } keys %password });
    my $as = sub {
        my ($name, $tenant, $word) = @_;

        return (curl => [user("$name:" . ($word // $password{$name} // 'x')),
                         header(length $tenant ? "X-Scope-OrgID: $tenant"
                                               : ())]);
    };

    is $e->push($as->(alice => 'acme'))->{status}, 200, 'alice for acme';
    is $e->push($as->(bob => 'beta'))->{status}, 200, 'bob for beta';

    for (['alice', 'acme', $ONE], ['grafana', 'acme', $ONE],
         ['grafana', 'acme|beta', 2 * $ONE], ['alice', 'beta', 403],
         ['alice', 'acme|beta', 403], ['alice', 'ACME', 403],
         ['alice', '', 403], ['bob', 'acme', 403], ['carol', 'acme', 403],
         ['grafana', 'acme|gamma', 403]) {
        my ($name, $tenant, $want) = @$_;

        is $e->total($as->($name, $tenant)),
           $want == 403 ? 'status 403' : $want, "$name for '$tenant'";
    }

    refused($e->push($as->(alice => 'beta')), 403, 'permission_denied',
            $configured, 'alice for beta');
    refused($e->push($as->(alice => 'acme', 'no')), 401, 'unauthenticated',
            $credentials, 'a wrong password');
    refused($e->push(curl => [header('X-Scope-OrgID: acme')]), 403,
            'permission_denied', $configured, 'nobody');
    is $e->get('/ready')->{status}, 200, 'a probe';
    $e->finish(values %password,
               map { basic("$_:$password{$_}") } keys %password);
}


# ---- all of them ------------------------------------------------------------

is_deeply [sort keys %tested],
          [map { File::Basename::basename($_) }
           sort glob PyroTest::root() . '/docs/examples/*.conf'],
          'no example is left out';

done_testing;
