#!/usr/bin/perl

# Reload, stop, kill and upgrade under load.  What was answered 200 is there,
# whatever happened.

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
    # a disk that takes its time makes no push one too many
    my $t = PyroTest->new(workers => 2,
                          more_yaml => "lmdb:\n  queue_age: 10m\n")->start;
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
    wait_for(sub { !$t->unread }, undef, 'the listen queue');
    is $t->stop('QUIT'), 0, 'graceful quit with a queue: a clean end';
    is_deeply [map { $_ ? $_->{status} : 'none' }
               PyroJfr::answers($t, @waiting)], [(200) x 100],
              'graceful quit with a queue: every push is answered';

    $t->start;
    is scalar(grep { /^grace-/ } PyroJfr::label_values($t, 'service_name')),
       100, 'and is there';

    is_deeply [PyroJfr::errors($t)], [], 'no error';
    is $t->stop, 0, 'the end';

    # 1.6 s after SIGTERM the master kills who is there still
    $t->log_ok(qr/process \d+ exited on signal 9/);
}


# ---- clients that keep a worker ---------------------------------------------

# A push of which the half comes, and then nothing: it has the old worker wait
# for it, but not for ever.
sub stuck {
    my ($what, %opt) = @_;

    my $t = PyroTest->new(workers => 2, %opt)->start;
    my $request = $t->request_bytes('POST', $t->ingest_path(
        name => 'stuck', from => $time), body => $bytes);
    my @old = $t->worker_pids;
    my @socks = map { $t->connect } 1 .. 2;
    my $idle = $t->connect;

    $t->send_bytes($_, substr $request, 0, length($request) / 2) for @socks;
    $t->send_bytes($idle, $t->request_bytes('GET', '/ready', keepalive => 1));
    is $t->read_response($idle)->{status}, 200, "$what: a client";
    wait_for(sub { !$t->unread }, undef, 'the workers');

    $t->reload;
    is sysread($idle, my $byte, 1), 0, "$what: an idle connection is closed";
    is push_one($t, 'other')->{status}, 200, "$what: pushes go on";
    is PyroJfr::total($t, name => 'other'), $total, "$what: and queries";

    ok eval { $t->wait_workers(2) }, "$what: the old workers end";
    is_deeply [grep { my $p = $_; grep { $_ == $p } @old } $t->worker_pids],
              [], "$what: there are others";
    is_deeply [grep { eval { $t->read_response($_) } } @socks], [],
              "$what: half a push has no answer";
    is PyroJfr::total($t, name => 'stuck'), 0, "$what: nothing is stored of it";
    is $t->stop, 0, 'the end';
    $t->log_ok;
}

stuck('client_body_timeout', location => 'client_body_timeout 1s;');
stuck('worker_shutdown_timeout', main => 'worker_shutdown_timeout 1s;');

# It ends what is being read and written as well, in any state: those get no
# answer, and nobody dies of it.
{
    my $t = PyroTest->new(workers => 2,
                          main => 'worker_shutdown_timeout 1ms;')->start;
    my @load = load($t, 'cut', 4);
    my $large = PyroJfr::bytes('cortex-dev-01__kafka-0__cpu_lock0_alloc0__0');

    for my $n (1 .. 10) {
        my @parked = map { PyroJfr::prepare($t, 'POST', $t->ingest_path(
            name => 'parked', from => $time + $n * 10 + $_), body => $large) }
            1 .. 6;

        PyroJfr::finish(@parked);
        $t->reload;
    }

    my ($statuses, $acknowledged) = unload(@load);

    is_deeply [grep { !/^(?:0|200|429)$/ } keys %$statuses], [],
              'workers cut off: 200, 429 or no answer'
        or diag explain $statuses;
    nothing_lost('workers cut off', $t, $acknowledged);
    $t->wait_workers(2);
    is $t->stop, 0, 'the end';
    $t->log_ok;
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
    $t->wait_each_ready;
    nothing_lost('SIGKILL of workers', $t, $acknowledged);
    is push_one($t, 'after')->{status}, 200, 'and pushes go on';

    # the master and all workers at once: nobody can end in order
    @load = load($t, 'all', 4);
    kill 'KILL', $t->pid, $t->worker_pids(all => 1);
    waitpid delete $t->{pid}, 0;

    my ($then, $all) = unload(@load);

    $t->start->wait_each_ready;
    nothing_lost('SIGKILL of all', $t, $all);
    nothing_lost('what was before that', $t, $acknowledged);
    is $t->stop, 0, 'the end';
    $t->log_ok(qr/worker process \d+ exited on signal 9/);
}


# ---- one process ------------------------------------------------------------

{
    my $t = PyroTest->new(workers => 0)->start;

    is push_one($t, 'one')->{status}, 200, 'master_process off: a push';
    is $t->stop, 0, 'the end';
    $t->start;
    is PyroJfr::total($t, name => 'one'), $total, 'again: it is there';
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
        yaml => <<'END');
server:
  http_listen_address: 127.0.0.1
  http_listen_port: %PORT%
storage:
  filesystem:
    dir: %DIR%/${PYRO_TEST_STORE}
lmdb:
  seal_after: 1s
runtime_config:
  file: runtime.yml
END
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
