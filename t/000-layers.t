#!/usr/bin/perl

# Which directory may include what, and what every C file looks like.
#
# The table below is the one of the design: a directory includes its own
# headers, generated ones of directories it may include, libc, the directories
# and the libraries listed.  One test a directory and rule; what breaks it is
# named with file and line.  Of the store, one engine is behind storage/kv.h.

use warnings;
use strict;

use File::Find;
use FindBin;
use Test::More;


my @base   = qw(core/base);
my @model  = (@base, qw(core/model));
my @query  = (@model, qw(core/query));
my @core   = (@query, qw(core/format core/api core/settings));
my @inner  = (@core, qw(jfr storage));

my @libraries = qw(zlib libdeflate xxhash pcre2 yaml protobuf-c jansson);

my %may = (
    'core/base'     => [ qw(zlib libdeflate xxhash) ],
    'core/model'    => [ @base ],
    'core/format'   => [ @model, qw(jansson) ],
    'core/query'    => [ @model, qw(pcre2) ],
    'core/api'      => [ @query, qw(core/format protobuf-c jansson) ],
    'core/settings' => [ @base, qw(yaml) ],
    'jfr'           => [ @model ],
    'storage'       => [ @query, qw(lmdb) ],
    'cli'           => [ @inner, @libraries ],
    'ngx_pyroscope_module' => [ @inner, @libraries, qw(nginx) ],
    't/unit'        => [ @inner, @libraries, qw(cli lmdb cmocka) ],
    't/fuzz'        => [ @inner, @libraries, qw(cli lmdb) ],
    't/bench'       => [ @inner, @libraries, qw(cli lmdb) ],
);

my @directories = sort keys %may;

# a library by its header; nginx's are all that begin with ngx_ and are not in
# the including directory itself

my @headers = (
    [ qr{^zlib\.h$},            'zlib' ],
    [ qr{^libdeflate\.h$},      'libdeflate' ],
    [ qr{^xxhash\.h$},          'xxhash' ],
    [ qr{^pcre2\.h$},           'pcre2' ],
    [ qr{^protobuf-c/.+\.h$},   'protobuf-c' ],
    [ qr{^jansson\.h$},         'jansson' ],
    [ qr{^yaml\.h$},            'yaml' ],
    [ qr{^lmdb\.h$},            'lmdb' ],
    [ qr{^cmocka\.h$},          'cmocka' ],
    [ qr{^(?:.*/)?ngx_[^/]+$},  'nginx' ],
);

my %libc = map { ("$_.h" => 1) } qw(
    assert byteswap ctype dirent dlfcn endian errno fcntl fenv float ftw
    getopt glob grp inttypes iso646 libgen limits locale malloc math memory
    poll pthread pwd regex sched semaphore setjmp signal spawn stdalign
    stdarg stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string
    strings sysexits syslog termios threads time uchar unistd wchar wctype
    arpa/inet net/if netdb netinet/in netinet/tcp
    sys/eventfd sys/file sys/ioctl sys/mman sys/mount sys/param sys/prctl sys/random
    sys/resource sys/select sys/socket sys/stat sys/statfs sys/statvfs
    sys/syscall sys/sysinfo sys/time sys/times sys/types sys/uio sys/un
    sys/utsname sys/wait
);

# what belongs to one machine; in two pieces, or this file would name it

my @foreign = map { quotemeta } '/wo' . 'rk/', '../sh' . 'ared';


chdir "$FindBin::Bin/.." or die "cannot change to the root: $!\n";

my (@c_files, @text_files);

find({ no_chdir => 1, wanted => sub {
    my $path = s{^\./}{}r;

    if ($path =~ m{^(?:\.git|build)$} || $path =~ m{(?:^|/)node_modules$}) {
        $File::Find::prune = 1;
        return;
    }

    return if -l $path || !-f _;

    push @c_files, $path if $path =~ /\.[ch]$/;
    push @text_files, $path if -T $path;
} }, '.');

@c_files = sort @c_files;

my (%found, %edges, @homeless);

for my $file (@c_files) {
    my $directory = home($file);

    if (defined $directory) {
        check_file($file, $directory);

    } else {
        push @homeless, $file;
    }
}

my @rules = (
    [ includes => 'includes only what its layer may' ],
    [ tabs     => 'has no tabs' ],
    [ blanks   => 'has no trailing blanks' ],
    [ columns  => 'has no line over 80 columns' ],
    [ comments => 'has no // comments' ],
);

plan tests => @directories * @rules + 5;

for my $directory (@directories) {
    for my $rule (@rules) {
        report("$directory $rule->[1]", $found{$directory}{$rule->[0]});
    }
}

report('every C file is in a directory of the table', \@homeless);
report('the table has no circle', circle({
    map { my $d = $_; $d => { map { $_ => 1 } grep { $may{$_} } @{$may{$d}} } }
        @directories
}));
report('the includes make no circle', circle(\%edges));
report('no file names a place of one machine', foreign(@text_files));
report('the store knows LMDB in lmdb_*.c alone', [
    grep { m{^storage/} && !m{/lmdb_[a-z]+\.c$}
           && (without_comments(slurp($_)))[0] =~ /\b(?:mdb|MDB)_/ } @c_files
]);


sub report {
    my ($name, $problems) = @_;

    ok(!@{ $problems // [] }, $name);
    diag($_) for @{ $problems // [] };
}


# the directory of the table a file or an include path is in

sub home {
    my ($path) = @_;

    for my $directory (@directories) {
        return $directory if index($path, "$directory/") == 0;
    }

    return undef;
}


sub check_file {
    my ($file, $directory) = @_;

    my $source = slurp($file);
    my $problems = $found{$directory} //= {};
    my $line = 0;

    for my $text (split /\n/, $source, -1) {
        $line++;

        push @{ $problems->{tabs} }, "$file:$line" if $text =~ /\t/;
        push @{ $problems->{blanks} }, "$file:$line" if $text =~ /[ \t\r]$/;
        push @{ $problems->{columns} }, "$file:$line" if columns($text) > 80;
    }

    my ($code, @comments) = without_comments($source);

    push @{ $problems->{comments} }, map { "$file:$_" } @comments;
    $line = 0;

    for my $text (split /\n/, $code, -1) {
        $line++;

        next unless $text =~ /^\s*#\s*include\b\s*(.*?)\s*$/;

        my $problem = check_include($file, $directory, $1);

        push @{ $problems->{includes} }, "$file:$line: $1: $problem"
            if defined $problem;
    }
}


# undef, or what is wrong

sub check_include {
    my ($file, $directory, $what) = @_;

    my ($quote, $path) = $what =~ /^(["<])([^">]+)[">]$/
        or return 'is neither "..." nor <...>';

    return 'steps out of its directory' if $path =~ m{(?:^|/)\.\.?(?:/|$)};

    if ($quote eq '"') {
        my $target = home($path);

        if (defined $target) {
            $edges{$directory}{$target} = 1 if $target ne $directory;

            return $target eq $directory || allowed($directory, $target)
                   ? undef : "$directory may not include $target";
        }

        # beside the file, or at the top of its directory

        return undef
            if -f $file =~ s{[^/]+$}{$path}r || -f "$directory/$path";
    }

    for my $header (@headers) {
        next unless $path =~ $header->[0];

        return allowed($directory, $header->[1])
               ? undef : "$directory may not include $header->[1]";
    }

    return $quote eq '<' && $libc{$path}
           ? undef : 'is not of the project, a known library or libc';
}


sub allowed {
    my ($directory, $what) = @_;

    return grep { $_ eq $what } @{ $may{$directory} };
}


# source with its comments blanked, and the lines that begin a // comment

sub without_comments {
    my ($source) = @_;

    my ($code, $line, @comments) = ('', 1);

    while ($source =~ m{
        \G (?: (?<block> /\*.*?(?:\*/|\z) )
             | (?<line> //[^\n]* )
             | (?<other> "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*'
                         | [^/"']+ | . ) )
    }gsx) {
        my $piece = $+{other};

        if (!defined $piece) {
            push @comments, $line if defined $+{line};
            $piece = ($+{block} // '') =~ tr/\n//cdr;
            $line += length $piece;
            $code .= " $piece";
            next;
        }

        $line += $piece =~ tr/\n//;
        $code .= $piece;
    }

    return ($code, @comments);
}


sub columns {
    my ($text) = @_;

    utf8::decode($text);

    return length $text;
}


# [] or one circle, as "a -> b -> a"

sub circle {
    my ($graph) = @_;

    my (%state, @path, $visit);

    $visit = sub {
        my ($node) = @_;

        return 0 if ($state{$node} // '') eq 'done';

        push @path, $node;

        if ($state{$node}) {
            shift @path while $path[0] ne $node;
            return 1;
        }

        $state{$node} = 'open';

        for my $next (sort keys %{ $graph->{$node} // {} }) {
            return 1 if $visit->($next);
        }

        $state{$node} = 'done';
        pop @path;

        return 0;
    };

    for my $node (sort keys %$graph) {
        return [ join ' -> ', @path ] if $visit->($node);
    }

    return [];
}


sub foreign {
    my (@files) = @_;

    my $any = join '|', @foreign;
    my @problems;

    for my $file (sort @files) {
        my $line = 0;

        for my $text (split /\n/, slurp($file), -1) {
            $line++;
            push @problems, "$file:$line" if $text =~ /$any/;
        }
    }

    return \@problems;
}


sub slurp {
    my ($file) = @_;

    open my $fh, '<:raw', $file or die "cannot open $file: $!\n";
    local $/;

    return <$fh> // '';
}
