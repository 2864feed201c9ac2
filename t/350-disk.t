#!/usr/bin/perl

# Disks that fill up: pushes wait, queries go on, all goes on by itself when
# there is room again, and what was answered 200 is there.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use PyroTest::Util;

BEGIN { own_mounts() }

use PyroJfr;
use PyroTest;
use Test::More;

my $small = 'new_spancontext';
my $bytes = PyroJfr::bytes($small);
my $total = PyroJfr::cpu_total($small);
my $time = PyroJfr::FROM;
my $second = $time;

# Sealing takes room and gives some back, at times of its own.
sub yaml {
    return "lmdb:\n" . join '', map { "  $_\n" } 'seal_after: off', @_;
}

# Each a second later than the one before.
sub push_one {
    my ($t) = @_;

    return $t->post($t->ingest_path(name => 'shop', from => $second++), $bytes);
}

# All workers refuse pushes for this reason, and answer everything else.
sub scarce {
    my ($what, $t, $reason, $expected) = @_;

    my $r = push_one($t);

    is $r->{status}, 503, "$what: a push is 503";
    is $r->{json}{code}, 'unavailable', "$what: its code";
    like $r->{json}{message}, $reason, "$what: its message";
    is $r->{headers}{'retry-after'}, 1, "$what: Retry-After";
    is PyroJfr::total($t, name => 'shop'), $expected, "$what: queries go on";
    is $t->get('/healthz')->{status}, 200, "$what: /healthz";
}

sub says_so {
    my ($what, $t) = @_;

    my $r = wait_for(sub {
        my $r = $t->get('/ready');
        return $r->{status} == 503 && $r;
    }, undef, '/ready to say so');

    like $r->{body}, qr{Store ".*/data" not ready: .*lmdb\.min_free_disk is .* bytes},
         "$what: /ready says why";
    is $r->{headers}{'retry-after'}, 1, "$what: /ready, Retry-After";

    # each worker takes a look of its own, when it is asked for them
    ok wait_for(sub {
        my $answers = $t->ask_workers('/metrics');
        return !grep { $_->{body} !~ /^ngx_pyroscope_store_disk_scarce 1$/m }
               values %$answers;
    }, undef, '/metrics of each worker'), "$what: /metrics";
    cmp_ok $t->metric('ngx_pyroscope_store_disk_limit_bytes'), '>',
           $t->metric('ngx_pyroscope_store_disk_free_bytes'),
           "$what: what is free, and what should be";
    is $t->metric('ngx_pyroscope_store_available'), 1, "$what: but it is open";
}

sub goes_on {
    my ($what, $t, $n) = @_;

    wait_for(sub { push_one($t)->{status} == 200 }, undef, 'a push');
    ok $t->wait_each_ready, "$what: /ready again";
    is push_one($t)->{status}, 200, "$what: pushes again";
    is $t->metric('ngx_pyroscope_store_disk_scarce'), 0, "$what: /metrics";
    is PyroJfr::total($t, name => 'shop'), ($n + 2) * $total,
       "$what: nothing is missing, nothing more is there";
}


# ---- a limit that no disk can keep ------------------------------------------

{
    my $t = PyroTest->new(workers => 2)->start;

    is push_one($t)->{status}, 200, 'a push';
    $t->reload(more_yaml => yaml('min_free_disk: 100%'), ready => 0);
    scarce('100%', $t, qr/lmdb\.min_free_disk is 100%, \d+ bytes, \d+ are free/,
           $total);
    says_so('100%', $t);
    is $t->metric('pyroscope_discarded_samples_total', reason => 'disk_full',
                  tenant => 'anonymous'), 1, '100%: it is counted';
    ok wait_for(sub {
        $t->error_log =~ /takes no pushes: .*lmdb\.min_free_disk/
    }, undef, 'the message'), '100%: the log says it';

    $t->reload(more_yaml => yaml('min_free_disk: 1'));
    goes_on('1 byte', $t, 1);
    is $t->stop, 0, 'the end';
    $t->log_ok;
}


# ---- a small disk -----------------------------------------------------------

my $mib = 1024 * 1024;

sub small_disk {
    my (@keys) = @_;

    my $t = PyroTest->new(workers => 2, more_yaml => yaml(@keys));

    mkdir $t->data;

    return tmpfs($t->data, 'size=48m') ? $t : undef;
}

# Leaves so many bytes; never more meanwhile, for the store may look then.
sub fill {
    my ($t, $left) = @_;

    my $file = $t->data . '/filler';
    my $free = (split ' ', `df -P -k '@{[$t->data]}' | tail -1`)[3] * 1024;

    open my $out, '>>', $file or die "$file: $!\n";
    $out->autoflush(1);

    if ($free < $left) {
        truncate $out, (-s $out) - ($left - $free) or die "$file: $!\n";
    }

    # the last writes may find less room than there was
    for (my $n = $free - $left; $n > 0; $n -= 64 * 1024) {
        last if !print $out "\0" x ($n < 64 * 1024 ? $n : 64 * 1024);
    }

    close $out;

    # the store looks how much is free when its last look is 250 ms ago
    select undef, undef, undef, 0.3;
}

SKIP: {
    my $t = small_disk('min_free_disk: 8MiB', 'map_size: 256MiB');

    skip 'mounting is not permitted here', 1 if !$t;

    $t->start;
    is push_one($t)->{status}, 200, 'a small disk: a push';
    fill($t, 4 * $mib);
    scarce('a small disk', $t, qr/lmdb\.min_free_disk is 8388608 bytes/,
           $total);
    says_so('a small disk', $t);

    # as much as the limit is not enough for pushes to come and go
    fill($t, 8 * $mib + 128 * 1024);
    $second++;
    scarce('the limit itself', $t, qr/pushes go on when there are \d+/,
           $total);

    unlink $t->data . '/filler';
    goes_on('room again', $t, 1);
    is $t->stop, 0, 'the end';
    system 'umount', $t->data;
    $t->log_ok;
}

# a line of the log for each push would fill a disk as well

{
    my $t = PyroTest->new(workers => 2,
                          more_yaml => yaml('min_free_disk: 100%'));

    $t->start(ready => 0);
    is push_one($t)->{status}, 503, 'many pushes' for 1 .. 40;
    is $t->stop, 0, 'the end';

    my @lines = grep { /\[error\] .*: the disk is nearly full.*POST/ }
                split /\n/, $t->error_log;

    cmp_ok scalar @lines, '>', 0, 'many pushes: the log says it';
    cmp_ok scalar @lines, '<', 20, 'many pushes: but not each time';
    $t->log_ok;
}

# without the limit: the system itself refuses

SKIP: {
    my $t = small_disk('min_free_disk: 0', 'map_size: 256MiB');

    skip 'mounting is not permitted here', 1 if !$t;

    $t->start;
    is push_one($t)->{status}, 200, 'a full disk: a push';
    fill($t, 0);

    # a page here and there of the files is free still
    my $stored = 1;

    wait_for(sub {
        my $status = push_one($t)->{status};

        $stored++ if $status == 200;
        return $status == 503;
    }, undef, 'a push to fail');

    scarce('a full disk', $t, qr/No space left on device/, $stored * $total);

    # a file that is not there yet cannot be made, and nobody dies of it
    my @pids = $t->worker_pids;

    is $t->post($t->ingest_path(name => 'shop', from => $time + $_ * 86_400),
                $bytes)->{status}, 503, "a full disk: a push of day $_"
        for 1 .. 6;
    is_deeply [$t->worker_pids], \@pids, 'a full disk: the same workers';
    is $t->get('/ready')->{status}, 200, 'a full disk: the store is open';

    # also for those that open it now
    $t->reload;
    is PyroJfr::total($t, name => 'shop'), $stored * $total,
       'a full disk: queries of new workers';

    unlink $t->data . '/filler';
    goes_on('room again', $t, $stored);
    is $t->stop, 0, 'the end';

    $t->start;
    is PyroJfr::total($t, name => 'shop'), ($stored + 2) * $total,
       'and after a restart';
    is $t->stop, 0, 'the end';
    system 'umount', $t->data;
    $t->log_ok;
}

# to the last byte, by somebody else: the upkeep can make room nevertheless

SKIP: {
    my $t = small_disk('min_free_disk: 0', 'map_size: 256MiB');

    skip 'mounting is not permitted here', 1 if !$t;

    my $large = PyroJfr::bytes('cortex-dev-01__kafka-0__cpu_lock0_alloc0__0');
    my $pushed = sub {
        my ($day, $n) = @_;
        return $t->post($t->ingest_path(name => "day-$n",
                                        from => $time + $day * 86_400), $large);
    };

    $t->start;

    for my $day (0 .. 3) {
        is $pushed->($day, $_)->{status}, 200, "day $day" for 1 .. 4;
    }

    fill($t, 0);
    wait_for(sub { push_one($t)->{status} == 503 }, undef, 'a full disk');

    $t->reload(more_yaml => yaml('min_free_disk: 2MiB', 'map_size: 256MiB',
                                 'max_disk_size: 1GiB'), ready => 0);
    ok wait_for(sub {
        $t->metric('ngx_pyroscope_removed_partitions_total') > 0
    }, undef, 'the upkeep'), 'a full disk: old partitions go';
    ok wait_for(sub { $pushed->(3, 5)->{status} == 200 }, 60, 'a push'),
       'and pushes go on';
    cmp_ok scalar(glob_partitions($t)), '>', 0, 'not all of them went';
    is scalar(grep { $_ eq 'day-5' } PyroJfr::label_values($t, 'service_name')),
       1, 'and queries do';
    is $t->stop, 0, 'the end';
    system 'umount', $t->data;
    $t->log_ok;
}

# nor has a file of one commit a page that is free

SKIP: {
    my $t = small_disk('min_free_disk: 0', 'map_size: 256MiB');
    my $tools = PyroTest::root() . ($ENV{PYRO_SAN} ? '/build/asan' : '/build');

    skip 'mounting is not permitted here', 1 if !$t;

    $t->start;
    is $t->post($t->ingest_path(name => 'shop', from => $time + $_ * 86_400),
                $bytes)->{status}, 200, "a file of one push: day $_"
        for -2 .. 1;

    fill($t, 0);
    is scalar(glob_partitions($t)), 4, 'not a page: four files';
    is system("$tools/pyroscope-store", 'drop', $t->data, '--before='
              . ($time - $time % 86_400 - 86_400)), 0, 'not a page: drop';
    is scalar(glob_partitions($t)), 3, 'not a page: one has gone';

    fill($t, 0);
    $t->reload(more_yaml => yaml('min_free_disk: 0', 'map_size: 256MiB',
                                 'max_disk_size: 1KiB'),
               ready => 0);
    ok wait_for(sub { glob_partitions($t) == 0 }, undef, 'the upkeep'),
       'not a page: the oldest go';
    unlink $t->data . '/filler';
    ok wait_for(sub { push_one($t)->{status} == 200 }, undef, 'a push'),
       'and pushes go on';
    is $t->stop, 0, 'the end';
    system 'umount', $t->data;
    $t->log_ok;
}

sub glob_partitions { my @files = glob $_[0]->data . '/p-*.mdb'; return @files }

done_testing;
