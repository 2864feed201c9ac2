package PyroTest::Example;

# A file of docs/examples in a real nginx: the file itself, in which only
# paths, addresses and ports are replaced.
#
#     my $e = PyroTest::Example->new('tls.conf', pki => $pki)->start;
#     is $e->push->{status}, 200;
#     is $e->ask->{status}, 401;
#     $e->finish('secret');       # stops it and looks at its logs
#
# Requests are curl's, for TLS, client certificates and HTTP/2.  An answer is
# { status, headers, body, json, curl => its exit status }; options are port,
# the one in the example, and curl => [its options].

use strict;
use warnings;

use Cwd ();
use JSON::PP ();
use POSIX ();
use PyroJfr;
use PyroTest;
use PyroTest::Util;
use Test::More ();

my $RECORDING = 'new_spancontext';
my $HOST = 'pyroscope.example';
my $SERVICE = '/querier.v1.QuerierService';

# Options: pki, the folder of certificates; yaml => more lines; http => more
# lines of nginx; networks => { written => used }.
sub new {
    my ($class, $file, %opt) = @_;

    my $self = bless { file => $file, %opt, n => 0 }, $class;
    my $yaml = "server: {http_listen_address: 127.0.0.1, "
               . "http_listen_port: %PORT%}\n"
               . "storage: {filesystem: {dir: '%DATA%'}}\n"
               . ($opt{yaml} // '');

    $self->{ports} = { map { $_ => free_port() } 4040, 4041, 9000 };
    $self->{t} = PyroTest->new(workers => 2, yaml => $yaml,
                               port => $self->{ports}{4040},
                               config => $self->_config);
    $self->{tls} = $self->{text} =~ /listen\s+4040 ssl/;

    return $self;
}

sub t   { $_[0]{t} }
sub dir { $_[0]{t}->dir }

sub _config {
    my ($self) = @_;

    my $load = join '', map { 'load_module ' . Cwd::abs_path($_) . ";\n" }
               PyroTest::modules();
    my $user = PyroTest::_user_line();
    my $more = $self->_replace($self->{http} // '');
    my $examples = join "\n", map { $self->_example($_) }
                   'log-format.conf', $self->{file};

    return <<"EOF";
${load}${user}daemon off;
worker_processes 2;
error_log %DIR%/error.log info;
pid %DIR%/nginx.pid;

events {
    worker_connections 512;
}

http {
    client_body_temp_path %DIR%/body;
    proxy_temp_path %DIR%/proxy;
    fastcgi_temp_path %DIR%/fastcgi;
    uwsgi_temp_path %DIR%/uwsgi;
    scgi_temp_path %DIR%/scgi;

$examples
$more
}
EOF
}

sub _example {
    my ($self, $file) = @_;

    $self->{text} = read_file(PyroTest::root() . "/docs/examples/$file");

    return $self->_replace($self->{text});
}

sub _replace {
    my ($self, $text) = @_;

    my %network = %{ $self->{networks} // {} };

    $text =~ s/\b(listen\s+)4040\b/${1}127.0.0.1:4040/g;
    $text =~ s/\b127\.0\.0\.1:(\d+)/127.0.0.1:$self->{ports}{$1}/g;
    $text =~ s{/etc/pyroscope/tls/}{$self->{pki}/}g if $self->{pki};
    $text =~ s{/(?:etc/pyroscope|var/log/nginx)/}{%DIR%/}g;
    $text =~ s/\b\Q$_\E(?=;)/$network{$_}/g for keys %network;

    return $text;
}

# nginx -t has nothing to say of the file but what is allowed.
sub _test {
    my ($self, @allowed) = @_;

    my ($status, $said) = $self->t->test_config;
    my @said = grep { /\[(?:warn|error|emerg)\]/ } split /^/, $said;

    for my $allowed (@allowed) {
        @said = grep { $_ !~ $allowed } @said;
    }

    Test::More::is($status, 0, "$self->{file}: nginx -t")
        or Test::More::diag($said);
    Test::More::is_deeply(\@said, [], "$self->{file}: no warning");
}

# Where nginx wants HTTP/2 in another way, it takes the file as it is, and runs
# as docs/security.md says that it is changed.
sub start {
    my ($self) = @_;

    if (!PyroTest::old_http2()) {
        $self->_test(qr/the "listen ... http2" directive is deprecated/);
        $self->t->{config} =~ s/^( *)(listen .*) http2;$/$1$2;\n$1http2 on;/mg;
    }

    $self->_test;
    $self->t->start(ready => 0);
    wait_for(sub { $self->_opened }, undef, "$self->{file}: the store");

    return $self;
}

# All workers have the store: /ready may be closed to us.
sub _opened {
    my ($self) = @_;

    my @open = grep { eval { read_file("/proc/$_/maps") } =~ /control\.mdb/ }
               $self->t->worker_pids;

    return @open == 2;
}

# Stops it; of what was sent as a secret nothing is in any log.
sub finish {
    my ($self, @secrets) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    Test::More::is($self->t->stop, 0, "$self->{file}: a clean end");
    $self->t->log_ok;

    for my $log (glob $self->dir . '/*.log') {
        my $text = read_file($log);

        Test::More::is_deeply([grep { index($text, $_) >= 0 } @secrets], [],
                              "$self->{file}: no secret in "
                              . $log =~ s{.*/}{}r);
    }
}


# ---- requests ---------------------------------------------------------------

sub request {
    my ($self, $path, %opt) = @_;

    my ($head, $out) = map { $self->dir . "/$_" } qw(head out);
    my $written = $opt{port} // 4040;
    my $port = $self->{ports}{$written};
    my $url = $self->{tls} && $written == 4040 ? "https://$HOST:$port"
                                               : "http://127.0.0.1:$port";
    my @command = (qw(curl -sS -g --noproxy * --max-time 60 -D), $head,
                   '-o', $out, '--resolve', "$HOST:$port:127.0.0.1",
                   $self->{pki} ? ('--cacert', "$self->{pki}/ca.pem") : (),
                   @{ $opt{curl} // [] }, "$url$path");

    unlink $head, $out;

    my $status = $self->_run(@command);

    return { _parse(-e $head ? read_file($head) : ''), curl => $status,
             _body(-e $out ? read_file($out) : '') };
}

sub get { request(@_) }

sub _run {
    my ($self, @command) = @_;

    my $pid = fork // die "fork: $!\n";

    if ($pid == 0) {
        open STDERR, '>>', $self->dir . '/curl.err';
        { no warnings 'exec'; exec { $command[0] } @command; }
        POSIX::_exit(127);
    }

    waitpid $pid, 0;

    return $? >> 8;
}

# A "100 Continue" may come first, trailers behind.
sub _parse {
    my ($head) = @_;

    my ($status, %headers) = (0);

    for (split /\r\n/, $head) {
        $status = $1 if m{^HTTP/\S+ (\d+)};
        $headers{lc $1} = $2 if /^([^:]+):\s*(.*)/;
    }

    return (status => $status, headers => \%headers);
}

sub _body {
    my ($body) = @_;

    return (body => $body,
            json => scalar eval { JSON::PP->new->utf8->decode($body) });
}

# A recording as the agent sends it, a new second each time; query => more of
# the URL, bytes => others.
sub push {
    my ($self, %opt) = @_;

    my $t = $self->t;
    my $file = $self->dir . '/push';

    write_file($file, $t->multipart(
        [[jfr => $opt{bytes} // PyroJfr::bytes($RECORDING)]]));

    return $self->request(
        $t->ingest_path(name => 'shop', from => PyroJfr::FROM + $self->{n}++,
                        query => $opt{query}), %opt,
        curl => ['-H', 'Content-Type: ' . $t->multipart_type, '-H', 'Expect:',
                 '--data-binary', "\@$file", @{ $opt{curl} // [] }]);
}

sub pushed_total { PyroJfr::cpu_total($RECORDING) }

# The flame graph of everything, as the data source asks for it in JSON.
sub ask {
    my ($self, %opt) = @_;

    my $message = JSON::PP->new->canonical->encode({
        profileTypeID => PyroJfr::CPU, labelSelector => '{}', start => 1,
        end => PyroJfr::LAST, maxNodes => 1 });

    return $self->request(
        "$SERVICE/SelectMergeStacktraces", %opt,
        curl => ['-H', 'Content-Type: application/json', '-d', $message,
                 @{ $opt{curl} // [] }]);
}

# Its total, or what came instead.
sub total {
    my ($self, %opt) = @_;

    my $r = $self->ask(%opt);

    return $r->{status} == 200 ? $r->{json}{flamegraph}{total} // 0
                               : "status $r->{status}";
}

# ProfileTypes in gRPC; code and message are of its headers or trailers.
sub grpc {
    my ($self, %opt) = @_;

    my $file = $self->dir . '/grpc';

    write_file($file, "\0\0\0\0\0");

    my $r = $self->request(
        "$SERVICE/ProfileTypes", %opt,
        curl => ['--http2', '-H', 'Content-Type: application/grpc', '-H',
                 'TE: trailers', '--data-binary', "\@$file",
                 @{ $opt{curl} // [] }]);

    return { %$r, code => $r->{headers}{'grpc-status'},
             message => $r->{headers}{'grpc-message'} };
}

1;
