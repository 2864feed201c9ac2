package PyroTest::Image;

# The image of the Dockerfile and the services of compose.yaml, in a container
# engine of their own below build/image.  No image is pulled: those that a
# Dockerfile is FROM are made by debootstrap from the Debian mirror this machine
# uses, once, with the certificates that were added to this machine's: Maven may
# reach its repository by a proxy that needs them.
#
#     my $engine = PyroTest::Image::engine();
#     my ($status, $text) = PyroTest::Image::build($IMAGE, PyroTest::root());
#     must(compose('up', '-d', '--no-build', $SERVICE));
#
# Needs root and the packages docker.io, docker-compose, debootstrap and
# iptables; engine() skips the whole file, with a reason, where there is none.

use strict;
use warnings;

use Exporter 'import';
use File::Path ();
use Test::More ();

use PyroTest ();
use PyroTest::Engine;
use PyroTest::Root;
use PyroTest::Util;

our @EXPORT = qw($DIR $IMAGE $SERVICE compose);

my $TRUSTED = '/usr/local/share/ca-certificates';

our $DIR = PyroTest::root() . '/build/image';
our $IMAGE = 'ngx-pyroscope';               # compose.yaml's names
our $SERVICE = 'perfshop-pyroscope';


sub engine {
    my $engine = PyroTest::Engine->new($DIR);

    Test::More::plan(skip_all => 'a container engine needs root') if $> != 0;

    for my $tool (qw(dockerd docker docker-compose debootstrap iptables)) {
        which($tool)
            or Test::More::plan(skip_all => "$tool is not installed");
    }

    $ENV{PATH} .= ':/usr/sbin:/sbin';

    $engine->start
        or Test::More::plan(skip_all => 'dockerd does not start here, see '
                                        . $engine->log);

    return $engine;
}


sub _trust {
    my ($tree) = @_;

    must('cp', '-a', $TRUSTED, "$tree/usr/local/share/");
    must('chroot', $tree, '/bin/sh', '-c',
         'PATH=/usr/sbin:/usr/bin:/sbin:/bin; ! command -v'
         . ' update-ca-certificates || update-ca-certificates');
}


sub _import_base {
    my ($from) = @_;

    my ($suite) = $from =~ /^debian:(\w+)-slim$/
        or die "the Dockerfile's FROM is \"$from\"\n";
    my $tar = "$DIR/debian-$suite.tar";

    # one that is there is kept, and with it what was built on it
    return if (run('docker', 'image', 'inspect', $from))[0] == 0;

    if (!-s $tar) {
        my $tree = "$DIR/debian-$suite";

        File::Path::remove_tree($tree);
        File::Path::make_path($tree);
        must('tar', '-C', $tree, '--numeric-owner', '-xpf',
             PyroTest::Root::base($suite));
        must('sh', '-c', 'cd "$1" && rm -rf var/cache/apt/* var/lib/apt/lists/*'
             . ' usr/share/doc/* usr/share/man/* usr/share/locale/*',
             'sh', $tree);
        _trust($tree) if -d $TRUSTED;
        must('tar', '-C', $tree, '-cf', "$tar.part", '.');
        rename "$tar.part", $tar or die "$tar: $!\n";
        File::Path::remove_tree($tree);
    }

    must('docker', 'import', $tar, $from);
}


# The exit status of the build of a folder with a Dockerfile, and what it said.
sub build {
    my ($image, $folder) = @_;

    my $dockerfile = read_file("$folder/Dockerfile");
    my %from = map { $_ => 1 } $dockerfile =~ /^FROM (\S+)/mg;

    _import_base($_) for sort keys %from;

    my @proxies = map { ('--build-arg', $_) }
                  grep { defined $ENV{$_} } qw(http_proxy https_proxy);

    return run('docker', 'build', '--network', 'host', @proxies, '-t', $image,
               $folder);
}


# docker-compose's command line, with the project's file.
sub compose {
    my (@args) = @_;

    return ('docker-compose', '-f', PyroTest::root() . '/compose.yaml',
            '-p', 'pyrotest', @args);
}


1;
