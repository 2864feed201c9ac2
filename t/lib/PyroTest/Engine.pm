package PyroTest::Engine;

# A container engine of one's own, with all that it has below one folder, and
# its command line.
#
#     my $engine = PyroTest::Engine->new("$root/build/image");
#     $engine->start or plan skip_all => $engine->log;
#     my $text = must('docker', 'info');
#     $engine->stop;
#
# Needs root and the packages docker.io and iptables.

use strict;
use warnings;

use Exporter 'import';
use File::Path ();
use POSIX ();

use PyroTest::Util;

our @EXPORT = qw(healthy inspect must run);

my $HAD_BRIDGE = -e '/sys/class/net/docker0';


# The exit status of a command, and what it said.
sub run {
    my (@command) = @_;

    open my $out, '-|', '/bin/sh', '-c', 'exec 2>&1; exec "$@"', 'sh', @command
        or die "$command[0]: $!\n";
    my $text = do { local $/; <$out> } // '';
    close $out;

    return ($? >> 8, $text);
}


sub must {
    my (@command) = @_;

    my ($status, $text) = run(@command);

    $status == 0 or die "@command: exit status $status\n$text";
    chomp $text;

    return $text;
}


sub inspect {
    my ($format, $name) = @_;

    return must('docker', 'inspect', '--format', $format, $name);
}


# What a container's health check found out.
sub healthy {
    my ($name) = @_;

    wait_for(sub { inspect('{{.State.Health.Status}}', $name) ne 'starting' },
             60, 'the health check');

    return inspect('{{.State.Health.Status}}', $name);
}


sub new {
    my ($class, $dir) = @_;

    File::Path::make_path($dir);

    return bless { dir => $dir, log => "$dir/dockerd.log", owner => $$ },
                 $class;
}

sub log { $_[0]{log} }


# Whether it runs; docker and docker-compose then talk to it.
sub start {
    my ($self) = @_;

    my $dir = $self->{dir};

    local $SIG{INT} = 'IGNORE';

    $self->{pid} = fork // die "fork: $!\n";

    if ($self->{pid} == 0) {
        POSIX::setsid();
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', $self->{log};
        open STDERR, '>&', \*STDOUT;
        exec 'dockerd', '--data-root', "$dir/data", '--exec-root',
             "$dir/exec", '--pidfile', "$dir/dockerd.pid", '-H',
             "unix://$dir/docker.sock" or POSIX::_exit(127);
    }

    $ENV{DOCKER_HOST} = "unix://$dir/docker.sock";
    $ENV{DOCKER_BUILDKIT} = 0;
    delete @ENV{qw(DOCKER_CONTEXT DOCKER_TLS_VERIFY)};

    return eval {
        wait_for(sub {
            if (waitpid($self->{pid}, POSIX::WNOHANG()) == $self->{pid}) {
                delete $self->{pid};
                die "dockerd ended\n";
            }
            return (run('docker', 'info'))[0] == 0;
        }, 60, 'dockerd');
    };
}

sub running { defined $_[0]{pid} && $_[0]{owner} == $$ }


# keep => 1: with its images and containers, else they go.
sub stop {
    my ($self, %opt) = @_;

    return if !$self->running;

    my $pid = delete $self->{pid};

    kill 'TERM', $pid;
    my $ended = eval {
        wait_for(sub { waitpid($pid, POSIX::WNOHANG()) == $pid }, 60,
                 'dockerd to end');
    };

    if (!$ended) {
        kill 'KILL', $pid;
        waitpid $pid, 0;
    }

    $self->_unmount;
    File::Path::remove_tree(map { "$self->{dir}/$_" } qw(data exec))
        if !$opt{keep};
}


# dockerd leaves its network namespace mounted, and its bridge.
sub _unmount {
    my ($self) = @_;

    my @points = grep { /^\Q$self->{dir}\E\// }
                 map { (split ' ')[1] }
                 split /\n/, read_file('/proc/mounts');

    run('umount', '-l', $_) for reverse @points;
    run('ip', 'link', 'delete', 'docker0') if !$HAD_BRIDGE;
}


1;
