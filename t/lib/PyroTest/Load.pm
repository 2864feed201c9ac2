package PyroTest::Load;

# Many clients at once, each a connection that waits for nobody else's answer:
# a few processes, each with its share of them and one loop.
#
#     my $load = PyroTest::Load->new($t, clients => 200, processes => 4,
#                                    next => sub { my ($n, $i) = @_; ... });
#     $load->start;
#     ...
#     for my $r ($load->stop) { ... }
#
# next gives request $i of client $n:
#
#     bytes     all of it
#     kind      what it is counted as
#     note      text without blanks that comes back with the result
#     close     1: a connection for this request alone
#     pause     seconds before it, at most
#
# and gets, as its third argument, what the client has of its own, a hash, in
# which {headers} are those of the last answer.
#
# A result is { kind, note, status, time, retries }; status is 0 where there was
# no answer, and error says why.  As HTTP has it, a request on a connection that
# had an answer before is sent once more, on another one, if it ended without
# one byte: the server may close what is idle while a request is on its way.
#
# Core Perl only.

use strict;
use warnings;

use Errno ();
use IO::Select ();
use IO::Socket::INET ();
use POSIX ();
use Time::HiRes ();

use PyroTest::Client ();
use PyroTest::Util;

my $PATIENCE = 120;             # seconds for an answer, before it is a failure
my $PIECE = 256 * 1024;

sub new {
    my ($class, $t, %opt) = @_;

    return bless { port => $t->port, dir => $t->dir, %opt }, $class;
}

# Returns when every process has an answer.
sub start {
    my ($self) = @_;

    my $parent = $$;
    my $all = $self->{processes};

    for my $p (0 .. $all - 1) {
        my $file = "$self->{dir}/load-$p.txt";
        my $pid = fork // die "fork: $!\n";

        if ($pid == 0) {
            local $SIG{PIPE} = 'IGNORE';

            srand $p;
            my $ok = eval {
                $self->_run($file, $parent, grep { $_ % $all == $p }
                                            0 .. $self->{clients} - 1);
                1;
            };

            print STDERR $@ if !$ok;
            POSIX::_exit($ok ? 0 : 1);
        }

        push @{ $self->{children} }, { pid => $pid, file => $file };
    }

    wait_for(sub { !grep { !-s $_->{file} } @{ $self->{children} } }, undef,
             'the load');

    return $self;
}

# Every client has its answer; the results.
sub stop {
    my ($self) = @_;

    my @results;

    write_file("$self->{dir}/load-end", '');

    for my $child (@{ delete $self->{children} }) {
        waitpid $child->{pid}, 0;
        die "a process of the load ended with $?\n" if $?;

        for (split /\n/, read_file($child->{file})) {
            my %r;

            @r{qw(kind note status time retries error)} = split ' ', $_, 6;
            push @results, \%r;
        }
    }

    return @results;
}


# ---- one process ------------------------------------------------------------

sub _run {
    my ($self, $file, $parent, @numbers) = @_;

    open my $out, '>', $file or die "$file: $!\n";
    $out->autoflush(1);

    my $now = Time::HiRes::time();
    my @clients = map { { n => $_, i => 0, own => {}, at => $now } } @numbers;
    my $end = 0;

    while (1) {
        $now = Time::HiRes::time();
        $end ||= -e "$self->{dir}/load-end" || getppid != $parent;

        for my $c (@clients) {
            next if $c->{request};
            $end ? _close($c) : $now >= $c->{at} && $self->_begin($c, $now);
        }

        last if $end && !grep { $_->{request} } @clients;

        $self->_wait(\@clients, $now);
        $self->_late($_, $now) for grep { $_->{request} } @clients;

        for my $c (grep { $_->{result} } @clients) {
            my $r = delete $c->{result};

            print $out join(' ', @$r{qw(kind note status time retries error)}),
                       "\n" or die "$file: $!\n";
        }
    }

    close $out or die "$file: $!\n";
}

# What comes next is known before the pause that it begins with.
sub _begin {
    my ($self, $c, $now) = @_;

    my $request = delete $c->{planned};

    if (!$request) {
        $request = $self->{next}->($c->{n}, $c->{i}++, $c->{own});

        if ($request->{pause}) {
            $c->{planned} = $request;
            $c->{at} = $now + rand $request->{pause};
            return;
        }
    }

    $c->{request} = $request;
    $c->{begun} = $now;
    $c->{retries} = 0;
    $self->_send($c);
}

# From its first byte, on the connection that there is, or on one of its own.
sub _send {
    my ($self, $c) = @_;

    $c->{sent} = 0;
    $c->{in} = '';
    $c->{fresh} = !$c->{sock};

    if (!$c->{sock}) {
        $c->{sock} = IO::Socket::INET->new(
            PeerAddr => '127.0.0.1', PeerPort => $self->{port}, Proto => 'tcp',
            Blocking => 0);

        if (!$c->{sock}) {
            _end($c, 0, "connect: $!");
            return;
        }

        binmode $c->{sock};
    }

    $self->_write($c);
}

sub _wait {
    my ($self, $clients, $now) = @_;

    my ($read, $write) = (IO::Select->new, IO::Select->new);
    my %of;

    for my $c (grep { $_->{sock} } @$clients) {
        $of{fileno $c->{sock}} = $c;
        $read->add($c->{sock});
        $write->add($c->{sock}) if $c->{request}
                                   && $c->{sent} < length $c->{request}{bytes};
    }

    my ($pause) = sort { $a <=> $b } 0.2,
                  map { $_->{request} ? () : $_->{at} - $now } @$clients;

    $pause = 0.001 if $pause < 0.001;

    if (!$read->count) {
        Time::HiRes::sleep($pause);
        return;
    }

    my ($readable, $writable) = IO::Select->select($read, $write, undef,
                                                   $pause);

    for my $sock (@{ $writable // [] }) {
        $self->_write($of{fileno $sock});
    }

    # one of them may have been closed by then
    for my $sock (grep { defined fileno $_ } @{ $readable // [] }) {
        $self->_read($of{fileno $sock});
    }
}

sub _write {
    my ($self, $c) = @_;

    my $n = syswrite $c->{sock}, $c->{request}{bytes}, $PIECE, $c->{sent};

    if (defined $n) {
        $c->{sent} += $n;

    } elsif (!$!{EAGAIN} && !$!{EINTR} && !$!{ENOTCONN}) {
        # what the server said before it closed can still be read
        $c->{broken} = "write: $!";
        $c->{sent} = length $c->{request}{bytes};
        $self->_read($c);
    }
}

sub _read {
    my ($self, $c) = @_;

    my $n = sysread $c->{sock}, $c->{in}, $PIECE, length($c->{in} // '');

    if (!defined $n) {
        return if $!{EAGAIN} || $!{EINTR};
        $self->_gone($c, "read: $!");

    } elsif ($n == 0) {
        $self->_gone($c, $c->{broken} // 'closed');

    } elsif (!$c->{request}) {
        die "client $c->{n}: bytes that nobody asked for: $c->{in}\n";

    } else {
        $self->_answer($c);
    }
}

# The connection ended.
sub _gone {
    my ($self, $c, $why) = @_;

    my $reused = !$c->{fresh};

    _close($c);

    # it was idle
    return if !$c->{request};

    if ($reused && $c->{in} eq '' && $c->{retries} == 0) {
        $c->{retries} = 1;
        $self->_send($c);
        return;
    }

    _end($c, 0, sprintf '%s, %s connection, %d bytes sent, %d received', $why,
                        $reused ? 'used' : 'new', $c->{sent}, length $c->{in});
}

sub _answer {
    my ($self, $c) = @_;

    if (!$c->{length}) {
        my $end = index $c->{in}, "\r\n\r\n";
        return if $end < 0;

        my $head = substr $c->{in}, 0, $end + 4;
        my %r = PyroTest::Client::_parse_head(\$head);

        $c->{status} = $r{status};
        $c->{own}{headers} = $r{headers};
        $c->{length} = $end + 4;

        if ($r{status} != 304) {
            # the server knows it of whatever it answers
            my $length = $r{headers}{'content-length'};

            if (!defined $length) {
                _close($c);
                _end($c, 0, 'an answer without Content-Length');
                return;
            }

            $c->{length} += $length;
        }
    }

    return if length $c->{in} < $c->{length};

    if ($c->{sent} < length $c->{request}{bytes} || $c->{request}{close}
        || ($c->{own}{headers}{connection} // '') eq 'close')
    {
        _close($c);
    }

    _end($c, $c->{status}, '');
}

# Whether there is one at all must not hang on a machine's speed.
sub _late {
    my ($self, $c, $now) = @_;

    return if $now < $c->{begun} + $PATIENCE;

    _close($c);
    _end($c, 0, "no answer in $PATIENCE seconds");
}

sub _close {
    my ($c) = @_;

    close delete $c->{sock} if $c->{sock};
    delete $c->{broken};
}

sub _end {
    my ($c, $status, $error) = @_;

    my $now = Time::HiRes::time();
    my $request = delete $c->{request};

    delete $c->{length};
    $c->{in} = '';
    $c->{at} = $now;
    $c->{result} = {
        kind => $request->{kind}, note => $request->{note} // '-',
        status => $status, time => sprintf('%.4f', $now - $c->{begun}),
        retries => $c->{retries}, error => $error };
}

1;
