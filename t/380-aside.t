#!/usr/bin/perl

# A damaged file kills the processes that read it, inside of LMDB.  After the
# second it is set aside: nobody dies any more, answers are without that day and
# say so, and a push of its time is stored beside it.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use File::Basename;
use PyroJfr;
use PyroTest;
use PyroTest::Util;
use Test::More;

plan skip_all => 'sanitizers keep these signals to themselves'
    if $ENV{PYRO_SAN};

my $bytes = PyroJfr::bytes('new_spancontext');
my $day = 86400;
my $from = PyroJfr::FROM;

# the upkeep would read the damaged file as well: two deaths are to be told apart

my $t = PyroTest->new(workers => 1,
                      more_yaml => "lmdb:\n  seal_after: off\n")->start;

sub pushed {
    my ($what, $time) = @_;

    my $r = $t->push_jfr(\$bytes, name => 'shop', from => $time,
                         until => $time + 10);
    is $r->{status}, 200, "$what: pushed" or diag $r->{body};
}

sub merged { return PyroJfr::merge($t, name => 'shop') }
sub total  { return $_[0]{json}{flamegraph}{total} }

pushed("push $_", $from + $_ * 60) for 0 .. 9;
pushed('the next day', $from + $day);

my $all = merged();
is $all->{status}, 200, 'all is there';
my $one = total($all) / 11;
ok !defined $all->{headers}{'x-pyroscope-incomplete'}, 'nothing is missing';

is $t->stop, 0, 'a stop';
my ($file) = sort glob $t->data . '/p-*.mdb';
truncate $file, 3 * 4096 or die "$file: $!";
$t->start(ready => 0);

# whoever reads it dies, at most two times

my $r;
ok wait_for(sub {
    $r = eval { merged() } // { status => 0 };
    $r->{status} == 200;
}, 60, 'an answer'), 'there is an answer again';

is $r->{headers}{'x-pyroscope-incomplete'}, basename($file),
   'it says what it is without';
is total($r), $one, 'and has the other day';
ok $t->metric('ngx_pyroscope_incomplete_answers_total') >= 1, 'it is counted';
is $t->metric('ngx_pyroscope_store_partitions_aside'), 1, 'as set aside, too';

my @pids = $t->worker_pids;
merged() for 1 .. 20;
is_deeply [$t->worker_pids], \@pids, 'nobody dies any more';

pushed('a push of that day', $from + 5);
pushed('the same once more', $from + 5);
is total(merged()), 2 * $one, 'is stored beside it, once';

$t->{sound} = 0;
is $t->stop, 0, 'the end';

my ($status, $said) = PyroTest::check_store($t->data);
is $status, 1, 'the check finds it';
is_deeply [map { /^(p-\S+): damage:/ ? $1 : () } split /\n/, $said],
          [basename($file)], 'that partition and no other' or diag $said;

$t->log_ok(qr/process \d+ exited on signal (?:7|11|6)/,
           qr/set aside/);

done_testing;
