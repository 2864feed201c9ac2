#!/usr/bin/perl

# Logs that are rotated: after a SIGUSR1 every process of the server, those that
# are about to end and the upkeep's as well, writes to the new files, and under
# load no line is lost or written twice.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use POSIX ();
use PyroJfr;
use PyroTest;
use PyroTest::Util;
use Test::More;
use Time::HiRes ();

my $bytes = PyroJfr::bytes('new_spancontext');
my $time = PyroJfr::FROM;

# ---- helpers ----------------------------------------------------------------

# What the parse pool finds: a refusal, which is "info", and damage, "warn".
sub refused {
    my ($t, $mark) = @_;
    return $t->post($t->ingest_path(name => $mark, from => $time), 'x' x 99);
}

sub damaged {
    my ($t, $mark) = @_;
    return $t->post($t->ingest_path(name => $mark, from => $time),
                    $bytes . 'x' x 99);
}

# Children of the master, whatever they do.
sub processes {
    my ($t) = @_;

    return $t->pid, grep {
        (eval { read_file("/proc/$_/status") } // '') =~ /^PPid:\s+@{[$t->pid]}$/m
    } map { m{(\d+)$} } glob '/proc/[0-9]*';
}

# The processes that have this file open.
sub having {
    my ($t, $file) = @_;

    return grep {
        grep { (readlink $_ // '') eq $file } glob "/proc/$_/fd/*"
    } processes($t);
}

# As logrotate does it; the numbers of the files are one more each time.
my $rotated = 0;

sub rotate {
    my ($t, @names) = @_;

    my $dir = $t->dir;

    $rotated++;
    rename "$dir/$_", "$dir/$_.$rotated" or die "$dir/$_: $!\n" for @names;
    kill 'USR1', $t->pid;

    for my $name (@names) {
        wait_for(sub { -e "$dir/$name" && !having($t, "$dir/$name.$rotated") },
                 undef, "$name to be given up");
    }
}

sub lines {
    my ($t, $name, $pattern) = @_;

    my $file = $t->dir . "/$name";
    return scalar grep { $_ =~ $pattern } -e $file
                                          ? split /\n/, read_file($file) : ();
}

# It is in the file of now, and not in that of before.
sub in_new {
    my ($what, $t, $name, $pattern) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    ok wait_for(sub { lines($t, $name, $pattern) }, undef, "$what in $name"),
       "$what: in the new file";
    is lines($t, "$name.$rotated", $pattern), 0,
       "$what: not in the one of before";
}


# ---- who writes -------------------------------------------------------------

{
    my $t = PyroTest->new(
        workers => 2, server => 'access_log %DIR%/access.log;',
        more_yaml => "lmdb:\n  seal_after: 1s\n")->start;

    is refused($t, 'before')->{status}, 422, 'a push is refused';
    is lines($t, 'error.log', qr/\[info\].*pyroscope.*name=before/), 1,
       'before: a line';

    rotate($t, qw(error.log access.log));
    is scalar(having($t, $t->log_file)), 4,
       'the master, two workers and the upkeep have the new one';

    # one of two workers each, as likely as not
    for my $n (1 .. 10) {
        refused($t, "refused-$n");
        damaged($t, "damaged-$n");
    }

    in_new("a refusal, $_", $t, 'error.log', qr/\[info\].*name=refused-$_&/),
    in_new("damage, $_", $t, 'error.log',
           qr/\[warn\].*pyroscope recording.*name=damaged-$_&/) for 1, 10;
    in_new('access', $t, 'access.log', qr/name=refused-1&.* 422 /);

    # what damaged() has stored is of a day that is over
    in_new('the upkeep', $t, 'error.log', qr/a partition was sealed/);

    # a worker that is about to end, but has a push to read
    my $late = PyroJfr::prepare($t, 'POST', $t->ingest_path(
        name => 'ending', from => $time), body => 'x' x 99);
    my $ending = wait_for(sub { $t->worker_of($late->{sock}) }, undef,
                          'a worker');

    $t->reload;
    ok scalar(grep { $_ == $ending } $t->worker_pids(all => 1)),
       'a worker is ending';

    rotate($t, qw(error.log access.log));
    PyroJfr::finish($late);
    is((PyroJfr::answers($t, $late))[0]{status}, 422, 'it has answered');
    in_new('a worker that ends', $t, 'error.log',
           qr/ $ending#\d+: .*name=ending&/);
    in_new('its access', $t, 'access.log', qr/name=ending&.* 422 /);
    $t->wait_workers(2);
    is $t->stop, 0, 'the end';
    $t->log_ok;
}


# ---- a store that is not there yet ------------------------------------------

{
    my $t = PyroTest->new(workers => 2, yaml => <<'END');
server:
  http_listen_address: 127.0.0.1
  http_listen_port: %PORT%
storage:
  filesystem:
    dir: %DIR%/block/data
END

    write_file($t->dir . '/block', 'a file');
    $t->start(ready => 0);
    cmp_ok lines($t, 'error.log', qr/is not available: /), '>', 0,
           'a store that cannot be opened: the log says it';

    rotate($t, 'error.log');
    unlink $t->dir . '/block';
    mkdir $t->dir . '/block';
    mkdir $t->dir . '/block/data';
    $t->wait_ready;
    in_new('a store that is there now', $t, 'error.log',
           qr/\[notice\] .* is available/);
    is $t->stop, 0, 'the end';
    $t->log_ok(qr/is not available: /, qr/"[^"]+" failed/);
}


# ---- server.log_level: copies of the logs of http ---------------------------

{
    my $t = PyroTest->new(
        workers => 2, yaml => <<'END',
server:
  http_listen_address: 127.0.0.1
  http_listen_port: %PORT%
  log_level: warn
storage:
  filesystem:
    dir: %DATA%
END
        http => "error_log %DIR%/one.log error;\n"
                . "error_log %DIR%/two.log info;")->start;

    for my $round (1 .. 3) {
        is refused($t, "refused-$round")->{status}, 422, "round $round";
        is damaged($t, "damaged-$round")->{status}, 200, "round $round";

        for my $name (qw(one.log two.log)) {
            if ($round == 1) {
                is lines($t, $name, qr/name=damaged-1&/), 1, "$name: the line";

            } else {
                in_new("round $round", $t, $name, qr/name=damaged-$round&/);
            }

            is lines($t, $name, qr/name=refused/), 0, "$name: at that level";
        }

        rotate($t, qw(one.log two.log error.log));
        $t->reload if $round == 2;
    }

    is $t->stop, 0, 'the end';
    $t->log_ok;
}


# ---- under load -------------------------------------------------------------

# Each push is one line, whatever file it was for.

{
    my $t = PyroTest->new(workers => 2,
                          server => 'access_log %DIR%/access.log;')->start;
    my $end = $t->dir . '/end';
    my $parent = $$;
    my %pushed;

    for my $child (1 .. 4) {
        my $pid = fork // die "fork: $!\n";

        if ($pid == 0) {
            my $n = 0;

            while (!-e $end && getppid == $parent) {
                eval { damaged($t, "load-$child-" . $n++) } or $n--, last;
            }

            write_file("$end-$child", $n);
            POSIX::_exit(0);
        }

        $pushed{$child} = $pid;
    }

    for my $round (1 .. 8) {
        my $seen = lines($t, 'error.log', qr/name=load-/);

        wait_for(sub { lines($t, 'error.log', qr/name=load-/) > $seen }, undef,
                 'pushes');
        rotate($t, qw(error.log access.log));
        $t->reload if $round == 4;
    }

    write_file($end, '');
    waitpid $_, 0 for values %pushed;

    # a line of an access log comes after the answer
    is $t->stop, 0, 'the end';

    my %wanted = map {
        my $child = $_;
        map { ("load-$child-$_" => 1) } 0 .. read_file("$end-$child") - 1
    } keys %pushed;

    for (['error.log', qr/\[warn\].*"POST [^ ]*[?]name=(load-\d+-\d+)&/],
         ['access.log', qr/"POST [^ ]*[?]name=(load-\d+-\d+)&/])
    {
        my ($name, $pattern) = @$_;
        my %found;

        for my $file (glob $t->dir . "/$name $t->{dir}/$name.*") {
            $found{$_}++ for read_file($file) =~ /$pattern/g;
        }

        is_deeply \%found, \%wanted,
                  "under load: each line of $name once, of "
                  . keys %wanted;
    }

    $t->log_ok;
}

done_testing;
