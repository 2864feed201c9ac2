#!/usr/bin/perl

# speedscope opens what a server exports, and finds in it what a flame graph
# has.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/../lib";

use JSON::PP ();
use PyroJfr;
use PyroTest;
use PyroTest::Util;
use Test::More;

my $ROOT = PyroTest::root();

chomp(my $directory = `$ROOT/t/lib/speedscope`);

if (!is $?, 0, 'there is speedscope') {
    done_testing;
    exit 1;
}

my $t = PyroTest->new->start;
my $FROM = PyroJfr::FROM;
my $BYTES = 'memory:alloc_in_new_tlab_bytes:bytes:space:bytes';

my @recordings = map { "cortex-dev-01__kafka-0__cpu_lock_alloc__$_" } 0, 1;

for my $i (0, 1) {
    is $t->push_jfr(PyroJfr::recording($recordings[$i]), name => 'shop',
                    from => $FROM + $i * 10, until => $FROM + $i * 10 + 10)
       ->{status}, 200, "push $i";
}

# { function => its own value, wherever it is }
sub self {
    my ($graph) = @_;

    my %self;

    for my $level (@{ $graph->{levels} }) {
        my @v = @{ $level->{values} };

        while (my (undef, undef, $self, $name) = splice @v, 0, 4) {
            $self{ $graph->{names}[$name] } += $self if $self;
        }
    }

    return \%self;
}

for my $type (PyroJfr::CPU, $BYTES) {
    my $unit = (split /:/, $type)[2];
    my $graph = PyroJfr::merge($t, type => $type)->{json}{flamegraph};
    my $query = uri_escape($type . '{service_name="shop"}');

    for my $format (qw(speedscope collapsed pprof)) {
        my $what = "$unit as $format";
        my $file = $t->dir . "/$unit.$format"
                   . { speedscope => '.json', collapsed => '.txt',
                       pprof => '.pb' }->{$format};
        my $r = $t->get("/pyroscope/render?query=$query&from=$FROM&until="
                        . ($FROM + 600) . "&format=$format");

        is $r->{status}, 200, "$what: 200";
        write_file($file, $r->{body});

        open my $out, '-|', 'node', "$FindBin::Bin/speedscope/open.mjs",
            $directory, $file or die "node: $!\n";
        my $said = do { local $/; <$out> } // '';
        close $out;

        is $?, 0, "$what: speedscope opens it";

        my $profiles = eval { JSON::PP->new->utf8->decode($said) } // [];
        my $p = $profiles->[0];
        my %self;

        # a name of a collapsed stack has its line
        for my $name (keys %{ $p->{self} // {} }) {
            my $value = $p->{self}{$name} or next;

            $self{ $format eq 'collapsed' ? $name =~ s/:\d+\z//r : $name }
                += $value;
        }

        is @$profiles, 1, "$what: one profile";
        is $p->{total}, $graph->{total}, "$what: its total";
        is_deeply \%self, self($graph), "$what: its functions";
        like $p->{shown} // '', $unit eq 'bytes' ? qr/[KMG]i?B$/ : qr/s$/,
             "$what: its unit" if $format ne 'collapsed';
    }
}

is $t->stop, 0, 'a clean end';
$t->log_ok;

done_testing;
