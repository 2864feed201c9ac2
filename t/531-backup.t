#!/usr/bin/perl

# docs/backup.md: each of its commands, as the page has them and in its order,
# on a real store, beside its server where the page says so.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use File::Path ();
use PyroJfr;
use PyroTest;
use PyroTest::Docs;
use PyroTest::Util;
use Test::More;

my $ROOT = PyroTest::root();
my $RECORDING = 'new_spancontext';
my $ONE = PyroJfr::cpu_total($RECORDING);
my $DAY = 86_400;
my $NOVEMBER = 1_793_750_400;           # 2026-11-04T00:00:00Z
my $PUSHES = 3;                         # of a day

my $page = PyroTest::Docs->new('docs/backup.md');
my @blocks = $page->blocks('bash');
my @ini = $page->blocks('ini');

# the days of the page, whatever the clock says; files keep their names
my $t = PyroTest->new(more_yaml => "limits:\n  reject_newer_than: 0\n"
                                   . "lmdb:\n  seal_after: off\n")->start;
my $dir = $t->dir;
my $tools = $ENV{PYRO_SAN} ? 'build/asan' : 'build';

my %env = (
    ASIDE    => "$dir/aside",
    BACKUP   => "$dir/backup",
    DIR      => $t->data,
    OTHER    => "$dir/other/data",
    PATH     => "$ROOT/$tools:$ENV{PATH}",
    RESTORED => "$dir/restored/data",
);

mkdir "$dir/$_" or die "mkdir: $!\n" for qw(backup other restored);


# ---- helpers ----------------------------------------------------------------

# Runs the next block of the page: what it says.
sub run_block {
    my ($name) = @_;

    my $block = shift @blocks // die "the page has no block for: $name\n";

    local @ENV{keys %env} = values %env;
    write_file("$dir/block", $block);

    my $said = `bash -eu '$dir/block' 2>&1`;

    is $?, 0, $name or diag "$block\n$said";

    return $said;
}

sub push_at {
    my ($time, $service) = @_;

    for my $n (0 .. $PUSHES - 1) {
        my $from = $time + 10 * $n;
        my $r = $t->push_jfr(PyroJfr::recording($RECORDING), name => $service // 'shop',
                             from => $from, until => $from + 10);

        die "$r->{status} $r->{body}\n" if $r->{status} != 200;
    }
}

# How many pushes of a service a server has, by what they add up to.
sub count {
    my ($server, $service) = @_;

    return PyroJfr::total($server, name => $service // 'shop', start => 0,
                          end => 0) / $ONE;
}

# A server on another store.
sub server_on {
    my ($data) = @_;

    return PyroTest->new(dir => $data =~ s{/data$}{}r)->start;
}

sub files {
    my ($data) = @_;

    return sort map { m{([^/]+\.mdb)$} } glob "$data/p-*.mdb";
}


# ---- backup and restore -----------------------------------------------------

push_at($NOVEMBER);
push_at($NOVEMBER + $DAY);
push_at(time - 60, 'new');

is count($t), 2 * $PUSHES, 'two days';
is count($t, 'new'), $PUSHES, 'and today';
like run_block('a backup beside the server'), qr/\S/, 'says something';
push_at($NOVEMBER + 2 * $DAY);
run_block('it is the last one');

# What has changed since is another file; once all is rolled up, nothing has.
{
    my %before;

    wait_for(sub {
        File::Path::remove_tree("$dir/backup/new");
        unshift @blocks, ($page->blocks('bash'))[0];
        run_block('one more backup');

        my %now = map { $_ => read_file("$dir/backup/new/$_") }
                  files("$dir/backup/new");
        my @same = grep { ($before{$_} // '') eq $now{$_} } keys %now;

        %before = %now;

        return @same >= 2;
    }, $TIMEOUT, 'days that are over to be the same bytes');

    pass 'days that are over are the same bytes';
}

like run_block('a restore'), qr/pushes/, 'and what is there';

{
    my $restored = server_on($env{RESTORED});

    is count($restored), 2 * $PUSHES, 'all of the backup, nothing else';
    is $restored->stop, 0, 'a clean stop';
}


# ---- what is missing --------------------------------------------------------

is $t->stop, 0, 'a clean stop';

is system("$ROOT/$tools/pyroscope-store", 'delete', $env{DIR},
          '--selector={service_name="shop"}'), 0, 'all is deleted';
$t->start;
push_at($NOVEMBER);
is count($t), $PUSHES, 'but for a day that came since';
run_block('a dump of the backup, into a server that runs');
is count($t), 2 * $PUSHES, 'it is there again, and nothing is double';


# ---- a damaged day ----------------------------------------------------------

is $t->stop, 0, 'a clean stop';

my @days = files($env{DIR});

$env{FILE} = $days[1];
ok -f "$dir/backup/last/$env{FILE}", 'a day that the backup has';

{
    open my $file, '+<', "$env{DIR}/$env{FILE}" or die "open: $!\n";

    seek $file, 8192, 0;
    print $file "\xff" x ((-s $file) - 8192);
    close $file;
}

my ($status, $said) = PyroTest::check_store($env{DIR});

is $status, 1, 'damage is found';
like $said, qr/^\Q$env{FILE}\E: /m, 'and named';

unlike run_block('the file of the backup in its place'), qr/damage:/,
       'no damage is left';
ok -f "$dir/aside/$env{FILE}", 'the damaged file is kept';
$t->start;
is count($t), 2 * $PUSHES, 'the day is there';
push_at(time - 30, 'new');


# ---- to another machine -----------------------------------------------------

run_block('what is new, to another store');

{
    my $other = server_on($env{OTHER});

    is count($other, 'new'), 2 * $PUSHES, 'it is there';
    is $other->stop, 0, 'a clean stop';
}

run_block('a flame graph without a server');
cmp_ok -s "$dir/backup/november.txt", '>', 0, 'it has stacks';

is scalar @blocks, 0, 'all blocks of the page were run';


# ---- the timer --------------------------------------------------------------

is scalar @ini, 2, 'a service and a timer';
ok -x "/bin/$_", "there is /bin/$_" for qw(rm mv);

{
    my @steps = map { s/^\S+\///r } $ini[0] =~ /^Exec\w+=(.+)$/mg;
    my $block = join "\n", ($page->blocks('bash'))[0, 1];
    my @typed = map { tr/"//dr =~ s/\$(\w+)/\${$1}/gr } split /\n+/, $block;

    is_deeply [grep { !/^rm/ } @steps], [grep { !/^rm/ } @typed],
              'the service does what is typed by hand';
}

is $t->stop, 0, 'a clean stop';
$t->log_ok;

done_testing;
