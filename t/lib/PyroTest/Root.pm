package PyroTest::Root;

# Clean Debian roots, made by debootstrap from the mirror that this machine
# installs from, and commands in them.
#
#     PyroTest::own_mounts();
#     plan skip_all => $_ for PyroTest::Root::missing();
#     my $root = PyroTest::Root->new('bookworm', 'name');
#     $root->install('nginx');
#     my ($status, $text) = $root->run('nginx', '-t');
#
# They lie below build/root: of each suite debian-SUITE.tar, which all roots of
# it are unpacked from, and the packages that were downloaded.  What is mounted
# is seen by the script alone, and goes with it (own_mounts).  A command has
# the environment of a login of root and the host's network; no service is
# started by installing it.  The root is removed at the end unless a test
# failed.

use strict;
use warnings;

use File::Path ();
use POSIX ();
use Test::More ();
use Time::HiRes ();

use PyroTest ();
use PyroTest::Util;

my $DIR = PyroTest::root() . '/build/root';

my @LIVE;
my %running;


# ---- what needs no root -----------------------------------------------------

# Why there can be none here; empty where there can.
sub missing {
    return 'a root of Debian needs root' if $> != 0;
    return 'debootstrap is not installed' if !which('debootstrap');
    return 'nothing may be mounted here' if !$ENV{PYRO_TEST_MOUNTS};
    return;
}

# A command of this machine, in a process group of its own: its status, and
# what it said.
sub command {
    my (@command) = @_;

    my $pid = open(my $out, '-|') // die "fork: $!\n";

    if ($pid == 0) {
        setpgrp;
        open STDIN, '<', '/dev/null';
        open STDERR, '>&', \*STDOUT;
        { no warnings 'exec'; exec { $command[0] } @command; }
        syswrite STDOUT, "$command[0]: $!\n";
        POSIX::_exit(127);
    }

    $running{$pid} = 1;
    my $text = do { local $/; <$out> } // '';
    close $out;
    my $status = $? & 127 ? 128 + ($? & 127) : $? >> 8;
    delete $running{$pid};

    return ($status, $text);
}

# The same, which must end well: what it said.
sub must {
    my (@command) = @_;

    my ($status, $text) = command(@command);

    $status == 0 or die "@command: exit status $status\n$text";
    chomp $text;

    return $text;
}

# The archive of a suite's base system; made if it is not there.
sub base {
    my ($suite) = @_;

    my $tar = "$DIR/debian-$suite.tar";

    return $tar if -s $tar;

    my $tree = "$DIR/base-$suite-$$";

    File::Path::make_path($tree);
    Test::More::diag("debootstrap $suite");
    must('debootstrap', '--variant=minbase', '--include=ca-certificates',
         $suite, $tree, must(PyroTest::root() . '/t/lib/debian-mirror'));
    File::Path::remove_tree("$tree/var/cache/apt", { keep_root => 1 });
    must('tar', '-C', $tree, '--numeric-owner', '-cf', "$tar.$$", '.');
    rename "$tar.$$", $tar or die "$tar: $!\n";
    File::Path::remove_tree($tree);

    return $tar;
}


# ---- roots ------------------------------------------------------------------

sub new {
    my ($class, $suite, $name) = @_;

    my $dir = "$DIR/$suite-$name";
    my $self = bless { dir => $dir, suite => $suite, owner => $$ }, $class;

    File::Path::remove_tree($dir);
    File::Path::make_path($dir);
    must('tar', '-C', $dir, '--numeric-owner', '-xpf', base($suite));

    push @LIVE, $self;
    $self->_configure;
    $self->_mount;

    return $self;
}

sub path { "$_[0]{dir}$_[1]" }

# What apt of this machine is told of mirrors, and what makes it quick.
sub _configure {
    my ($self) = @_;

    my $apt = join '', map { "$_\n" }
              grep { /^Acquire::(?:https?::|Check-|Retries)/ }
              split /\n/, must('apt-config', 'dump');

    $apt .= qq(APT::Install-Recommends "0";\nAcquire::Languages "none";\n);

    write_file($self->path('/etc/apt/apt.conf.d/90test'), $apt);
    write_file($self->path('/etc/dpkg/dpkg.cfg.d/test'), "force-unsafe-io\n");
    write_file($self->path("/etc/$_"), read_file("/etc/$_"))
        for grep { -e "/etc/$_" } qw(hosts resolv.conf);

    my $policy = $self->path('/usr/sbin/policy-rc.d');

    write_file($policy, "#!/bin/sh\nexit 101\n");
    chmod 0755, $policy;
}

# A mount point itself, so that what runs in it may have mounts of its own.
sub _mount {
    my ($self) = @_;

    my $archives = "$DIR/archives-$self->{suite}";

    File::Path::make_path("$archives/partial",
                          $self->path('/var/cache/apt/archives'));
    must('mount', '--bind', $self->{dir}, $self->{dir});
    $self->{mounted} = 1;
    must('mount', '-t', 'proc', 'proc', $self->path('/proc'));
    must('mount', '-t', 'tmpfs', 'shm', $self->path('/dev/shm'))
        if -d $self->path('/dev/shm');
    must('mount', '--bind', $archives, $self->path('/var/cache/apt/archives'));
}

# The root becomes that of a mount name space: with chroot alone the kernel lets
# nobody in it have a user name space, which units of systemd ask for.
sub _inside {
    my ($self, @command) = @_;

    return ('unshare', '--mount', 'sh', '-ec',
            'cd "$0"; mount --move . /; exec chroot . "$@"', $self->{dir},
            '/usr/bin/env', '-i', 'HOME=/root',
            'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
            'LANG=C.UTF-8', 'DEBIAN_FRONTEND=noninteractive',
            (map { "$_=$ENV{$_}" }
             grep { defined $ENV{$_} } qw(http_proxy https_proxy)), @command);
}

# A command in the root: its status, and what it said.
sub run {
    my ($self, @command) = @_;

    return command($self->_inside(@command));
}

# The same, which must end well.
sub must_run {
    my ($self, @command) = @_;

    return must($self->_inside(@command));
}

# A command that goes on, its output in a file of the root: its pid.
sub spawn {
    my ($self, $log, @command) = @_;

    my $pid = fork // die "fork: $!\n";

    if ($pid == 0) {
        setpgrp;
        open STDIN, '<', '/dev/null';
        open STDOUT, '>>', $self->path($log);
        open STDERR, '>&', \*STDOUT;
        @command = $self->_inside(@command);
        { no warnings 'exec'; exec { $command[0] } @command; }
        POSIX::_exit(127);
    }

    $running{$pid} = 1;

    return $pid;
}

# Ends what spawn() began: the wait status.
sub stop {
    my ($self, $pid, $signal) = @_;

    kill $signal // 'QUIT', $pid;
    wait_for(sub { waitpid($pid, POSIX::WNOHANG()) == $pid }, $TIMEOUT,
             "the end of process $pid");
    delete $running{$pid};

    return $?;
}

# Packages by name, or files of the root: the status, and what was said.
sub try_install {
    my ($self, @packages) = @_;

    $self->{updated} //= $self->must_run('apt-get', '-q', 'update');

    return $self->run('apt-get', '-q', '-y', 'install', @packages);
}

sub install {
    my ($self, @packages) = @_;

    my ($status, $text) = $self->try_install(@packages);

    $status == 0 or die "cannot install @packages\n$text";
}

# User and mode of a file, as "www-data 640", or "missing".
sub status {
    my ($self, $file) = @_;

    my ($status, $text) = $self->run('stat', '-c', '%U %a', $file);

    chomp $text;

    return $status == 0 ? $text : 'missing';
}


# ---- the end ----------------------------------------------------------------

# Groups, since a package manager has children; no mount is followed.
sub _clean {
    my ($self) = @_;

    return if $self->{owner} != $$;

    if (delete $self->{mounted}) {
        my ($status, $text) = command('umount', '--recursive', '--lazy',
                                      $self->{dir});

        return Test::More::diag($text) if $status != 0;
    }

    if (Test::More->builder->is_passing) {
        command('rm', '-rf', '--one-file-system', $self->{dir});
    }
}

END {
    local $?;

    for my $pid (keys %running) {
        kill 'TERM', -$pid;
        eval {
            wait_for(sub { waitpid($pid, POSIX::WNOHANG()) == $pid }, 10);
        } or kill 'KILL', -$pid;
    }

    %running = ();
    $_->_clean for @LIVE;
}

1;
