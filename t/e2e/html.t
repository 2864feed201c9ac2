#!/usr/bin/perl

# A real browser opens the pages that a server exports, by file:// and without
# a network: what is drawn is what the server answers, and one can search, zoom
# and walk in it; names do nothing, whatever is in them.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/../lib";

use IPC::Open2 ();
use JSON::PP ();
use List::Util qw(sum0);
use PyroJfr;
use PyroTest;
use PyroTest::Util;
use Test::More;

binmode $_, ':utf8' for map { Test::More->builder->$_ }
                        qw(output failure_output todo_output);

my $ROOT = PyroTest::root();
my $ROW = 18;                           # px, a level
my $LEAST = 0.4;                        # px; what is smaller is not drawn

chomp(my $directory = `$ROOT/t/lib/browser`);

if (!is $?, 0, 'there is a browser') {
    done_testing;
    exit 1;
}

my $t = PyroTest->new->start;
my $FROM = PyroJfr::FROM;
my $BYTES = 'memory:alloc_in_new_tlab_bytes:bytes:space:bytes';

# A method's name of this recording, of as many bytes.
my $plain = 'JvmtiSampledObjectAllocEventCollector::'
            . '~JvmtiSampledObjectAllocEventCollector';
my $hostile = "</script><img src=x onerror='pwned=1'><!--\x{e4}\x{65e5}"
              . "\x{1f525}&amp;\"\\";
{
    my $bytes = do { my $b = $hostile; utf8::encode($b); $b };
    $hostile .= '-' x (length($plain) - length $bytes);
    utf8::encode(my $same = $hostile);

    my $recording = PyroJfr::bytes('ap45-all');
    my $n = $recording =~ s/\Q$plain\E/$same/g;
    is length $same, length $plain, 'a hostile name';
    ok $n, 'is in a recording';

    my %pushes = (
        shop => PyroJfr::recording('cortex-dev-01__kafka-0__cpu_lock_alloc__0'),
        deep => PyroJfr::recording('goland-multichunk'),
        "evil{pod=<img src=x onerror='pwned=2'>}" => \$recording,
    );

    for my $name (sort keys %pushes) {
        is $t->push_jfr($pushes{$name}, name => $name, from => $FROM,
                        until => $FROM + 10)->{status}, 200, "push $name";
    }
}


# ---- the browser ------------------------------------------------------------

my $json = JSON::PP->new->utf8;
my $pid = IPC::Open2::open2(my $out, my $in, 'node',
                            "$FindBin::Bin/html/browser.mjs", $directory,
                            $t->dir . '/browser');
$in->autoflush;

# Does something; what is on the page then.
sub page {
    my (@step) = @_;

    print $in $json->encode(\@step), "\n";
    my $line = <$out>;
    defined $line or BAIL_OUT("the browser ended at @step");

    return $json->decode($line);
}

# { rects => [[x, y, width, height, colour]], texts => [[text, x, y]] } of the
# last drawing
sub painted { page('painted')->{answer} }

# Saves the page of a query and opens it; its flame graph, and the page.
sub open_page {
    my ($name, $type, $selector, %opt) = @_;

    my $from = $opt{from} // $FROM;
    my $file = $t->dir . "/$name.html";
    my $query = $type . $selector;
    utf8::encode($query);
    my $r = $t->get('/pyroscope/render?query=' . uri_escape($query)
                    . "&from=$from&until=" . ($from + 600) . '&format=html');

    is $r->{status}, 200, "$name: the server's" or diag $r->{body};
    write_file($file, $r->{body});

    my $page = page(open => $file);

    is_deeply $page->{said}, [], "$name: no error and no word";
    is_deeply $page->{requests}, ["file://$file"], "$name: it loads nothing";

    my $graph = PyroJfr::merge($t, type => $type, selector => $selector,
                               start => $from * 1000,
                               end => ($from + 600) * 1000)
                ->{json}{flamegraph};

    return (frames($graph), $page);
}


# ---- what has to be there ---------------------------------------------------

# Frames of a flame graph: depth, x, t(otal), self, name, up.
sub frames {
    my ($graph) = @_;

    my (@frames, @above);

    for my $level (@{ $graph->{levels} // [] }) {
        my @v = @{ $level->{values} };
        my ($x, @row) = (0);

        while (my ($delta, $t, $self, $name) = splice @v, 0, 4) {
            my $f = { depth => @above ? $above[0]{depth} + 1 : 0,
                      x => $x + $delta, t => $t, self => $self,
                      name => $graph->{names}[$name] };

            ($f->{up}) = grep { $_->{x} <= $f->{x}
                                && $f->{x} < $_->{x} + $_->{t} } @above;
            push @{ $f->{up}{kids} }, $f if $f->{up};
            push @row, $f;
            $x += $delta + $t;
        }

        push @frames, @row;
        @above = @row;
    }

    return \@frames;
}

# [frame, x, y, width] of those that are drawn when one is zoomed into.
sub drawn {
    my ($frames, $width, $zoom) = @_;

    $zoom //= $frames->[0];
    my ($from, $to) = ($zoom->{x}, $zoom->{x} + $zoom->{t});
    my $scale = $zoom->{t} ? $width / $zoom->{t} : 0;
    my @drawn;

    for my $f (@$frames) {
        my ($x, $end) = ($f->{x}, $f->{x} + $f->{t});
        my $y = $f->{depth} * $ROW;

        if ($f->{depth} < $zoom->{depth}) {
            push @drawn, [$f, 0, $y, $width] if $x <= $from && $end >= $to;

        } elsif ($x >= $from && $end <= $to) {
            push @drawn, [$f, ($x - $from) * $scale, $y, $f->{t} * $scale];
        }
    }

    return grep { $_->[3] >= $LEAST } @drawn;
}

sub rounded { map { sprintf '%.2f', $_ } @_ }

# The page has exactly these rectangles, and names in those that have room.
sub draws {
    my ($what, $page, $frames, $zoom) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my @want = drawn($frames, $page->{width}, $zoom);
    my $painted = painted();

    is scalar @{ $painted->{rects} }, scalar @want, "$what: as many frames";
    is_deeply [map { join ' ', rounded(@$_[0 .. 2]) } @{ $painted->{rects} }],
              [map { join ' ', rounded($_->[1], $_->[2],
                                       $_->[3] - .5 > .4 ? $_->[3] - .5 : .4) }
               @want], "$what: each in its place, as wide as its value";
    is_deeply [map { $_->[0] } @{ $painted->{texts} }],
              [map { $_->[0]{name} } grep { $_->[3] > 24 } @want],
              "$what: with its name";
}

sub value {
    my ($value, $unit) = @_;

    if ($unit eq 'bytes') {
        my @units = qw(B KiB MiB GiB TiB);
        my $n = 0;
        $value /= 1024, $n++ while $value >= 1024 && $n < 4;
        return sprintf $n ? '%.2f %s' : '%.0f %s', $value, $units[$n];
    }

    return $value < 1e9 ? sprintf '%.2f ms', $value / 1e6
                        : sprintf '%.2f s', $value / 1e9;
}

# What is said of a frame.
sub told {
    my ($frames, $f, $unit) = @_;

    my ($t, $self) = map {
        value($_, $unit) . sprintf(' (%.2f %%)', 100 * $_ / $frames->[0]{t})
    } @$f{qw(t self)};

    return "$f->{name} \x{2014} $t, self $self";
}

# The frames that have a word in them, none of which is below another.
sub matching {
    my ($frames, $word) = @_;

    my @found;
    my @walk = $frames->[0];

    while (my $f = shift @walk) {
        if (index(lc $f->{name}, lc $word) >= 0) {
            push @found, $f;
        } else {
            push @walk, @{ $f->{kids} // [] };
        }
    }

    return @found;
}

sub largest {
    my ($f) = @_;
    return (sort { $b->{t} <=> $a->{t} } @{ $f->{kids} })[0];
}

sub middle { ($_[0][1] + $_[0][3] / 2, $_[0][2] + $ROW / 2) }


# ---- a flame graph ----------------------------------------------------------

my ($frames, $page) = open_page('shop', PyroJfr::CPU,
                                '{service_name="shop"}');
my $root = $frames->[0];

is $page->{title}, 'cpu flame graph', 'the title';
is $page->{heading}, PyroJfr::CPU . '{service_name="shop"}', 'the query';
is $page->{range}, '2023-11-14 22:13:20 UTC to 2023-11-14 22:23:20 UTC',
   'the range';
is $page->{height}, $ROW * (1 + (sort { $b <=> $a }
                                 map { $_->{depth} } @$frames)[0]),
   'a row for each level';
is $root->{t}, PyroJfr::merge($t, name => 'shop')->{json}{flamegraph}{total},
   'the root has the total';
is $page->{info}, told($frames, $root, 'ns'), 'which is told';
draws('the graph', $page, $frames);

# rounding at the edges of frames leaves a pixel more or less
my $area = sum0 map { $_->[2] * $_->[3] } @{ painted()->{rects} };
my $painted = page('pixels')->{answer} * $page->{width} * $page->{height};
ok $painted > .95 * $area && $painted < 1.1 * $area, 'that much is painted'
    or diag "$painted of $area";

# one that is neither nearly everything nor too small, with something below
my ($shown) = sort { $b->[3] <=> $a->[3] }
              grep { $_->[3] < .6 * $page->{width} && $_->[0]{kids} }
              drawn($frames, $page->{width});
my $frame = $shown->[0];

cmp_ok $shown->[3], '>', 50, "a frame: $frame->{name}";
is page(hover => middle($shown))->{info}, told($frames, $frame, 'ns'),
   'what it is under the mouse';
is page('leave')->{info}, told($frames, $root, 'ns'), 'the root without it';

$page = page(click => middle($shown));
draws('after a click', $page, $frames, $frame);
is $page->{info}, told($frames, $frame, 'ns'), 'what it is stays';
my $up = $frame->{up};
is page(hover => 500, $up->{depth} * $ROW + 9)->{info},
   told($frames, $up, 'ns'), 'what is above is whole';
draws('a click above', page(click => 500, $up->{depth} * $ROW + 9), $frames,
      $up);
$page = page('reset');
draws('after a reset', $page, $frames);
is $page->{info}, told($frames, $root, 'ns'), 'and the root is told';


# ---- searching --------------------------------------------------------------

my ($word) = $frame->{name} =~ /(\w+)\W*\z/;
my %colour = map { $_->[4] => 1 } @{ painted()->{rects} };
my $marked = sub {
    scalar grep { !$colour{ $_->[4] } } @{ painted()->{rects} };
};
my @found = matching($frames, $word);
my $sum = sum0 map { $_->{t} } @found;

$page = page(type => uc " $word ");
is $page->{match}, 'matches ' . value($sum, 'ns')
                   . sprintf(' (%.2f %%)', 100 * $sum / $root->{t}),
   "what has $word, once";
is $marked->(),
   scalar(grep { index(lc $_->[0]{name}, lc $word) >= 0 }
          drawn($frames, $page->{width})), 'all of them have another colour';
$page = page(type => 'no such frame');
is $page->{match}, 'matches 0.00 ms (0.00 %)', 'none';
is $marked->(), 0, 'none is marked';
page(type => $word);
$page = page('reset');
is "$page->{word}$page->{match}", '', 'a reset empties it';
is $marked->(), 0, 'and unmarks all';


# ---- without a mouse --------------------------------------------------------

page(open => $t->dir . '/shop.html');
is page(press => 'Tab')->{focus}, $_, "Tab: $_" for qw(find all graph);

my $down = largest($root);
my $below = largest($down);
is page(press => 'ArrowDown')->{info}, told($frames, $down, 'ns'),
   'down: the largest below';
is page(press => 'ArrowDown')->{info}, told($frames, $below, 'ns'),
   'and further';
is page(press => 'ArrowUp')->{info}, told($frames, $down, 'ns'), 'up again';

my ($kids) = grep { $_ && @$_ > 1 } map { $_->{kids} } @$frames;
my $path = $kids->[0]{up};
my @way;
for (my $f = $path; $f->{up}; $f = $f->{up}) {
    unshift @way, $f;
}

# down the largest ones, as long as that is the way
my $at = $root;
page(press => 'Escape');
for my $f (@way) {
    last if largest($at) != $f;
    page(press => 'ArrowDown');
    $at = $f;
}
is $at, $path, 'where it forks';
my $first = largest($at);
my ($n) = grep { $at->{kids}[$_] == $first } 0 .. $#{ $at->{kids} };
my $other = $n ? $n - 1 : 1;
my ($there, $back) = $n ? qw(ArrowLeft ArrowRight) : qw(ArrowRight ArrowLeft);

page(press => 'ArrowDown');
is page(press => $there)->{info}, told($frames, $at->{kids}[$other], 'ns'),
   'to the side';
is page(press => $back)->{info}, told($frames, $first, 'ns'), 'and back';
draws('Enter', page(press => 'Enter'), $frames, $first);
$page = page(press => $there);
is $page->{info}, told($frames, $at->{kids}[$other], 'ns'),
   'beside what is zoomed into';
draws('which can be seen', $page, $frames, $at);
draws('Alt', page(press => "Alt+$back"), $frames, $at);
draws('Escape', page(press => 'Escape'), $frames);

$page = page(press => '/');
is "$page->{focus}$page->{word}", 'find', '/ is for searching';
$page = page(press => split //, $word);
like $page->{match}, qr/^matches \d/, 'as one types';
is page(press => 'ArrowDown')->{info}, told($frames, $root, 'ns'),
   'arrows are for the text';
$page = page(press => 'Escape');
is $page->{focus}, 'graph', 'Escape goes back to the graph';
is $page->{word}, $word, 'the word stays';
like $page->{match}, qr/^matches \d/, 'and what is marked';


# ---- other windows ----------------------------------------------------------

page('reset');
$page = page(size => 500, 400);
is $page->{width}, 500, 'a smaller window';
draws('a smaller window', $page, $frames);
page(size => 1000, 600);

my $light = page('look');
my $frame_light = painted()->{rects}[1][4];
my $dark = page(scheme => 'dark');
isnt $dark->{background}, $light->{background}, 'dark: the background';
isnt painted()->{rects}[1][4], $frame_light, 'dark: frames';
draws('dark', $dark, $frames);
page(scheme => 'light');


# ---- another unit, nothing, many levels -------------------------------------

($frames, $page) = open_page('bytes', $BYTES, '{service_name="shop"}');
is $page->{info}, told($frames, $frames->[0], 'bytes'), 'bytes';
draws('bytes', $page, $frames);

($frames, $page) = open_page('nothing', PyroJfr::CPU, '{}',
                             from => $FROM + 86400);
is $page->{info}, 'nothing found', 'nothing: it says so';
is_deeply painted()->{rects}, [], 'nothing is drawn';
page(press => 'ArrowDown', 'Enter', 'Escape', 'Tab');
page(type => 'x');
is_deeply page(click => 500, 9)->{said}, [], 'and nothing fails';

($frames, $page) = open_page('deep', PyroJfr::CPU, '{service_name="deep"}');
draws('deep', $page, $frames);
cmp_ok $page->{height}, '>', 3000, 'deep: more than a window';

$page = page(scroll => 2000);
cmp_ok $page->{top}, '<', -1500, 'deep: scrolled';
my ($there_is) = sort { $b->[3] <=> $a->[3] }
                 grep { $_->[2] > 300 - $page->{top}
                        && $_->[2] < 500 - $page->{top} }
                 drawn($frames, $page->{width});
$page = page(hover => middle($there_is));
is $page->{info}, told($frames, $there_is->[0], 'ns'), 'deep: what it is';
ok $page->{info_top} >= 0 && $page->{info_bottom} <= 600,
   'deep: which can be seen' or diag "$page->{info_top}";

$page = page(press => ('ArrowDown') x 50);
my $deepest = $frames->[0];
for (1 .. 50) {
    $deepest = largest($deepest) if $deepest->{kids};
}
my $y = $page->{top} + $deepest->{depth} * $ROW;
is $page->{info}, told($frames, $deepest, 'ns'), 'deep: walking down';
ok $y >= 0 && $y + $ROW <= 600.5, 'deep: it is followed' or diag $y;
$page = page(press => ('ArrowUp') x 50);
cmp_ok $page->{top}, '>=', $page->{info_bottom}, 'deep: and up';

# more levels than a canvas of this height could have pixels
{
    my $levels = join ',', map { '[0,1,0,' . ($_ % 2) . ']' } 0 .. 3999;
    my $html = read_file($t->dir . '/deep.html');

    $html =~ s/"total":\d+,"names":.*?(?=<\/script>)/"total":1,"names":["a","b"],"levels":[$levels]}/s;
    write_file($t->dir . '/deeper.html', $html);
    is page(open => $t->dir . '/deeper.html')->{height}, 4000 * $ROW,
       'deeper: its height';
    cmp_ok page('pixels')->{answer}, '>', .9, 'deeper: it is painted';
}


# ---- names that are more than names -----------------------------------------

my $selector = q[{service_name="evil",pod="<img src=x onerror='pwned=2'>",]
               . qq[pod!="</h1><script>pwned=3</script>\x{1f525}"}];
($frames, $page) = open_page('evil', PyroJfr::CPU, $selector);
is $page->{heading}, PyroJfr::CPU . $selector, 'evil: the query is text';

($frame) = grep { $_->{name} =~ /\Q$hostile\E/ } @$frames;
ok $frame, 'evil: the frame is there';
$page = page(type => "ONERROR='PWNED");
like $page->{match}, qr/^matches [1-9]/, 'evil: it can be found';

my ($evil) = grep { $_->[0]{name} =~ /\Q$hostile\E/ }
             drawn($frames, $page->{width});
$page = page(click => middle($evil));
is $page->{info}, told($frames, $evil->[0], 'ns'), 'evil: its name, whole';
ok scalar(grep { $_->[0] =~ /\Q$hostile\E/ } @{ painted()->{texts} }),
   'evil: is drawn';
is $page->{pwned}, 0, 'evil: nothing ran';
is $page->{images}, 0, 'evil: no element was made';
is $page->{scripts}, 2, 'evil: the scripts are ours';
is_deeply $page->{said}, [], 'evil: no error';

close $in;
waitpid $pid, 0;
is $?, 0, 'the browser ends';
is $t->stop, 0, 'a clean end';
$t->log_ok;

done_testing;
