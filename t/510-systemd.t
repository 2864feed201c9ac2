#!/usr/bin/perl

# The units of docs/systemd: what systemd's own tools say of them, and nginx
# as they start it, under the limits that they set (t/lib/jail): pushes,
# queries, a reload, sealing, an end; and whose the files are.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use File::Copy ();
use File::Path ();
use PyroJfr;
use PyroTest;
use PyroTest::Util;
use Test::More;

my $ROOT = PyroTest::root();
my $UNITS = "$ROOT/docs/systemd";
my $DEBIAN = '/lib/systemd/system/nginx.service';
my $ANALYZE = which('systemd-analyze');
my $SMALL = 'new_spancontext';
my $ONE = PyroJfr::cpu_total($SMALL);
my $START = PyroJfr::FROM;


# ---- what systemd says ------------------------------------------------------

sub analyze {
    my @command = ($ANALYZE, '--no-pager', @_);
    my $said = `@command 2>&1`;

    return ($? >> 8, $said);
}

# More than that much is open: of 100, what has no limit at all.
sub fine {
    my ($file, $threshold) = @_;

    my $name = $file =~ s{.*/}{}r;
    my ($status, $said) = analyze('verify', '--man=no', $file);

    is $status, 0, "$name: verify";
    is $said, '', 'has nothing to say';

    ($status, $said) = analyze('security', '--offline=true',
                               "--threshold=$threshold", $file);
    is $status, 0, "$name: security" or diag $said;
}

my $both = PyroTest->new;
my $debian = $both->dir . '/nginx.service';

SKIP: {
    skip 'there is no systemd-analyze', 1 if !$ANALYZE;

    File::Path::make_path("$debian.d");
    File::Copy::copy($DEBIAN, $debian) or die "$DEBIAN: $!\n";
    File::Copy::copy("$UNITS/nginx.service.d/pyroscope.conf", "$debian.d/")
        or die "pyroscope.conf: $!\n";

    fine("$UNITS/nginx-pyroscope.service", 15);
    fine($debian, 30);
}


# ---- a jail -----------------------------------------------------------------

my ($module) = PyroTest::modules();
my $why = $> != 0 ? 'name spaces are made by root'
          : !$ANALYZE ? 'there is no systemd-analyze'
          : !$module ? 'the module is built in, and the units load it'
          : system('unshare --mount true 2> /dev/null')
          ? 'a mount name space is not permitted here' : '';

if ($why) {
    note $why;
    done_testing;
    exit;
}

my $MODULE = '/etc/pyroscope/modules/ngx_pyroscope_module.so';

# What the units find, in the folder of a PyroTest that runs in the jail.
sub prison {
    my ($name, %etc) = @_;

    my $t = PyroTest->new(workers => `getconf _NPROCESSORS_ONLN` + 0);
    my $dir = $t->dir;

    File::Path::make_path(map { "$dir/$_" } qw(etc-copy state log run),
                          'etc/nginx', 'etc/pyroscope/modules');
    File::Copy::copy($module, "$dir$MODULE" =~ s{/etc/}{/etc/}r)
        or die "$module: $!\n";
    write_file("$dir/etc/$_", $t->_expand($etc{$_})) for keys %etc;

    $t->{name} = $name;

    return $t;
}

# A unit with what cannot be had here replaced: there may be no such folder.
sub unit_for {
    my ($t, $file) = @_;

    my $copy = $t->dir . '/' . $file =~ s{.*/}{}r;

    write_file($copy, read_file($file)
                      =~ s{/usr/lib/nginx/modules/}{/etc/pyroscope/modules/}r
                      =~ s/daemon on;/daemon off;/gr);

    return $copy;
}

sub jailed {
    my ($t, $out, @command) = @_;

    my $dir = $t->dir;
    my %env = $t->_child_env;
    my $pid = fork // die "fork: $!\n";

    s{log_path=\Q$dir\E}{log_path=/var/lib/pyroscope} for values %env;

    if ($pid == 0) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>>', $out;
        open STDERR, '>>', $out;
        @ENV{keys %env} = values %env;
        { no warnings 'exec'; exec "$ROOT/t/lib/jail", $dir, @{ $t->{units} },
                                   @command ? ('--', @command) : (); }
        POSIX::_exit(127);
    }

    return $pid;
}

# What a shell in there says.
sub shell {
    my ($t, $command) = @_;

    my $out = $t->dir . '/shell.out';

    unlink $out;
    waitpid jailed($t, $out, '/bin/sh', '-c', $command), 0;

    return read_file($out);
}

sub begin {
    my ($t) = @_;

    $t->{pid} = jailed($t, $t->dir . '/stderr.log');

    wait_for(sub {
        if (defined $t->_reap($t->{pid}, 0)) {
            delete $t->{pid};
            die "$t->{name}: no nginx:\n" . $t->_tail;
        }

        my $r = eval { $t->get('/ready', timeout => 5) };

        return $r && $r->{status} == 200 && $t->worker_pids == $t->{workers};
    }, undef, sub { "$t->{name}: ready:\n" . $t->_tail });
}

sub push_one {
    my ($t) = @_;

    return $t->push_jfr(PyroJfr::recording($SMALL), name => 'shop',
                        from => $START + $t->{pushes}++)->{status};
}

# Pushes, queries, over a reload, until the day is sealed.
sub works {
    my ($t, $query) = @_;

    my $name = $t->{name};
    my $total = sub { PyroJfr::total($query, name => 'shop')
                      / $t->{pushes} };

    is push_one($t), 200, "$name: a push";
    is $total->(), $ONE, 'a query';
    is PyroJfr::total($query, selector => '{service_name=~"(s|t)h.p"}'),
       $ONE, 'a regular expression';

    $t->reload;
    is push_one($t), 200, "$name: a push after a reload";
    is $total->(), $ONE, 'a query';
    $t->wait_workers;

    ok wait_for(sub { $query->metric('ngx_pyroscope_sealed_partitions_total')
                      > 0 }, 120, 'a sealed partition'), "$name: sealed";
    is $total->(), $ONE, 'a query of it';
    is $query->metric('ngx_pyroscope_upkeep_failures_total'), 0,
       'no failure of the upkeep';

    my ($status, $said) = PyroTest::check_store($t->dir . '/state/data');

    is $status, 0, "$name: a tool outside reads the store meanwhile"
        or diag $said;
}

# It ends, with nothing bad in its logs; a sanitizer writes where it may.
sub ends {
    my ($t) = @_;

    is $t->stop, 0, "$t->{name}: a clean end";
    $t->log_ok;
    is_deeply [glob $t->dir . '/state/*san.*'], [], 'no report';
}

# Of every process: { field of its status => value }
sub processes {
    my ($t) = @_;

    my $children = read_file("/proc/$t->{pid}/task/$t->{pid}/children");

    return map { +{ read_file("/proc/$_/status") =~ /^(\w+):\s+(.*)$/mg } }
           split ' ', $children;
}

# All of the store is the worker's, and nobody else reads it.
sub owned {
    my ($t, $uid, $dir) = @_;

    my @files = glob "$dir/*";

    # the upkeep may remove one meanwhile
    my @wrong = grep { my @s = stat;
                       @s && ($s[4] != $uid || ($s[2] & 07777) != 0640) }
                @files;
    my @dir = stat $dir;

    cmp_ok scalar(@files), '>=', 4, "$t->{name}: files of the store";
    is_deeply \@wrong, [], 'are the worker\'s, mode 0640';
    is_deeply [$dir[4], $dir[2] & 07777], [$uid, 0750],
              'in a folder of its own, mode 0750';
}

my $config = read_file("$ROOT/pyroscope-config.yml")
             =~ s/^(\s+http_listen_address:).*/$1 127.0.0.1/mr
             =~ s/^(\s+http_listen_port:).*/$1 %PORT%/mr
             =~ s/^(\s+seal_after:).*/$1 1s/mr
             =~ s/^(\s+min_free_disk:).*/$1 0/mr;


# ---- a unit of its own ------------------------------------------------------

{
    my $t = prison(
        'nginx-pyroscope.service', 'pyroscope/pyroscope-config.yml' => $config,
        'pyroscope/nginx.conf' => read_file("$ROOT/nginx.conf")
            =~ s{pyroscope_config  }{$&/etc/pyroscope/}r);

    $t->{units} = [unit_for($t, "$UNITS/nginx-pyroscope.service")];

    my $shell = shell($t, <<'END');
touch /usr/a /etc/a /var/a /run/a /var/lib/a /dev/a || true
ls /root || true
unshare --user true || true
echo user $(id -u) umask $(umask)
touch /var/lib/pyroscope/a /tmp/a /run/nginx-pyroscope/a && echo may
rm /var/lib/pyroscope/a
END
    my ($uid) = $shell =~ /^user (\d+) umask 0027$/m;

    ok $uid, 'the jail: a user, and its umask' or diag $shell;
    is scalar(() = $shell =~ /^touch: .* Read-only file system$/mg), 5,
       'nothing can be written' or diag $shell;
    like $shell, qr{^touch: .*/dev/a}m, 'no device';
    like $shell, qr{^ls: .*/root.*Permission denied$}m, 'nothing of root\'s';
    like $shell, qr/^unshare: .*not permitted$/m, 'no name spaces';
    like $shell, qr/^may$/m, 'but its own folders can';

    begin($t);
    works($t, $t);

    for my $process (processes($t)) {
        is_deeply { map { $_ => $process->{$_} } qw(Uid NoNewPrivs Seccomp
                                                   CapEff CapBnd CapPrm) },
                  { Uid => join("\t", ($uid) x 4), NoNewPrivs => 1,
                    Seccomp => 2, map { $_ => '0' x 16 } qw(CapEff CapBnd
                                                            CapPrm) },
                  "$process->{Name}: its limits hold";
    }

    owned($t, $uid, $t->dir . '/state/data');
    ends($t);
    owned($t, $uid, $t->dir . '/state/data');
}


# ---- Debian's, with a drop-in -----------------------------------------------

{
    my $query = free_port();
    my $nginx = read_file('/etc/nginx/nginx.conf')
        =~ s{include /etc/nginx/modules-enabled/.*}{load_module $MODULE;}r
        =~ s{include /etc/nginx/conf\.d/}{include /etc/pyroscope/conf.d/}r
        =~ s{include /etc/nginx/sites-enabled/.*}{}r;
    my $example = read_file("$ROOT/docs/examples/push-and-query.conf")
        =~ s/listen  4040/listen  127.0.0.1:%PORT%/r
        =~ s/127\.0\.0\.1:4041/127.0.0.1:$query/r;
    my $t = prison(
        'nginx.service', 'nginx/nginx.conf' => $nginx,
        'pyroscope/pyroscope-config.yml' => $config
            =~ s{^(\s+dir:).*}{$1 /var/lib/pyroscope/data}mr);

    mkdir $t->dir . '/etc/pyroscope/conf.d';
    File::Copy::copy("$ROOT/docs/examples/log-format.conf",
                     $t->dir . '/etc/pyroscope/conf.d/');
    write_file($t->dir . '/etc/pyroscope/conf.d/pyroscope.conf',
               $t->_expand($example));
    symlink 'log/error.log', $t->dir . '/error.log';
    $t->{units} = [map { unit_for($t, $_) } $DEBIAN,
                   "$UNITS/nginx.service.d/pyroscope.conf"];

    my ($name) = $nginx =~ /^user (\S+);/m or die "no user: $nginx\n";
    my $uid = getpwnam $name;

    begin($t);
    works($t, PyroTest::Client->new(port => $query));

    for my $process (processes($t)) {
        is_deeply { map { $_ => $process->{$_} } qw(Uid NoNewPrivs Seccomp
                                                   CapEff) },
                  { Uid => join("\t", ($uid) x 4), NoNewPrivs => 1,
                    Seccomp => 2, CapEff => '0' x 16 },
                  "$process->{Name}: its limits hold";
    }

    owned($t, $uid, $t->dir . '/state/data');
    ends($t);
    owned($t, $uid, $t->dir . '/state/data');
}

done_testing;
