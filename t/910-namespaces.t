#!/usr/bin/perl

# Two servers on one directory, in two PID namespaces as two containers are:
# the second waits, says why, and goes on by itself when the first has ended.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use PyroJfr;
use PyroTest;
use PyroTest::Util;
use Test::More;

my @unshare = qw(unshare --pid --fork --kill-child);

plan skip_all => 'a PID namespace of its own is not permitted here'
    if !which('unshare') || system("@unshare true 2>/dev/null") != 0;

my $small = 'new_spancontext';
my $bytes = PyroJfr::bytes($small);
my $total = PyroJfr::cpu_total($small);
my $second = PyroJfr::FROM;
my $pushed = 0;

my $reason = qr/in use by a server in another PID namespace/;
my $said = qr/is not available: .*$reason/;

sub push_one {
    my ($t) = @_;

    return $t->post($t->ingest_path(name => 'shop', from => $second++), $bytes);
}

sub works {
    my ($what, $t) = @_;

    is push_one($t)->{status}, 200, "$what: a push";
    $pushed++;
    is PyroJfr::total($t, name => 'shop'), $pushed * $total,
       "$what: everything is there";
}

sub waits {
    my ($what, $t) = @_;

    my $r = $t->get('/ready');

    is $r->{status}, 503, "$what: /ready 503";
    like $r->{body}, $reason, "$what: /ready says why";

    for my $r (push_one($t), PyroJfr::merge($t)) {
        is $r->{status}, 503, "$what: 503";
        is $r->{json}{code}, 'unavailable', "$what: its code";
        like $r->{json}{message}, qr/$reason.*owner\.lock says/,
             "$what: its message";
        is $r->{headers}{'retry-after'}, 1, "$what: Retry-After";
    }

    is $t->get('/healthz')->{status}, 200, "$what: /healthz";
    is $t->metric('ngx_pyroscope_store_available'), 0, "$what: /metrics";
}

sub takes_over {
    my ($what, $t) = @_;

    ok $t->wait_each_ready, "$what: by itself";
    works($what, $t);
}

# The master is the first process of its namespace, a child of unshare's.
sub start_apart {
    my ($t) = @_;

    $t->write_config;
    $t->{outer} = $t->_spawn;

    $t->{pid} = wait_for(sub {
        my ($pid) = split ' ', eval {
            read_file("/proc/$t->{outer}/task/$t->{outer}/children")
        } // '';

        return $pid;
    }, undef, 'a process in the namespace');

    wait_for(sub {
        my $r = eval { $t->get('/healthz') };
        return $r && $r->{status} == 200 && $t->worker_pids == 2;
    }, undef, 'the server in the namespace');
}

sub stop_apart {
    my ($t) = @_;

    kill 'QUIT', delete $t->{pid};

    return $t->_reap(delete $t->{outer});
}

my $here = PyroTest->new(workers => 2)->start;
my $apart = PyroTest->new(workers => 2, prefix => \@unshare,
                          yaml => <<"END");
server:
  http_listen_address: 127.0.0.1
  http_listen_port: %PORT%
storage:
  filesystem:
    dir: @{[$here->data]}
END

works('the first', $here);
start_apart($apart);
waits('the second', $apart);
works('the first, with a second', $here);

# while the second tries again and again
$here->reload;
works('the first, after a reload', $here);
is $here->stop, 0, 'the first ends';

takes_over('the second takes over', $apart);

$here->start(ready => 0);
waits('the first once more', $here);
works('the second, with the first', $apart);
is stop_apart($apart), 0, 'the second ends';

takes_over('the first takes over', $here);

# killed, so that nobody gives anything up in order
start_apart($apart);
waits('the second once more', $apart);
kill 'KILL', $here->pid, $here->worker_pids(all => 1);
waitpid delete $here->{pid}, 0;
takes_over('the second, after a kill', $apart);
is stop_apart($apart), 0, 'the end';

$here->log_ok($said);
$apart->log_ok($said);

done_testing;
