#!/usr/bin/perl

# The tool pyroscope-store, built with sanitizers ("make SAN=1 store-tool"), on
# stores that a real server fills: every command, beside the server where that
# is safe, damaged files, and directories that it must not touch.  What "export
# --format=" writes is for 375-export.t.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Digest::SHA ();
use File::Temp ();
use JSON::PP ();
use POSIX ();
use PyroJfr;
use PyroTest;
use PyroTest::Util;
use Test::More;

chdir PyroTest::root() or die "cannot change to the root: $!\n";

my $TOOL = 'build/asan/pyroscope-store';
my @OPTIONS = qw(--json --series --selector --from --to --before --file
                 --dry-run --create --format --type --max-nodes --tenant
                 --tenants --everything --help --version);
my @COMMANDS = qw(check stats list export import seal drop backup delete);
my $REPORT = qr/Sanitizer|runtime error/;
my $HOURS = 30;

-x $TOOL or BAIL_OUT("$TOOL is not there: make SAN=1 store-tool");

my $dir = File::Temp::tempdir(CLEANUP => 1);
my $from = PyroJfr::FROM;
my $bytes = PyroJfr::bytes('new_spancontext');


# ---- helpers ----------------------------------------------------------------

# { status, out, err } of a run; options: stdin, stdout (files), program.
sub tool {
    my ($args, %opt) = @_;

    my $out = $opt{stdout} // "$dir/out";
    my $program = $opt{program} // $TOOL;
    my $pid = fork // die "fork: $!\n";

    if ($pid == 0) {
        $ENV{ASAN_OPTIONS} = join ':', grep { length } $ENV{ASAN_OPTIONS} // '',
                                  'detect_leaks=1:exitcode=99:log_path=stderr';
        $ENV{UBSAN_OPTIONS} = 'print_stacktrace=1:exitcode=99:log_path=stderr';

        open STDIN, '<', $opt{stdin} // '/dev/null' or POSIX::_exit(98);
        open STDERR, '>', "$dir/err" or POSIX::_exit(98);
        open STDOUT, '>', $out or POSIX::_exit(98);

        exec { $program } $program, @$args or POSIX::_exit(98);
    }

    waitpid $pid, 0;

    my %r = (status => $? & 127 ? "signal $?" : $? >> 8,
             out    => $out eq '/dev/full' ? '' : read_file($out),
             err    => read_file("$dir/err"));

    fail("@$args: a sanitizer's report") && diag($r{err})
        if $r{err} =~ $REPORT || $r{status} =~ /^(?:98|99|signal)/;

    return \%r;
}

sub ok_tool {
    my ($name, $args, %opt) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $r = tool($args, %opt);
    is $r->{status}, 0, $name or diag "$r->{out}$r->{err}";

    return $r;
}

# A run that fails with one line that says why.
sub fails {
    my ($status, $pattern, $args, %opt) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $r = tool($args, %opt);
    ok $r->{status} eq $status && $r->{err} =~ $pattern
       && $r->{err} =~ /\Apyroscope-store: [^\n]+\n\z/,
       "@$args: $pattern" or diag "$r->{status}: $r->{out}$r->{err}";
}

sub is_clean {
    my ($name, $data) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $r = tool(['check', $data]);
    ok $r->{status} == 0 && $r->{out} =~ /: 0 damaged, 0 findings\n\z/,
       "$name: nothing is damaged" or diag "$r->{out}$r->{err}";

    return $r;
}

# Names and contents of all files.
sub sums {
    my ($data) = @_;

    return { map { $_ => Digest::SHA->new(256)->addfile($_)->hexdigest }
             grep { -f } glob "$data/* $data/.[!.]*" };
}

sub push_to {
    my ($t, $name, $time) = @_;

    my $r = $t->push_jfr(\$bytes, name => $name, from => $time,
                         until => $time + 10);
    is $r->{status}, 200, "$name at $time: pushed" or diag $r->{body}
        if $r->{status} != 200;
}

sub answers {
    my ($t, $name) = @_;

    my %range = (start => $from * 1000, end => ($from + $HOURS * 3600) * 1000);

    return [ map { $_->{json} }
             PyroJfr::merge($t, name => $name, %range),
             PyroJfr::series($t, name => $name, step => 3600, %range) ];
}

my $json = JSON::PP->new;


# ---- a server's store, while it runs ----------------------------------------

my $t = PyroTest->new(workers => 2,
                      more_yaml => "lmdb:\n  seal_after: off\n")->start;
my $data = $t->data;

push_to($t, 'shop', $from + $_ * 3600) for 0 .. $HOURS - 1;
push_to($t, 'cart{pod=a}', $from + $_ * 3600) for 0 .. 3;

# files grow while they are rolled up: what has their sizes comes behind it

ok wait_for(sub {
    my $all = $json->decode(tool(['stats', '--json', $data])->{out});
    return !grep { ($_->{rolled} // '') ne $_->{end} } @{ $all->{partitions} };
}, undef, 'the end of rolling up'), 'how far it is rolled up';

my $shop = answers($t, 'shop');
my $cart = answers($t, 'cart');
ok $shop->[0]{flamegraph}{total} > 0, 'there is data';

my $r = is_clean('beside the server', $data);
like $r->{out}, qr/^checked 4 files, 34 pushes, [1-9]\d+ roll-ups: /,
     'everything was looked at';

$r = ok_tool('list', ['list', $data]);
my @parts = map { [split /\t/] } split /\n/, $r->{out};
is scalar @parts, 3, 'the partitions';
is_deeply [map { $_->[3] } @parts], [('open') x 3], 'their states';
is $parts[0][0], (glob "$data/p-*.mdb")[0] =~ s{.*/}{}r, 'their names';
is $parts[0][4], -s "$data/$parts[0][0]", 'their sizes';
is_deeply [map { $_->{name} }
           @{ $json->decode(ok_tool('list --json',
                                    ['list', '--json', $data])->{out}) }],
          [map { $_->[0] } @parts], 'the same in JSON';

$r = ok_tool('list --series', ['list', $data, '--series',
                               '--selector={service_name="cart"}']);
is scalar(split /\n/, $r->{out}), 1, 'one series of a service, however many '
                                     . 'days';
like $r->{out}, qr/^\{__name__="process_cpu", .*pod="a", .*\}$/, 'its labels';
$r = ok_tool('list --series --json', ['list', '--series', '--json', $data]);
is_deeply [sort map { $_->{service_name} } @{ $json->decode($r->{out}) }],
          [qw(cart shop)], 'the same in JSON';
$r = ok_tool('a range', ['list', '--series', $data, '--from=now-1h']);
is $r->{out}, '', 'without data';

is ok_tool('list --tenants', ['list', '--tenants', $data])->{out},
   "anonymous\n", 'the only tenant';

$r = ok_tool('stats', ['stats', $data]);
like $r->{out}, qr/^total\n  partitions 3\n.*^  pushes     34\n/ms, 'in all';
my $stats = $json->decode(ok_tool('stats --json',
                                  ['stats', '--json', $data])->{out});
is $stats->{total}{pushes}, 34, 'pushes in JSON';
is $stats->{total}{bytes}, eval { my $n = 0; $n += -s for glob "$data/p-*.mdb";
                                  $n }, 'bytes';
is $stats->{partitions}[0]{databases}{raw}{entries},
   $stats->{partitions}[0]{pushes}, 'entries of a database';


# ---- dumps ------------------------------------------------------------------

my $dump = "$dir/shop.dump";
ok_tool('export', ['export', $data, '--selector={service_name="shop"}'],
        stdout => $dump);

my $copy = PyroTest->new(workers => 1,
                         more_yaml => "lmdb:\n  seal_after: off\n");
my $copied = $copy->data;

fails(1, qr/holds no store|No such file/, ['import', $copied],
      stdin => $dump);
is ok_tool('import --create', ['import', '--create', $copied],
           stdin => $dump)->{out},
   "imported $HOURS pushes: $HOURS stored, 0 repeated\n", 'all is stored';
is ok_tool('once more', ['import', $copied], stdin => $dump)->{out},
   "imported $HOURS pushes: 0 stored, $HOURS repeated\n", 'nothing is';
is ok_tool('where it came from', ['import', $data], stdin => $dump)->{out},
   "imported $HOURS pushes: 0 stored, $HOURS repeated\n", 'nothing is';
is_clean('the copy', $copied);

$copy->start;
is_deeply answers($copy, 'shop'), $shop, 'the same flame graph and totals';
is_deeply answers($copy, 'cart')->[0], answers($copy, 'none')->[0],
          'of that service alone';
is $copy->stop, 0, 'the end of the copy';

{
    my $whole = read_file($dump);

    write_file("$dir/bad", substr $whole, 0, 1000);
    fails(1, qr/the dump, at byte \d+: it was cut off/, ['import', $copied],
          stdin => "$dir/bad");
    substr($whole, 500, 1) ^= "\1";
    write_file("$dir/bad", $whole);
    fails(1, qr/the dump, at byte \d+: the checksum/, ['import', $copied],
          stdin => "$dir/bad");
    fails(1, qr/does not begin with/, ['import', $copied],
          stdin => '/dev/null');
    fails(1, qr/No space left/, ['export', $data], stdout => '/dev/full');
    is_clean('after bad dumps', $copied);
}


# ---- backup, under load -----------------------------------------------------

{
    my $writer = fork // die "fork: $!\n";

    if ($writer == 0) {
        for my $i (0 .. 10_000) {
            $t->push_jfr(\$bytes, name => 'busy', from => $from + $i,
                         until => $from + $i + 10);
        }
        POSIX::_exit(0);
    }

    my $metric = 'ngx_pyroscope_commits_total';
    my %range = (start => $from * 1000, end => ($from + 90_000) * 1000);
    my $one = PyroJfr::total($t, name => 'cart', %range) / 4;

    for my $i (1 .. 3) {
        my $before = wait_for(sub { PyroJfr::total($t, name => 'busy',
                                                   %range) },
                              undef, 'some pushes');
        ok_tool("backup $i", ['backup', $data, "$dir/backup$i"]);
        my $backup = PyroTest->new(workers => 1);
        mkdir $backup->dir . '/data';
        is_clean("backup $i", "$dir/backup$i");

        my $counted = $json->decode(
            tool(['stats', '--json', "$dir/backup$i"])->{out});
        ok $counted->{total}{pushes} >= 34 + $before / $one,
           'it has what was stored before';
        is_clean('the live store', $data);
    }

    kill 'KILL', $writer;
    waitpid $writer, 0;

    fails(2, qr/is not empty/, ['backup', $data, "$dir/backup1"]);
    is_deeply [grep { /lock/ } glob "$dir/backup3/*"],
              [glob "$dir/backup3/*lock"], 'no more than its files';

    my $restored = PyroTest->new(workers => 1,
                                 more_yaml => "lmdb:\n  seal_after: off\n");
    rename "$dir/backup1", $restored->data or die "rename: $!\n";
    $restored->start;
    is_deeply answers($restored, 'shop'), $shop, 'a server on a backup';
    push_to($restored, 'shop', $from + $HOURS * 3600);
    is $restored->stop, 0, 'its end';
    is_clean('the backup, used', $restored->data);
    $restored->log_ok;
}


# ---- delete and drop --------------------------------------------------------

fails(1, qr/stop the server/, ['delete', $data,
                               '--selector={service_name="busy"}']);
$r = ok_tool('delete --dry-run', ['delete', '--dry-run', $data,
                                  '--selector={service_name="busy"}']);
like $r->{out}, qr/^p-\S+\.mdb: \{.*service_name="busy"\}$/m, 'what it would';
like $r->{out}, qr/^[1-9]\d* label sets would be deleted$/m, 'and how many';
is_deeply answers($t, 'shop'), $shop, 'the server has it all';

fails(1, qr/the upkeep of a server runs.*lmdb\.seal_after/, ['seal', $data]);
ok_tool('a copy to seal', ['backup', $data, "$dir/sealed"]);

is $t->stop, 0, 'the server is stopped';

$r = ok_tool('seal', ['seal', "$dir/sealed"]);
like $r->{out}, qr/\A[1-9]\d* partitions sealed\n\z/, 'sealed';
like ok_tool('list of sealed', ['list', "$dir/sealed"])->{out},
     qr/\A(?:\S+\t\S+\t\S+\tsealed\t\d+\n)+/, 'the list says so';
is_clean('after seal', "$dir/sealed");
is tool(['seal', "$dir/sealed"])->{out}, "0 partitions sealed\n",
   'and not once more';

{
    my ($one, $two) = map {
        join ' ', ok_tool("stats $_", ['stats', '--json', $_])->{out}
                  =~ /"pushes": *(\d+)/g;
    } $data, "$dir/sealed";
    is $two, $one, 'as many pushes';
}

$r = ok_tool('delete', ['delete', '--selector={service_name="busy"}', $data]);
like $r->{out}, qr/^[1-9]\d* label sets deleted, [1-9]\d* records$/m,
     'deleted';
is_clean('after delete', $data);

$t->start;
is PyroJfr::total($t, name => 'busy'), 0, 'it is gone';
is_deeply answers($t, 'shop'), $shop, 'the others are not';
is_deeply answers($t, 'cart'), $cart, 'none of them';

{
    my $name = 'n' x 1024;
    my @long = '--selector={service_name="long"}';

    push_to($t, "long{$name=1}", $from);

    like ok_tool('list of the longest name', ['list', '--series', $data,
                                              @long])->{out},
         qr/\A\{[^{}\n]*$name="1"[^{}\n]*\}\n\z/, 'it is there';
    like ok_tool('delete of it', ['delete', '--dry-run', $data, @long])->{out},
         qr/^p-\S+\.mdb: \{[^{}\n]*$name="1"[^{}\n]*\}$/m, 'it would go';
}

my $until = $parts[0][2];
$r = ok_tool('drop --dry-run', ['drop', '--dry-run', $data,
                                "--before=$until"]);
like $r->{out}, qr/^\Q$parts[0][0]\E: would go.*^1 partitions would/ms,
     'the first day would go';
ok -f "$data/$parts[0][0]", 'and is there';
ok_tool('drop, beside the server', ['drop', $data, "--before=$until"]);
ok !-f "$data/$parts[0][0]", 'the first day is gone';
ok PyroJfr::total($t, name => 'shop', start => $from * 1000,
                  end => ($from + 90_000) * 1000)
   < $shop->[0]{flamegraph}{total}, 'also for the server';
push_to($t, 'shop', $from + 5);
is_clean('after drop', $data);
is $t->stop, 0, 'the end of the server';
$t->log_ok;


# ---- damage -----------------------------------------------------------------

{
    my ($first, $second) = map { s{.*/}{}r } glob "$data/p-*.mdb";
    my $whole = read_file("$data/$second");
    my $found = 0;

    for my $page (3 .. 12) {
        my $broken = $whole;
        last if length $broken < 4096 * ($page + 1);
        substr($broken, 4096 * $page + 40 * $_, 8) = 'x' x 8 for 0 .. 99;
        write_file("$data/$second", $broken);

        $r = tool(['check', $data]);
        my @damaged = map { /^(\S+): damage:/ ? $1 : () }
                      split /\n/, $r->{out};

        next if !@damaged && $r->{status} == 0;

        $found++;
        is_deeply [$r->{status}, grep { $_ ne $second } @damaged], [1],
                  "page $page: $second is damaged, and nothing else"
            or diag $r->{out};
    }

    ok $found >= 3, "pages that are in use: $found";

    write_file("$data/$second", substr $whole, 0, 8192);
    $r = tool(['check', $data]);
    is $r->{status}, 1, 'a file that is cut off';
    like $r->{out}, qr/^\Q$second\E: damage: /m, 'is named';
    unlike $r->{out}, qr/^\Q$first\E: damage: /m, 'the other one not';

    unlink "$data/$second";
    $r = tool(['check', $data]);
    is $r->{status}, 1, 'a file that is not there';
    like $r->{out}, qr/^\Q$second\E: damage: file: .*not there$/m, 'is named';

    write_file("$data/$second", $whole);
    write_file("$data/p-20200101.77.mdb", $whole);
    $r = is_clean('whole again', $data);
    like $r->{out}, qr/^p-20200101\.77\.mdb: note: file: /m, 'a stray';
    unlink "$data/p-20200101.77.mdb";

    # one that is lost, and one that is there
    ok_tool('a copy', ['backup', $data, "$dir/lost"]);

    my ($lost, $there) = map { s{.*/}{}r } glob "$dir/lost/p-*.mdb";

    unlink "$dir/lost/$lost";
    $r = ok_tool('drop --dry-run of one that is lost',
                 ['drop', "$dir/lost", '--dry-run', "--file=$lost"]);
    like $r->{out}, qr/^1 partitions would be dropped$/m, 'it would go';
    is tool(['check', "$dir/lost"])->{status}, 1, 'and did not';
    $r = ok_tool('drop of one that is lost',
                 ['drop', "$dir/lost", "--file=$lost"]);
    like $r->{out}, qr/\A\Q$lost\E: goes.*^1 partitions dropped$/ms, 'it went';
    is_clean('without it', "$dir/lost");
    ok_tool('drop of one that is there', ['drop', "$dir/lost",
                                          "--file=$there"]);
    ok !-e "$dir/lost/$there", 'it is gone';
    is_clean('without both', "$dir/lost");
}


# ---- directories that stay as they are --------------------------------------

{
    my %empty = (check => [], stats => [], list => [], export => [],
                 import => [], seal => [], drop => ['--before=2020-01-01'],
                 backup => ["$dir/never"],
                 delete => ['--selector={service_name="x"}']);
    my $none = "$dir/none";

    mkdir $none;
    write_file("$none/letter.txt", "dear sir\n");
    my $before = sums($none);

    fails(1, qr/holds no store/, [$_, $none, @{ $empty{$_} }])
        for @COMMANDS;
    fails(1, qr/is not empty/, ['import', '--create', $none],
          stdin => $dump);
    is_deeply sums($none), $before, 'a directory without a store';
    ok !-e "$dir/never", 'and no copy of it';

    fails(1, qr/No such file/, [$_, "$dir/nowhere", @{ $empty{$_} }])
        for grep { $_ ne 'import' } @COMMANDS;
    ok !-e "$dir/nowhere", 'nor is one made';

    # a control.mdb that is no such file

    write_file("$none/control.mdb", 'x' x 8192);
    $before = sums($none);
    isnt tool([$_, $none, @{ $empty{$_} }])->{status}, 0, "$_: no store"
        for @COMMANDS;
    is_deeply sums($none), $before, 'what is no store stays as it is';
}


# ---- usage ------------------------------------------------------------------

fails(2, qr/COMMAND is missing/, []);
fails(2, qr/frob: there is no such command/, ['frob', $data]);
fails(2, qr/check: DIR is missing/, ['check']);
fails(2, qr/backup: TARGET is missing/, ['backup', $data]);
fails(2, qr/list: x is one word too many/, ['list', $data, 'x']);
fails(2, qr/--frob: there is no such option/, ['list', $data, '--frob']);
fails(2, qr/-x: there is no such option/, ['list', $data, '-x']);
fails(2, qr/check: --json is no option of this/, ['check', '--json', $data]);
fails(2, qr/--json=1: the option takes no value/, ['list', '--json=1', $data]);
fails(2, qr/--from: a value is missing/, ['export', $data, '--from']);
fails(2, qr/only together with --series/, ['list', $data, '--selector={}']);
fails(2, qr/--from is behind --to/, ['export', $data, '--from=now',
                                     '--to=now-1h']);
fails(2, qr/--before=TIME is missing, or --file=NAME/, ['drop', $data]);
fails(2, qr/--file leaves nothing to --before/,
      ['drop', $data, '--before=now', '--file=p-20231114.1.mdb']);
fails(2, qr/list: --file is no option/, ['list', $data, '--file=x']);
fails(2, qr/list: --tenants goes together with --json alone/,
      ['list', $data, '--tenants', $_])
    for '--series', '--tenant=x', '--from=now-1h', '--selector={a="b"}';
fails(2, qr/stats: --tenants is no option/, ['stats', $data, '--tenants']);
fails(1, qr/the store has no partition "p-20231114"/,
      ['drop', $data, '--file=p-20231114']);
fails(2, qr/lies in the future/, ['drop', $data, '--before=now+1h']);
fails(2, qr/--selector is missing, or --everything/, ['delete', $data]);
fails(2, qr/--everything only together with --tenant/,
      ['delete', $data, '--everything']);
fails(2, qr/--everything leaves nothing to --selector/,
      ['delete', $data, '--everything', '--tenant=x', '--selector={a="b"}']);
fails(2, qr/list: --everything is no option/, ['list', $data, '--everything']);
fails(2, qr/--selector: /, ['export', $data, '--selector={a=']);
fails(2, qr/one matcher with = or =~/, ['delete', $data,
                                        '--selector={a!="b"}']);
fails(2, qr/--before=\Q$_\E: no time/, ['drop', $data, "--before=$_"])
    for '', 'yesterday', '2026-13-01', '2026-02-30', '2026-11-22T25:00:00Z',
        '2026-11-22T13:00', 'now-', 'now-5', 'now-1x', '-1',
        '99999999999999999999';
is tool(['drop', '--dry-run', $data, "--before=$_"])->{status}, 0,
   "--before=$_"
    for '2020-01-01', '2020-01-01T00:00:00Z', '2020-01-01t00:00:00.5+01:00',
        '1577836800', '1577836800000', '1577836800000000',
        '1577836800000000000', 'now', 'now-1h30m', 'now-1y';


# ---- help, version, the man page --------------------------------------------

my $help = tool(['--help']);
my $version = tool(['--version']);
my $man = read_file('man/pyroscope-store.1') =~ s/\\-/-/gr;

is $help->{status}, 0, '--help';
is tool(['-h'])->{out}, $help->{out}, '-h is --help';
is_deeply [grep { $help->{out} !~ /\Q$_\E\b/ } @OPTIONS], [],
          '--help names all options';
is_deeply [grep { my $o = $_; !grep { $_ eq $o } @OPTIONS }
           $help->{out} =~ /(--[a-z-]+)/g], [], 'and no other';
is_deeply [grep { $help->{out} !~ /^  $_ /m } @COMMANDS], [],
          '--help names all commands';
is_deeply [grep { length > 80 } split /\n/, $help->{out}], [],
          '--help fits a terminal';
like $version->{out},
     qr/\Apyroscope-store \(ngx_pyroscope\) \d+\.\d+\.\d+\n\z/, '--version';
my ($number) = $version->{out} =~ /([\d.]+)$/;

is_deeply [grep { $man !~ /^\.(?:B|BR|BI|TP|TQ).*\Q$_\E\b/m } @OPTIONS], [],
          'the man page has all options';
is_deeply [grep { $man !~ /^\.TP\n\.B $_$/m } @COMMANDS], [],
          'the man page has all commands';
like $man, qr/^\.TH PYROSCOPE-STORE 1 .*ngx_pyroscope \Q$number\E"/m,
     'the man page has the version';
ok which('groff'), 'groff is there (package groff-base)';
is `groff -man -Tascii -ww -z man/pyroscope-store.1 2>&1`, '',
   'the man page has no warnings';

done_testing;
