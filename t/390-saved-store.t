#!/usr/bin/perl

# Stores that versions of this project have left (t/data/store): this one finds
# them sound, answers what they answered, to the value, goes on with them, and
# leaves one of a format that it does not know as it is.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use Config;
use Digest::SHA ();
use PyroJfr;
use PyroTest;
use PyroTest::Saved;
use PyroTest::Util;
use Test::More;

# LMDB's files are those of a word size and byte order
plan skip_all => 'the saved stores are of 64 bits, little endian'
    if $Config{ptrsize} != 8 || pack('S', 1) ne "\1\0";

my $DAY = 86_400;
my $total = PyroJfr::cpu_total('new_spancontext');
my $bytes = PyroJfr::bytes('new_spancontext');

sub push_new {
    my ($t, $time) = @_;

    return $t->push_jfr(\$bytes, name => 'new', from => $time,
                        until => $time + 10,
                        headers => { 'X-Scope-OrgID' => 'acme' });
}

sub total_new {
    my ($t, $day) = @_;

    return PyroJfr::total($t, name => 'new', start => $day * 1000 + 1,
                          end => ($day + $DAY) * 1000,
                          headers => { 'X-Scope-OrgID' => 'acme' });
}

sub states { join ' ', map { $_->[1] } PyroTest::Saved::states($_[0]->data) }

sub hashes {
    my ($dir) = @_;

    return { map { $_ => Digest::SHA->new(256)->addfile($_)->hexdigest }
             glob "$dir/*.mdb" };
}


# ---- this version goes on ---------------------------------------------------

sub goes_on {
    my ($version) = @_;

    my $expected = PyroTest::Saved::expected($version);
    my $answers = $expected->{answers};
    my %day = %{ $expected->{days} };
    my @days = @day{qw(days hours sealed late open)};
    my $t = PyroTest::Saved::server($version);
    my @made = (@day{qw(sealed late open)}, $day{open} + 10 * $DAY);

    my $same = sub {
        my ($what) = @_;

        is_deeply PyroTest::Saved::profiles($t, @days), $answers->{profiles},
                  "$version, $what: profiles";
        is PyroTest::Saved::collapsed($t->data), $answers->{collapsed},
           "$version, $what: stacks with lines";
    };

    my $new = sub {
        my ($what, $n) = @_;

        is_deeply [map { total_new($t, $_) } @made], [($n * $total) x @made],
                  "$version, $what: what was pushed by this one";
    };

    my ($status, $said) = PyroTest::Saved::tool('check', $t->data);

    is $status, 0, "$version: pyroscope-store check" or diag $said;
    is_deeply [PyroTest::Saved::states($t->data)], $expected->{states},
              "$version: its partitions";

    $t->start;
    $same->('as it was left');
    is_deeply PyroTest::Saved::facts($t), $answers->{facts},
              "$version: labels, single pushes, spans, settings, jfr-info";

    for my $n (0, 1) {
        is push_new($t, $_ + 3700 + $n)->{status}, 200,
           "$version: a push at $_" for @made;
    }

    for my $state (qw(days hours)) {
        my $r = push_new($t, $day{$state} + 3700);
        is $r->{status}, 422, "$version: one into a thinned partition, $state";
    }

    $same->('with pushes');
    $new->('with pushes', 2);

    # what is sealed already is copied once more, with what came late
    $t->reload(yaml => "$PyroTest::Saved::YAML"
                       . "lmdb:\n  seal_after: 1s\n");
    ok wait_for(sub { states($t) eq 'days hours' . ' sealed' x @made }, 120,
                'the sealing'), "$version: is sealed";
    $same->('sealed');
    $new->('sealed', 2);

    is $t->stop, 0, "$version: a stop";
    $t->start;
    $same->('after a restart');
    $new->('after a restart', 2);
    is_deeply PyroTest::Saved::facts($t)->{beta}, $answers->{facts}{beta},
              "$version: the other tenant's is as it was";

    # the last step there is
    $t->reload(yaml => "$PyroTest::Saved::YAML"
                       . "lmdb:\n  seal_after: 1s\n  keep_raw: 1d\n");
    ok wait_for(sub { states($t) eq 'days hours' . ' hours' x @made }, 120,
                'the thinning'), "$version: is thinned";
    is_deeply PyroTest::Saved::profiles($t, @days), $answers->{profiles},
              "$version, thinned: profiles";
    is $t->stop, 0, "$version: the end";
    $t->log_ok;
}


# ---- a catalogue that is lost -----------------------------------------------

sub is_made_anew {
    my ($version) = @_;

    my $expected = PyroTest::Saved::expected($version);
    my $t = PyroTest::Saved::server($version);

    unlink $t->data . '/control.mdb' or die "control.mdb: $!\n";
    $t->start;
    is_deeply [PyroTest::Saved::states($t->data)], $expected->{states},
              "$version, without its catalogue: partitions are taken in";
    is_deeply PyroTest::Saved::profiles(
                  $t, @{ $expected->{days} }{qw(days hours sealed late open)}),
              $expected->{answers}{profiles},
              "$version, without its catalogue: profiles";
    is $t->stop, 0, "$version, without its catalogue: the end";
    $t->log_ok;
}


# ---- a version that does not know its format --------------------------------

# What this version makes of the next format is what older ones make of ours.
sub is_left {
    my ($version) = @_;

    my $t = PyroTest::Saved::server($version);
    my $data = $t->data;
    my $reason = qr/control\.mdb has format 2, .* reads and writes format 1/;

    newer_format("$data/control.mdb");
    my $before = hashes($data);

    $t->{sound} = 0;
    $t->start(ready => 0);

    my $r = $t->get('/ready');

    is $r->{status}, 503, "$version, another format: /ready";
    like $r->{body}, $reason, "$version, another format: names both";

    $r = push_new($t, PyroJfr::FROM);
    is $r->{status}, 503, "$version, another format: a push";
    like $r->{json}{message}, $reason, "$version, another format: its message";

    # the upkeep has been there as well
    ok wait_for(sub { $t->error_log =~ /its upkeep failed: .*$reason/ }, undef,
                'the upkeep'), "$version, another format: the log says it";

    for my $command (['check'], ['stats'], ['list'], ['export'], ['seal'],
                     ['backup', $t->dir . '/copy'],
                     ['drop', '--before=now'],
                     ['delete', '--selector={service_name="shop"}'])
    {
        my ($name, @more) = @$command;
        my ($status, $said) = PyroTest::Saved::tool($name, $data, @more);

        is $status, 1, "$version, another format: $name";
        like $said, $reason, "$version, another format: $name says why";
    }

    is $t->stop, 0, "$version, another format: a stop";
    is_deeply hashes($data), $before,
              "$version, another format: every byte is as it was";
    $t->log_ok(qr/is not available: .*$reason/);
}

my @versions = PyroTest::Saved::versions();

cmp_ok scalar @versions, '>', 0, "stores of: @versions";

for (@versions) {
    goes_on($_);
    is_made_anew($_);
    is_left($_);
}

done_testing;
