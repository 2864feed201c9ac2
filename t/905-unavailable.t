#!/usr/bin/perl

# Stores that cannot be opened, at the start and later: the server lives, /ready
# and everybody who asks is told where and why, and it goes on by itself.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use PyroJfr;
use PyroTest;
use PyroTest::Util;
use Test::More;

my $small = 'new_spancontext';
my $bytes = PyroJfr::bytes($small);
my $total = PyroJfr::cpu_total($small);

my $yaml = <<'END';
server:
  http_listen_address: 127.0.0.1
  http_listen_port: %PORT%
storage:
  filesystem:
    dir: %DIR%/block/data
END

sub push_one {
    my ($t, $name) = @_;
    return $t->post($t->ingest_path(name => $name, from => PyroJfr::FROM),
                    $bytes);
}

# It is not there: 503 with the reason, everywhere, and a live server.
sub unavailable {
    my ($what, $t, $reason) = @_;

    my $r = $t->get('/ready');

    my $dir = $t->dir;

    is $r->{status}, 503, "$what: /ready 503";
    like $r->{body}, qr{^Store "$dir/.*" not ready: .*$reason},
         "$what: /ready says where and why";
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
    $t->wait_each_ready;
    is push_one($t, 'works')->{status}, 200, "$what: a push" for 1 .. 6;
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
    replace_file($control, $good);
    works('restored', $t);
    is $t->stop, 0, 'the end';
    $t->log_ok(@not_there);
}

# root writes everywhere: the server is somebody else's then
SKIP: {
    my $nobody = 65534;
    my $user = $> == 0 ? $nobody : $>;
    my @prefix = $> == 0 ? ('setpriv', "--reuid=$nobody", '--clear-groups') : ();
    my $t = PyroTest->new(workers => 2, prefix => \@prefix);

    mkdir $t->data;
    chmod 0755, $t->dir;
    chown $nobody, -1, $t->dir if $> == 0;
    skip 'another user is not let in here', 1
        if @prefix && system("@prefix test -w '" . $t->dir . "' 2>/dev/null");

    chmod 0500, $t->data;
    chown $nobody, -1, $t->data if $> == 0;
    $t->start(ready => 0);
    unavailable('a read-only directory', $t,
                qr/cannot be opened: Permission denied, for user $user/);
    chmod 0700, $t->data;
    works('repaired', $t);
    is $t->stop, 0, 'the end';
    $t->log_ok(@not_there);
}

done_testing;
