#!/usr/bin/perl

# limits.max_global_series_per_tenant: what has no room loses the labels of its
# samples, and nothing of their values; a push whose labels are new is refused.
# By two workers, which count together.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use PyroJfr;
use PyroTest;
use PyroTest::Util;
use Test::More;

my $SPANS = 'new_spancontext';          # samples of two spans, and of none
my $PLAIN = 'cortex-dev-01__kafka-0__cpu__0';

my $yaml = <<'EOF';
server: {http_listen_address: 127.0.0.1, http_listen_port: %PORT%}
storage: {filesystem: {dir: '%DATA%'}}
multitenancy_enabled: true
limits: {max_global_series_per_tenant: 3}
overrides:
  free: {max_global_series_per_tenant: 0}
  two: {max_global_series_per_tenant: 2}
  one: {max_global_series_per_tenant: 1}
EOF

my $t = PyroTest->new(workers => 2, yaml => $yaml)->start;

sub pushed {
    my ($tenant, $recording, $name, $second) = @_;

    return $t->push_jfr(PyroJfr::recording($recording), name => $name,
                        from => PyroJfr::FROM + ($second // 0),
                        labels => PyroJfr::labels($recording),
                        headers => { 'X-Scope-OrgID' => $tenant });
}

# { "span_name" => CPU time }
sub spans {
    my ($tenant, $name) = @_;
    my %sums;

    my $r = $t->rpc('SelectSeries', {
        profileTypeID => PyroJfr::CPU, labelSelector => "{pyro=\"$name\"}",
        start => PyroJfr::FROM * 1000, end => (PyroJfr::FROM + 60) * 1000,
        step => 60, groupBy => ['span_name'],
    }, 'X-Scope-OrgID' => $tenant);

    for my $s (@{ $r->{json}{series} // [] }) {
        my ($span) = map { $_->{value} } @{ $s->{labels} // [] };
        $sums{$span // ''} += $_->{value} for @{ $s->{points} };
    }

    return \%sums;
}

sub folded { $t->metric('ngx_pyroscope_series_folded_total') }


# ---- labels of samples ------------------------------------------------------

is pushed('free', $SPANS, 'a{pyro=x}')->{status}, 200, 'no limit';

my $all = spans('free', 'x');
is_deeply [sort keys %$all], ['', 'Fibonachi', 'Infinite'], 'both spans';
is folded(), 0, 'nothing is folded';

is pushed('two', $SPANS, 'a{pyro=x}')->{status}, 200, 'room for one of them';

my $two = spans('two', 'x');
my ($kept) = grep { length } keys %$two;
my ($gone) = grep { length && $_ ne $kept } keys %$all;

is_deeply $two, { $kept => $all->{$kept}, '' => $all->{''} + $all->{$gone} },
    'the other has lost its labels, and no value';
is folded(), 1, 'it is counted';

is pushed('two', $SPANS, 'a{pyro=x}')->{status}, 200, 'a repeat' for 1 .. 4;
is_deeply spans('two', 'x'), $two, 'is stored once, whichever worker has it';

is pushed('one', $SPANS, 'a{pyro=x}')->{status}, 200, 'room for none of them';
is_deeply [keys %{ spans('one', 'x') }], [''], 'both have lost their labels';


# ---- labels of pushes -------------------------------------------------------

is pushed('full', $PLAIN, "a$_")->{status}, 200, "service $_ of 3" for 1 .. 3;

for (1 .. 4) {
    my $r = pushed('full', $PLAIN, 'b', $_);

    is $r->{status}, 429, 'one more service, by either worker';
    is $r->{json}{code}, 'resource_exhausted', 'its code';
    like $r->{json}{message},
         qr/max_global_series_per_tenant:\ tenant\ "full"\ has\ 3\ series\ in
            \ p-20231114\.\d+\.mdb,\ the\ limit\ is\ 3,
            \ and\ these\ labels\ of\ service\ "b"\ are\ new/x,
         'its message';
    is $r->{headers}{'retry-after'}, 60, 'Retry-After';
}

is pushed('full', $PLAIN, "a$_", 9)->{status}, 200, "service $_ goes on"
    for 1 .. 3;
is pushed('full', $PLAIN, 'b', 86400)->{status}, 200, 'the next day';
is pushed('other', $PLAIN, 'b')->{status}, 200, 'another tenant';
is $t->metric('pyroscope_discarded_samples_total', reason => 'series_limit'),
    4, 'they are counted';


# ---- over a reload ----------------------------------------------------------

$t->reload;
is pushed('full', $PLAIN, 'b', 20)->{status}, 429, 'counts outlive workers';

$t->write_config(yaml => $yaml =~ s/tenant: 3/tenant: 4/r);
$t->reload;
is pushed('full', $PLAIN, 'b', 20)->{status}, 200, 'a limit that is raised';
is pushed('full', $PLAIN, 'c', 20)->{status}, 429, 'by one';

is $t->stop, 0, 'a clean end';
is_deeply [PyroJfr::errors($t)], [], 'no error';

done_testing;
