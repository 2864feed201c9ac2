package PyroTest;

# An nginx of its own with the module, for tests that need workers, signals,
# real clients or more than one request on a store.
#
#     my $t = PyroTest->new(workers => 2)->start;
#     my $r = $t->push_jfr('t/data/x.jfr.gz', name => 'shop',
#                          from => 1700000000, until => 1700000010);
#     is $r->{status}, 200;
#     is $t->rpc('LabelValues', { name => 'service_name' })->{json}{names}[0],
#        'shop';
#     $t->stop('QUIT');
#     $t->log_ok;
#
# Everything is below build/t and is removed if all tests passed.  Talks to
# 127.0.0.1 only.  Nothing here asserts a duration: time-outs are generous and
# end in die().
#
# The environment that the Test::Nginx suites read is read here as well:
# TEST_NGINX_BINARY, TEST_NGINX_LOAD_MODULES (empty: the module is built in),
# TEST_NGINX_LD_PRELOAD (the sanitizer's library).
#
# Core Perl only.

use strict;
use warnings;

use Cwd ();
use File::Path ();
use File::Spec ();
use File::Temp ();
use POSIX ();
use Scalar::Util ();
use Test::More ();
use Time::HiRes ();

use parent 'PyroTest::Client';
use PyroTest::Util;

my %LIVE;

my $ROOT = Cwd::abs_path(File::Spec->catdir(
    (File::Spec->splitpath(__FILE__))[1], '..', '..'));

my $YAML = <<'EOF';
server:
  http_listen_address: 127.0.0.1
  http_listen_port: %PORT%
storage:
  backend: filesystem
  filesystem:
    dir: %DATA%
EOF


# ---- the server -------------------------------------------------------------

# Options, each of them text that may hold %PORT%, %DATA% and %DIR%:
#
#     workers   number of workers, default 2; 0: master_process off
#     yaml      the whole YAML; default: the address, the port and the store
#     more_yaml lines after the default YAML
#     main, events, http, server, location   lines added to that block
#     config    the whole nginx.conf instead
#
# and: sound => 0 if its store is damaged on purpose, port => default a free one, dir => an existing folder that is kept,
# env => { NAME => value } of nginx, prefix => [a command that runs nginx].

sub new {
    my ($class, %opt) = @_;

    my $self = bless {
        workers => 2,
        owner   => $$,
        env     => {},
        %opt,
    }, $class;

    if (!defined $self->{dir}) {
        my $base = "$ROOT/build/t";

        File::Path::make_path($base);
        $self->{dir} = File::Temp::tempdir('pyro-XXXXXX', DIR => $base);
        $self->{remove} = 1;
    }

    $self->{port} ||= free_port();
    Scalar::Util::weaken($LIVE{0 + $self} = $self);

    return $self;
}

sub root { $ROOT }
sub dir  { $_[0]{dir} }
sub data { "$_[0]{dir}/data" }
sub pid  { $_[0]{pid} }

sub log_file { "$_[0]{dir}/error.log" }

sub binary {
    return $ENV{TEST_NGINX_BINARY} if $ENV{TEST_NGINX_BINARY};

    for my $dir (split(/:/, $ENV{PATH} // ''), '/usr/sbin', '/sbin') {
        return "$dir/nginx" if -x "$dir/nginx";
    }

    die "there is no nginx: set TEST_NGINX_BINARY\n";
}

# HTTP/2 is a word of "listen"; since nginx 1.25.1 it is a directive.
sub old_http2 {
    my ($version) = `@{[binary()]} -v 2>&1` =~ m{nginx/(\d+\.\d+\.\d+)}
        or die "nginx does not tell its version\n";

    return eval "v$version lt v1.25.1";
}

sub modules {
    my $names = $ENV{TEST_NGINX_LOAD_MODULES}
                // "$ROOT/build/ngx_pyroscope_module.so";
    my @modules = split ' ', $names;

    for my $module (@modules) {
        -f $module or die "$module is missing: run \"make module\"\n";
    }

    return @modules;
}

sub _expand {
    my ($self, $text) = @_;

    my %value = (PORT => $self->port, DATA => $self->data, DIR => $self->dir);

    $text =~ s/%(PORT|DATA|DIR)%/$value{$1}/g;

    return $text;
}

# Workers must be allowed into build/, wherever the checkout is: they run as
# whoever runs the test.
sub _user_line {
    return '' if $> != 0;
    return sprintf "user %s %s;\n", scalar getpwuid($> + 0),
                   scalar getgrgid($) + 0);
}

sub _nginx_conf {
    my ($self) = @_;

    return $self->{config} if defined $self->{config};

    my %add = map { $_ => $self->{$_} // '' }
              qw(main events http server location);
    my $load = join '', map { 'load_module ' . Cwd::abs_path($_) . ";\n" }
               modules();
    my $processes = $self->{workers}
                    ? "master_process on;\nworker_processes $self->{workers};"
                    : 'master_process off;';
    my $user = _user_line();

    return <<"EOF";
${load}${user}daemon off;
$processes
error_log %DIR%/error.log info;
pid %DIR%/nginx.pid;
$add{main}

events {
    worker_connections 512;
    $add{events}
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
    $add{http}

    server {
        pyroscope_config %DIR%/pyroscope-config.yml;
        $add{server}

        location / {
            pyroscope;
            $add{location}
        }
    }
}
EOF
}

# A nearly full disk of the machine is no matter of tests, but of those that
# name the key; for "nginx -t" the file stays as it is.
sub _any_disk {
    my ($yaml) = @_;

    return $yaml if $yaml =~ /min_free_disk/;

    $yaml =~ s/^lmdb:[ ]*\n(?=([ ]+)\S)/lmdb:\n$1min_free_disk: 0\n/m
        or $yaml .= ($yaml =~ /[^\n]\z/ ? "\n" : '') . "lmdb:\n  min_free_disk: 0\n";

    return $yaml;
}

# Writes both files; also to be called before reload() when an option changed.
sub write_config {
    my ($self, %opt) = @_;

    my $plain = delete $opt{plain};

    @$self{keys %opt} = values %opt;

    my $yaml = $self->{yaml} // $YAML . ($self->{more_yaml} // '');

    $yaml = _any_disk($yaml) if !$plain;

    write_file("$self->{dir}/nginx.conf", $self->_expand($self->_nginx_conf));
    write_file("$self->{dir}/pyroscope-config.yml", $self->_expand($yaml));

    return $self;
}

sub _child_env {
    my ($self) = @_;

    my $dir = $self->{dir};
    my %env = %{ $self->{env} };

    if (my $library = $ENV{TEST_NGINX_LD_PRELOAD}) {
        $env{LD_PRELOAD} = $library;
        $env{ASAN_OPTIONS} = join ':', grep { length }
            'detect_leaks=0', $ENV{ASAN_OPTIONS} // '', "log_path=$dir/asan";
        $env{UBSAN_OPTIONS} = join ':', grep { length }
            'print_stacktrace=1', $ENV{UBSAN_OPTIONS} // '',
            "log_path=$dir/ubsan";
    }

    return %env;
}

sub _spawn {
    my ($self, @args) = @_;

    my %env = $self->_child_env;
    my @command = (@{ $self->{prefix} // [] }, binary(), '-p', $self->{dir},
                   '-c', "$self->{dir}/nginx.conf", '-e', $self->log_file,
                   @args);

    my $pid = fork // die "fork: $!\n";

    if ($pid == 0) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>>', "$self->{dir}/stderr.log";
        open STDERR, '>&', \*STDOUT;
        @ENV{keys %env} = values %env;
        { no warnings 'exec'; exec { $command[0] } @command; }
        POSIX::_exit(127);
    }

    return $pid;
}

# nginx -t: (exit status, what it said)
sub test_config {
    my ($self) = @_;

    $self->write_config(plain => 1);
    unlink "$self->{dir}/stderr.log";

    my $pid = $self->_spawn('-t');
    my $status = $self->_reap($pid) // die "nginx -t does not end\n";

    return ($status >> 8, read_file("$self->{dir}/stderr.log"));
}

# ready => 0: only until the port answers, whatever /ready says
sub start {
    my ($self, %opt) = @_;

    die "already started\n" if $self->{pid};

    $self->write_config;
    $self->{pid} = $self->_spawn;

    my $wanted = $opt{ready} // 1;

    wait_for(sub {
        if (defined $self->_reap($self->{pid}, 0)) {
            delete $self->{pid};
            die "nginx did not start:\n" . $self->_tail;
        }

        my $answer = eval { $self->get('/ready', timeout => 5) };

        return $answer && (!$wanted || $answer->{status} == 200)
               && $self->worker_pids == ($self->{workers} || 1);
    }, $TIMEOUT, sub { "$self->{dir} to be ready:\n" . $self->_tail });

    return $self;
}

# Sends QUIT, TERM or INT to the master and waits.  Returns the wait status: 0
# for a clean end.
sub stop {
    my ($self, $signal) = @_;

    my $pid = delete $self->{pid} // die "not started\n";

    kill $signal // 'QUIT', $pid;

    my $status = $self->_reap($pid);

    if (!defined $status) {
        $self->_kill($pid);
        die 'nginx does not stop after SIG' . ($signal // 'QUIT') . ":\n"
            . $self->_tail;
    }

    $self->stores_ok if $self->{sound} // 1;

    return $status;
}

# pyroscope-store finds nothing wrong with the stores that the test has: a test
# in itself.  stop() does it, but for a server with sound => 0.
sub stores_ok {
    my ($self) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 2;

    for my $dir (map { m{(.*)/} } glob "$self->{dir}/*/{,*/}control.mdb") {
        next if !-f "$dir/control.mdb";

        my ($status, $said) = check_store($dir);

        Test::More::is($status, 0, 'the store is sound')
            or Test::More::diag($said);
    }
}

# What pyroscope-store says of a store: its status, and its output.
sub check_store {
    my ($dir) = @_;

    my $build = $ENV{PYRO_SAN} ? 'build/asan' : 'build';
    my $said = `$ROOT/$build/pyroscope-store check '$dir' 2>&1`;

    return ($? >> 8, $said);
}

# HUP, then waits until only other workers than now accept.  The old ones may
# still be busy: see wait_workers().  Dies if the new configuration is refused.
# ready => 0: whatever /ready says then.
sub reload {
    my ($self, %opt) = @_;

    my $wanted = delete $opt{ready} // 1;
    my %old = map { $_ => 1 } $self->worker_pids;
    my $from = length $self->error_log;

    $self->write_config(%opt);
    kill 'HUP', $self->pid;

    wait_for(sub {
        my $said = substr $self->error_log, $from;

        die "the configuration is refused:\n$said" if $said =~ /\[emerg\]/;

        my @now = $self->worker_pids;

        return @now == $self->{workers} && !grep { $old{$_} } @now;
    }, $TIMEOUT, 'new workers after SIGHUP');

    $self->wait_ready if $wanted;

    return $self;
}

# Waits until exactly so many workers live (after a reload: the old are gone).
sub wait_workers {
    my ($self, $count) = @_;

    $count //= $self->{workers};
    wait_for(sub { $self->worker_pids(all => 1) == $count }, $TIMEOUT,
             "$count workers");

    return $self;
}

# Pids of the workers that accept connections; all => 1: also of those that
# are shutting down.
sub worker_pids {
    my ($self, %opt) = @_;

    my $master = $self->pid // return;
    my @pids;

    if (!$self->{workers}) {
        @pids = ($master);
        return @pids;
    }

    opendir my $proc, '/proc' or die "/proc: $!\n";

    for my $pid (grep { /^\d+$/ } readdir $proc) {
        my $stat = eval { read_file("/proc/$pid/stat") } // next;
        my $title = eval { read_file("/proc/$pid/cmdline") } // next;

        next if $stat !~ /.*\) (\S) (\d+) /s || $2 != $master || $1 eq 'Z';
        next if $title !~ /^nginx: worker process/;
        next if $title =~ /shutting down/ && !$opt{all};

        push @pids, $pid;
    }

    @pids = sort { $a <=> $b } @pids;

    return @pids;
}

# The worker that has accepted a connection, of the test's end of it; undef if
# none has.
sub worker_of {
    my ($self, $sock) = @_;

    my $ends = join ' ', map { sprintf '0100007F:%04X', $_ }
                         $self->port, $sock->sockport;
    my ($inode) = map { (split ' ')[9] } grep { / $ends / }
                  split /\n/, read_file('/proc/net/tcp');

    return if !$inode;

    my ($pid) = grep {
        grep { (readlink $_ // '') eq "socket:[$inode]" } glob "/proc/$_/fd/*"
    } $self->worker_pids(all => 1);

    return $pid;
}

# Connections that no worker has accepted, or requests of which one has not read
# all that was sent.
sub unread {
    my ($self) = @_;

    my $port = sprintf '%04X', $self->port;

    # of a listening socket the receive queue is what waits for accept(); of a
    # connection to the port it is what waits to be read, and the send queue of
    # the other end what is not even there
    return scalar grep {
        my @f = split ' ';
        @f > 4 && ($f[1] =~ /:$port$/ && $f[4] !~ /:00000000$/
                   || $f[2] =~ /:$port$/ && $f[4] !~ /^00000000:/)
    } split /\n/, read_file('/proc/net/tcp');
}

# What each worker answers to a GET: { pid => answer }.  It is not the test that
# says who of them has a connection: it opens more until all have had one.
sub ask_workers {
    my ($self, $path) = @_;

    my %answers;

    wait_for(sub {
        for (1 .. 20) {
            my $sock = $self->connect;

            $self->send_bytes($sock, $self->request_bytes(
                'GET', $path, keepalive => 1));

            my $answer = $self->read_response($sock);
            my $pid = $self->worker_of($sock) // next;

            $answers{$pid} = $answer;
        }

        return !grep { !$answers{$_} } $self->worker_pids;
    }, $TIMEOUT, "an answer of each worker to $path");

    return \%answers;
}

# Each worker opens a store by itself, if it was not there at first: that one
# answers says nothing of the others.
sub wait_each_ready {
    my ($self) = @_;

    wait_for(sub {
        my $answers = $self->ask_workers('/ready');
        return !grep { $_->{status} != 200 } values %$answers;
    }, $TIMEOUT, '/ready of each worker');

    return $self;
}

# The wait status, or undef if it does not end in time.
sub _reap {
    my ($self, $pid, $timeout) = @_;

    my $until = Time::HiRes::time() + ($timeout // $TIMEOUT);

    while (1) {
        my $got = waitpid $pid, POSIX::WNOHANG();

        return $? if $got == $pid;
        return 0 if $got == -1;
        return if Time::HiRes::time() >= $until;

        Time::HiRes::sleep(0.02);
    }
}

# The master is killed last: it would start new workers.
sub _kill {
    my ($self, $pid) = @_;

    kill 'TERM', $pid;
    return if defined $self->_reap($pid, 5);

    local $self->{pid} = $pid;
    my @workers = $self->worker_pids(all => 1);

    kill 'KILL', $pid;
    $self->_reap($pid, 5);
    kill 'KILL', @workers if @workers;
}

# The folder stays for a look where a test failed.
sub _clean {
    my ($self, $failed) = @_;

    return if $self->{owner} != $$ || !defined $self->{dir};

    $self->_kill(delete $self->{pid}) if $self->{pid};

    if (delete $self->{remove} && !$failed && !$ENV{PYRO_TEST_KEEP}
        && Test::More->builder->is_passing)
    {
        File::Path::remove_tree($self->{dir});
    }
}

sub DESTROY {
    my ($self) = @_;

    local ($?, $@, $!);

    delete $LIVE{0 + $self};
    $self->_clean if ${^GLOBAL_PHASE} ne 'DESTRUCT';
}

# Objects that live until the end of the program are cleaned while Test::More
# still works.
END {
    my $failed = $?;

    local ($?, $@, $!);

    $_->_clean($failed) for grep { defined } values %LIVE;
}

# Without a handler END is not reached and nginx would stay.
$SIG{$_} ||= sub { exit 1 } for qw(HUP INT TERM);


# ---- logs -------------------------------------------------------------------

sub error_log {
    my ($self) = @_;

    return -e $self->log_file ? read_file($self->log_file) : '';
}

sub _tail {
    my ($self) = @_;

    my $stderr = "$self->{dir}/stderr.log";
    my @lines = split /^/, $self->error_log
                           . (-e $stderr ? read_file($stderr) : '');

    return join '', splice @lines, @lines > 40 ? -40 : 0;
}

# Lines of [alert], [crit], [emerg] and of sanitizers that no pattern allows.
sub check_log {
    my ($self, @allowed) = @_;

    my @bad;

    for my $file (glob "$self->{dir}/*.log $self->{dir}/*san.*") {
        for my $line (bad_lines(read_file($file))) {
            push @bad, $line if !grep { $line =~ $_ } @allowed;
        }
    }

    return @bad;
}

# The same as a test.
sub log_ok {
    my ($self, @allowed) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    my @bad = $self->check_log(@allowed);

    Test::More::ok(!@bad, 'nothing bad in the error log')
        or Test::More::diag(join "\n", splice @bad, 0, 20);

    return !@bad;
}

1;
