#!/usr/bin/perl

# POST /ingest: what the agent sends, in every shape it sends it, and what of
# it is in the store afterwards.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use PyroJfr;
use PyroTest;
use PyroTest::Util;
use Test::More;

my $h2 = free_port();
my $old_http2 = PyroTest::old_http2();

# /pyroscope/ingest is the one whose bodies go to a file
my $t = PyroTest->new(workers => 2, server => <<"END")->start;
        listen 127.0.0.1:%PORT%;
        listen 127.0.0.1:$h2@{[$old_http2 ? ' http2' : '']};
        @{[$old_http2 ? '' : 'http2 on;']}

        location = /pyroscope/ingest {
            pyroscope push;
            client_body_buffer_size 1k;
            add_header X-File \$request_body_file;
        }

        client_body_buffer_size 1m;
END

my @pids = $t->worker_pids;
my $small = 'new_spancontext';
my $total = PyroJfr::cpu_total($small);
my $time = PyroJfr::FROM;

sub stored_ok {
    my ($r, $what) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    is_deeply [@$r{qw(status raw)}], [200, ''], "$what: 200, an empty body"
        or diag $r->{body};
}

# A push of the small recording under a name of its own gives its total.
sub pushed {
    my ($what, %opt) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    my $name = ($opt{service} // $what) =~ s/[^\w.\/-]+/-/gr;
    my $r = $t->push_jfr(PyroJfr::recording($small), name => $name,
                         from => $time, until => $time + 10, %opt);

    stored_ok($r, $what);
    is PyroJfr::total($t, name => $name), $total, "$what: the total";

    return $r;
}

sub raw {
    my ($what, $body, %headers) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    my $name = $what =~ s/[^\w]+/-/gr;
    my $r = $t->post($t->ingest_path(name => $name, from => $time), $body,
                     %headers);

    stored_ok($r, $what);
    is PyroJfr::total($t, name => $name), $total, "$what: the total";
}


# ---- requests as they are on the wire ---------------------------------------

my %range = (start => 1744271337000, end => 1744271337000);

stored_ok(PyroJfr::send_http($t, 'agent-default-chunked'), 'agent, defaults');

my $name = 'ride.sharing/app';

is PyroJfr::total($t, name => $name, %range), $total, 'its total';

my %label = map { split /=/, $_, 2 } map { split /,(?=[\w.]+=)/ }
            (PyroJfr::label_sets($t, [qq({service_name="$name"})],
             'env', 'region', 'service_name', 'pyroscope_spy', 'jfr_event',
             '__profile_type__', '__name__', '__period_type__'))[0];

is_deeply \%label, {
    env => 'prod', region => 'eu', service_name => $name,
    pyroscope_spy => 'javaspy', jfr_event => 'ctimer',
    __profile_type__ => PyroJfr::CPU, __name__ => 'process_cpu',
    __period_type__ => 'cpu',
}, 'its labels';

is_deeply [PyroJfr::label_values($t, 'process.runtime.version')],
          ['17.0.15+6-Debian-1deb12u1'], 'a label with dots and a plus';
is_deeply [PyroJfr::label_values($t, 'process.runtime.name')],
          ['OpenJDK Runtime Environment'], 'a label with spaces';
is_deeply [PyroJfr::label_values($t, 'otel.scope.name')],
          ['com.grafana.pyroscope/java'], 'a label with a slash';

sub as { my ($name) = @_; sub { s/name=app\b/name=$name/ } }

stored_ok(PyroJfr::send_http($t, 'agent-nocompress-contentlength',
                             sed => as('plain')), 'agent, no compression');
is PyroJfr::total($t, name => 'plain', %range), $total, 'its total';

stored_ok(PyroJfr::send_http($t, 'agent-ctimer-nolabels-chunked',
                             sed => as('ctimer')), 'agent, ctimer, no labels');
is PyroJfr::total($t, name => 'ctimer', %range), $total, 'its total';

stored_ok(PyroJfr::send_http($t, 'curl-raw-jfr', sed => as('curl')),
          'curl, the bare recording, no times');
is PyroJfr::total($t, name => 'curl', start => (time - 600) * 1000,
                  end => (time + 600) * 1000), $total, 'its total, now';

{
    my $r = PyroJfr::send_http($t, 'corrupt-magic-chunked',
                               sed => as('corrupt'));

    is $r->{status}, 422, 'a wrong first byte: 422';
    is PyroJfr::total($t, name => 'corrupt'), 0, 'nothing stored';
}

# two requests on one connection
{
    my $sock = $t->connect;

    for my $n (1, 2) {
        local $_ = PyroJfr::http_request('agent-default-chunked');
        s/name=ride/name=alive$n/;
        $t->send_bytes($sock, $_);
        stored_ok(scalar $t->read_response($sock), "keepalive, request $n");
    }

    # both at once
    my $two = join '', map { PyroJfr::http_request(
        'agent-nocompress-contentlength') =~ s/name=app/name=pipe$_/r } 1, 2;

    $t->send_bytes($sock, $two);
    stored_ok(scalar $t->read_response($sock), 'pipelined, first');
    stored_ok(scalar $t->read_response($sock), 'pipelined, second');
    is PyroJfr::total($t, name => "pipe$_"), $total, "pipelined, total $_"
        for 1, 2;
}

# byte by byte at the places that matter: the head and the first part's
{
    my $bytes = PyroJfr::http_request('agent-default-chunked')
                =~ s/name=ride/name=slow/r;
    my $sock = $t->connect;

    syswrite $sock, substr $bytes, $_, 1 for 0 .. 1299;
    $t->send_bytes($sock, substr $bytes, 1300);
    stored_ok(scalar $t->read_response($sock), 'in small pieces');
    is PyroJfr::total($t, name => 'slow.sharing/app'), $total, 'its total';
}


# ---- bodies -----------------------------------------------------------------

my $bytes = PyroJfr::bytes($small);
my $labels = PyroJfr::labels($small);

pushed('chunked');
pushed('chunks of 100 bytes', chunked => 100);
pushed('content-length', chunked => 0);
pushed('plain parts', gzip => 0);
pushed('with dynamic labels', labels => $labels);
pushed('the alias, in a file', path => '/pyroscope/ingest');
pushed('in a file, content-length', path => '/pyroscope/ingest',
       chunked => 0);
pushed('in a file, plain, labels', path => '/pyroscope/ingest', gzip => 0,
       labels => $labels);

like $t->push_jfr(\$bytes, name => 'file', from => $time,
                  path => '/pyroscope/ingest')->{headers}{'x-file'} // '',
     qr{/body/}, 'it was a file';

raw('raw', $bytes, 'Content-Type' => 'application/octet-stream');
raw('raw without a type', $bytes);
raw('raw gzip', gzip($bytes));
raw('raw, Content-Encoding', gzip($bytes),
    'Content-Encoding' => 'gzip');
raw('raw, identity', $bytes, 'Content-Encoding' => 'identity');
raw('multipart in Content-Encoding',
    gzip($t->multipart([[jfr => $bytes]], gzip => 0)),
    'Content-Encoding' => 'gzip',
    'Content-Type' => $t->multipart_type);
raw('other parts too', $t->multipart([[x => 'y'], [jfr => $bytes],
                                            [z => '']]),
    'Content-Type' => $t->multipart_type);
raw('the first of two', $t->multipart([[jfr => $bytes],
                                             [jfr => 'garbage']]),
    'Content-Type' => $t->multipart_type);
raw('boundary in quotes', $t->multipart([[jfr => $bytes]]),
    'Content-Type' => $t->multipart_type
                      =~ s/boundary=(.*)/Boundary="$1"/r);
raw('several gzip members', join '', map { gzip($_) }
                            unpack '(a10000)*', $bytes);

{
    my $r = $t->push_jfr(\$bytes, name => 'expect', from => $time,
                         headers => { Expect => '100-continue' });
    stored_ok($r, 'Expect: 100-continue');
}


# ---- HTTP/2 -----------------------------------------------------------------

SKIP: {
    my $curl = which('curl');

    skip 'there is no curl with HTTP/2', 5
        if !$curl || `$curl --version` !~ /HTTP2/;

    my $file = $t->dir . '/h2';

    write_file($file, $t->multipart([[jfr => $bytes]]));

    for my $path ('/ingest', '/pyroscope/ingest') {
        my $target = $t->ingest_path(name => "h2$path", from => $time,
                                     path => $path);
        my $type = $t->multipart_type;
        my $answer = `$curl -sS --http2-prior-knowledge -X POST \\
            --data-binary \@$file -H 'Content-Type: $type' \\
            -w '%{http_code} %{http_version} %{size_download}' \\
            'http://127.0.0.1:$h2$target' 2>&1`;

        is $answer, '200 2 0', "HTTP/2, $path";
        is PyroJfr::total($t, name => "h2$path"), $total, 'its total';
    }

    my $answer = `$curl -sS --http2-prior-knowledge -w '%{http_code}' \\
        -H 'Content-Type: application/json' --data '{"name":"service_name"}' \\
        http://127.0.0.1:$h2/querier.v1.QuerierService/LabelValues`;

    like $answer, qr/"h2\/ingest".*200$/s, 'HTTP/2, a query';
}


# ---- the same again, and something else at the same time --------------------

{
    my $before = $t->metric('ngx_pyroscope_pushes_total',
                            result => 'repeated');

    pushed('repeat') for 1 .. 3;

    # all at once, on whichever worker
    my @waiting = map {
        PyroJfr::prepare($t, 'POST', $t->ingest_path(
            name => 'at-once', from => $time), body => $bytes)
    } 1 .. 12;

    PyroJfr::finish(@waiting);
    is_deeply [map { $_ ? $_->{status} : 'none' }
               PyroJfr::answers($t, @waiting)], [(200) x 12],
              'twelve times at once';
    is PyroJfr::total($t, name => 'at-once'), $total, 'stored once';
    is $t->metric('ngx_pyroscope_pushes_total', result => 'repeated')
       - $before, 2 + 11, 'and counted as repeated';
}

{
    my @two = ('cortex-dev-01__kafka-0__cpu__0',
               'cortex-dev-01__kafka-0__cpu__3');
    my $sum = 0;

    for my $recording (@two, @two) {
        stored_ok(scalar $t->push_jfr(PyroJfr::recording($recording),
                  name => 'two', from => $time, until => $time + 10),
                  "same labels, same second: $recording");
    }

    $sum += PyroJfr::cpu_total($_) for @two;

    is PyroJfr::total($t, name => 'two'), $sum, 'both count, each once';
    is_deeply PyroJfr::series_sums($t, name => 'two'), { '' => $sum },
              'and in the series';
}


# ---- times ------------------------------------------------------------------

for my $case (
    ['seconds',      $time,            $time + 10],
    ['milliseconds', "${time}000",     ($time + 10) . '000'],
    ['microseconds', "${time}000000",  ($time + 10) . '000000'],
    ['nanoseconds',  "${time}000000000", ($time + 10) . '000000000'],
    ['until before from', $time,       $time - 10],
    ['until is from',     $time,       $time],
    ['no until',          $time,       undef],
) {
    my ($what, $from, $until) = @$case;
    my $service = $what =~ s/ /-/gr;

    pushed($what, from => $from, until => $until);
    is PyroJfr::total($t, name => $service, start => $time * 1000,
                      end => $time * 1000), $total, "$what: at that time";
    is PyroJfr::total($t, name => $service, start => $time * 1000 + 1), 0,
       "$what: not later";
}

{
    pushed('parts of a second', from => "${time}123456789");
    is PyroJfr::total($t, name => 'parts-of-a-second',
                      start => $time * 1000 + 123,
                      end => $time * 1000 + 124), $total, 'within its ms';
    is PyroJfr::total($t, name => 'parts-of-a-second',
                      end => $time * 1000 + 123), 0, 'not before its ns';
}

pushed('no from', from => undef, until => undef);
pushed('an hour ago', from => 'now-1h', until => 'now');
is PyroJfr::total($t, name => 'an-hour-ago', start => (time - 4000) * 1000,
                  end => (time - 3200) * 1000), $total, 'an hour ago it is';


# ---- other parameters -------------------------------------------------------

pushed('sampleRate absent', rate => undef);
pushed('sampleRate 0', rate => 0);
pushed('sampleRate garbage', rate => 'fast');
pushed('sampleRate negative', rate => -5);
pushed('sampleRate empty', rate => '');
pushed('unknown parameters', query => '&colour=blue&=&&x');

for my $case (
    ['some.app-1/x_y', 'some.app-1/x_y', ''],
    ['braces{a=b c,d=1+2,e=f=g}', 'braces', 'a=b c,d=1+2,e=f=g'],
    ['trailing{a=1,}', 'trailing', 'a=1'],
    ['empty{}', 'empty', ''],
    ['last{a=1,a=2}', 'last', 'a=2'],
    ["utf{a=\xc3\xa9\xe2\x82\xac}", 'utf', "a=\x{e9}\x{20ac}"],
    ['own{service_name=real,a=1}', 'real', 'a=1,app_name=own'],
    ['session{__session_id__=7,a=1}', 'session', 'a=1'],
) {
    my ($text, $service, $labels) = @$case;

    pushed($text, name => $text, service => $service);
    is_deeply [PyroJfr::label_sets($t, [qq({service_name="$service"})],
               qw(a d e app_name __session_id__))], [$labels],
              "$text: the labels";
}

# as a client writes it that does not escape them, and "+" for a space
{
    my $r = $t->post('/ingest?name=bare{k=v+w,m="q"}&format=jfr'
                     . "&from=$time", $bytes);

    stored_ok($r, 'braces as they are');
    is_deeply [PyroJfr::label_sets($t, ['{service_name="bare"}'], qw(k m))],
              ['k=v w,m="q"'], 'their labels';
}

{
    stored_ok(scalar $t->post("/ingest?name=nospy&format=jfr&from=$time",
                              $bytes), 'no spyName');
    is_deeply [PyroJfr::label_values($t, 'pyroscope_spy',
               '{service_name="nospy"}')], ['unknown'], 'is unknown';
}


# ---- dynamic labels ---------------------------------------------------------

for my $recording (qw(dump1 new_spancontext ap45-itimer-alloc-lock-live)) {
    my $file = PyroJfr::recording($recording)
               =~ s/recording\.jfr/cpu.samples.tsv/r;
    my (%expected, %keys);

    for (split /\n/, gunzip(read_file($file))) {
        my ($labels, $stack, $value) = split /\t/;

        $keys{$1}++ while $labels =~ /([^=,]+)=/g;
        $expected{$labels} += $value;
    }

    # these two stay with the samples: they are no labels of a series
    delete @keys{qw(profile_id trace_id)};

    my @keys = sort keys %keys;

    cmp_ok scalar @keys, '>', 0, "$recording: it has dynamic labels: @keys";

    my %sums;

    while (my ($labels, $value) = each %expected) {
        my %l = map { split /=/, $_, 2 } split /,(?=\w+=)/, $labels;
        $sums{join ',', map { $l{$_} // '' } @keys} += $value;
    }

    stored_ok(scalar $t->push_jfr(PyroJfr::recording($recording),
              labels => PyroJfr::labels($recording), name => "d-$recording",
              from => $time, until => $time + 10), $recording);
    is_deeply PyroJfr::series_sums($t, name => "d-$recording",
              group_by => \@keys), \%sums, "$recording: sums by them";
}


# ---- the end ----------------------------------------------------------------

is_deeply [$t->worker_pids], \@pids, 'the workers of the beginning';
is_deeply [PyroJfr::errors($t)], [], 'no error';
is $t->stop, 0, 'a clean end';
$t->log_ok;

done_testing;
