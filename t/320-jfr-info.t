#!/usr/bin/perl

# GET /api/v1/jfr-info: what the latest recording of a service said of itself.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use PyroJfr;
use PyroTest;
use PyroTest::Util;
use Test::More;

my $bytes = PyroJfr::bytes('new_spancontext');
my $time = PyroJfr::FROM;
my $seen = '2023-11-14T22:13:20.000Z';
my $killed = qr/worker process \d+ exited on signal 9/;

my $t = PyroTest->new(workers => 2, location => <<'END', server => <<'END')
            add_header X-Pid $pid always;
END
        listen 127.0.0.1:%PORT% reuseport;
        location = /page { ssi on; ssi_types *; alias %DIR%/page.html; }
END
    ->start;

sub path { '/api/v1/jfr-info?service_name=' . uri_escape($_[0]) }
sub info { $t->get(path($_[0])) }

sub pushed {
    my ($what, %opt) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    my $r = $t->push_jfr($opt{jfr} // \$bytes, from => $time,
                         until => $time + 10, %opt);

    is $r->{status}, 200, "$what: pushed" or diag $r->{body};
}

# 200 and the object's members
sub known {
    my ($what, $service, %opt) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    my $r = $opt{answer} // info($service);
    my $json = $r->{json};

    is $r->{status}, 200, "$what: 200" or diag $r->{body};
    is $r->{headers}{'content-type'}, 'application/json', "$what: its type";
    is_deeply [map { ref $json->{$_} } qw(jvm os agent settings lost)],
              [('HASH') x 5], "$what: its objects" or diag $r->{body};
    is_deeply [@$json{qw(service lastSeen)}],
              [$service, $opt{seen} // $seen], "$what: service and time";

    return $json;
}

sub error_is {
    my ($what, $r, $status, $code, $message) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    is $r->{status}, $status, "$what: $status";
    is $r->{json}{code}, $code, "$what: its code";
    like $r->{json}{message}, $message, "$what: its message";
    is_deeply [sort keys %{ $r->{json} }], [qw(code message)],
              "$what: nothing else";
}

# An answer of each worker: each has a socket of its own, and the kernel deals.
sub by_each_worker {
    my ($what) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    my %left = map { $_ => 1 } $t->worker_pids;

    is keys %left, 2, "$what: two workers";

    wait_for(sub {
        my $r = info('shop');

        if (delete $left{$r->{headers}{'x-pid'} // ''}) {
            known("$what, one worker", 'shop', answer => $r);
        }

        return !%left;
    }, undef, "$what: an answer of each worker");
}


# ---- nothing known ----------------------------------------------------------

error_is('an empty store', info('shop'), 404, 'not_found',
         qr/service "shop"/);


# ---- a recording ------------------------------------------------------------

pushed('shop', name => 'shop{otel.scope.version=2.1.0,env=prod}');

my $json = known('shop', 'shop');

is $json->{agent}{spyName}, 'javaspy', 'spyName';
is $json->{agent}{version}, '2.1.0', 'otel.scope.version';

{
    my $r = $t->request('HEAD', path('shop'));

    is $r->{status}, 200, 'HEAD: 200';
    is $r->{raw}, '', 'HEAD: no body';
    is $r->{headers}{'content-length'}, length info('shop')->{raw},
       'HEAD: its length';
}

by_each_worker('both workers');

{
    # the same worker or another: it may be written or not, but never goes back
    pushed('an older one', name => 'shop', from => $time - 1000);
    known('after an older one', 'shop');

    # what comes of a body is discarded
    my $r = $t->request('GET', path('shop'), body => 'x' x 100);
    known('a GET with a body', 'shop', answer => $r);

    # other parameters, wherever they are
    $r = $t->get('/api/v1/jfr-info?x&y=1&service%5Fname=shop&z=');
    known('other parameters', 'shop', answer => $r);

    # on one connection, several at once
    my $sock = $t->connect;
    $t->send_bytes($sock, $t->request_bytes('GET', path('shop'),
                                            keepalive => 1) x 3);
    known("pipelined $_", 'shop', answer => scalar $t->read_response($sock))
        for 1 .. 3;
}

write_file($t->dir . '/page.html', '<!--#include virtual="' . path('shop')
           . '" -->;<!--#include virtual="' . path('none') . '" -->');

like $t->get('/page')->{body},
     qr/^\{"service":"shop".*\};\{"code":"not_found".*\}$/, 'subrequests';


# ---- names ------------------------------------------------------------------

my $n = 0;

for my $name ('ride.sharing/app', 'with space', 'a+b', 'a%2Fb', 'x&y', 'q"\\',
              "\xc3\xa4\xe2\x82\xac", 'n' x 2000)
{
    my $what = 'name ' . ++$n;
    my $text = $name;

    utf8::decode($text);
    pushed($what, name => "app{service_name=$name}");
    known($what, $text, answer => info($name));
}


# ---- an idle JVM ------------------------------------------------------------

{
    # no event of a kind that gives samples
    my $idle = $bytes =~ s/jdk\.(?=ExecutionSample)/xdk./gr;
    my $before = $t->metric('ngx_pyroscope_pushes_total', result => 'empty');

    pushed('idle', name => 'idle', jfr => \$idle);
    known('idle', 'idle');

    is $t->metric('ngx_pyroscope_pushes_total', result => 'empty') - $before,
       1, 'counted as empty';
    is_deeply [grep { $_ eq 'idle' }
               PyroJfr::label_values($t, 'service_name')], [],
              'no samples of it';
}


# ---- what is refused --------------------------------------------------------

my $required = qr/^service_name: .*required/;

error_is('no parameter', $t->get('/api/v1/jfr-info'), 400,
         'invalid_argument', $required);
error_is('another one', $t->get('/api/v1/jfr-info?name=shop'), 400,
         'invalid_argument', $required);
error_is('an empty one', info(''), 400, 'invalid_argument', $required);
error_is('twice', $t->get(path('shop') . '&service_name=shop'), 400,
         'invalid_argument', qr/^service_name: .*2 times/);
error_is('an unknown service', info('sho'), 404, 'not_found',
         qr/service "sho"/);
error_is('an unknown service, long', info('s' x 5000), 404, 'not_found',
         qr/service "s{200}"/);
error_is('an unknown service, odd', info("\"\0\xff"), 404, 'not_found',
         qr/service/);

for my $method (qw(POST PUT DELETE)) {
    my $r = $t->request($method, path('shop'), body => '{}');

    is $r->{status}, 405, "$method: 405";
    is $r->{headers}{allow}, 'GET, HEAD', "$method: Allow";
}

error_is('a longer path', $t->get('/api/v1/jfr-info/'), 404,
         'unimplemented', qr/no such path/);

is $t->metric('ngx_pyroscope_info_failures_total'), 0, 'no failures';
cmp_ok $t->answered(route => 'api_v1_jfr_info', status_code => 404),
       '>=', 4, 'a route in the metrics';


# ---- clients that leave -----------------------------------------------------

for (1 .. 50) {
    my $sock = $t->connect;
    $t->send_bytes($sock, $t->request_bytes('GET', path('shop'),
                                            keepalive => 1) x 5);
    close $sock;
}

known('after clients that left', 'shop');


# ---- reload, a killed worker, a restart -------------------------------------

$t->reload;
by_each_worker('after a reload');

# another worker, which has written nothing yet
pushed('a later one', name => 'shop', from => $time + 60);
known('a later one', 'shop', seen => '2023-11-14T22:14:20.000Z');
$seen = '2023-11-14T22:14:20.000Z';

{
    my %old = map { $_ => 1 } $t->worker_pids;

    kill 'KILL', keys %old;
    wait_for(sub { my @now = $t->worker_pids;
                   @now == 2 && !grep { $old{$_} } @now }, undef,
             'new workers');
    $t->wait_ready;
}

by_each_worker('after kill -9');

$t->stop('QUIT');
$t->start;
known('after a restart', 'shop');


# ---- the store is not there -------------------------------------------------

my $without = PyroTest->new(workers => 1);

write_file($without->data, 'a file');
$without->start(ready => 0);

{
    my $r = $without->get(path('shop'));

    error_is('no store', $r, 503, 'unavailable', qr/Not a directory/);
    is $r->{headers}{'retry-after'}, 1, 'no store: Retry-After';
    is $without->get('/api/v1/jfr-info')->{status}, 400,
       'no store, no parameter: 400';
}

$without->stop;

$t->stop;
$t->log_ok($killed);
is_deeply [PyroJfr::errors($t)], [], 'no errors';

done_testing;
