#!/usr/bin/perl

# Directives, the YAML through "nginx -t", the sockets, logs and thread pools
# that come of them.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use IO::Socket::IP ();
use PyroJfr;
use PyroTest;
use PyroTest::Util;
use Test::More;

my $ROOT = PyroTest::root();
my @servers;


# ---- nginx -t ---------------------------------------------------------------

# (exit status, what it said, the object) of "nginx -t"
sub config {
    my (%opt) = @_;

    my $t = PyroTest->new(%opt);

    push @servers, $t;

    return ($t->test_config, $t);
}

sub accepted {
    my ($name, %opt) = @_;

    my ($status, $said, $t) = config(%opt);

    ok $status == 0 && $said !~ /\[(?:warn|error|crit|alert|emerg)\]/, $name
        or diag $said;

    return $t;
}

sub refused {
    my ($name, $pattern, %opt) = @_;

    my ($status, $said, $t) = config(%opt);

    is $status, 1, "$name is refused";
    like $said, $pattern, "$name: the message";
    unlike $said, qr/\[(?:alert|crit)\]/, "$name: no alert";

    # the very message is expected there
    unlink $t->log_file, "$t->{dir}/stderr.log";
}

# An nginx.conf of these servers.
sub http {
    my ($servers, %opt) = @_;

    my $load = join '', map { "load_module $_;\n" } PyroTest::modules();

    return <<"END";
$load
@{[$> == 0 ? 'user root;' : '']}
daemon off;
worker_processes 2;
pid %DIR%/nginx.pid;
error_log %DIR%/error.log info;
@{[$opt{before} // '']}
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
    $servers
}
@{[$opt{after} // '']}
END
}

my $yaml = 'pyroscope_config %DIR%/pyroscope-config.yml;';
my $conf = qr{/nginx\.conf:\d+};


# ---- directives -------------------------------------------------------------

accepted('the plain configuration');

refused('pyroscope without pyroscope_config',
        qr/\[emerg\] .*"pyroscope" needs "pyroscope_config FILE;".*$conf/,
        config => http('server { listen 127.0.0.1:%PORT%;
                        location / { pyroscope; } }'));

refused('pyroscope_config of another server',
        qr/"pyroscope" needs "pyroscope_config FILE;"/,
        config => http("server { $yaml location / { pyroscope; } }
                        server { listen 127.0.0.1:%PORT%;
                        location / { pyroscope; } }"));

refused('two files',
        qr{\[emerg\] .*pyroscope-config\.yml.*other\.yml|
           \[emerg\] .*other\.yml.*pyroscope-config\.yml}x,
        config => http("server { $yaml location / { pyroscope; } }
                        server { pyroscope_config %DIR%/other.yml;
                        location / { pyroscope; } }"));

accepted('one file in two servers, relative and absolute',
         config => http("server { $yaml location / { pyroscope; } }
                         server { pyroscope_config pyroscope-config.yml;
                         server_name two; location / { pyroscope; } }"));

for my $parameter (qw(all push query)) {
    accepted("pyroscope $parameter",
             config => http("server { $yaml
                             location / { pyroscope $parameter; } }"));
}

refused('a wrong parameter',
        qr/"bogus".*"all", "push" or "query" in .*$conf/,
        config => http("server { $yaml location / { pyroscope bogus; } }"));

refused('two parameters', qr/invalid number of arguments in "pyroscope"/,
        config => http("server { $yaml location / { pyroscope a b; } }"));

refused('pyroscope twice', qr/"pyroscope" directive is duplicate in .*$conf/,
        config => http("server { $yaml
                        location / { pyroscope; pyroscope query; } }"));

refused('pyroscope_config twice',
        qr/"pyroscope_config" directive is duplicate in .*$conf/,
        config => http("server { $yaml $yaml location / { pyroscope; } }"));

refused('pyroscope_config without a file',
        qr/invalid number of arguments in "pyroscope_config"/,
        config => http('server { pyroscope_config;
                        location / { pyroscope; } }'));

refused('pyroscope in a server',
        qr/"pyroscope" directive is not allowed here/,
        config => http("server { $yaml pyroscope; }"));

refused('pyroscope_config in http',
        qr/"pyroscope_config" directive is not allowed here/,
        config => http($yaml));

accepted('nginx without any of it',
         config => http('server { listen 127.0.0.1:%PORT%; }'));


# ---- the YAML ---------------------------------------------------------------

refused('a file that is not there',
        qr{\[emerg\] .*/nowhere\.yml.*No such file}i,
        config => http('server { pyroscope_config %DIR%/nowhere.yml;
                        location / { pyroscope; } }'));

my $store = "storage:\n  filesystem:\n    dir: %DATA%\n";

for (
    ['an unknown key',       5, qr/retenton_period.*retention_period/,
     "limits:\n  retenton_period: 1d\n"],
    ['an unknown section',   4, qr/sever/, "sever:\n  http_listen_port: 1\n"],
    ['a port out of range',  5, qr/http_listen_port.*65535/,
     "server:\n  http_listen_port: 70000\n"],
    ['a level',              5, qr/log_level.*debug.*info.*warn.*error/,
     "server:\n  log_level: loud\n"],
    ['a backend',            5, qr/backend.*filesystem/,
     "storage2: {}\nserver: {}\n", "storage:\n  backend: s3\n", 2],
    ['jobs to scrape',       4, qr/scrape_configs.*(?:push|Alloy)/,
     "scrape_configs:\n  - job_name: a\n"],
    ['TLS',                  5, qr/http_tls_config.*ssl/,
     "server:\n  http_tls_config:\n    cert_file: a.pem\n"],
    ['tenants',              4, qr/multitenancy_enabled.*neither true/,
     "multitenancy_enabled: perhaps\n"],
    ['a limit of a tenant',  6, qr/acme\.max_query_lenght: .*max_query_length\?/,
     "overrides:\n  acme:\n    max_query_lenght: 1h\n"],
    ['a name of a tenant',   5, qr/overrides\.a\/b: tenant "a\/b": allowed are/,
     "overrides:\n  a/b:\n"],
    ['keys that do not go together', 6, qr/lmdb\.keep_1h: is shorter than/,
     "lmdb:\n  keep_raw: 2d\n  keep_1h: 1d\n"],
    ['relabeling',           5, qr/relabel/,
     "ingest:\n  relabel:\n    - action: drop\n"],
    ['a size',               5, qr/max_profile_size_bytes/,
     "limits:\n  max_profile_size_bytes: big\n"],
    ['a duration',           5, qr/retention_period/,
     "compactor:\n  retention_period: 5\n"],
    ['a share of the disk',  5, qr/min_free_disk.*101%.*0% to 100%/,
     "lmdb:\n  min_free_disk: 101%\n"],
    ['a rate of partitions', 5, qr/max_late_partitions.*whole number/,
     "lmdb:\n  max_late_partitions: 1.5\n"],
    ['a key twice',          6, qr/log_level/,
     "server:\n  log_level: warn\n  log_level: info\n"],
    ['bad YAML',             4, qr/./, "server: [\n"],
    ['a list for a map',     4, qr/server/, "server:\n  - a\n"],
    ['an open variable',     5, qr/log_level.*\$\{/,
     "server:\n  log_level: \${PYRO_TEST_X\n"],
    ['an undefined variable', 5, qr/PYRO_TEST_NOWHERE/,
     "server:\n  log_level: \${PYRO_TEST_NOWHERE}\n"],
) {
    my ($name, $line, $pattern, $text, $instead, $at) = @$_;

    # bad YAML is known only where it ends
    my $where = $name eq 'bad YAML' ? '\d+' : $at // $line;

    refused($name, qr{/pyroscope-config\.yml:$where: .*$pattern},
            yaml => $instead // "$store$text");
}

my $deployment = <<'END';
server:
  http_listen_port: 4040
  log_level: warn
storage:
  backend: filesystem
  filesystem:
    dir: /var/pyroscope/data
scrape_configs: []
END

my $existed = -e '/var/pyroscope';

accepted('the file of a real deployment', yaml => $deployment);
is -e '/var/pyroscope', $existed, 'nginx -t made nothing in /var';

{
    my $t = accepted('keys of a Pyroscope server that mean nothing here',
                     more_yaml => "memberlist:\n  bind_port: 7946\n"
                                  . "self_profiling:\n"
                                  . "  disable_push: true\n");

    like $t->error_log, qr/\[notice\] .*memberlist/, 'are named in the log';
    ok !-e $t->data, 'nginx -t left no store behind';
}

accepted('an empty file', yaml => '',
         server => 'listen 127.0.0.1:%PORT%;');


# ---- warnings ---------------------------------------------------------------

sub warns {
    my ($name, $pattern, %opt) = @_;

    my ($status, $said) = config(%opt);

    is $status, 0, "$name is accepted";
    like $said, $pattern, "$name: a warning";
}

warns('a small client_max_body_size',
      qr/\[warn\] .*"client_max_body_size" is 1048576 .*$conf/,
      location => 'client_max_body_size 1m;');

warns('a small large_client_header_buffers',
      qr/\[warn\] .*"large_client_header_buffers" has 8192 .*$conf/,
      server => 'large_client_header_buffers 4 8k;');

accepted('both, where nothing is pushed', config => http("server { $yaml
         large_client_header_buffers 4 8k;
         location / { pyroscope query; client_max_body_size 1m; } }"));

accepted('no limit of the body', location => 'client_max_body_size 0;');


# ---- the shipped files ------------------------------------------------------

{
    my $t = PyroTest->new;
    my $dir = $t->dir;

    symlink "$ROOT/pyroscope-config.yml", "$dir/pyroscope-config.yml"
        or die "symlink: $!\n";

    my $globals = join ' ', (map { "load_module $_;" } PyroTest::modules()),
        'daemon off; pid nginx.pid; worker_processes 2;',
        'error_log stderr notice;', $> == 0 ? 'user root root;' : ();

    my @command = (PyroTest::binary(), '-t', '-p', "$dir/", '-c',
                   "$ROOT/nginx.conf", '-e', 'stderr', '-g', $globals);

    local $ENV{PYROSCOPE_PORT} = $t->port;
    local $ENV{PYROSCOPE_DATA} = $t->data;
    local $ENV{LD_PRELOAD} = $ENV{TEST_NGINX_LD_PRELOAD} // '';
    local $ENV{ASAN_OPTIONS} = 'detect_leaks=0';

    my $command = join ' ', map { s/'/'\\''/gr =~ s/(.*)/'$1'/sr } @command;
    my $said = `$command 2>&1`;

    is $?, 0, 'the shipped nginx.conf and pyroscope-config.yml' or diag $said;
    unlike $said, qr/\[(?:warn|error|crit|alert|emerg)\]/,
           'without a warning';
    ok !-e $t->data, 'and nginx -t left no store behind';
}


# ---- sockets ----------------------------------------------------------------

# "address:port" of all listening sockets of a process.
sub listeners {
    my ($pid) = @_;

    my %inodes = map { (readlink($_) // '') =~ /^socket:\[(\d+)\]/
                       ? ($1 => 1) : () } glob "/proc/$pid/fd/*";
    my @found;

    for my $file (grep { -e } "/proc/$pid/net/tcp", "/proc/$pid/net/tcp6") {
        for my $line (split /\n/, read_file($file)) {
            my @f = split ' ', $line;

            next if @f < 10 || $f[3] ne '0A' || !$inodes{$f[9]};

            my ($address, $port) = $f[1] =~ /^(\w+):(\w+)$/;

            push @found, (length $address == 8
                ? join('.', reverse map { hex } unpack '(A2)4', $address)
                : $address =~ /^0+$/ ? '[::]' : '[' . lc($address) . ']')
                . ':' . hex $port;
        }
    }

    @found = sort @found;

    return @found;
}

my $has_inet6 = !!IO::Socket::IP->new(LocalHost => '::1', LocalPort => 0,
                                      Listen => 1);

sub status_at {
    my ($host, $port) = @_;

    my $sock = IO::Socket::IP->new(PeerHost => $host, PeerPort => $port,
                                   Timeout => 5) // return "$!";

    print $sock "GET /ready HTTP/1.0\r\n\r\n";
    local $/;

    return (<$sock> // '') =~ /^HTTP\S+ (\d+)/ ? $1 : 'no answer';
}

sub started {
    my (%opt) = @_;

    my $t = PyroTest->new(%opt)->start;

    push @servers, $t;

    return $t;
}

{
    my $t = started(yaml => "server:\n  http_listen_port: %PORT%\n$store");
    my $port = $t->port;

    is_deeply [listeners($t->pid)],
              ["0.0.0.0:$port", $has_inet6 ? "[::]:$port" : ()],
              'no listen: the YAML\'s port on all addresses, and no other';
    is status_at('127.0.0.1', $port), 200, 'over IPv4';

  SKIP: {
        skip 'the machine has no IPv6', 1 if !$has_inet6;
        is status_at('::1', $port), 200, 'over IPv6';
    }

    $t->reload;
    is status_at('127.0.0.1', $port), 200, 'and after a reload';
    is $t->stop, 0, 'stopped';
}

SKIP: {
    skip 'the machine has no IPv6', 2 if !$has_inet6;

    for my $address ('"::1"', '"[::1]"') {
        my $port = free_port();
        my $t = PyroTest->new(
            yaml => "server:\n  http_listen_address: $address\n"
                    . "  http_listen_port: $port\n$store",
            server => 'server_name v6;',
            http => "server { listen 127.0.0.1:%PORT%; $yaml
                     location / { pyroscope; } }")->start;

        push @servers, $t;
        is status_at('::1', $port), 200, "http_listen_address $address";
        $t->stop;
    }
}

{
    my $other = free_port();
    my $t = started(server => 'listen 127.0.0.1:%PORT%;',
                    yaml => "server:\n  http_listen_port: $other\n$store");

    is_deeply [listeners($t->pid)], ['127.0.0.1:' . $t->port],
              'a listen of its own wins';
    $t->stop;
}

{
    my $grpc = free_port();
    my $ports = "server:\n  http_listen_address: 127.0.0.1\n"
                . "  http_listen_port: %PORT%\n";
    my $t = started(yaml => "$ports  grpc_listen_port: $grpc\n$store");

    is_deeply [listeners($t->pid)],
              [sort map { "127.0.0.1:$_" } $t->port, $grpc],
              'grpc_listen_port is one more';
    $t->stop;

    my ($status, $said) = PyroTest->new(server => 'listen 127.0.0.1:%PORT%;',
        yaml => "$ports  grpc_listen_port: $grpc\n$store")->test_config;

    is $status, 0, 'with a listen of its own: accepted';
    like $said, qr/\[warn\].*grpc_listen_port\ \Q$grpc\E\ is\ not\ listened\ on:
                   \ the\ server\ in\ .*:\d+\ has\ a\ "listen"\ of\ its\ own/x,
         'with a warning';

    ($status, $said) = PyroTest->new(
        yaml => "$ports  grpc_listen_port: %PORT%\n$store")->test_config;

    if (!PyroTest::old_http2()) {
        is $status, 0, 'one port for both';
    } else {
        is $status, 1, 'the same port twice: refused';
        like $said, qr/grpc_listen_port\ \d+\ is\ server\.http_listen_port:\ nginx
                       \ before\ 1\.25\.1\ needs\ a\ port/x, 'its message';
    }
}

{
    my $t = started(
        server => 'server_name one;',
        http => "server { $yaml server_name two;
                 location / { pyroscope query; } }");

    is_deeply [listeners($t->pid)], ['127.0.0.1:' . $t->port],
              'two servers share the port';
    is $t->request('POST', '/ingest', body => '',
                   headers => { Host => 'two' })->{status}, 404,
       'server_name chooses: nothing is pushed to the second';
    is $t->request('POST', '/ingest', body => '',
                   headers => { Host => 'one' })->{status}, 400,
       'but to the first';
    $t->stop;
}

{
    my $t = started(env => { PYRO_TEST_DATA => 'elsewhere' },
                    yaml => "server:\n  http_listen_address: 127.0.0.1\n"
                            . "  http_listen_port: \${PYRO_TEST_P:-%PORT%}\n"
                            . "storage:\n  filesystem:\n"
                            . "    dir: ./a/\${PYRO_TEST_DATA}/\${NO_X:-b}\n");

    is $t->get('/ready')->{status}, 200, '${VAR:-default}';
    ok -d $t->dir . '/a/elsewhere/b',
       '${VAR}: the store, with its parents, below the prefix';
    $t->stop;
}


# ---- logs -------------------------------------------------------------------

# Which of a request's lines a server writes: the answer 400 is "info".
sub logged {
    my ($level, %opt) = @_;

    my $t = started(yaml => "server:\n  http_listen_address: 127.0.0.1\n"
                            . "  http_listen_port: %PORT%\n"
                            . ($level ? "  log_level: $level\n" : '')
                            . $store, %opt);

    is $t->request('POST', '/ingest', body => '')->{status}, 400,
       'a bad request';
    $t->stop;

    return map { my $file = "$t->{dir}/$_";
                 scalar(-e $file && read_file($file)
                                    =~ /\[info\] .*pyroscope: format/) || 0 }
           qw(error.log own.log);
}

is_deeply [logged('')], [1, 0], 'no log_level: that of nginx.conf';
is_deeply [logged('debug')], [1, 0], 'log_level: debug';
is_deeply [logged('info')], [0, 0], 'log_level: info is nginx\'s notice';
is_deeply [logged('error')], [0, 0], 'log_level: error';

my $own = 'error_log %DIR%/own.log info;';

is_deeply [logged('error', server => $own)], [0, 1],
          'an error_log of the server wins';
is_deeply [logged('error', config => http("server { $own $yaml
           location / { pyroscope; } }"))], [0, 1],
          'also before pyroscope_config';
is_deeply [logged('error', location => $own)], [0, 1],
          'an error_log of the location wins';


# ---- thread pools -----------------------------------------------------------

sub threads {
    my ($name, $threads, %opt) = @_;

    my $t = started(config => http("server { $yaml
                                    location / { pyroscope; } }", %opt));

    is_deeply [map { PyroJfr::proc_status($_, 'Threads') } $t->worker_pids],
              [$threads, $threads], $name;
    $t->stop;
}

threads('pools by default: 2, 2 and 1 threads', 6);
threads('thread_pool before http', 8,
        before => 'thread_pool pyroscope_parse threads=4;');
threads('thread_pool after http', 11,
        after => 'thread_pool pyroscope_query threads=5;
                  thread_pool pyroscope_write threads=3;');
threads('on both sides', 5,
        before => 'thread_pool pyroscope_write threads=1;
                   thread_pool pyroscope_parse threads=1;',
        after => 'thread_pool pyroscope_query threads=2;');


# ---- the end ----------------------------------------------------------------

is_deeply [map { $_->check_log } @servers], [], 'nothing bad in any log';

done_testing;
