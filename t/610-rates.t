#!/usr/bin/perl

# Rates of tenants: pushes and bytes a second, over all workers, and what a
# client is told.  Rates are so low that nothing comes back during the test.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use PyroJfr;
use PyroTest;
use PyroTest::Util;
use Test::More;

my $RECORDING = 'cortex-dev-01__kafka-0__cpu__0';
my $bytes = length PyroJfr::bytes($RECORDING);
my $burst = sprintf '%.6f', 2.5 * $bytes / (1 << 20);

my $yaml = <<"EOF";
server: {http_listen_address: 127.0.0.1, http_listen_port: %PORT%}
storage: {filesystem: {dir: '%DATA%'}}
multitenancy_enabled: true
overrides:
  counted: {ingestion_rate_pushes: 1, ingestion_burst_pushes: 100}
  weighed: {ingestion_rate_mb: 0.000001, ingestion_burst_size_mb: $burst}
  light: {ingestion_rate_mb: 0.1}
EOF

my $t = PyroTest->new(workers => 2, yaml => $yaml)->start;
my $n = 0;

sub pushed {
    my ($tenant) = @_;

    return $t->push_jfr(PyroJfr::recording($RECORDING), name => 'shop',
                        from => PyroJfr::FROM + $n++,
                        headers => { 'X-Scope-OrgID' => $tenant });
}


# ---- bytes ------------------------------------------------------------------

is pushed('weighed')->{status}, 200, "weighed: push $_" for 1, 2;

for (1 .. 6) {
    my $r = pushed('weighed');

    is $r->{status}, 429, 'weighed: no more, whichever worker it is';
    is $r->{json}{code}, 'resource_exhausted', 'its code';
    like $r->{json}{message},
         qr/ingestion_rate_mb of tenant "weighed" is used up: 1 bytes a second/,
         'its message';
    cmp_ok $r->{headers}{'retry-after'}, '>', 1000, 'Retry-After tells when';
}

{
    my $r = pushed('light');

    is $r->{status}, 429, 'light: more than a burst';
    like $r->{json}{message},
         qr/"light": $bytes bytes at once, its burst is 104857/, 'its message';
}

is pushed('heavy')->{status}, 200, 'a tenant without a rate' for 1 .. 4;


# ---- pushes -----------------------------------------------------------------

# what is not stored counts as well: it is asked for before the body is read
my %statuses;

for (1 .. 160) {
    my $r = $t->post('/ingest?name=a&format=none', '',
                     'X-Scope-OrgID' => 'counted');
    $statuses{$r->{status}}++;
}

is_deeply \%statuses, { 400 => 160 }, 'a wrong format is told first';
%statuses = ();

for (1 .. 400) {
    my $r = $t->post('/ingest?name=a&format=jfr', '',
                     'X-Scope-OrgID' => 'counted');
    $statuses{$r->{status}}++;
    last if $r->{status} == 429;
}

cmp_ok $statuses{422} // 0, '>=', 100, 'a hundred at once';
is $statuses{429}, 1, 'and then 429';

{
    my $r = pushed('counted');

    is $r->{status}, 429, 'for all of its pushes' if $r->{status} != 200;
    pass 'a second has passed' if $r->{status} == 200;
}

is pushed('heavy')->{status}, 200, 'others go on';

cmp_ok $t->metric('pyroscope_discarded_samples_total',
                  reason => 'rate_limited'), '>=', 8, 'they are counted';

# bytes of what is refused before its body is read, as for a rate of pushes
{
    my @bytes = ('pyroscope_discarded_bytes_total',
                 reason => 'invalid_request');
    my $before = $t->metric(@bytes);

    is $t->post('/ingest?name=a&format=jfr', 'x' x 1000)->{status}, 401,
       'nobody\'s push';
    is $t->metric(@bytes) - $before, 1000, 'its bytes';
}


# ---- a reload leaves them as they are, or raises or takes away a limit ------

$t->reload;
is pushed('weighed')->{status}, 429, 'a reload fills no bucket';

$t->write_config(yaml => $yaml =~ s/0\.000001/100/r);
$t->reload;
pushed('weighed');
sleep 1;
is pushed('weighed')->{status}, 200, 'a rate that is raised holds at once';

$t->write_config(yaml => $yaml =~ s/^  weighed.*\n//mr);
$t->reload;
is pushed('weighed')->{status}, 200, 'without a rate';

is $t->stop, 0, 'a clean end';
is_deeply [PyroJfr::errors($t)], [], 'no error';

done_testing;
