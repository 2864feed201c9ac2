#!/usr/bin/perl

# docs/migration.md: the nginx.conf that sends each push to two servers, as the
# page has it.  What was Pyroscope is a server of ours here, which takes the
# same pushes; and one that is not there, does not answer, or refuses.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use IO::Socket::INET ();
use PyroJfr;
use PyroTest;
use PyroTest::Docs;
use PyroTest::Util;
use Test::More;

my $FROM = PyroJfr::FROM;
my $RECORDING = 'new_spancontext';
my $TOTAL = PyroJfr::cpu_total($RECORDING);

my ($mirror) = PyroTest::Docs->new('docs/migration.md')->blocks('nginx');

like $mirror, qr/^\s*mirror /m, 'the page has a mirror';

my $old = PyroTest->new->start;
my $new = PyroTest->new(server => at($old->port))->start;

# The locations of the page, the old server at that port.
sub at {
    my ($port) = @_;

    return $mirror =~ s/OLD:4040/127.0.0.1:$port/r;
}

sub pushed {
    my ($service, %opt) = @_;

    return $new->push_jfr(PyroJfr::recording($RECORDING), name => $service,
                          from => $FROM, until => $FROM + 10, %opt)->{status};
}

sub total {
    my ($t, $service) = @_;

    return PyroJfr::total($t, name => $service);
}

sub has {
    my ($t, $service, $name) = @_;

    wait_for(sub { total($t, $service) == $TOTAL }, $TIMEOUT, $name);
    pass $name;
}

is pushed('shop'), 200, 'a push';
has($new, 'shop', 'the new server has it');
has($old, 'shop', 'the old one, too');

is pushed("pod-$_"), 200, "a push: $_" for 1 .. 20;

# the copies are made each by itself, the last one may come first
for my $n (1 .. 20) {
    has($_, "pod-$n", "and so on: $n") for $new, $old;
}

# what is there is counted a moment later
my @stored = ('ngx_pyroscope_pushes_total', result => 'stored');

wait_for(sub { $old->metric(@stored) >= 21 }, $TIMEOUT, 'the count');
is $old->metric(@stored), 21, 'all are there, each once';

is pushed('large', gzip => 0), 200, 'a body that is not compressed';
has($_, 'large', 'is with both') for $new, $old;

# a file, for it does not fit into the buffer
is $new->push_jfr(PyroJfr::recording('async-profiler'), name => 'file',
                  from => $FROM, until => $FROM + 10, gzip => 0)->{status},
   200, 'a body in a file';
wait_for(sub { total($old, 'file') && total($old, 'file')
                                      == total($new, 'file') },
         $TIMEOUT, 'the file to be with both');
pass 'is with both';

is $new->push_jfr(\'nothing', name => 'shop', from => $FROM,
                  until => $FROM + 10)->{status}, 422,
   'a broken recording: the answer is the new server\'s';

# what the old one does is nothing to the agent
is $old->stop, 0, 'the old one goes';
is pushed('alone'), 200, 'a push without it';
has($new, 'alone', 'is stored');

my $deaf = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1',
                                 Proto => 'tcp') or die "no socket: $!\n";

$new->reload(server => at($deaf->sockport));
is pushed('deaf'), 200, 'a push, and an old one that does not answer';
has($new, 'deaf', 'is stored');
close $deaf;

is $new->stop, 0, 'a clean stop';
$_->log_ok for $old, $new;

done_testing;
