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
    log_format pyroscope '$uri|$status|$pyroscope_tenant|$pyroscope_service|'
                         '$pyroscope_samples|$pyroscope_parse_time|'
                         '$pyroscope_commit_time';
EOF2
    server => 'access_log %DIR%/access.log pyroscope;')->start;

# What is logged of one request, without its URI.
sub logged {
    my ($name, $r, $want) = @_;

    my $file = $t->dir . '/access.log';
    my @lines;

    wait_for(sub { @lines = -e $file ? split /\n/, read_file($file) : ();
                   @lines }, 30, "$name: a line");
    my ($uri, $rest) = $lines[-1] =~ /^([^|]*)\|(.*)/;

    like $rest, $want, $name;
    open my $fh, '>', $file or die "$file: $!\n";
}

# /ready while it started
logged('before', undef, qr/^200\|-\|-\|-\|-\|-$/);

sub push_as {
    my ($tenant, $jfr, %opt) = @_;

    return $t->push_jfr($jfr, name => 'shop{zone=eu}', from => PyroJfr::FROM,
                        headers => { 'X-Scope-OrgID' => $tenant }, %opt);
}

my $time = qr/\d+\.\d{6}/;

logged('a push', push_as('acme', PyroJfr::recording($RECORDING)),
       qr/^200\|acme\|shop\|\d+\|$time\|$time$/);
logged('the same again', push_as('acme', PyroJfr::recording($RECORDING)),
       qr/^200\|acme\|shop\|\d+\|$time\|$time$/);
logged('a broken one', push_as('acme', \'no recording'),
       qr/^422\|acme\|shop\|-\|$time\|-$/);
logged('a format', push_as('acme', \'x', format => 'none'),
       qr/^400\|acme\|-\|-\|-\|-$/);
logged('nobody', $t->post('/ingest?name=a&format=jfr', ''),
       qr/^401\|-\|-\|-\|-\|-$/);
logged('a query', $t->rpc('ProfileTypes', {}, 'X-Scope-OrgID' => 'a|b'),
       qr/^200\|a\|b\|-\|-\|-\|-$/);
logged('metrics', $t->get('/metrics'), qr/^200\|-\|-\|-\|-\|-$/);
logged('no path', $t->get('/nothing'), qr/^404\|-\|-\|-\|-\|-$/);

is $t->stop, 0, 'a clean end';
is_deeply [PyroJfr::errors($t)], [], 'no error';

done_testing;
