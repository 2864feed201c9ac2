#!/usr/bin/perl

# What another server of the same API answered about known recordings is what
# this one answers: t/data/api, whose README has the differences that are meant.
# One test a request, of these as well; t/lib/conform asks and compares.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use JSON::PP ();
use PyroTest;
use PyroTest::Util;
use Test::More;

my $ROOT = PyroTest::root();
my $DATA = "$ROOT/t/data/api";

which('python3') or plan skip_all => 'python3 is not installed';

# its recordings are of one week of 2026, whatever the clock says
my $t = PyroTest->new(workers => 2, more_yaml =>
                      "limits:\n  reject_newer_than: 0\n")->start;

my $set = JSON::PP->new->decode(read_file("$DATA/set.json"));
my $differences = JSON::PP->new->decode(read_file("$DATA/differences.json"));
my %what = map { $_->{id} => "$_->{what}: $_->{why}" }
           map { @$_ } values %$differences;

# Runs the comparison; returns the ids it reported, in order.
sub compare {
    my ($name, @options) = @_;

    my @command = ("$ROOT/t/lib/conform", 'compare', '--url', $t->url,
                   '--jfr', "$ROOT/t/data/jfr", '--set', "$DATA/set.json",
                   '--answers', "$DATA/answers.json.xz",
                   '--differences', "$DATA/differences.json", @options);

    open my $out, '-|', @command or die "conform: $!\n";

    my @ids;

    while (my $line = <$out>) {
        my $result = JSON::PP->new->utf8->decode($line);
        my ($id, $faults) = @$result{qw(id faults)};

        push @ids, $id;
        ok !@$faults, "$name$id" . (defined $what{$id} ? ' (meant)' : '');

        next if !@$faults;

        diag "$id: $_" for grep { defined } $what{$id}, @$faults;
    }

    ok close $out, "${name}the comparison ends";

    return @ids;
}

my @asked = map { $_->{id} } @{ $set->{asks} }, @{ $differences->{asks} };

is_deeply [compare('')],
          [(map { "push $_->{app} $_->{from}" } @{ $set->{pushes} }), @asked],
          'everything was pushed and asked';

is_deeply [grep { my $id = $_; !grep { $_ eq $id } @asked } keys %what], [],
          'the differences name requests that there are';

# the same once more, pushes included: nothing is counted twice
compare('again, ', '--only', '^(?:flame-all|line-all|series-all|values-)');

is $t->stop, 0, 'stopped';
$t->log_ok;

done_testing;
