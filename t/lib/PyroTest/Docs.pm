package PyroTest::Docs;

# README.md and docs/*.md as tests read them.
#
#     my $doc = PyroTest::Docs->new('docs/backup.md');
#     $doc->text;                       # bytes, as all of these
#     $doc->blocks('bash');             # what stands between ```bash and ```
#     $doc->anchors;                    # { name => 1 } of its headings
#     $doc->links;                      # [[target, line], ...]
#     $doc->tables;                     # [[{ column => cell }, ...], ...]

use strict;
use warnings;

use PyroTest ();
use PyroTest::Util;

sub pages {
    my $root = PyroTest::root();

    return map { s{^\Q$root/}{}r } "$root/README.md", sort glob
           "$root/docs/*.md";
}

sub new {
    my ($class, $path) = @_;

    my $text = read_file(PyroTest::root() . "/$path");

    return bless { path => $path, text => $text,
                   prose => _without_blocks($text) }, $class;
}

sub path { $_[0]{path} }
sub text { $_[0]{text} }

# Blocks become empty lines, so that lines keep their numbers.
sub _without_blocks {
    my ($text) = @_;

    $text =~ s{^([ ]*)```.*?^\1```$}{ $& =~ tr/\n//cdr }gmse;

    return $text;
}

sub blocks {
    my ($self, $language) = @_;

    return $self->{text} =~ /^```\Q$language\E\n(.*?)^```$/gms;
}

# A heading's name as GitHub makes it.
sub anchors {
    my ($self) = @_;

    my %seen;

    for my $heading ($self->{prose} =~ /^#{1,6} (.+)$/mg) {
        my $name = lc $heading =~ s/\[([^\]]*)\]\([^)]*\)/$1/gr;

        utf8::decode($name);
        $name =~ s/[^\w\- ]//g;
        $name =~ tr/ /-/;
        utf8::encode($name);

        my $n = 0;
        my $free = $name;

        $free = $name . '-' . ++$n while $seen{$free};
        $seen{$free} = 1;
    }

    return \%seen;
}

# Inline links; what looks like one inside of `...` is none.
sub links {
    my ($self) = @_;

    my @links;
    my $line = 0;

    for my $text (split /\n/, $self->{prose}) {
        $line++;
        $text =~ s/(`+).*?\1/code/g;
        push @links, [$1, $line] while $text =~ /\]\(([^)\s]+)\)/g;
    }

    return @links;
}

# A row is a hash by the names of the columns; \| in a cell is |.
sub tables {
    my ($self) = @_;

    my (@tables, @names, $rows);

    for my $line (split /\n/, $self->{prose}) {
        if ($line !~ /^\|(.*)\|\s*$/) {
            undef $rows;
            next;
        }

        my @cells = map { s/^\s+|\s+$//gr =~ s/\\\|/|/gr }
                    split /(?<!\\)\|/, $1, -1;

        if (!$rows) {
            @names = @cells;
            push @tables, $rows = [];

        } elsif ($line =~ /[^|\-: ]/) {
            push @$rows, { map { $names[$_] => $cells[$_] } 0 .. $#names };
        }
    }

    return @tables;
}

1;
