package PyroTest::Util;

# Functions without a server, for tests and for PyroTest.

use strict;
use warnings;

use Exporter 'import';
use IO::Compress::Gzip ();
use IO::Socket::INET ();
use IO::Uncompress::Gunzip ();
use Time::HiRes ();

our @EXPORT = qw($TIMEOUT bad_lines free_port gunzip gzip newer_format
                 own_mounts read_file replace_file tmpfs uri_escape wait_for
                 which write_file);

our $TIMEOUT = 120;

my $SANITIZER = qr/ERROR:\ (?:Address|Leak|Thread)Sanitizer
                   |runtime\ error:|SUMMARY:\ \w*Sanitizer/x;

# A port that nobody has, outside of the range from which connections get
# theirs, for one of another test may have it the next moment.  A server has it
# only later, and not between two starts: the UDP port of the same number, which
# no server here listens on, is kept until the test ends, so that no other test
# is given it meanwhile.
{
    my %given;

    sub free_port {
        for (1 .. 1000) {
            my $port = 20_000 + int rand 12_000;

            next if $given{$port};

            my $kept = IO::Socket::INET->new(
                LocalAddr => '127.0.0.1', LocalPort => $port, Proto => 'udp')
                or next;
            my $sock = IO::Socket::INET->new(
                LocalAddr => '127.0.0.1', LocalPort => $port, Proto => 'tcp',
                Listen => 1) or next;

            $given{$port} = $kept;

            return $port;
        }

        die "no free port: $!\n";
    }
}

# Lines that no error log may have.
sub bad_lines {
    my ($text) = @_;

    return grep { /\[(?:alert|crit|emerg)\]/ || $_ =~ $SANITIZER }
           split /\n/, $text;
}

# Runs the script once more, where what it mounts is seen by it alone and goes
# with it; to be called before anything else.  Where that is not permitted it
# goes on as it is, and tmpfs() mounts nothing.
sub own_mounts {
    my @unshare = ('unshare', '--mount');

    return if $ENV{PYRO_TEST_MOUNTS} || $> != 0 || !which($unshare[0])
              || system("@unshare true 2>/dev/null") != 0;

    $ENV{PYRO_TEST_MOUNTS} = 1;

    exec @unshare, $^X, $0, @ARGV or die "unshare: $!\n";
}

# Mounts a file system of its own on a folder; false where that cannot be.
sub tmpfs {
    my ($dir, $options) = @_;

    return $ENV{PYRO_TEST_MOUNTS}
           && system('mount', '-t', 'tmpfs', '-o', $options, 'none', $dir)
              == 0;
}

# Calls until it returns something true; that is returned.
sub wait_for {
    my ($what, $timeout, $name) = @_;

    my $until = Time::HiRes::time() + ($timeout // $TIMEOUT);

    while (1) {
        my $result = $what->();

        return $result if $result;
        last if Time::HiRes::time() >= $until;

        Time::HiRes::sleep(0.02);
    }

    $name = $name->() if ref $name;
    die 'waited in vain for ' . ($name // 'something') . "\n";
}

sub gzip {
    my ($bytes) = @_;

    IO::Compress::Gzip::gzip(\$bytes, \my $out, -Level => 1, -Minimal => 1)
        or die "gzip: $IO::Compress::Gzip::GzipError\n";

    return $out;
}

sub gunzip {
    my ($bytes) = @_;

    IO::Uncompress::Gunzip::gunzip(\$bytes, \my $out, MultiStream => 1)
        or die "gunzip: $IO::Uncompress::Gunzip::GunzipError\n";

    return $out;
}

# Makes a file of a store, which nobody has open, one of the next format, in each
# page that says so.
sub newer_format {
    my ($file) = @_;

    my ($old, $new) = map { 'format' . pack 'N', $_ } 1, 2;
    my $data = read_file($file);

    $data =~ s/\Q$old\E/$new/g or die "$file has no format\n";
    write_file($file, $data);
}

sub uri_escape {
    my ($text) = @_;

    $text =~ s/([^A-Za-z0-9_.~-])/sprintf '%%%02X', ord $1/ge;

    return $text;
}

sub read_file {
    my ($file) = @_;

    open my $in, '<:raw', $file or die "$file: $!\n";
    local $/;

    return scalar(<$in>) // '';
}

sub write_file {
    my ($file, $text) = @_;

    open my $out, '>:raw', $file or die "$file: $!\n";
    print $out $text;
    close $out or die "$file: $!\n";
}

# The same for a file that somebody may open meanwhile: it is the one of before,
# or whole.
sub replace_file {
    my ($file, $text) = @_;

    write_file("$file.new", $text);
    rename "$file.new", $file or die "$file: $!\n";
}

# The command's full name, or undef.
sub which {
    my ($name) = @_;

    for my $dir (split(/:/, $ENV{PATH} // ''), '/usr/sbin', '/sbin') {
        return "$dir/$name" if -x "$dir/$name" && !-d _;
    }

    return;
}

1;
