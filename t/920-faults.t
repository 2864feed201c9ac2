#!/usr/bin/perl

# What may be wrong with the store's directory and files, when the server starts
# and when it reloads: the server lives, says what is wrong, leaves what it
# refuses as it is, and goes on by itself.  What was answered 200 is there.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use PyroTest::Util;

BEGIN { own_mounts() }

use Digest::SHA ();
use File::Basename 'basename';
use PyroJfr;
use PyroTest;
use Test::More;

my $small = 'new_spancontext';
my $bytes = PyroJfr::bytes($small);
my $total = PyroJfr::cpu_total($small);
my $time = PyroJfr::FROM;
my $day = 86_400;

my @not_there = (qr/"[^"]+" (?:failed|is not available)/);

sub push_at {
    my ($t, $from, $name) = @_;

    return $t->post($t->ingest_path(name => $name // 'shop', from => $from),
                    $bytes);
}

sub total_of {
    my ($t, $from, $until) = @_;

    return PyroJfr::total($t, name => 'shop', start => $from * 1000,
                          end => $until * 1000);
}

sub yaml {
    my ($dir, @lmdb) = @_;

    return <<"END" . join '', map { "  $_\n" } @lmdb;
server:
  http_listen_address: 127.0.0.1
  http_listen_port: %PORT%
storage:
  filesystem:
    dir: $dir
lmdb:
  min_free_disk: 0
END
}

# { name => hash } of the data files of a directory.
sub hashes {
    my ($dir) = @_;

    return { map { basename($_) => Digest::SHA->new(256)->addfile($_)->hexdigest
             } glob "$dir/*.mdb" };
}

# A new generation of workers, whatever /ready says.
sub reload_onto {
    my ($t, $yaml) = @_;

    my %old = map { $_ => 1 } $t->worker_pids;

    $t->write_config(yaml => $yaml);
    kill 'HUP', $t->pid;
    wait_for(sub {
        my @now = $t->worker_pids(all => 1);
        return @now == 2 && !grep { $old{$_} } @now;
    }, undef, 'new workers');
    wait_for(sub { eval { $t->get('/healthz') } }, undef, 'them to answer');
}

# 503 with the reason, everywhere, and a live server.
sub unavailable {
    my ($what, $t, $reason) = @_;

    my $r = $t->get('/ready');

    is $r->{status}, 503, "$what: /ready 503";
    like $r->{body}, $reason, "$what: /ready says why";

    for my $r (push_at($t, $time), PyroJfr::merge($t)) {
        is $r->{status}, 503, "$what: 503";
        like $r->{json}{message}, $reason, "$what: its message";
        is $r->{headers}{'retry-after'}, 1, "$what: Retry-After";
    }

    is $t->get('/healthz')->{status}, 200, "$what: /healthz";
}

my $works = 0;

sub works {
    my ($what, $t) = @_;

    $t->wait_each_ready;
    is push_at($t, $time, "works-$works")->{status}, 200, "$what: a push"
        for 1 .. 6;
    is PyroJfr::total($t, name => "works-$works"), $total, "$what: and queries";
    $works++;
}

# Another format of a catalogue that is open: written over where it is, with
# the generation, so that whoever has it looks.  The upkeep may commit meanwhile,
# and what counts is another page then: to be done again until somebody looked.
sub become {
    my ($file, $format, $generation) = @_;

    my $data = read_file($file);
    my %new = (format => $format, generation => $generation);

    open my $out, '+<:raw', $file or die "$file: $!\n";

    # behind each of them are its four bytes, the first of which is 0
    while ($data =~ /(format|generation)(?=(\0...))/gs) {
        my $number = pack 'N', $new{$1};

        next if $2 eq $number;

        sysseek $out, $+[0], 0;
        syswrite $out, $number, 4;
    }

    close $out;
}


# ---- directories ------------------------------------------------------------

{
    my $t = PyroTest->new(workers => 2, yaml => yaml('%DIR%/one'));
    my $dir = $t->dir;

    $t->start;
    works('a directory that is missing', $t);
    ok -f "$dir/one/control.mdb", 'is made';

    reload_onto($t, yaml('%DIR%/a/new/one'));
    works('one that is missing at a reload', $t);
    ok -f "$dir/a/new/one/control.mdb", 'is made with its parents';

    write_file("$dir/file", 'a file');
    reload_onto($t, yaml('%DIR%/file'));
    unavailable('a file at a reload', $t, qr/Not a directory/);
    is read_file("$dir/file"), 'a file', 'which stays as it is';

    unlink "$dir/file";
    mkdir "$dir/file";
    works('a directory in its place', $t);
    is $t->stop, 0, 'the end';
    $t->log_ok(@not_there);
}


# ---- formats ----------------------------------------------------------------

{
    # what is sealed is no business of the upkeep
    my $yaml = yaml('%DIR%/new', 'seal_after: off');
    my $t = PyroTest->new(workers => 2, yaml => $yaml);
    my $dir = $t->dir;
    my $control = "$dir/new/control.mdb";

    $t->start;
    is push_at($t, $time + $_ * $day)->{status}, 200, 'a push' for 0, 1;
    is $t->stop, 0, 'a stop';

    my $good = read_file($control);

    newer_format($control);
    my $before = hashes("$dir/new");
    is keys %$before, 3, 'a catalogue and two partitions';

    my $reason = qr/control\.mdb has format 2, .* format 1/;

    $t->start(ready => 0);
    unavailable('a newer catalogue', $t, $reason);
    {
        local $t->{sound} = 0;
        is $t->stop, 0, 'a newer catalogue: a stop';
    }
    is_deeply hashes("$dir/new"), $before, 'all files are as they were';

    $t->write_config(yaml => yaml('%DIR%/other'));
    $t->start;
    works('another directory', $t);
    reload_onto($t, $yaml);
    unavailable('a newer catalogue at a reload', $t, $reason);
    is_deeply hashes("$dir/new"), $before, 'all files are as they were';

    my @pids = $t->worker_pids;

    replace_file($control, $good);
    works('the one of before', $t);
    is_deeply [$t->worker_pids], \@pids, 'by the same workers';
    is total_of($t, $time, $time + 2 * $day), 2 * $total, 'all is there';

    # while the server runs: nobody goes on with what another version has
    ok wait_for(sub {
        become($control, 2, 1000);

        my $answers = $t->ask_workers('/ready');
        return !grep { $_->{status} != 503 } values %$answers;
    }, undef, '/ready'), 'a catalogue taken over: all workers see it';
    unavailable('a catalogue taken over', $t, $reason);
    is $t->post('/grpc.health.v1.Health/Check', '{}',
                'Content-Type' => 'application/json')->{status}, 503,
       'a catalogue taken over: gRPC health' for 1 .. 4;
    become($control, 1, 2000);
    works('and given back', $t);
    is_deeply [$t->worker_pids], \@pids, 'and given back: the same workers';

    # one partition: its day alone
    is $t->stop, 0, 'a stop';

    my ($first) = glob "$dir/new/p-20231114.*.mdb";
    my $part = read_file($first);

    newer_format($first);
    $before = hashes("$dir/new")->{basename($first)};

    my $days = sub {
        my ($what) = @_;

        my $r = PyroJfr::merge($t, name => 'shop');

        is $r->{status}, 200, "$what: a query over its day";
        like $r->{headers}{'x-pyroscope-incomplete'},
             qr/^p-20231114\.\d+\.mdb$/, "$what: is without it, and says so";
        is total_of($t, $time + $day - 60, $time + 2 * $day), $total,
           "$what: the other day";
        $r = push_at($t, $time + 1);
        is $r->{status}, 503, "$what: a push of its day";
        like $r->{json}{message}, qr/has format 2/, "$what: says so";
        is push_at($t, $time + $day)->{status}, 200,
           "$what: one of the other day";
        is $t->get('/ready')->{status}, 200, "$what: /ready";
    };

    $t->start;
    $days->('a newer partition');
    $t->reload;
    $days->('a newer partition at a reload');

    # the upkeep has been there
    wait_for(sub { $t->metric('ngx_pyroscope_upkeep_failures_total') },
             undef, 'the upkeep');
    like $t->error_log, qr/its upkeep failed: .*has format 2/, 'the log says it';
    is hashes("$dir/new")->{basename($first)}, $before,
       'a newer partition is as it was';

    replace_file($first, $part);
    ok wait_for(sub { push_at($t, $time + 1)->{status} == 200 }, undef,
                'a push'), 'the one of before: pushes';
    is total_of($t, $time, $time + 2 * $day), 3 * $total, 'and queries';
    is $t->stop, 0, 'the end';
    $t->log_ok(@not_there);
}


# ---- a read-only file system ------------------------------------------------

SKIP: {
    my $t = PyroTest->new(workers => 2);
    my $data = $t->data;

    mkdir $data;
    skip 'mounting is not permitted here', 1 if !tmpfs($data, 'size=32m');

    my $read_only = sub {
        my ($what) = @_;

        is total_of($t, $time, $time + $day), $total, "$what: queries";
        is $t->get('/ready')->{status}, 200, "$what: /ready";

        for my $from ($time + 1, $time + $day) {
            my $r = push_at($t, $from);

            is $r->{status}, 503, "$what: a push";
            like $r->{json}{message}, qr/Read-only file system/,
                 "$what: its message";
        }
    };

    $t->start;
    is push_at($t, $time)->{status}, 200, 'a push';
    is $t->stop, 0, 'a stop';
    my $before = hashes($data);
    is system('mount', '-o', 'remount,ro', $data), 0, 'read-only from now on';

    $t->start;
    $read_only->('a read-only file system');
    $t->reload;
    $read_only->('the same after a reload');
    is $t->stop, 0, 'a stop';

    $t->write_config(yaml => yaml('%DIR%/other'));
    $t->start;
    works('another directory', $t);
    reload_onto($t, yaml('%DATA%'));
    $read_only->('one that is read-only at a reload');
    is $t->stop, 0, 'a stop';
    is_deeply hashes($data), $before, 'all files are as they were';

    is system('mount', '-o', 'remount,rw', $data), 0, 'not any more';
    $t->start;
    is push_at($t, $time + 1)->{status}, 200, 'pushes again';
    is total_of($t, $time, $time + $day), 2 * $total, 'all is there';
    is $t->stop, 0, 'the end';
    system 'umount', $data;
    $t->log_ok;
}


# ---- lmdb.map_size ----------------------------------------------------------

# Every service has its stacks anew: more of them than a small map takes.
my $large = PyroJfr::bytes('cortex-dev-01__kafka-0__cpu_lock0_alloc0__0');
my $services = 0;

# Until a push is refused, or so many are stored; its answer, and how many.
sub fill {
    my ($t, $most) = @_;

    my $stored = 0;

    while ($stored < $most) {
        my $r = $t->post($t->ingest_path(name => 'large-' . $services,
                                         from => $time), $large);

        return ($r, $stored) if $r->{status} != 200;

        $services++;
        $stored++;
    }

    return (undef, $stored);
}

{
    # some requests wait for their last byte while all of that is filled
    my $t = PyroTest->new(workers => 2,
                          location => 'client_body_timeout 10m;',
                          yaml => yaml('%DATA%', 'map_size: 16MiB',
                                       'seal_after: off')
                                  . "query:\n  timeout: 10m\n")->start;

    is push_at($t, $time)->{status}, 200, 'a small map: a push';

    my ($r, $stored) = fill($t, 1000);

    cmp_ok $stored, '>', 0, "a small map: $stored pushes";
    is $r->{status}, 503, 'a full map: 503';
    like $r->{json}{message}, qr/has reached lmdb\.map_size, 16777216 bytes/,
         'a full map: its message';
    is $r->{headers}{'retry-after'}, 1, 'a full map: Retry-After';
    is total_of($t, $time, $time + $day), $total, 'a full map: queries';
    is push_at($t, $time + $day)->{status}, 200, 'a full map: another day';

    # a request to one of the old workers, that ends when the new have outgrown
    # what it has mapped

    my @old = map { PyroJfr::prepare($t, 'POST', $t->ingest_path(
                  name => 'shop', from => $time + $_), body => $bytes) } 1 .. 4;
    my @asked = map { PyroJfr::prepare($t, 'POST',
                  '/querier.v1.QuerierService/LabelValues',
                  headers => { 'Content-Type' => 'application/json' },
                  body => "{\"name\":\"service_name\",\"start\":"
                          . $time * 1000 . ',"end":'
                          . ($time + 3600) * 1000 . '}') } 1 .. 4;

    # they are the workers' when these have read what there is of them
    wait_for(sub { !$t->unread }, undef, 'the workers');

    $t->reload(yaml => yaml('%DATA%', 'map_size: 256MiB', 'seal_after: off'));
    my ($none, $more) = fill($t, $stored + 4);
    is $none, undef, 'a larger map: all pushes';

    my ($file) = glob $t->data . '/p-20231114.*.mdb';
    cmp_ok -s $file, '>', 16 * 1024 * 1024, 'a larger map: a larger file';

    PyroJfr::finish(@old);
    is_deeply [map { $_ ? $_->{status} : 'none' } PyroJfr::answers($t, @old)],
              [(200) x 4], 'pushes to workers with the smaller map';
    PyroJfr::finish(@asked);
    is_deeply [map { $_ ? scalar @{ $_->{json}{names} } : 'none' }
               PyroJfr::answers($t, @asked)],
              [($stored + $more + 1) x 4], 'queries to them';

    is total_of($t, $time, $time + 2 * $day), 6 * $total, 'nothing is missing';
    is scalar(grep { /^large-/ } PyroJfr::label_values($t, 'service_name')),
       $stored + $more, 'nothing at all';
    is $t->stop, 0, 'the end';
    $t->log_ok;
}

done_testing;
