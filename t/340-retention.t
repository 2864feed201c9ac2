#!/usr/bin/perl

# Old data goes: by age and by size, whole partitions, and their room on the
# disk is free again though nobody asks the workers anything.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use PyroJfr;
use PyroTest;
use PyroTest::Util;
use Test::More;

my $bytes = PyroJfr::bytes('new_spancontext');
my $day = 86400;
my $now = time;
my $ago = $now % $day < 90 ? 0 : 60;      # of today even after midnight
my $removed = 'ngx_pyroscope_removed_partitions_total';

my $t = PyroTest->new(workers => 2)->start;

sub pushed {
    my ($what, $time) = @_;

    my $r = $t->push_jfr(\$bytes, name => 'shop', from => $time,
                         until => $time + 10);
    is $r->{status}, 200, "$what: pushed" or diag $r->{body};
}

sub files { my @files = glob $t->data . '/p-*.mdb'; return scalar @files }

sub total {
    my ($from, $until) = @_;

    return PyroJfr::total($t, name => 'shop', start => $from * 1000,
                          end => $until * 1000);
}

# removed files that some process of the server has open still
sub held {
    return grep { (readlink $_ // '') =~ m{/p-[^/]*\.mdb(?:-lock)? \(deleted\)} }
           map { glob "/proc/$_/fd/*" } $t->pid, $t->worker_pids;
}

pushed("$_ days ago", $now - $_ * $day - $ago) for 0, 3, 5, 9;
is files(), 4, 'four partitions';
my $all = total(0, $now);
ok $all > 0, 'with data';

# both workers have all of them open now, as likely as not

total(0, $now) for 1 .. 20;

$t->{more_yaml} = "compactor:\n  retention_period: 4d\n";
$t->write_config;
$t->reload;

ok wait_for(sub { files() == 2 }, undef, 'two partitions less'), 'by age';
ok wait_for(sub { $t->metric($removed) == 2 }, undef, 'the count'), 'counted';
is total(0, $now - 4 * $day), 0, 'nothing is older';
is total(0, $now), $all / 2, 'the rest is there';

my $r = $t->push_jfr(\$bytes, name => 'shop', from => $now - 5 * $day,
                     until => $now - 5 * $day + 10);
is $r->{status}, 422, 'a push that is too old for the retention period';
like $r->{json}{message}, qr/retention/, 'names it';
is files(), 2, 'and makes no partition';

ok wait_for(sub { !held() }, 60, 'no removed file is open'),
   'the room on the disk is free';

$t->{more_yaml} = "lmdb:\n  max_disk_size: 1\n";
$t->write_config;
$t->reload;

ok wait_for(sub { files() == 1 }, undef, 'one partition'),
   'by size: all but the one of today';
is total(0, $now), $all / 4, 'which is there';
pushed('now', $now - $ago / 2);
is $t->metric('ngx_pyroscope_upkeep_failures_total'), 0, 'no failures';

is $t->stop, 0, 'the end';
$t->log_ok;

done_testing;
