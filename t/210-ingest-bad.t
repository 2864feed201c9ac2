#!/usr/bin/perl

# Every kind of bad request: a 4xx that names what is wrong, the store as it
# was, the workers alive, the reason counted.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use PyroJfr;
use PyroTest;
use PyroTest::Util;
use Test::More;

my $MIB = 1024 * 1024;

my $t = PyroTest->new(workers => 2, more_yaml => <<'END')->start;
limits:
  max_profile_size_bytes: 8MiB
END

my @pids = $t->worker_pids;
my $bytes = PyroJfr::bytes('new_spancontext');
my $snapshot = PyroJfr::bytes('new_spancontext')
               && gunzip(read_file(PyroJfr::labels('new_spancontext')));
my $packed = gzip($bytes);
my %counted;

# A push that is refused; options of push_jfr(), or path, body and type.
sub refused {
    my ($what, $status, $reason, $message, %opt) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    $counted{$reason}++ if $reason;

    my $path = $opt{target} // $t->ingest_path(
        name => 'bad', from => PyroJfr::FROM, %opt);
    my $r = $t->request('POST', $path, body => $opt{body} // $bytes,
                        chunked => $opt{chunked},
                        headers => { 'Content-Type' => $opt{type}
                                     // 'application/octet-stream',
                                     %{ $opt{headers} // {} } });

    is $r->{status}, $status, "$what: $status" or diag $r->{body};
    is $r->{headers}{'content-type'}, 'application/json', "$what: JSON";

    my $code = $status == 400 ? 'invalid_argument' : 'resource_exhausted';

    is $r->{json}{code}, $code, "$what: its code";
    like $r->{json}{message} // '', $message, "$what: its message";
}

# The parts of a multipart body as they are.
sub parts {
    my (@parts) = @_;
    return (type => $t->multipart_type,
            body => $t->multipart(\@parts, gzip => 0));
}


# ---- parameters -------------------------------------------------------------

for my $format (qw(pprof folded tree trie lines groups speedscope JFR),
                '', "\x01\xff") {
    refused("format \"@{[uri_escape($format)]}\"", 400, 'unsupported_format',
            qr/format.*jfr/, format => $format);
}

refused('no format', 400, 'unsupported_format', qr/format.*jfr/,
        target => '/ingest?name=bad');
refused('no query', 400, 'unsupported_format', qr/format.*jfr/,
        target => '/ingest');
refused('a bad escape', 400, 'unsupported_format', qr/format/,
        target => '/ingest?name=bad&format=%zz');

for (
    ['no name',           undef,            qr/^name: .*required/],
    ['an empty name',     '',               qr/^name: .*required/],
    ['only braces',       '{a=b}',          qr/^name: /],
    ['a space in it',     'a b',            qr/^name: .*' '/],
    ['a character',       'a!b',            qr/^name: .*'!'/],
    ['a comma',           'a,b',            qr/^name: .*','/],
    ['a label\'s name',   'a{b-c=d}',       qr/^name: .*b-c.*'-'/],
    ['no label\'s name',  'a{=b}',          qr/^name: .*label/],
    ['two commas',        'a{b=c,,d=e}',    qr/^name: .*','/],
    ['a zero byte',       "a\0b",           qr/^name: /],
    ['not UTF-8',         "a\xff",          qr/^name: /],
) {
    my ($what, $name, $message) = @$_;

    refused("name: $what", 400, 'invalid_request', $message, name => $name);
}


# ---- labels -----------------------------------------------------------------

refused('a label\'s value of 2049 bytes', 422, 'label_value_too_long',
        qr/long.*2049.*2048/, name => 'bad{long=' . 'v' x 2049 . '}');
refused('a huge value', 422, 'label_value_too_long',
        qr/20000.*2048/, name => 'bad{a=' . 'v' x 20000 . '}');
refused('a label\'s name of 1025 bytes', 422, 'label_name_too_long',
        qr/1025.*1024/, name => 'bad{' . 'n' x 1025 . '=v}');
refused('too many labels', 422, 'max_label_names_per_series',
        qr/64/, name => 'bad{' . join(',', map { "l$_=1" } 1 .. 70) . '}');
refused('a value that is not UTF-8', 422, 'invalid_labels',
        qr/UTF-8/, name => "bad{k=\xff\xfe}");
refused('a cut UTF-8 sequence', 422, 'invalid_labels',
        qr/UTF-8/, name => "bad{k=\xe2\x82}");


# ---- recordings -------------------------------------------------------------

my $broken = 'malformed_profile';

refused('no body', 422, $broken, qr/./, body => '');
refused('one byte', 422, $broken, qr/./, body => 'F');
refused('the magic alone', 422, $broken, qr/./, body => "FLR\0");
refused('garbage', 422, $broken, qr/./, body => 'x' x 5000);
refused('random bytes', 422, $broken, qr/./, body =>
        join '', map { chr(($_ * 7919 ^ $_ >> 3) & 255) } 1 .. 100_000);
refused('a header without a chunk', 422, $broken, qr/./,
        body => substr $bytes, 0, 68);
refused('garbage in gzip', 422, $broken, qr/./, body => gzip('x' x 5000));
refused('gzip in gzip', 422, $broken, qr/./, body => gzip($packed));
refused('a zip', 422, $broken, qr/./, body => "PK\3\4" . 'x' x 1000);
refused('garbage in a part', 422, $broken, qr/./,
        parts([jfr => 'x' x 5000]));


# ---- gzip -------------------------------------------------------------------

my $length = length $packed;

for my $cut (2, 3, 9, 10, 11, 20, int $length / 2, $length - 9, $length - 8,
             $length - 4, $length - 1) {
    my $part = substr $packed, 0, $cut;

    refused("gzip cut at $cut of $length", 422, $broken, qr/gzip|jfr/i,
            parts([jfr => $part]));
    refused("the same, raw", 422, $broken, qr/gzip/i, body => $part);
}

sub flipped {
    my ($at) = @_;
    my $copy = $packed;
    substr($copy, $at, 1) ^= "\x10";
    return $copy;
}

refused('a wrong CRC', 422, $broken, qr/gzip/i, body => flipped(-6));
refused('a wrong length', 422, $broken, qr/gzip/i, body => flipped(-2));
refused('a wrong byte', 422, $broken, qr/gzip/i,
        body => flipped(int $length / 2));
refused('a wrong method', 422, $broken, qr/gzip/i, body => flipped(2));
refused('a wrong CRC in a part', 422, $broken, qr/gzip/i,
        parts([jfr => flipped(-6)]));
refused('a cut gzip of the labels', 422, $broken, qr/gzip/i,
        parts([jfr => $packed], [labels => substr gzip($snapshot), 0, 30]));
refused('a cut Content-Encoding', 422, $broken, qr/gzip/i,
        headers => { 'Content-Encoding' => 'gzip' },
        body => substr $packed, 0, 1000);
refused('Content-Encoding without gzip', 422, $broken, qr/gzip/i,
        headers => { 'Content-Encoding' => 'gzip' });
refused('an unknown Content-Encoding', 400, 'invalid_request',
        qr/Content-Encoding.*br.*gzip/,
        headers => { 'Content-Encoding' => 'br' });


# ---- multipart --------------------------------------------------------------

refused('no part jfr', 422, $broken, qr/jfr/, parts([labels => $snapshot]));
refused('an empty part jfr', 422, $broken, qr/jfr/, parts([jfr => '']));
refused('no boundary', 422, $broken, qr/boundary/,
        type => 'multipart/form-data', body => 'x');
refused('an empty boundary', 422, $broken, qr/boundary/,
        type => 'multipart/form-data; boundary=', body => 'x');
refused('a long boundary', 422, $broken, qr/boundary/,
        type => 'multipart/form-data; boundary=' . 'b' x 71, body => 'x');
refused('no delimiter', 422, $broken, qr/./, parts(), body => 'x' x 1000);
refused('an empty body', 422, $broken, qr/./, parts(), body => '');
refused('only the last delimiter', 422, $broken, qr/jfr/, parts());

{
    my %whole = parts([jfr => $bytes]);

    for my $cut (10, 60, 150, 20_000, length($whole{body}) - 44) {
        refused("a body cut at $cut", 422, $broken, qr/./, %whole,
                body => substr $whole{body}, 0, $cut);
    }

    refused('a part without an empty line', 422, $broken, qr/./, %whole,
            body => $whole{body} =~ s/\r\n\r\n/\r\n/r);
    refused('a header line of 10 KB', 422, $broken, qr/./, %whole,
            body => $whole{body} =~ s/\r\n\r\n/"\r\nX: " . 'y' x 10_000
                                               . "\r\n\r\n"/er);
}

refused('1000 parts', 422, $broken, qr/64/,
        parts(map { [x => ''] } 1 .. 1000));

for my $case (['garbage', "\xff" x 20], ['cut', substr $snapshot, 0, -3],
              ['a length beyond', "\x0a\x7f"],
              ['a huge length', "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f"],
              ['text', 'labels']) {
    refused("labels: $case->[0]", 422, $broken, qr/labels/,
            parts([jfr => $packed], [labels => $case->[1]]));
}


# ---- sizes ------------------------------------------------------------------

{
    my @peak = map { PyroJfr::proc_status($_, 'VmHWM') } @pids;
    my $bomb = gzip("\0" x $MIB) x 512;
    my $deep = gzip("\0" x (64 * $MIB));

    for my $case ([members => $bomb], ['one member' => $deep]) {
        my ($what, $body) = @$case;

        refused("a bomb, $what", 413, 'profile_size_limit',
                qr/8388608.*max_profile_size_bytes/, body => $body);
        refused("a bomb in a part, $what", 413, 'profile_size_limit',
                qr/max_profile_size_bytes/, parts([jfr => $body]));
        refused("a bomb in the labels, $what", 413, 'profile_size_limit',
                qr/max_profile_size_bytes/,
                parts([jfr => $packed], [labels => $body]));
        refused("a bomb in Content-Encoding, $what", 413,
                'profile_size_limit', qr/max_profile_size_bytes/,
                headers => { 'Content-Encoding' => 'gzip' }, body => $body);
    }

  SKIP: {
        skip 'memory under a sanitizer', 1 if PyroJfr::under_sanitizer();

        my @grown = map { PyroJfr::proc_status($pids[$_], 'VmHWM')
                          - $peak[$_] } 0 .. $#pids;

        is_deeply [grep { $_ > 64 * 1024 } @grown], [],
                  'no worker grew by 64 MiB';
    }
}

refused('a recording of 9 MB', 413, 'profile_size_limit',
        qr/max_profile_size_bytes/, body => 'x' x 9_000_000);

# 100 MB: nginx's own limit, with and without a length
for my $chunked (0, 1) {
    refused('100 MB' . ($chunked ? ', chunked' : ''), 413,
            'body_size_limit_exceeded',
            qr/client_max_body_size, 67108864 bytes/, chunked => $chunked,
            body => "\0" x 100_000_000);
}

for my $case (['/ingest', 'a long name'], ['/nowhere', 'a long path'],
              ['/querier.v1.QuerierService/Series', 'a long RPC']) {
    my $r = $t->get("$case->[0]?name=" . 'x' x 40_000);

    is $r->{status}, 414, "$case->[1]: 414";
    is $r->{json}{code}, 'resource_exhausted', "$case->[1]: its code";
    like $r->{json}{message}, qr/large_client_header_buffers/,
         "$case->[1]: its message";
}


# ---- methods, paths, types --------------------------------------------------

my $service = '/querier.v1.QuerierService';

for my $path ('/ingest', '/pyroscope/ingest') {
    for my $method (qw(GET HEAD PUT DELETE OPTIONS PATCH BREW)) {
        my $r = $t->request($method, "$path?name=bad&format=jfr");

        is $r->{status}, 405, "$method $path: 405";
        is $r->{headers}{allow}, 'POST', "$method $path: Allow";
        like $r->{json}{message}, qr/POST/, "$method $path: its message"
            if $method ne 'HEAD';
    }
}

for my $method (qw(GET HEAD PUT DELETE)) {
    my $r = $t->request($method, "$service/LabelNames");

    is $r->{status}, 405, "$method on an RPC: 405";
    is $r->{headers}{allow}, 'POST', "$method on an RPC: Allow";
    is $r->{raw}, '', "$method on an RPC: an empty body";
}

for my $path (qw(/ready /healthz /metrics /api/v1/status/buildinfo)) {
    for my $method (qw(POST PUT DELETE)) {
        my $r = $t->request($method, $path, body => 'x' x 100_000);

        is $r->{status}, 405, "$method $path: 405";
        is $r->{headers}{allow}, 'GET, HEAD', "$method $path: Allow";
        like $r->{json}{message}, qr/GET/, "$method $path: its message";
    }
}

for my $path (qw(/ /nowhere /ingest/ /ingest/x /Ingest /ready/ /metrics2
                 /pyroscope /rendered), '/%00', '/..%2fx', "/\xff") {
    for my $method (qw(GET POST)) {
        my $r = $t->request($method, $path,
                            $method eq 'POST' ? (body => $bytes) : ());

        # a zero byte and a way out of the root are refused by nginx
        my $status = $path eq '/%00' || $path eq '/..%2fx' ? 400 : 404;
        my $name = "$method " . uri_escape($path);

        is $r->{status}, $status, "$name: $status";
        is $r->{headers}{'content-type'}, 'application/json', "$name: JSON";
        is $r->{json}{code}, $status == 404 ? 'unimplemented'
                                            : 'invalid_argument',
           "$name: its code";
    }
}

for my $path ("$service/Nothing", "$service/selectseries", "$service/",
              '/settings.v1.RecordingRulesService/ListRecordingRules',
              '/push.v1.PusherService/Push') {
    for my $type (qw(application/json application/proto)) {
        my $r = $t->post($path, '{}', 'Content-Type' => $type);

        is $r->{status}, 404, "POST $path, $type: 404";
        is $r->{json}{code}, 'unimplemented', "$path: its code";
    }
}

for my $type (undef, '', 'text/plain', 'application/x-protobuf',
              'application/grpc+thrift', 'application/grpc-web-text',
              'application/connect+json',
              'application/jsonx', 'multipart/form-data; boundary=x') {
    my $r = $t->request('POST', "$service/LabelNames", body => '{}',
                        headers => { 'Content-Type' => $type });
    my $name = 'type ' . ($type // 'absent');

    is $r->{status}, 415, "$name: 415";
    like $r->{headers}{'accept-post'} // '',
         qr{application/proto.*application/json}, "$name: Accept-Post";
    is $r->{raw}, '', "$name: an empty body";
}

# requests that nginx itself refuses
for my $case (["GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400],
              ["GET / HTTP/1.1\r\n\r\n", 400],
              ["POST /ingest HTTP/1.1\r\nHost: a\r\n"
               . "Content-Length: x\r\n\r\n", 400],
              ["POST /ingest?format=jfr&name=x HTTP/1.1\r\nHost: a\r\n"
               . "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400],
              ["GET /nowhere HTTP/1.1\r\nHost: a\r\nX: "
               . 'y' x 40_000 . "\r\n\r\n", 400]) {
    my ($request, $status) = @$case;
    my $sock = $t->connect;

    $t->send_bytes($sock, $request);

    my $r = $t->read_response($sock);
    my $name = substr($request, 0, 60) =~ s/[\r\n]+/ /gr;

    is $r->{status}, $status, "$name: $status";
    is $r->{json}{code}, 'invalid_argument', "$name: JSON";
}


# ---- the end ----------------------------------------------------------------

is $t->rpc('Series', {})->{raw}, '{}', 'nothing was stored';
is_deeply [$t->worker_pids], \@pids, 'the workers of the beginning';

for my $reason (sort keys %counted) {
    is $t->metric('pyroscope_discarded_samples_total', reason => $reason),
       $counted{$reason}, "counted: $reason";
}

{
    my $sum = 0;

    $sum += $_ for values %counted;
    is $t->metric('ngx_pyroscope_pushes_total', result => 'refused'), $sum,
       'counted: refused';
    is $t->metric('ngx_pyroscope_pushes_total', result => 'stored'), 0,
       'counted: none stored';
    is $t->answered(route => 'ingest', status_code => 413),
       $counted{profile_size_limit} + $counted{body_size_limit_exceeded},
       'counted: 413';
}

is $t->push_jfr(\$bytes, name => 'good')->{status}, 200, 'a good one';
is PyroJfr::total($t), PyroJfr::cpu_total('new_spancontext'),
   'is all there is';
is_deeply [PyroJfr::errors($t, qr/client sent invalid chunked body/,
          qr/client intended to send too large/)], [], 'no error';
is $t->stop, 0, 'a clean end';
$t->log_ok;

done_testing;
