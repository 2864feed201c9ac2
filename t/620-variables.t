#!/usr/bin/perl

# Variables for access logs: of pushes, queries and what is neither.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use PyroJfr;
use PyroTest;
use PyroTest::Util;
use Test::More;

my $RECORDING = 'cortex-dev-01__kafka-0__cpu__0';
my $t = PyroTest->new(workers => 2, yaml => <<'EOF', http => <<'EOF2',
server: {http_listen_address: 127.0.0.1, http_listen_port: %PORT%}
storage: {filesystem: {dir: '%DATA%'}}
multitenancy_enabled: true
EOF
    log_format pyroscope '$http_x_mark|$status|$pyroscope_tenant|'
                         '$pyroscope_service|'
                         '$pyroscope_samples|$pyroscope_parse_time|'
                         '$pyroscope_commit_time';
EOF2
    server => 'access_log %DIR%/access.log pyroscope;')->start;

# What is logged of one request, behind the mark that its headers have: the line
# comes after the answer, and may come after that of another request.
sub logged {
    my ($name, $ask, $want) = @_;

    my $file = $t->dir . '/access.log';

    $ask->('X-Mark' => $name);

    my $rest = wait_for(sub {
        read_file($file) =~ /^\Q$name\E\|(.*)\n/m && $1;
    }, undef, "$name: a line");

    like $rest, $want, $name;
}

sub push_as {
    my ($tenant, $jfr, $headers, %opt) = @_;

    return $t->push_jfr(
        $jfr, name => 'shop{zone=eu}', from => PyroJfr::FROM, %opt,
        headers => { 'X-Scope-OrgID' => $tenant, %$headers });
}

my $recording = PyroJfr::recording($RECORDING);
my $time = qr/\d+\.\d{6}/;

logged('ready', sub { $t->get('/ready', headers => {@_}) },
       qr/^200\|-\|-\|-\|-\|-$/);
logged('a push', sub { push_as('acme', $recording, {@_}) },
       qr/^200\|acme\|shop\|\d+\|$time\|$time$/);
logged('the same again', sub { push_as('acme', $recording, {@_}) },
       qr/^200\|acme\|shop\|\d+\|$time\|$time$/);
logged('a broken one', sub { push_as('acme', \'no recording', {@_}) },
       qr/^422\|acme\|shop\|-\|$time\|-$/);
logged('a format', sub { push_as('acme', \'x', {@_}, format => 'none') },
       qr/^400\|acme\|-\|-\|-\|-$/);
logged('nobody', sub { $t->post('/ingest?name=a&format=jfr', '', @_) },
       qr/^401\|-\|-\|-\|-\|-$/);
logged('a query', sub {
    $t->rpc('ProfileTypes', {}, 'X-Scope-OrgID' => 'a|b', @_)
}, qr/^200\|a\|b\|-\|-\|-\|-$/);
logged('metrics', sub { $t->get('/metrics', headers => {@_}) },
       qr/^200\|-\|-\|-\|-\|-$/);
logged('no path', sub { $t->get('/nothing', headers => {@_}) },
       qr/^404\|-\|-\|-\|-\|-$/);

is $t->stop, 0, 'a clean end';
is_deeply [PyroJfr::errors($t)], [], 'no error';

done_testing;
