#!/usr/bin/perl

# Reload, stop, kill and upgrade under load; stores that cannot be opened, at
# the start and later.  What was answered 200 is there, whatever happened.

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

my $small = 'new_spancontext';
my $bytes = PyroJfr::bytes($small);
my $total = PyroJfr::cpu_total($small);
my $time = PyroJfr::FROM;

sub push_one {
    my ($t, $name, $from) = @_;
    return $t->post($t->ingest_path(name => $name, from => $from // $time),
                    $bytes);
}


# ---- load -------------------------------------------------------------------

# Children that push under a name of their own, each push a second later than
# the one before, until their file of the end is there.  Each writes what became
# of a push to a file: "second status", status 0 where no answer came.
sub load {
    my ($t, $name, $children) = @_;

    my $parent = $$;
    my @load;

    for my $n (1 .. $children) {
        my $file = $t->dir . "/$name-$n.txt";
        my $pid = fork // die "fork: $!\n";

        if ($pid == 0) {
            push_until($t, "$name-$n", $file,
                       sub { -e "$file.end" || getppid != $parent });
            POSIX::_exit(0);
        }

        push @load, { pid => $pid, name => "$name-$n", file => $file };
    }

    # all of them are at it
    wait_for(sub { !grep { !-s $_->{file} } @load }, undef, 'the load');

    return @load;
}

sub push_until {
    my ($t, $name, $file, $end) = @_;

    open my $out, '>', $file or POSIX::_exit(1);
    $out->autoflush(1);

    for (my $second = $time; !$end->(); $second++) {
        my $r = eval { push_one($t, $name, $second) };

        print $out $second, ' ', $r ? $r->{status} : 0, "\n";
        Time::HiRes::sleep(0.02) if !$r;
    }
}

# Ends it: { status => how often }, and for each child its pushes with 200.
sub unload {
    my (@load) = @_;

    my (%statuses, %acknowledged);

    write_file("$_->{file}.end", '') for @load;

    for my $l (@load) {
        waitpid $l->{pid}, 0;

        for my $line (split /\n/, read_file($l->{file})) {
            my ($second, $status) = split ' ', $line;

            $statuses{$status}++;
            push @{ $acknowledged{$l->{name}} }, $second if $status == 200;
        }
    }

    return (\%statuses, \%acknowledged);
}

# All that was acknowledged is in the store, each with its total.
sub nothing_lost {
    my ($what, $t, $acknowledged) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    my @missing;
    my $n = 0;

    for my $name (sort keys %$acknowledged) {
        my $r = PyroJfr::series($t, name => $name, step => 1,
                                end => ($time + 100_000) * 1000);
        my %value = map { $_->{timestamp} / 1000 => $_->{value} }
                    map { @{ $_->{points} } } @{ $r->{json}{series} // [] };

        push @missing, map { "$name $_" }
                       grep { ($value{$_} // 0) != $total }
                       @{ $acknowledged->{$name} };
        $n += @{ $acknowledged->{$name} };
    }

    is_deeply [splice @missing, 0, 10], [], "$what: nothing is lost of $n";
    cmp_ok $n, '>', 0, "$what: there was something";
}


# ---- reload, quit, start ----------------------------------------------------

{
    my $t = PyroTest->new(workers => 2)->start;
    my @load = load($t, 'storm', 4);

    for (1 .. 10) {
        $t->reload;
        Time::HiRes::sleep(0.05);
    }

    my ($statuses, $acknowledged) = unload(@load);

    is_deeply [grep { !/^(?:200|429)$/ } keys %$statuses], [],
              'ten reloads: every push is answered 200 or 429'
        or diag explain $statuses;
    nothing_lost('ten reloads', $t, $acknowledged);
    $t->wait_workers(2);
    pass 'ten reloads: the old workers end';
    cmp_ok $t->metric('ngx_pyroscope_pushes_total', result => 'stored'), '>=',
           $statuses->{200}, 'ten reloads: counters are kept';

    my $kept = $acknowledged;

    @load = load($t, 'quit', 4);
    is $t->stop('QUIT'), 0, 'graceful quit under load: a clean end';

    ($statuses, $acknowledged) = unload(@load);
    is_deeply [grep { !/^(?:0|200|429)$/ } keys %$statuses], [],
              'graceful quit: answers are 200 or 429';

    $t->start;
    nothing_lost('after quit and start', $t, $acknowledged);
    nothing_lost('what was before that', $t, $kept);
    $kept = $acknowledged;

    @load = load($t, 'term', 4);
    is $t->stop('TERM'), 0, 'SIGTERM under load: a clean end';
    ($statuses, $acknowledged) = unload(@load);
    $t->start;
    nothing_lost('after SIGTERM', $t, $acknowledged);
    nothing_lost('what was before that', $t, $kept);

    # with a queue: more than one group of commits can take
    my @waiting = map { PyroJfr::prepare($t, 'POST', $t->ingest_path(
        name => "queue-$_", from => $time), body => $bytes) } 1 .. 200;

    PyroJfr::finish(@waiting);
    is $t->stop('TERM'), 0, 'SIGTERM with a queue: a clean end';

    my @answers = PyroJfr::answers($t, @waiting);
    my %got;

    for my $n (1 .. 200) {
        my $r = $answers[$n - 1];
        push @{ $got{"queue-$n"} }, $time if $r && $r->{status} == 200;
    }

    $t->start;
    nothing_lost('after SIGTERM with a queue', $t, \%got) if %got;

    @waiting = map { PyroJfr::prepare($t, 'POST', $t->ingest_path(
        name => "grace-$_", from => $time), body => $bytes) } 1 .. 100;

    PyroJfr::finish(@waiting);

    # all are in the workers' hands: they are answered before these end
    wait_for(sub { !queued_connections($t) }, undef, 'the listen queue');
    is $t->stop('QUIT'), 0, 'graceful quit with a queue: a clean end';
    is_deeply [map { $_ ? $_->{status} : 'none' }
               PyroJfr::answers($t, @waiting)], [(200) x 100],
              'graceful quit with a queue: every push is answered';

    $t->start;
    is scalar(grep { /^grace-/ } PyroJfr::label_values($t, 'service_name')),
       100, 'and is there';

    is_deeply [PyroJfr::errors($t)], [], 'no error';
    is $t->stop, 0, 'the end';
    $t->log_ok;
}

# Connections that no worker has accepted, or requests that none has read.
sub queued_connections {
    my ($t) = @_;

    my $port = sprintf '%04X', $t->port;

    # of a listening socket the receive queue is what waits for accept();
    # of a connection to the port it is what waits to be read
    return scalar grep {
        my @f = split ' ';
        @f > 4 && $f[1] =~ /:$port$/ && $f[4] !~ /:00000000$/
    } split /\n/, read_file('/proc/net/tcp');
}


# ---- SIGKILL ----------------------------------------------------------------

{
    my $t = PyroTest->new(workers => 2)->start;
    my @load = load($t, 'kill', 4);
    my @killed;

    for (1 .. 4) {
        my ($pid) = $t->worker_pids;

        kill 'KILL', $pid;
        push @killed, $pid;
        wait_for(sub {
            my @now = $t->worker_pids;
            return @now == 2 && !grep { $_ == $pid } @now;
        }, undef, 'another worker');
        Time::HiRes::sleep(0.1);
    }

    my ($statuses, $acknowledged) = unload(@load);

    # a connection to the worker that is killed has no answer
    is_deeply [grep { !/^(?:0|200|429|503)$/ } keys %$statuses], [],
              'SIGKILL of workers: 200, 429, 503 or no answer';
    $t->wait_ready;
    nothing_lost('SIGKILL of workers', $t, $acknowledged);
    is push_one($t, 'after')->{status}, 200, 'and pushes go on';

    # the master and all workers at once: nobody can end in order
    @load = load($t, 'all', 4);
    kill 'KILL', $t->pid, $t->worker_pids(all => 1);
    waitpid delete $t->{pid}, 0;

    my ($then, $all) = unload(@load);

    $t->start;
    nothing_lost('SIGKILL of all', $t, $all);
    nothing_lost('what was before that', $t, $acknowledged);
    is $t->stop, 0, 'the end';
    $t->log_ok(qr/worker process \d+ exited on signal 9/);
}


# ---- stores that cannot be opened -------------------------------------------

my $yaml = <<'END';
server:
  http_listen_address: 127.0.0.1
  http_listen_port: %PORT%
storage:
  filesystem:
    dir: %DIR%/block/data
END

# It is not there: 503 with the reason, everywhere, and a live server.
sub unavailable {
    my ($what, $t, $reason) = @_;

    my $r = $t->get('/ready');

    is $r->{status}, 503, "$what: /ready 503";
    like $r->{body}, $reason, "$what: /ready says why";
    is $r->{headers}{'retry-after'}, 1, "$what: /ready, Retry-After";

    for my $r (push_one($t, 'x'),
               $t->rpc('LabelNames', {}),
               PyroJfr::merge($t)) {
        is $r->{status}, 503, "$what: 503";
        is $r->{json}{code}, 'unavailable', "$what: its code";
        like $r->{json}{message}, $reason, "$what: its message";
        is $r->{headers}{'retry-after'}, 1, "$what: Retry-After";
    }

    is $t->get('/healthz')->{status}, 200, "$what: /healthz";
    is $t->metric('ngx_pyroscope_store_available'), 0, "$what: /metrics";
}

sub works {
    my ($what, $t) = @_;

    # each worker tries again by itself
    $t->wait_ready;
    ok wait_for(sub {
        !grep { push_one($t, 'works')->{status} != 200 } 1 .. 6
    }, undef, 'pushes'), "$what: pushes";
    is PyroJfr::total($t, name => 'works'), $total, "$what: and queries";
}

my @not_there = (qr/"[^"]+" (?:failed|is not available)/);

{
    my $t = PyroTest->new(workers => 2, yaml => $yaml);

    # the parent is a file: mkdir and open fail, for root too
    write_file($t->dir . '/block', 'a file');
    $t->start(ready => 0);
    unavailable('a path below a file', $t, qr/block/);

    my @pids = $t->worker_pids;

    unlink $t->dir . '/block';
    mkdir $t->dir . '/block';
    mkdir $t->dir . '/block/data';
    works('repaired', $t);
    is_deeply [$t->worker_pids], \@pids, 'repaired: by the same workers';

    # a reload onto a broken YAML
    my $from = length $t->error_log;

    $t->write_config(yaml => "server:\n  nonsense: 1\n");
    kill 'HUP', $t->pid;
    wait_for(sub { substr($t->error_log, $from) =~ /\[emerg\].*nonsense/ },
             undef, 'the message');
    is_deeply [$t->worker_pids], \@pids,
              'reload onto a broken YAML: the same workers';
    works('reload onto a broken YAML', $t);

    # a reload onto a directory that cannot be
    write_file($t->dir . '/other', 'a file');
    $t->write_config(yaml => $yaml =~ s{block/data}{other/data}r);
    kill 'HUP', $t->pid;
    wait_for(sub {
        my @now = $t->worker_pids(all => 1);
        return @now == 2 && !grep { my $p = $_; grep { $_ == $p } @pids } @now;
    }, undef, 'new workers');
    unavailable('reload onto a bad directory', $t, qr/other/);

    # and back, without a stop
    $t->reload(yaml => $yaml);
    works('and back', $t);
    is $t->stop, 0, 'the end';
    $t->log_ok(@not_there, qr/nonsense/);
}

{
    my $t = PyroTest->new(workers => 2, yaml => $yaml =~ s{block/}{}r);

    write_file($t->data, 'a file');
    $t->start(ready => 0);
    unavailable('not a directory', $t, qr/data/);
    unlink $t->data;
    mkdir $t->data;
    works('repaired', $t);
    is $t->stop, 0, 'the end';
    $t->log_ok(@not_there);
}

{
    my $t = PyroTest->new(workers => 2, yaml => $yaml);

    $t->start;
    works('a directory with no parent', $t);
    is $t->stop, 0, 'the end';

    # what is in it is not ours
    my $control = $t->dir . '/block/data/control.mdb';
    my $good = read_file($control);

    write_file($control, 'x' x length $good);
    $t->start(ready => 0);
    unavailable('a catalogue of garbage', $t, qr/control\.mdb|data/);
    is read_file($control), 'x' x length $good,
       'a catalogue of garbage: stays as it is';
    unlink $control;
    write_file($control, $good);
    works('restored', $t);
    is $t->stop, 0, 'the end';
    $t->log_ok(@not_there);
}

SKIP: {
    skip 'root writes everywhere', 1 if $> == 0;

    my $t = PyroTest->new(workers => 2);

    mkdir $t->data;
    chmod 0500, $t->data;
    $t->start(ready => 0);
    unavailable('a read-only directory', $t, qr/data/);
    chmod 0700, $t->data;
    works('repaired', $t);
    is $t->stop, 0, 'the end';
    $t->log_ok(@not_there);
}

# one process
{
    my $t = PyroTest->new(workers => 0)->start;

    works('master_process off', $t);
    is $t->stop, 0, 'the end';
    $t->start;
    works('again', $t);
    is $t->stop('TERM'), 0, 'the end by SIGTERM';
    $t->log_ok;
}


# ---- a new binary -----------------------------------------------------------

# What the YAML takes from the environment must reach the new binary, whose
# environment nginx makes; the sanitizers' as well.  nginx is a daemon here: in
# the foreground, with the parent that started it, it ignores SIGUSR2.

my $daemon = <<"END";
@{[map { "load_module $_;\n" } PyroTest::modules()]}
@{[map { "env $_;\n" } qw(LD_PRELOAD ASAN_OPTIONS UBSAN_OPTIONS)]}
@{[$> == 0 ? 'user root;' : '']}
worker_processes 2;
error_log %DIR%/error.log info;
pid %DIR%/nginx.pid;
events {
}
http {
    access_log off;
    client_body_temp_path %DIR%/body;
    proxy_temp_path %DIR%/proxy;
    fastcgi_temp_path %DIR%/fastcgi;
    uwsgi_temp_path %DIR%/uwsgi;
    scgi_temp_path %DIR%/scgi;
    client_max_body_size 64m;
    large_client_header_buffers 4 32k;
    server {
        pyroscope_config %DIR%/pyroscope-config.yml;
        location / { pyroscope; }
    }
}
END

# The pid in the file, or nothing: nginx may rename it at any time.
sub pid_in {
    my ($file) = @_;

    my $pid = eval { read_file($file) } // '';
    return $pid =~ /^(\d+)\n/ ? $1 : undef;
}

# nginx leaves the one that starts it; the pid of its master.
sub start_daemon {
    my ($t) = @_;

    my $pid_file = $t->dir . '/nginx.pid';

    $t->write_config;
    waitpid $t->_spawn, 0;
    is $?, 0, 'a daemon starts';
    $t->{pid} = wait_for(sub { pid_in($pid_file) }, undef, 'its pid');
    $t->wait_ready;

    return $t->pid;
}

sub end_daemon {
    my ($t, $pid) = @_;

    kill 'QUIT', $pid;
    ok wait_for(sub { !-e "/proc/$pid" }, undef, "the end of $pid"),
       'a daemon ends';
}

# A day that is over is being sealed meanwhile, by the upkeep of one of both.

{
    my $t = PyroTest->new(
        workers => 2, config => $daemon,
        env  => { PYRO_TEST_STORE => 'upgraded', PYRO_TEST_LENGTH => '1h' },
        yaml => $yaml =~ s{block/data}{\${PYRO_TEST_STORE}}r
                . "lmdb:\n  seal_after: 1s\n"
                . "runtime_config:\n  file: runtime.yml\n");
    my $sealed = 'ngx_pyroscope_sealed_partitions_total';
    my @over;

    # without the variable there would be no second master
    write_file($t->dir . '/runtime.yml',
               "overrides:\n  acme:\n"
               . "    max_query_length: \${PYRO_TEST_LENGTH}\n");

    my $push_over = sub {
        for (@_) {
            is push_one($t, 'over', $time + 90_000 + $_)->{status}, 200,
               "a push of another day, $_";
            push @over, $time + 90_000 + $_;
        }
    };

    my $old = start_daemon($t);
    my $pid_file = $t->dir . '/nginx.pid';
    $push_over->(1 .. 20);
    my @load = load($t, 'upgrade', 4);

    kill 'USR2', $old;

    my $new = wait_for(sub {
        my $pid = pid_in($pid_file);
        return -e "$pid_file.oldbin" && $pid && $pid != $old && $pid;
    }, undef, 'a second master');

    {
        local $t->{pid} = $new;
        wait_for(sub { $t->worker_pids == 2 }, undef, 'its workers');
    }

    $push_over->(21 .. 30);
    Time::HiRes::sleep(0.2);
    kill 'WINCH', $old;
    $t->wait_workers(0);
    Time::HiRes::sleep(0.2);
    end_daemon($t, $old);
    $t->{pid} = $new;

    my ($statuses, $acknowledged) = unload(@load);

    is_deeply [grep { !/^(?:200|429)$/ } keys %$statuses], [],
              'upgrade: every push is answered 200 or 429'
        or diag explain $statuses;
    $acknowledged->{over} = \@over;
    nothing_lost('upgrade', $t, $acknowledged);
    $push_over->(31 .. 40);
    ok wait_for(sub { ($t->metric($sealed) // 0) >= 2
                      && split(' ', join ' ', glob $t->dir
                                              . '/upgraded/p-*.mdb') == 2 },
                120, 'the sealing'), 'upgrade: both days are sealed';
    nothing_lost('upgrade and sealed', $t, $acknowledged);
    ok -d $t->dir . '/upgraded', 'upgrade: the store of the environment';
    end_daemon($t, delete $t->{pid});

    start_daemon($t);
    nothing_lost('upgrade and restart', $t, $acknowledged);
    end_daemon($t, delete $t->{pid});
    $t->stores_ok;
    $t->log_ok;
}

done_testing;
