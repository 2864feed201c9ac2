#!/usr/bin/perl

# gRPC and gRPC-Web: frames, trailers, codes, compression, deadlines, what
# nginx itself refuses; over HTTP/2 and HTTP/1.1, at the YAML's own port for
# them.  The generated client of t/e2e asks for everything else in gRPC.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use JSON::PP ();
use PyroJfr;
use PyroTest;
use PyroTest::Util;
use Test::More;

my $CURL = which('curl');
my $SERVICE = '/querier.v1.QuerierService';
my $CPU = PyroJfr::CPU;
my $FROM = PyroJfr::FROM;
my @RANGE = (start => $FROM * 1000, end => ($FROM + 600) * 1000);

my $grpc = free_port();
my $t = PyroTest->new(yaml => <<"EOF_YAML", location => <<'EOF_LOCATION')->start;
server:
  http_listen_address: 127.0.0.1
  http_listen_port: %PORT%
  grpc_listen_port: $grpc
storage: {filesystem: {dir: '%DATA%'}}
EOF_YAML
            if ($http_x_forbidden) {
                return 403;
            }

            location ~ LabelValues {
                pyroscope;
                client_max_body_size 64k;

                if ($http_x_forbidden) {
                    return 403;
                }
            }
EOF_LOCATION

sub frame { pack('CN', $_[1] // 0, length $_[0]) . $_[0] }
sub json  { JSON::PP->new->utf8->canonical->encode($_[0]) }

# One call: { status, version, headers, trailers, body, messages }, where a
# message is [flag, bytes].  curl writes trailers behind the headers.
sub call {
    my ($path, $body, %opt) = @_;

    my ($in, $head, $out) = map { $t->dir . "/$_" } qw(in head out);
    my $port = $opt{port} // ($opt{http1} ? $t->port : $grpc);
    my %headers = ('Content-Type' => 'application/grpc', TE => 'trailers',
                   %{ $opt{headers} // {} });

    write_file($in, $body);
    unlink $out;

    my @command = ($CURL, '-sS', $opt{http1} ? '--http1.1'
                                             : '--http2-prior-knowledge',
                   '-X', $opt{method} // 'POST', '-D', $head, '-o', $out,
                   '--data-binary', "\@$in",
                   (map { ('-H', defined $headers{$_} ? "$_: $headers{$_}"
                                                      : "$_:") }
                    sort keys %headers),
                   '-w', '%{http_code} %{http_version}',
                   "http://127.0.0.1:$port$path");
    my $pid = open(my $pipe, '-|', @command) // die "fork: $!\n";
    my ($status, $version) = split ' ', do { local $/; <$pipe> } // '';
    close $pipe;

    my ($first, $rest) = split /\r?\n\r?\n/, read_file($head), 2;
    my %r = (status => $status, version => $version,
             body => -e $out ? read_file($out) : '', curl => $? >> 8,
             headers => fields($first =~ s/.*\r?\n//r),
             trailers => fields($rest // ''), messages => []);

    for (my $left = $r{body}; length $left >= 5; ) {
        my ($flag, $len) = unpack 'CN', substr $left, 0, 5, '';
        push @{ $r{messages} }, [$flag, substr $left, 0, $len, ''];
    }

    return \%r;
}

sub fields {
    return { map { my ($k, $v) = /^([^:]+):\s*(.*?)\r?$/;
                   defined $k ? (lc $k => $v) : () } split /\n/, $_[0] };
}

# An error is headers only, HTTP status 200.
sub error_ok {
    my ($r, $code, $message, $name) = @_;

    is $r->{status}, 200, "$name: HTTP status";
    is $r->{headers}{'grpc-status'}, $code, "$name: grpc-status";
    like $r->{headers}{'grpc-message'} // '', $message, "$name: message";
    is $r->{body}, '', "$name: no body";
    is $r->{curl}, 0, "$name: curl has no complaint";
}

plan skip_all => 'there is no curl with HTTP/2'
    if !$CURL || `$CURL --version` !~ /HTTP2/;


# ---- what is in it ----------------------------------------------------------

my $recording = 'cortex-dev-01__kafka-0__cpu__0';
my $total = PyroJfr::cpu_total($recording);

is $t->push_jfr(PyroJfr::recording($recording), name => 'shop{zone=eu}',
                from => $FROM, until => $FROM + 10)->{status}, 200, 'a push';

my $values = PyroJfr::pb([1, ['service_name']], [3, $FROM * 1000],
                         [4, ($FROM + 600) * 1000]);
my $stacks = PyroJfr::pb([1, [$CPU]], [2, ['{}']], [3, $FROM * 1000],
                         [4, ($FROM + 600) * 1000]);


# ---- one call, in all shapes ------------------------------------------------

for my $type (qw(grpc grpc+proto grpc+json grpc-web grpc-web+proto
                 grpc-web+json)) {
    for my $http1 (0, 1) {
        for my $packed (0, 1) {
            my $name = "$type, HTTP/" . ($http1 ? '1.1' : '2')
                       . ($packed ? ', gzip' : '');
            my $message = $type =~ /json/
                          ? json({ name => 'service_name', @RANGE }) : $values;
            my $r = call("$SERVICE/LabelValues",
                         frame($packed ? gzip($message) : $message, $packed),
                         http1 => $http1,
                         headers => {
                             'Content-Type' => "application/$type",
                             $packed ? ('grpc-encoding' => 'gzip',
                                        'grpc-accept-encoding'
                                            => 'identity, gzip') : () });

            is "$r->{status} $r->{version}", $http1 ? '200 1.1' : '200 2',
               "$name: status";
            is $r->{headers}{'content-type'}, "application/$type",
               "$name: its type";
            is $r->{headers}{'grpc-encoding'}, $packed ? 'gzip' : undef,
               "$name: grpc-encoding";
            is $r->{headers}{'content-encoding'}, undef,
               "$name: no Content-Encoding";

            my ($flag, $bytes) = @{ $r->{messages}[0] // [-1, ''] };

            is $flag, $packed, "$name: the frame's flag";
            $bytes = gunzip($bytes) if $packed;

            is_deeply $type =~ /json/
                      ? JSON::PP->new->utf8->decode($bytes)->{names}
                      : PyroJfr::pb_fields($bytes)->{1}, ['shop'],
                      "$name: the values";

            if ($type =~ /web/) {
                is_deeply $r->{messages}[1], [0x80, "grpc-status: 0\r\n"],
                          "$name: the trailers are a frame";
                is scalar @{ $r->{messages} }, 2, "$name: and the last";
                next;
            }

            is $r->{trailers}{'grpc-status'}, 0, "$name: the trailer";
            is $r->{headers}{'grpc-status'}, undef, "$name: no header";
            is $r->{headers}{'content-length'}, undef, "$name: no length";
            is scalar @{ $r->{messages} }, 1, "$name: one message";
        }
    }
}

{
    my $r = call("$SERVICE/SelectMergeStacktraces", frame($stacks));
    my $graph = PyroJfr::pb_fields($r->{messages}[0][1])->{1}[0];

    is PyroJfr::pb_fields($graph)->{3}[0], $total, 'a flame graph: its total';
    is $r->{trailers}{'grpc-status'}, 0, 'and its trailer';

    $r = call('/version.v1.Version/Version', frame(''));
    is $r->{trailers}{'grpc-status'}, 0, 'a service beside';

    # what a probe asks; SERVING is 1
    for my $service ('', 'querier.v1.QuerierService') {
        $r = call('/grpc.health.v1.Health/Check',
                  frame(length $service ? PyroJfr::pb([1, [$service]]) : ''));
        is $r->{messages}[0][1] // '', "\x08\x01", "health of '$service'";
        is $r->{trailers}{'grpc-status'}, 0, 'and its trailer';
    }

    error_ok(call('/grpc.health.v1.Health/Check',
                  frame(PyroJfr::pb([1, ['push.v1.Other']]))), 5,
             qr/unknown service: "push\.v1\.Other"/, 'health of another');

    $r = call('/settings.v1.SettingsService/Delete',
              frame(PyroJfr::pb([1, ['none']])));
    is $r->{messages}[0][1] // '-', '', 'an empty message has a frame';
    is $r->{trailers}{'grpc-status'}, 0, 'and trailers';
}


# ---- errors -----------------------------------------------------------------

# Where the headers are enough the body is empty: curl takes the RST_STREAM
# with which nginx says that it wants no more of one for a failure.

for (
    ['no body',             '',                    12, qr/no gRPC message/],
    ['half a head',         "\0\0\0",              3,  qr/body of 3 bytes/],
    ['a flag',              "\x80\0\0\0\0",        3,  qr/flag 128/],
    ['a short message',     "\0\0\0\1\0abc",       3,  qr/256 bytes, 3 are/],
    ['a second message',    frame('') x 2,         12, qr/more than one/],
    ['no protobuf',         frame("\xff\xff"),     3,  qr/not a binary/],
    ['compressed, no header', frame(gzip($values), 1), 3,
     qr/no header grpc-encoding/],
    ['no gzip',             frame('no gzip', 1),   3,  qr/gzip/,
     { 'grpc-encoding' => 'gzip' }],
    ['a bomb',              frame(gzip(' ' x 5_000_000), 1), 8,
     qr/more than 4194304 bytes.*of a query/, { 'grpc-encoding' => 'gzip' }],
    ['another compression', '',                    12,
     qr/grpc-encoding: "snappy" is not supported, gzip is/,
     { 'grpc-encoding' => 'snappy' }],
    ['a timeout',           '',                    3,
     qr/grpc-timeout: "10 parsecs"/, { 'grpc-timeout' => '10 parsecs' }],
    ['no time at all',      frame($values),        4,  qr/deadline/,
     { 'grpc-timeout' => '0n' }],
) {
    my ($name, $body, $code, $message, $headers) = @$_;

    for my $http1 (0, 1) {
        error_ok(call("$SERVICE/LabelValues", $body, headers => $headers,
                      http1 => $http1), $code, $message,
                 "$name, HTTP/" . ($http1 ? '1.1' : '2'));
    }
}

error_ok(call("$SERVICE/SelectSeries", frame('')), 3, qr/./,
         'an empty request');
error_ok(call("$SERVICE/SelectMergeStacktraces",
              frame(PyroJfr::pb([1, [$CPU]], [2, ['{ä="']], [3, 1], [4, 2]))),
         3, qr/%C3%A4/, 'a selector, escaped');
error_ok(call("$SERVICE/Nothing", ''), 12, qr/unknown RPC/,
         'an unknown method');
error_ok(call('/other.v1.Service/Method', ''), 12, qr/unknown RPC/,
         'an unknown service');

# What nginx itself refuses.
for my $type (qw(grpc grpc-web+json)) {
    for my $http1 (0, 1) {
        my %headers = ('Content-Type' => "application/$type");
        my $http = 'HTTP/' . ($http1 ? '1.1' : '2');

        error_ok(call("$SERVICE/LabelValues", '', http1 => $http1,
                      headers => { %headers, 'X-Forbidden' => 1 }),
                 7, qr/configured to refuse/, "$type, 403, $http");
        error_ok(call("$SERVICE/LabelValues", 'x' x 70_000, http1 => $http1,
                      headers => \%headers),
                 8, qr/larger than client_max_body_size, 65536 bytes/,
                 "$type, 413, $http") if $http1;
    }
}

is call("$SERVICE/LabelValues", '',
        headers => { 'X-Forbidden' => 1,
                     'Content-Type' => 'application/json' })->{status}, 403,
   'who speaks Connect gets the HTTP status';

{
    my $r = call("$SERVICE/LabelValues", '',
                 headers => { 'Content-Type' => 'application/grpc-web-text' });

    is $r->{status}, 415, 'grpc-web-text is not there';
    like $r->{headers}{'accept-post'}, qr{application/grpc\+json},
         'what is there is named';

    $r = call("$SERVICE/LabelValues", '', method => 'GET');
    is $r->{status}, 405, 'GET';
    is $r->{headers}{allow}, 'POST', 'Allow';
}

# HTTP/1.1 goes on behind an error.
{
    my $sock = $t->connect;
    my %opt = (keepalive => 1, headers => {
        'Content-Type' => 'application/grpc' });
    my $bytes = $t->request_bytes('POST', "$SERVICE/LabelValues", %opt,
                                  body => frame("\xff"));

    $t->send_bytes($sock, $bytes x 2);

    for (1, 2) {
        my $r = $t->read_response($sock, method => 'POST');
        is $r->{headers}{'grpc-status'}, 3, "HTTP/1.1, kept alive: answer $_";
    }
}

# The YAML's first port speaks both where nginx can tell them apart.
SKIP: {
    skip 'this nginx has HTTP/2 on a port of its own', 4
        if PyroTest::old_http2();

    for my $http1 (0, 1) {
        my $r = call("$SERVICE/LabelValues", frame($values),
                     port => $t->port, http1 => $http1);

        is $r->{version}, $http1 ? '1.1' : '2', 'http_listen_port: version';
        is $r->{trailers}{'grpc-status'}, 0, 'its trailer';
    }
}

# HTTP status 200 or not, the metrics tell what went wrong.
{
    my $route = 'querier_v1_querierservice_labelvalues';

    cmp_ok $t->answered(route => $route, status_code => $_), '>', 0,
           "counted as $_"
        for qw(200 400 403 413 415 504);
}

is_deeply [grep { !/too large body/ } PyroJfr::errors($t)], [], 'no error';
is $t->stop, 0, 'a clean end';
$t->log_ok;

done_testing;
