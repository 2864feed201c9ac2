#!/usr/bin/perl

# README.md and docs/: links lead somewhere, messages that they quote are the
# program's own, what they name is there.  What the pages tell one to type is
# run by 531-backup.t, 532-migration.t and 540-kubernetes.t.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use File::Basename ();
use PyroTest;
use PyroTest::Docs;
use PyroTest::Util;
use Test::More;

my $ROOT = PyroTest::root();
my @pages = map { PyroTest::Docs->new($_) } PyroTest::Docs::pages();
my %page = map { $_->path => $_ } @pages;

cmp_ok scalar @pages, '>=', 8, 'pages';


# ---- links ------------------------------------------------------------------

# What is wrong with a link of that page; nothing, if it leads somewhere.
sub fault {
    my ($from, $target) = @_;

    return if $target =~ /^(?:https?|mailto):/;

    my ($path, $anchor) = split /#/, $target, 2;
    my $to = $path eq '' ? $from->path
             : normal(File::Basename::dirname($from->path) . "/$path");

    return 'no such file' if !-e "$ROOT/$to";
    return if !defined $anchor;
    return 'no page with headings' if !$page{$to};
    return $page{$to}->anchors->{$anchor} ? () : 'no such heading';
}

# a/../b is b
sub normal {
    my ($path) = @_;

    $path =~ s{(?:^|/)\.(?=/|$)}{}g;
    1 while $path =~ s{[^/]+/\.\./}{};

    return $path =~ s{^/|/$}{}gr;
}

for my $page (@pages) {
    my @wrong = map { my ($target, $line) = @$_;
                      map { "$line: $target: $_" } fault($page, $target) }
                $page->links;

    is_deeply \@wrong, [], $page->path . ': links lead somewhere';
}

# the check finds something
is fault($page{'README.md'}, 'docs/nothing.md'), 'no such file', 'a lost file';
is fault($page{'docs/backup.md'}, '../README.md#nothing'), 'no such heading',
   'a lost heading';
is fault($page{'docs/backup.md'}, '#backup'), undef, 'one that is there';

# From the README one comes to each page.
{
    my %linked = map { $_->[0] =~ s/#.*//r => 1 } $page{'README.md'}->links;

    is_deeply [grep { !$linked{$_} && $_ ne 'README.md' } sort keys %page], [],
              'the README has a link to each page';
}


# ---- messages ---------------------------------------------------------------

# The texts in the sources: literals side by side are one, as the compiler has
# it.
my @texts;

for my $file (map { glob "$ROOT/$_/*.c $ROOT/$_/*/*.c" }
              qw(cli core jfr ngx_pyroscope_module storage))
{
    my $source = read_file($file);

    $source =~ s{/\*.*?\*/}{}gs;

    while ($source =~ /("(?:[^"\\\n]|\\.)*"(?:\s*"(?:[^"\\\n]|\\.)*")*)/g) {
        my $text = join '', map { s/\\(.)/$1/gr }
                   $1 =~ /"((?:[^"\\]|\\.)*)"/g;

        push @texts, $text;
    }
}

# A message between its "...": each part is in one text, or in several, where
# what a %s stands for is a text itself.
sub unknown {
    my ($message) = @_;

    return grep { my $part = $_; !grep { index($_, $part) >= 0 } @texts }
           grep { /\w/ } map { s/^\s+|\s+$//gr } split /\xe2\x80\xa6/, $message;
}

my $quoted = 0;

for my $page (@pages) {
    for my $row (map { @$_ } $page->tables) {
        my $cell = $row->{message} // next;

        # in brackets: what others say
        $cell =~ s/\(.*\)//s if $cell =~ /^\(/;

        for my $message ($cell =~ /`([^`]+)`/g) {
            $quoted++;
            is_deeply [unknown($message)], [], $page->path . ": $message";
        }
    }
}

cmp_ok $quoted, '>=', 50, 'messages';
is_deeply [unknown("the disk is nearly empty")], ['the disk is nearly empty'],
          'what nobody says is found';


# ---- names ------------------------------------------------------------------

# The keys and metrics that pages name are there, and the README has all keys.
{
    my $known = join "\n", @texts;
    my $readme = $page{'README.md'}->text;
    my %key = map { $_ => 1 } read_file("$ROOT/core/settings/keys.c")
              =~ /"((?:server|storage|compactor|limits|lmdb|query)\.[\w.]+)"/g;

    cmp_ok scalar keys %key, '>=', 40, 'keys';
    is_deeply [grep { $readme !~ /`\Q$_\E`/ } sort keys %key], [],
              'the README has each';

    for my $page (grep { $_->path ne 'README.md' } @pages) {
        my %named = map { $_ => 1 } $page->text
            =~ /(?<![-\w])((?:lmdb|query|limits)\.[a-z_0-9]+[a-z0-9])\b/g;

        is_deeply [grep { $known !~ /\b\Q$_\E\b/ } sort keys %named], [],
                  $page->path . ': keys';

        %named = map { s/_(?:bucket|sum|count)$//r => 1 }
                 $page->text =~ /\b(ngx_pyroscope_\w+(?<!_))\b/g;
        delete @named{grep { /_module$/ } keys %named};

        is_deeply [grep { $readme !~ /`\Q$_\E`/ } sort keys %named], [],
                  $page->path . ': metrics are those of the README';
    }
}

done_testing;
