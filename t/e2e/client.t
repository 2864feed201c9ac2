#!/usr/bin/perl

# Pyroscope's own generated client asks for everything that it knows to ask
# for, in Connect with protobuf, Connect with JSON and gRPC; and Go's pprof
# opens what SelectMergeProfile gives.  Each check of t/e2e/client is a test.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/../lib";

use JSON::PP ();
use PyroJfr;
use PyroTest;
use PyroTest::Util;
use Test::More;

my $ROOT = PyroTest::root();
my $GO = "$ROOT/t/lib/go";
my $PROGRAM = "$ROOT/build/e2e/client";
my $SOURCE = "$ROOT/t/e2e/client";

# everything that a command says, and its status
sub run {
    my ($dir, @command) = @_;

    my $pid = open(my $out, '-|') // die "fork: $!\n";

    if ($pid == 0) {
        open STDERR, '>&', \*STDOUT;
        open STDIN, '<', '/dev/null';
        chdir $dir or die "$dir: $!\n";
        exec { $command[0] } @command or die "$command[0]: $!\n";
    }

    my $text = do { local $/; <$out> } // '';
    close $out;

    return ($? >> 8 || $? & 127, $text);
}


# ---- the program ------------------------------------------------------------

for (['builds', 'build', '-o', $PROGRAM, '.'], ['its own tests', 'test', '.']) {
    my ($what, @arguments) = @$_;
    my ($status, $said) = run($SOURCE, $GO, @arguments);

    if (!is $status, 0, "the client: $what") {
        diag $said;
        done_testing;
        exit 1;
    }
}


# ---- a server ---------------------------------------------------------------

# One that listens for HTTP/2 without TLS takes no HTTP/1.1 before nginx
# 1.25.1, so gRPC has a port of its own.
my $grpc = free_port();
my $t = PyroTest->new(workers => 2, server => <<"EOF")->start;
        listen 127.0.0.1:%PORT%;
        listen 127.0.0.1:$grpc http2;
EOF


# ---- what is in it ----------------------------------------------------------

my $FROM = PyroJfr::FROM;
my $LATER = $FROM + 7200;
my $CPU = PyroJfr::CPU;
my $BYTES = 'memory:alloc_in_new_tlab_bytes:bytes:space:bytes';

my $kafka = 'cortex-dev-01__kafka-0__';
my %eu = (service_name => 'shop', env => 'prod', zone => 'eu');
my %us = (%eu, zone => 'us');
my %till = (service_name => 'till', env => 'dev', 'otel.scope.name' => 'x');
my (@pushes, $bytes);

for (
    ["${kafka}cpu_lock_alloc__0", $FROM,       %eu],
    ["${kafka}cpu_lock_alloc__1", $FROM + 10,  %eu],
    ["${kafka}cpu__0",            $FROM + 20,  %us],
    ['new_spancontext',           $FROM + 40,  service_name => 'cart'],
    ["${kafka}cpu_lock_alloc__1", $LATER,      %eu],
    ["${kafka}cpu__3",            $LATER + 10, %till],
    ['ap45-inflight',             $LATER + 20, service_name => 'span'],
) {
    my ($recording, $at, %labels) = @$_;
    my $service = $labels{service_name};
    my $name = $service . '{' . join(',', map { "$_=$labels{$_}" }
               grep { $_ ne 'service_name' } sort keys %labels) . '}';
    my $r = $t->push_jfr(PyroJfr::recording($recording), name => $name,
                         from => $at, until => $at + 10,
                         labels => PyroJfr::labels($recording));

    is $r->{status}, 200, "$recording as $name";
    push @pushes, { At => $at * 1000, Labels => \%labels,
                    Total => PyroJfr::cpu_total($recording) };
    $bytes += PyroJfr::totals($recording)->{$BYTES} // 0;
}

# { id => total } of a label, of the CPU samples of a recording; those of them
# that are most
sub ids {
    my ($recording, $label, $selector) = @_;

    my $file = PyroTest::root()
               . "/t/data/jfr/$recording/cpu.samples.tsv.gz";
    my %totals;

    for (split /\n/, gunzip(read_file($file))) {
        my ($labels, undef, $value) = split /\t/;
        $totals{$1} += $value if $labels =~ /\b\Q$label\E=(\w+)/;
    }

    my @ids = sort { $totals{$b} <=> $totals{$a} || $a cmp $b } keys %totals;

    return [map { { ID => $_, Selector => $selector,
                    Total => $totals{$_} } } splice @ids, 0, 4];
}

my $spans = ids('new_spancontext', 'profile_id', '{service_name="cart"}');
my $traces = ids('ap45-inflight', 'trace_id', '{service_name="span"}');

cmp_ok scalar @$spans, '>', 1, 'there are spans';
cmp_ok scalar @$traces, '>', 0, 'there are traces';

my $end = ($LATER + 600) * 1000;
my $expect = $t->dir . '/expect.json';

write_file($expect, JSON::PP->new->utf8->canonical->pretty->encode({
    Type => $CPU, Other => $BYTES, OtherTotal => $bytes, Pushes => \@pushes,
    Spans => $spans, Traces => $traces,
    Windows => [{ Start => $FROM * 1000, End => ($FROM + 600) * 1000 },
                { Start => $LATER * 1000, End => $end }],
}));


# ---- the checks -------------------------------------------------------------

my ($status, $said) = run($t->dir, $PROGRAM, -expect => $expect,
                          -url => $t->url,
                          '-grpc-url' => "http://127.0.0.1:$grpc");
my ($failed, %count);

for (split /\n/, $said) {
    if (/^(not )?ok - ((\S+) .*)/) {
        $failed = $1;
        $count{$3}++;
        ok !$failed, $2;
    } elsif ($_ ne 'end') {
        diag $_ =~ s/^# //r;
    }
}

is $status, 0, 'the client ends';
like $said, qr/^end\n\z/m, 'it came to its end';
is_deeply [sort keys %count], [qw(connect grpc json)], 'all protocols';


# ---- pprof ------------------------------------------------------------------

my $all = 0;
$all += $_->{Total} for @pushes;
$all /= 1e6;                     # ms

for (
    ['SelectMergeProfile', '', sub { $_[0] },
     [1, [$CPU]], [2, ['{}']], [3, $FROM * 1000], [4, $end]],
    ['SelectMergeStacktraces', ' in pprof',
     sub { PyroJfr::pb_fields(PyroJfr::pb_fields($_[0])->{5}[0])->{1}[0] },
     [1, [$CPU]], [2, ['{}']], [3, $FROM * 1000], [4, $end], [6, 4]],
) {
    my ($rpc, $in, $profile, @question) = @$_;
    my $what = "pprof: $rpc$in";
    my $file = $t->dir . "/$rpc.pb";
    my $r = $t->post("/querier.v1.QuerierService/$rpc",
                     PyroJfr::pb(@question),
                     'Content-Type' => 'application/proto');

    is $r->{status}, 200, "$what: 200";
    write_file($file, eval { $profile->($r->{body}) } // '');

    my ($status, $said) = run($t->dir, $GO, 'tool', 'pprof', '-top',
                              '-nodecount=1000000', '-nodefraction=0',
                              '-unit=ms', $file);

    is $status, 0, "$what: Go opens it" or diag $said;
    like $said, qr/^Type: cpu$/m, "$what: its type";
    like $said, qr/ of ${all}ms total/, "$what: its total";
    like $said, qr/ \Q$_\E(?: |$)/m, "$what: $_"
        for 'java/lang/Thread.run', 'TracingContextKt.fib';
}


# ---- the end ----------------------------------------------------------------

is_deeply [PyroJfr::errors($t)], [], 'no error';
is $t->stop, 0, 'a clean end';
$t->log_ok;

done_testing;
