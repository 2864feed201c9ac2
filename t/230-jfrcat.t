#!/usr/bin/perl

# The tool jfrcat, built with sanitizers ("make SAN=1 jfrcat"): every kind of
# every recording of t/data/jfr against its golden samples, the other forms of
# output, and what goes wrong.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use File::Temp ();
use POSIX ();
use PyroJfr;
use PyroTest;
use PyroTest::Util;
use Test::More;

chdir PyroTest::root() or die "cannot change to the root: $!\n";

my $JFRCAT = 'build/asan/jfrcat';
my @CPU    = qw(cpu cpu_time_extension);
my @KINDS  = (@CPU, qw(wall alloc_in_new_tlab alloc_outside_tlab alloc_sample
                       mutex block live malloc));
my @OPTIONS = qw(--kind --sample-rate --labels --summary --collapsed --count
                 --lines --help --version);
my $REPORT  = qr/Sanitizer|runtime error/;

# the recording of most tests: spans, labels, locks, allocations
my $NAME = 'ap45-itimer-alloc-lock-live';

-x $JFRCAT or BAIL_OUT("$JFRCAT is not there: make SAN=1 jfrcat");

my $dir = File::Temp::tempdir(CLEANUP => 1);


# ---- helpers ----------------------------------------------------------------

# { status, out, err } of a run; options: stdin, stdout (files, undef: closed),
# program.  A report of a sanitizer is status 99 and fails the test file.
sub jfrcat {
    my ($args, %opt) = @_;

    my $out = exists $opt{stdout} ? $opt{stdout} : "$dir/out";
    my $program = $opt{program} // $JFRCAT;
    my $pid = fork // die "fork: $!\n";

    if ($pid == 0) {
        $ENV{ASAN_OPTIONS} = join ':', grep { length } $ENV{ASAN_OPTIONS} // '',
                                  'detect_leaks=1:exitcode=99:log_path=stderr';
        $ENV{UBSAN_OPTIONS} = 'print_stacktrace=1:exitcode=99:log_path=stderr';

        open STDIN, '<', $opt{stdin} // '/dev/null' or POSIX::_exit(98);
        open STDERR, '>', "$dir/err" or POSIX::_exit(98);
        !defined $out ? close STDOUT
                      : ref $out ? open STDOUT, '>&', $out
                                 : open STDOUT, '>', $out
            or POSIX::_exit(98);

        exec { $program } $program, @$args or POSIX::_exit(98);
    }

    waitpid $pid, 0;

    my %r = (status => $? & 127 ? "signal $?" : $? >> 8,
             out    => ($out // '') eq "$dir/out" ? read_file($out) : '',
             err    => read_file("$dir/err"));

    fail("jfrcat @$args: a sanitizer's report") && diag($r{err})
        if $r{err} =~ $REPORT || $r{status} =~ /^(?:98|99|signal)/;

    return \%r;
}

sub golden {
    my ($name, $kind) = @_;

    my $file = "t/data/jfr/$name/$kind.samples.tsv.gz";
    return -f $file ? gunzip(read_file($file)) : '';
}

# The arguments a recording is to be read with.
sub arguments {
    my ($name) = @_;

    my $rate = PyroJfr::expect($name)->{sampleRate};
    my $labels = PyroJfr::labels($name);

    return ("--sample-rate=$rate", defined $labels ? "--labels=$labels" : (),
            PyroJfr::recording($name));
}

# ([labels, [[function, line], ...], [values]], ...) of golden samples.  Names
# of native libraries have a ";": only behind a line it is the end of a frame.
sub samples {
    my ($text) = @_;

    return map {
        my ($labels, $stack, $values) = split /\t/;
        my @frames;

        push @frames, [$1, $2] while $stack =~ /\G(.+?):(\d+)(?:;|\z)/g;

        [$labels, \@frames, [split / /, $values]];
    } split /\n/, $text;
}

# What --collapsed must make of them.
sub collapsed {
    my ($text, %opt) = @_;

    my %sum;

    for my $sample (samples($text)) {
        my $stack = join ';', map {
            my ($name, $line) = @$_;
            ($name =~ tr/;/,/r) . ($opt{lines} ? ":$line" : '');
        } @{ $sample->[1] };

        # an empty stack shows as one frame
        $stack = '[unknown]' . ($opt{lines} ? ':0' : '') if $stack eq '';

        $sum{$stack} += $sample->[2][$opt{count} ? 0 : -1];
    }

    return join '', map { "$_ $sum{$_}\n" } grep { $sum{$_} } sort keys %sum;
}

# expect.json names events as the JDK does since 11, if there is a name.
my %OLD_NAMES = (
    'vm/prof/execution_sample'                => 'jdk.ExecutionSample',
    'java/object_alloc_in_new_TLAB'           => 'jdk.ObjectAllocationInNewTLAB',
    'java/object_alloc_outside_TLAB'          => 'jdk.ObjectAllocationOutsideTLAB',
    'java/monitor_enter'                      => 'jdk.JavaMonitorEnter',
    'java/thread_park'                        => 'jdk.ThreadPark',
    'recordings/recording'                    => 'jdk.ActiveRecording',
    'recordings/recording_setting'            => 'jdk.ActiveSetting',
);

sub event_name {
    my ($name) = @_;

    return $OLD_NAMES{$name} // $name =~ s/^com\.oracle\.(?=jdk\.)//r;
}

sub sum {
    my ($text) = @_;

    my $sum = 0;
    $sum += (split / /)[-1] for split /\n/, $text;

    return $sum;
}

sub is_run {
    my ($r, $expected, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    ok($r->{status} eq 0 && $r->{out} eq $expected, $name)
        or diag("status $r->{status}, " . length($r->{out}) . ' bytes and not '
                . length($expected) . ": $r->{err}");
}

# Exit status, nothing printed, one line on standard error that fits.
sub fails {
    my ($status, $pattern, $args, %opt) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    my $r = jfrcat($args, %opt);
    my $name = "@$args" =~ s{\S*/}{}gr;

    ok($r->{status} eq $status && $r->{out} eq ''
       && $r->{err} =~ /\Ajfrcat: [^\n]+\n\z/ && $r->{err} =~ $pattern,
       "exit $status: $name")
        or diag("status $r->{status}: $r->{err}", explain($r->{out}));
}


# ---- the samples ------------------------------------------------------------

for my $name (PyroJfr::names()) {
    my (@wrong, @wrong_cpu);

    for my $kind (@KINDS) {
        my $r = jfrcat(["--kind=$kind", arguments($name)]);
        my $is_cpu = grep { $_ eq $kind } @CPU;
        my $golden = golden($name, $kind);

        next if $r->{status} eq 0 && $r->{out} eq $golden;

        push @{ $is_cpu && $golden eq '' ? \@wrong_cpu : \@wrong },
             "$kind: status $r->{status}, " . length($r->{out})
             . " bytes, golden " . length($golden) . ": $r->{err}";
    }

    is_deeply(\@wrong, [], "$name: samples");

    # of cpu and cpu_time_extension only the one with a golden is not empty

    is_deeply(\@wrong_cpu, [], "$name: no other CPU samples");
}


# ---- ways in ----------------------------------------------------------------

my @args = arguments($NAME);
my $cpu = golden($NAME, 'cpu');

write_file("$dir/plain.jfr", PyroJfr::bytes($NAME));
write_file("$dir/plain.pb", gunzip(read_file(PyroJfr::labels($NAME))));

is_run(jfrcat(['--kind', 'cpu', '--sample-rate', '100',
               '--labels', PyroJfr::labels($NAME), "$dir/plain.jfr"]),
       $cpu, 'a plain recording, separate arguments');
is_run(jfrcat(["$dir/plain.jfr", '--kind=cpu', "--labels=$dir/plain.pb"]),
       $cpu, 'plain labels, options behind the recording');
is_run(jfrcat(['--kind=cpu', "--labels=$dir/plain.pb", '--', '-'],
              stdin => "$dir/plain.jfr"), $cpu, 'standard input, plain');
is_run(jfrcat(['--kind=cpu', "--labels=$dir/plain.pb", '-'],
              stdin => PyroJfr::recording($NAME)), $cpu,
       'standard input, gzip');
is_run(jfrcat(['--kind=cpu', '--labels=-', "$dir/plain.jfr"],
              stdin => PyroJfr::labels($NAME)), $cpu,
       'labels from standard input');
is_run(jfrcat(['--kind=wall', '--kind=cpu', @args]), $cpu,
       'of two kinds the last');

like($cpu, qr/^\w+=/m, 'the golden has labels');
unlike(jfrcat(['--kind=cpu', "$dir/plain.jfr"])->{out}, qr/^(?!profile_id)\w+=/m,
       'without --labels there are none, but spans may be');

# the recording's interval of 10 ms is not floor(10^9 / 3)
is_run(jfrcat(['--kind=cpu', '--sample-rate=3', @args[1 .. $#args]]), $cpu,
       'an interval of the recording wins');

{
    my @jdk = ('--kind=cpu', PyroJfr::recording('jdk17-own'));
    my $sum = PyroJfr::sum_of('jdk17-own', 'cpu');
    my $r = jfrcat([@jdk, '--sample-rate=1000000000']);

    is(sum($r->{out} =~ tr/\t/ /r), $sum / 10_000_000,
       'the highest sample rate');
    is(sum(jfrcat([@jdk, '--sample-rate=1'])->{out} =~ tr/\t/ /r), $sum * 100,
       'the lowest');
}


# ---- collapsed --------------------------------------------------------------

for my $name (PyroJfr::names()) {
    my $profiles = PyroJfr::expect($name)->{profiles};
    my @wrong;

    for my $kind (grep { golden($name, $_) ne '' } @KINDS) {
        my $golden = golden($name, $kind);
        my $totals = $profiles->{$kind}{totals};
        my @run = ("--kind=$kind", '--collapsed', arguments($name));
        my $r = jfrcat(\@run);

        push @wrong, $kind
            if $r->{status} ne 0 || $r->{out} ne collapsed($golden);
        push @wrong, "$kind: total"
            if defined $totals && sum($r->{out}) != $totals->[-1];
        push @wrong, "$kind: a line that cannot be parsed"
            if grep { !/^[^;\t]+(?:;[^;\t]+)* [1-9]\d*$/ } split /\n/, $r->{out};

        push @wrong, "$kind --lines"
            if jfrcat([@run, '--lines'])->{out} ne collapsed($golden,
                                                             lines => 1);

        next if $kind =~ /^(?:cpu|wall)/;

        $r = jfrcat([@run, '--count']);

        push @wrong, "$kind --count"
            if $r->{out} ne collapsed($golden, count => 1)
               || sum($r->{out}) != $totals->[0];
    }

    is_deeply(\@wrong, [], "$name: collapsed");
}

is_run(jfrcat(['--kind=wall', '--collapsed', @args]), '',
       'collapsed of nothing');


# ---- summary ----------------------------------------------------------------

for my $name (PyroJfr::names()) {
    my @chunks = grep { $_->{events} } @{ PyroJfr::expect($name)->{chunks} };
    my $r = jfrcat(['--summary', arguments($name)]);
    my ($n) = $r->{out} =~ /^recording\n  chunks +(\d+)$/m;

    ok($r->{status} eq 0 && defined $n && $n == @chunks,
       "$name: summary has the number of chunks")
        or diag("status $r->{status}: $r->{out}$r->{err}");

    # of what cannot be read, expect.json has no events

    my @found;

    while ($r->{out} =~ /^chunk \d+\n((?: .*\n)+)/mg) {
        my $text = $1;
        my %fact = $text =~ /^  (\w+) +(\S+)/mg;

        next if $fact{state} eq 'damaged';

        my %chunk = map { $_ => $fact{$_} }
                    qw(offset size version checkpoints);

        $chunk{events}{event_name($2)} = $1
            while $text =~ /^ {4,}(\d+)  (\S+)$/mg;

        # of version 0.9 it has no checkpoints among the events

        delete $chunk{events}{'<checkpoint>'} if $chunk{version} eq '0.9';
        push @found, \%chunk;
    }

    is_deeply(\@found, [ map {
        my $chunk = $_;
        +{ map { $_ => $chunk->{$_} }
           qw(offset size version checkpoints events) };
    } @chunks ], "$name: summary has each chunk's events");
}

{
    my $text = jfrcat(['--summary', @args])->{out};

    for my $fact (qr/recorder +async-profiler 4\.5/, qr/JVM +\S/,
                  qr/JVM version +\S/, qr/OS +\S/, qr/duration +\d+\.\d{9} s/)
    {
        like($text, qr/^recording\n(?:  .*\n)*?  $fact/m, "summary: $fact");
    }

    like($text, qr/^settings\n(?:  .*\n)*?  \S+=\S/m, 'summary: settings');
}


# ---- usage ------------------------------------------------------------------

my $file = "$dir/plain.jfr";
my $all = join ', ', @KINDS;

fails(2, qr/RECORDING/, []);
fails(2, qr/RECORDING/, ['--kind=cpu']);
fails(2, qr/second.*RECORDING/, ['--kind=cpu', $file, 'second']);
fails(2, qr/--kind.*--summary.*\Q$all\E/, [$file]);
fails(2, qr/--kind=cpus: .*\Q$all\E/, ['--kind=cpus', $file]);
fails(2, qr/--kind=: /, ['--kind=', $file]);
fails(2, qr/--kind=x\?y/, ["--kind=x\ny", $file]);
fails(2, qr/--kind: a value/, ['--kind']);
fails(2, qr/--sample-rate=$_: .*1 to 1000000000/,
      ['--kind=cpu', "--sample-rate=$_", $file])
    for qw(0 1000000001 -5 1.5 100hz 99999999999999999999), '';
fails(2, qr/--sample-rate=-1: /, ['--kind=cpu', '--sample-rate', '-1', $file]);
fails(2, qr/--colour: .*--help/, ['--colour', $file]);
fails(2, qr/-x: .*--help/, ['-x', $file]);
fails(2, qr/--lines=1: .*no value/, ['--kind=cpu', '--lines=1', $file]);
fails(2, qr/--summary: .*--kind/, ['--summary', '--kind=cpu', $file]);
fails(2, qr/--summary: .*--collapsed/, ['--summary', '--collapsed', $file]);
fails(2, qr/--count: .*--collapsed/, ['--kind=cpu', '--count', $file]);
fails(2, qr/--lines: .*--collapsed/, ['--summary', '--lines', $file]);
fails(2, qr/--count: .*--kind=$_ /,
      ["--kind=$_", '--collapsed', '--count', $file]) for @CPU, 'wall';
fails(2, qr/--labels=-: /, ['--kind=cpu', '--labels=-', '-']);


# ---- what cannot be read ----------------------------------------------------

my $bytes = PyroJfr::bytes($NAME);

write_file("$dir/empty", '');
write_file("$dir/text", "this is not a recording\n");
write_file("$dir/header", substr $bytes, 0, 60);
write_file("$dir/cut.gz", substr read_file(PyroJfr::recording($NAME)), 0, 999);
write_file("$dir/bad.pb", "\xff\xff\xff");

fails(1, qr{/none: No such file}, ['--kind=cpu', "$dir/none"]);
fails(1, qr{\Q$dir\E: Is a directory}, ['--kind=cpu', $dir]);
fails(1, qr{/empty: .*not a JFR}, ['--kind=cpu', "$dir/empty"]);
fails(1, qr{/text: .*not a JFR}, ['--summary', "$dir/text"]);
fails(1, qr{jfrcat: -: .*not a JFR}, ['--kind=cpu', '-']);
fails(1, qr{/header: }, ['--kind=cpu', "$dir/header"]);
fails(1, qr{/cut\.gz: gzip: .*999}, ['--kind=cpu', "$dir/cut.gz"]);
fails(1, qr{/none: No such file},
      ['--kind=cpu', "--labels=$dir/none", $file]);
fails(1, qr{label}, ['--kind=cpu', "--labels=$dir/bad.pb", $file]);

# over 2 GiB, as a file with a hole and as what comes out of gzip

{
    open my $large, '>', "$dir/large" or die "$dir/large: $!\n";
    truncate $large, 2 * 2**30 + 1 or die "$dir/large: $!\n";
    close $large;

    fails(1, qr/more than 2147483648 bytes/, ['--kind=cpu', "$dir/large"]);
    unlink "$dir/large";

    write_file("$dir/bomb.gz", gzip("\0" x 2**26) x 33);
    fails(1, qr/gzip: more than 2147483648 bytes/,
          ['--kind=cpu', "$dir/bomb.gz"]);
    unlink "$dir/bomb.gz";
}

# damaged, but some of it can be read: a warning, and what is there

{
    my $chunks = PyroJfr::expect('goland-multichunk')->{chunks};
    my $whole = PyroJfr::bytes('goland-multichunk');

    write_file("$dir/cut.jfr", substr $whole, 0, $chunks->[1]{offset} + 100);

    my $r = jfrcat(['--kind=cpu', "$dir/cut.jfr"]);

    is($r->{status}, 0, 'a recording that is cut is read');
    like($r->{out}, qr/\t\d+\n\z/, 'it has samples');
    like($r->{err}, qr{^jfrcat: \Q$dir\E/cut\.jfr: warning: .*1 chunks_broken},
         'a warning names the loss');
    like($r->{err}, qr{^jfrcat: \S+: warning: chunk at byte \d+: }m,
         'and the problem');

    $r = jfrcat(['--summary', "$dir/cut.jfr"]);
    is($r->{status}, 0, 'it has a summary');
    like($r->{out}, qr/^  lost +1 chunks_broken$/m, 'with the loss');
    like($r->{out}, qr/^  problem +chunk at byte/m, 'and the problem');
}

is(jfrcat(['--kind=cpu', @args])->{err}, '',
   'of a sound recording nothing is said');


# ---- what cannot be written -------------------------------------------------

for my $run (['--kind=cpu', @args], ['--kind=cpu', '--collapsed', @args],
             ['--summary', @args], ['--help'], ['--version'])
{
    fails(1, qr/standard output: No space left/, $run, stdout => '/dev/full');
    fails(1, qr/standard output: Bad file/, $run, stdout => undef);

    pipe my $from, my $to or die "pipe: $!\n";
    close $from;
    fails(1, qr/standard output: Broken pipe/, $run, stdout => $to);
}


# ---- help, version, the man page --------------------------------------------

my $help = jfrcat(['--help']);
my $version = jfrcat(['--version']);
my $man = read_file('man/jfrcat.1') =~ s/\\-/-/gr;

is($help->{status}, 0, '--help');
is(jfrcat(['-h'])->{out}, $help->{out}, '-h is --help');
is(jfrcat(['--kind=cpu', '--help', 'x', 'y'])->{out}, $help->{out},
   '--help is enough');
is_deeply([grep { $help->{out} !~ /\Q$_\E\b/ } @OPTIONS], [],
          '--help names all options');
is_deeply([grep { my $o = $_; !grep { $_ eq $o } @OPTIONS }
           $help->{out} =~ /(--[a-z-]+)/g], [], 'and no other');
is_deeply([grep { $help->{out} !~ /[ ,]$_[,\n]/ } @KINDS], [],
          '--help names all kinds');
is_deeply([grep { length > 80 } split /\n/, $help->{out}], [],
          '--help fits a terminal');

like($version->{out}, qr/\Ajfrcat \(ngx_pyroscope\) \d+\.\d+\.\d+\n\z/,
     '--version');
my ($number) = $version->{out} =~ /([\d.]+)$/;

is_deeply([grep { $man !~ /^\.(?:B|BR|BI|TP).*\Q$_\E\b/m } @OPTIONS], [],
          'the man page has all options');
is_deeply([grep { $man !~ /^\.B $_$/m } @KINDS], [],
          'the man page has all kinds');
like($man, qr/^\.TH JFRCAT 1 .*ngx_pyroscope \Q$number\E"/m,
     'the man page has the version');

ok(which('groff'), 'groff is there (package groff-base)');
is(`groff -man -Tascii -ww -z man/jfrcat.1 2>&1`, '',
   'the man page has no warnings');
like(`groff -man -Tascii -P-cbu man/jfrcat.1 2>&1`, qr/folded\s+stacks/,
     'and is readable');


# ---- installing -------------------------------------------------------------

{
    delete local @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL PREFIX BINDIR MANDIR
                         MODULEDIR DESTDIR)};

    my $root = "$dir/root";
    my $module = 'build/ngx_pyroscope_module.so';
    my @make = ('make', '-s', "DESTDIR=$root");
    my $out = `@make install PREFIX=/opt/x 2>&1`;

    is($?, 0, 'make install') or diag($out);
    is(jfrcat(['--version'], program => "$root/opt/x/bin/jfrcat")->{out},
       $version->{out}, 'an installed jfrcat');
    ok(-f "$root/opt/x/share/man/man1/jfrcat.1", 'its man page');
    is(!!-f "$root/usr/lib/nginx/modules/ngx_pyroscope_module.so",
       !!-f $module, 'the module, if it was built');

    $out = `@make uninstall PREFIX=/opt/x 2>&1`;
    is($?, 0, 'make uninstall') or diag($out);
    is(`find $root ! -type d`, '', 'leaves nothing');
}

done_testing;
