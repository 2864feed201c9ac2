#!/usr/bin/perl

# A file that cannot be opened, or in which a writer meets damage: no push is
# refused for it, and none is stored twice; answers say what they are without,
# the log says it once, and no process dies.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use File::Basename;
use PyroJfr;
use PyroTest;
use PyroTest::Util;
use Test::More;

my $bytes = PyroJfr::bytes('new_spancontext');
my $day = 86400;
my $from = PyroJfr::FROM;

sub pushed {
    my ($t, $what, $time) = @_;

    my $r = $t->push_jfr(\$bytes, name => 'shop', from => $time,
                         until => $time + 10);
    is $r->{status}, 200, "$what: pushed" or diag $r->{body};
}

sub merged { return PyroJfr::merge($_[0], name => 'shop') }
sub total  { return $_[0]{json}{flamegraph}{total} }

# Bytes from there on become this one; to empty it, none.
sub overwrite {
    my ($file, $from, $byte) = @_;

    my $size = -s $file;
    open my $out, '+<', $file or die "$file: $!\n";

    if (defined $byte) {
        sysseek $out, $from, 0 or die "$file: $!\n";
        syswrite($out, $byte x ($size - $from)) == $size - $from
            or die "$file: $!\n";

    } else {
        truncate $out, 0 or die "$file: $!\n";
    }
}

my @cases = (
    { name => 'overwritten', stopped => 1, args => [0, 'x'], aside => 1 },
    { name => 'overwritten, running', args => [0, 'x'], aside => 1 },
    { name => 'emptied', stopped => 1, args => [0], aside => 1 },
    { name => 'its first pages left', stopped => 1, args => [8192, "\0"],
      aside => 1 },
    { name => 'its first pages left, running', args => [8192, "\0"] },
);

# ---- nothing is refused, or there twice -------------------------------------

for my $case (@cases) {
    my $name = $case->{name};
    my $t = $case->{server} = PyroTest->new(
        workers => 2, more_yaml => "lmdb:\n  seal_after: off\n")->start;

    pushed($t, "$name, $_", $from + $_ * 60) for 0 .. 3;
    pushed($t, "$name, the next day", $from + $day);

    my $one = total(merged($t)) / 5;
    my ($file) = sort glob $t->data . '/p-*.mdb';
    $case->{file} = basename($file);

    $t->stop if $case->{stopped};
    overwrite($file, @{ $case->{args} });
    $t->start if $case->{stopped};

    # more than one for each worker, and each once more

    pushed($t, "$name, beside it", $from + $_ % 8) for 0 .. 15;

    my $r = merged($t);
    is total($r), 9 * $one, "$name: each once";
    is $r->{headers}{'x-pyroscope-incomplete'}, $case->{file},
       "$name: the answer says what it is without";
    is $t->metric('ngx_pyroscope_store_partitions_aside'), 1,
       "$name: counted" if $case->{aside};
}

# ---- what is said of it, once the upkeep has been there ---------------------

for my $case (@cases) {
    my ($name, $file, $t) = @$case{qw(name file server)};
    my $said = 'is set aside: it cannot be opened';

    # if the upkeep had not opened it before, it is the one that cannot
    $said .= '|is damaged, and is not written any more' if !$case->{aside};

    my $line = qr/\Q$file\E (?:$said): pushes of its time go to a file beside/;
    my $lines = sub { scalar(() = $t->error_log =~ /$line/g) };

    ok wait_for($lines, undef, 'the line'), "$name: the log says it";

    my @pids = $t->worker_pids;
    merged($t) for 1 .. 10;
    is_deeply [$t->worker_pids], \@pids, "$name: nobody died";

    $t->{sound} = 0;
    is $t->stop, 0, "$name: the end";
    is $lines->(), 1, "$name: said once";

    my ($status, $found) = PyroTest::check_store($t->data);
    is_deeply [map { /^(p-\S+): damage:/ ? $1 : () } split /\n/, $found],
              [$file], "$name: the check finds it, and no other"
        or diag $found;

    $t->log_ok(qr/\Q$file\E/);
}

done_testing;
