#!/usr/bin/perl

# What a browser may keep of an answer to a URL: ETag, Cache-Control, 304, and
# that none of it outlives what it stands for.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use PyroJfr;
use PyroTest;
use PyroTest::Util;
use Test::More;

my $CPU = PyroJfr::CPU;
my $FROM = PyroJfr::FROM;
my @RECORDINGS = map { "cortex-dev-01__kafka-0__$_" }
                 qw(cpu__0 cpu__3 cpu_lock_alloc__0);

my $yaml = <<'EOF';
server: {http_listen_address: 127.0.0.1, http_listen_port: %PORT%}
storage: {filesystem: {dir: '%DATA%'}}
limits: {reject_newer_than: 0, max_flamegraph_nodes_default: 8192}
EOF
my $t = PyroTest->new(workers => 2, yaml => $yaml)->start;

sub push_at {
    my ($n, $at, $name) = @_;

    is $t->push_jfr(PyroJfr::recording($RECORDINGS[$n]), name => $name,
                    from => $at, until => $at + 10)->{status}, 200, "push $n";
}

my %shop = (query => "$CPU\{service_name=\"shop\"}", from => $FROM,
            until => $FROM + 600);

sub url {
    my ($path, %args) = @_;

    return "$path?" . join '&', map { "$_=" . uri_escape($args{$_}) }
                                sort keys %args;
}

sub get {
    my ($url, %headers) = @_;

    return $t->request('GET', $url, headers => \%headers);
}

# The answers to a URL while its ETag is one and the same: the first, and those
# to If-None-Match, each of which is made of the ETag.  The upkeep, which writes
# into a day as well, may come between them; then they are asked for once more.
sub answers {
    my ($url, @made) = @_;

    return @{ wait_for(sub {
        my $first = get($url);
        my $etag = $first->{headers}{etag} // '';
        my @others = map { get($url, 'If-None-Match' => $_->($etag)) } @made;

        return (get($url)->{headers}{etag} // '') eq $etag
               && [$first, @others];
    }, undef, "one ETag of $url") };
}

# Asks twice, the second time with what the first one gave.
sub kept_ok {
    my ($url, $control, $name) = @_;

    my @own = (sub { $_[0] }, sub { "W/$_[0]" },
               sub { "\"x\", W/\"y\",$_[0]" }, sub { '*' });
    my @strange = ('"0123456789abcdef"', 'x', ',', '"', 'W/');
    my ($r, @answers) = answers($url, @own,
                                map { my $x = $_; sub { $x } } @strange);
    my $etag = $r->{headers}{etag} // '';

    is $r->{status}, 200, "$name: 200";
    like $etag, qr/^"[0-9a-f]{16}"$/, "$name: ETag";
    is $r->{headers}{'cache-control'}, "private, $control", "$name: control";
    is $r->{headers}{vary}, 'Accept-Encoding', "$name: Vary";

    for my $header (map { $_->($etag) } @own) {
        my $again = shift @answers;

        is $again->{status}, 304, "$name: 304 to $header";
        is $again->{body}, '', "$name: without a body";
        is $again->{headers}{etag}, $etag, "$name: the same ETag";
    }

    is +(shift @answers)->{status}, 200, "$name: 200 to $_" for @strange;

    return $etag;
}

push_at(0, $FROM, 'shop');

my $url = url('/pyroscope/render', %shop);
my $etag = kept_ok($url, 'max-age=60', 'render');

kept_ok(url('/pyroscope/render', %shop, format => $_), 'max-age=60', $_)
    for qw(pprof html);
kept_ok(url('/pyroscope/render-diff',
            map { ("${_}Query" => $shop{query}, "${_}From" => $shop{from},
                   "${_}Until" => $shop{until}) } qw(left right)),
        'max-age=60', 'render-diff');
kept_ok(url('/pyroscope/label-values', label => 'service_name',
            from => $FROM, until => $FROM + 600), 'max-age=60', 'values');
kept_ok(url('/pyroscope/labels'), 'no-cache', 'labels of everything');
kept_ok(url('/pyroscope/render', %shop, until => time + 3600), 'no-cache',
        'a range that is not over');


# ---- what changes an answer changes the tag ---------------------------------

isnt get($url, 'Accept-Encoding' => 'gzip')->{headers}{etag}, $etag,
     'packed it is another';
is get($url, 'If-None-Match' => $etag,
       'Accept-Encoding' => 'gzip')->{status}, 200, 'and not the same';
isnt get(url('/pyroscope/render', %shop, 'max-nodes' => 10))->{headers}{etag},
     $etag, 'so is another question';

push_at(1, $FROM + 20, 'shop');

{
    my $r = get($url, 'If-None-Match' => $etag);

    is $r->{status}, 200, 'something came: the answer, not 304';
    isnt $r->{headers}{etag}, $etag, 'with another ETag';
    is $r->{json}{flamebearer}{numTicks},
       PyroJfr::cpu_total($RECORDINGS[0]) + PyroJfr::cpu_total($RECORDINGS[1]),
       'and what came is in it';
    $etag = $r->{headers}{etag};
}

is_deeply [map { $_->{status} } answers($url, (sub { $_[0] }) x 8)],
          [200, (304) x 8], 'every worker knows it';

# it may be the upkeep that changed it, but not each time
my $later = $FROM + 86400 * 2;

ok wait_for(sub {
    $etag = get($url)->{headers}{etag};
    push_at(2, $later++, 'shop');

    return get($url, 'If-None-Match' => $etag)->{status} == 304;
}, undef, '304'), 'what came two days later is no matter of it';

is get(url('/pyroscope/render', %shop, from => 'now-2h',
           until => 'now-1h'))->{headers}{'cache-control'},
   'private, no-cache', 'a relative range is not kept';

$t->write_config(yaml => $yaml =~ s/default: 8192/default: 16/r);
$t->reload;
is get($url, 'If-None-Match' => $etag)->{status}, 200,
   'another default of max-nodes is another answer';

is $t->rpc('ProfileTypes', { start => 1, end => 2 })->{headers}{etag}, undef,
   'a POST has none';
is get(url('/pyroscope/render', %shop, query => '{'))->{headers}{etag}, undef,
   'neither has an error';
cmp_ok $t->answered(status_code => 304), '>', 30,
   'they are counted';


# ---- a day that cannot be read ----------------------------------------------

{
    is $t->stop, 0, 'stopped';

    my ($file) = sort glob $t->data . '/p-*.mdb';

    open my $fh, '+<', $file or die "$file: $!\n";
    print $fh "\xff" x 8192;
    close $fh;

    $t->write_config(sound => 0);
    $t->start;

    my $r = get($url, 'If-None-Match' => '*');

    is $r->{status}, 200, 'without a day: never 304';
    ok $r->{headers}{'x-pyroscope-incomplete'}, 'it says which day';
    is $r->{headers}{etag}, undef, 'and has no ETag';
}

is $t->stop, 0, 'a clean end';

done_testing;
