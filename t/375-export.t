#!/usr/bin/perl

# pyroscope-store export --format=, built with sanitizers ("make SAN=1
# store-tool"): each document is the server's download of the same query, byte
# for byte, beside the server and without it; what is missing or damaged, for
# dumps as well.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use File::Temp ();
use IPC::Run ();
use JSON::PP ();
use POSIX ();
use PyroJfr;
use PyroTest;
use PyroTest::Util;
use Test::More;

chdir PyroTest::root() or die "cannot change to the root: $!\n";

my $TOOL = 'build/asan/pyroscope-store';
my $REPORT = qr/Sanitizer|runtime error/;
my $FROM = PyroJfr::FROM;
my $DAY = 86400;
my $BYTES = 'memory:alloc_in_new_tlab_bytes:bytes:space:bytes';
my @FORMATS = qw(pprof collapsed speedscope html dot);

-x $TOOL or BAIL_OUT("$TOOL is not there: make SAN=1 store-tool");

# (status, standard output, standard error); to: a file for the output
sub tool_to {
    my ($to, @args) = @_;

    # the handlers of a damaged page's signals are the tool's own

    local $ENV{ASAN_OPTIONS} = 'detect_leaks=1:exitcode=99:log_path=stderr:'
                               . 'handle_segv=0:handle_sigbus=0:'
                               . 'handle_abort=0';
    local $ENV{UBSAN_OPTIONS} =
        'print_stacktrace=1:exitcode=99:log_path=stderr';

    IPC::Run::run([$TOOL, @args], '<', '/dev/null', '>', $to // \my $out,
                  '2>', \my $err);
    my $status = $? & 127 ? "signal $?" : $? >> 8;

    fail("@args: a sanitizer's report") && diag($err)
        if $err =~ $REPORT || $status =~ /^(?:99|signal)/;

    return ($status, $out, $err);
}

sub tool { tool_to(undef, @_) }

# What "import" says to a dump.
sub imported {
    my ($dump) = @_;

    my $dir = File::Temp::tempdir(CLEANUP => 1);

    IPC::Run::run([$TOOL, 'import', '--create', "$dir/store"], '<', \$dump,
                  '>', \my $out, '2>', \my $err);

    return $out . $err;
}

sub fails {
    my ($status, $pattern, @args) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my @r = tool(@args);
    ok $r[0] eq $status && $r[1] eq '' && $r[2] =~ $pattern
       && $r[2] =~ /\Apyroscope-store: [^\n]+\n\z/,
       "@args: $pattern" or diag explain \@r;
}

my $t = PyroTest->new(workers => 2,
                      more_yaml => "lmdb:\n  seal_after: off\n")->start;
my $data = $t->data;
my $recording = 'cortex-dev-01__kafka-0__cpu_lock_alloc__0';

for my $push (['shop', 0], ['shop', 3600], ['shop{pod=a}', $DAY],
              ['cart', 60]) {
    my $time = $FROM + $push->[1];

    is $t->push_jfr(PyroJfr::recording($recording), name => $push->[0],
                    from => $time, until => $time + 10)->{status}, 200,
       "$push->[0] at $time: pushed";
}


# ---- the server's documents -------------------------------------------------

my @queries = (
    [ 'a service',    PyroJfr::CPU, '{service_name="shop"}', 0, 2 * $DAY ],
    [ 'an hour',      PyroJfr::CPU, '{service_name="shop"}', 0, 3599 ],
    [ 'another type', $BYTES,       '{service_name=~"shop|cart", pod!="a"}',
      0, $DAY ],
    [ 'few nodes',    PyroJfr::CPU, '{}',                    0, $DAY, 20 ],
);

sub download {
    my ($format, undef, $type, $selector, $from, $until, $nodes) = @_;

    my $r = $t->get('/pyroscope/render?query=' . uri_escape($type . $selector)
                    . '&from=' . ($FROM + $from) . '&until='
                    . ($FROM + $until) . "&format=$format"
                    . ($nodes ? "&max-nodes=$nodes" : ''));

    is $r->{status}, 200, "$format of $_[1]: the server's" or diag $r->{body};

    return $r->{body};
}

sub arguments {
    my ($format, undef, $type, $selector, $from, $until, $nodes) = @_;

    return ('export', $data, "--format=$format", "--type=$type",
            "--selector=$selector", '--from=' . ($FROM + $from),
            '--to=' . ($FROM + $until), $nodes ? "--max-nodes=$nodes" : ());
}

my %documents;

for my $query (@queries) {
    for my $format (@FORMATS) {
        my $what = "$format of $query->[0]";
        my $theirs = download($format, @$query);
        my ($status, $mine, $err) = tool(arguments($format, @$query));

        is $status, 0, $what or diag $err;
        is $err, '', "$what: no word about it";
        ok length $mine && $mine eq $theirs, "$what: the server's bytes";
        $documents{$what} = $mine;
    }
}

isnt $documents{'html of a service'}, $documents{'html of an hour'},
     'they differ';
like $documents{'dot of few nodes'}, qr/\Adigraph /, 'dot';
ok length $documents{'collapsed of few nodes'}
   < length $documents{'collapsed of a service'}, 'few nodes are less';
like gunzip($documents{'pprof of a service'}), qr/nanoseconds/,
     'pprof is packed';
is(JSON::PP->new->decode($documents{'speedscope of another type'})
   ->{profiles}[0]{unit}, 'bytes', 'speedscope is JSON, with its unit');

{
    my @args = ('export', "--type=" . PyroJfr::CPU, $data);

    is((tool(@args, '--format=collapsed', '--selector=service_name="shop"',
             "--from=$FROM", '--to=' . ($FROM + 2 * $DAY)))[1],
       $documents{'collapsed of a service'}, 'a selector without braces');
    is((tool(@args, '--format=collapsed', '--selector=service_name=~"shop|'
                                          . 'x' x 2000 . '"',
             "--from=$FROM", '--to=' . ($FROM + 2 * $DAY)))[1],
       $documents{'collapsed of a service'}, 'a long selector');
    isnt((tool(@args, '--format=collapsed'))[1],
         $documents{'collapsed of a service'}, 'everything');
    my $dump = (tool('export', $data, '--format=dump'))[1];
    ok length $dump && $dump eq (tool('export', $data))[1],
       'a dump is what it was';
    is((tool(@args, '--format=html', '--format=dot', '--max-nodes=5'))[1],
       (tool(@args, '--format=dot', '--max-nodes=5'))[1],
       'the last --format counts');
}


# ---- wrong usage, nothing found ---------------------------------------------

my @cpu = ($data, '--type=' . PyroJfr::CPU);

fails(2, qr/--format=svg: there is no such format; allowed are dump, pprof, collapsed, speedscope, html, dot$/,
      'export', @cpu, '--format=svg');
fails(2, qr/--format=: there is no such format/, 'export', @cpu, '--format=');
fails(2, qr/--type is missing/, 'export', $data, '--format=html');
fails(2, qr/only together with a --format/, 'export', @cpu);
fails(2, qr/only together with a --format/, 'export', $data,
      '--format=dump', '--max-nodes=5');
fails(2, qr/list: --format is no option of this/, 'list', $data,
      '--format=html');
fails(2, qr/--type=cpu: no profile type; one is written like process_cpu:/,
      'export', $data, '--format=html', '--type=cpu');
fails(2, qr/--max-nodes=\Q$_\E: allowed are/, 'export', @cpu, '--format=dot',
      "--max-nodes=$_") for '', '0', '-1', '1x', '99999999999999999999';
fails(2, qr/failed to parse "--type and --selector"/, 'export', @cpu,
      '--format=dot', '--selector=metric{a="b"}');
fails(2, qr/--from is behind --to/, 'export', @cpu, '--format=dot',
      '--from=now', '--to=now-1h');
fails(1, qr/holds no store|No such file/, 'export', "$data/none",
      $cpu[1], '--format=dot');
fails(1, qr/--type=a:b:c:d:e: the store has no such profile type; it has .*\bprocess_cpu:cpu:nanoseconds:cpu:nanoseconds\b/,
      'export', $data, '--format=html', '--type=a:b:c:d:e');

for my $nothing ('--selector={service_name="none"}', '--from=now-1h',
                 '--to=0', '--to=' . ($FROM - 1)) {
    fails(1, qr/nothing of this type is there for the selector and the range/,
          'export', @cpu, '--format=pprof', $nothing);
}

{
    my $empty = PyroTest->new(workers => 1)->start;
    fails(1, qr/it has none$/, 'export', $empty->data, $cpu[1],
          '--format=dot');
    is $empty->stop, 0, 'the end of an empty store';
    $empty->log_ok;
}

open my $full, '>', '/dev/full' or die "/dev/full: $!\n";
my @room = tool_to($full, 'export', @cpu, '--format=html');
is $room[0], 1, 'no room for it';
like $room[2], qr/No space left/, 'which is told';

# a dump that nobody reads on ends with the process that was started for it
{
    pipe my $read, my $write or die "pipe: $!\n";

    my $pid = fork // die "fork: $!\n";

    if ($pid == 0) {
        open STDOUT, '>&', $write or POSIX::_exit(98);
        exec $TOOL, 'export', $data or POSIX::_exit(98);
    }

    my $child;

    wait_for(sub {
        $child = (split ' ', read_file("/proc/$pid/task/$pid/children"))[0];
    }, undef, 'the process that reads');
    kill 'TERM', $pid;
    waitpid $pid, 0;
    close $write;

    ok wait_for(sub { !-e "/proc/$child/exe" }, undef, 'its end'),
       'killed: no process is left behind';
}


# ---- without the server, and with a damaged day -----------------------------

is $t->stop, 0, 'the end of the server';
$t->log_ok;

for my $format (@FORMATS) {
    is((tool(arguments($format, @{ $queries[0] })))[1],
       $documents{"$format of a service"}, "$format without a server");
}

my ($first, $second) = sort glob "$data/p-*.mdb";
my $name = $second =~ s{.*/}{}r;
my $sound = read_file($second);
my %damage = ('no store file' => 'x' x length $sound,
              'cut off' => substr($sound, 0, 8192),
              'cut in half' => substr($sound, 0, 4096 * int(length($sound)
                                                            / 8192)));

for my $how (sort keys %damage) {
    write_file($second, $damage{$how});

    my ($status, $out, $said) = tool(arguments('collapsed',
                                               @{ $queries[0] }));

    is $status, 1, "a damaged day, $how: the exit status";
    like $said, qr/\Apyroscope-store: 1 partitions could not be read and are left out, the first one: \Q$name\E: [^\n]+\n\z/,
         "$how: it is named";
    my ($sum, $whole) = map { my $n = 0; $n += $_ for /(\d+)$/mg; $n }
                        $out, $documents{'collapsed of a service'};
    is $sum * 3, $whole * 2, "$how: the other days are there";

    # a dump, which is written as it is read, is whole even so

    ($status, $out, $said) = tool('export', $data);

    is $status, 1, "$how: a dump: the exit status";
    like $said, qr/\Apyroscope-store: 1 partitions could not be read and are left out, the first one: \Q$name\E: [^\n]+\npyroscope-store: exported 3 pushes\n\z/,
         "$how: it is named";
    is imported($out), "imported 3 pushes: 3 stored, 0 repeated\n",
       "$how: the dump has the other days";
}

write_file($second, $sound);
is((tool('export', $data))[2], "pyroscope-store: exported 4 pushes\n",
   'the day is whole again');

write_file($first, 'x' x length read_file($first));
write_file($second, $damage{'no store file'});
my ($status, $out, $said) = tool(arguments('html', @{ $queries[0] }));
is $status, 1, 'nothing but damage: the exit status';
is $out, '', 'no document';
like $said, qr/2 partitions could not be read/, 'both are counted';

done_testing;
