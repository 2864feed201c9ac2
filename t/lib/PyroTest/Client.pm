package PyroTest::Client;

# Requests to a server on 127.0.0.1, over plain sockets, every one with a
# time-out; and pushes as the Java agent sends them.
#
#     my $r = PyroTest::Client->new(port => 4040)->get('/ready');

use strict;
use warnings;

use Errno ();
use IO::Select ();
use IO::Socket::INET ();
use JSON::PP ();
use Time::HiRes ();

use PyroTest::Util;

my $BOUNDARY = '6e0f4c2a-8d13-4b7e-9a55-c1d2e3f40516';

sub new {
    my ($class, %opt) = @_;

    return bless { %opt }, $class;
}

sub port { $_[0]{port} }
sub url  { "http://127.0.0.1:$_[0]{port}" }


# ---- requests ---------------------------------------------------------------

sub wait_ready {
    my ($self) = @_;

    wait_for(sub {
        my $answer = eval { $self->get('/ready', timeout => 5) };
        return $answer && $answer->{status} == 200;
    }, $TIMEOUT, '/ready');

    return $self;
}

# A connected socket, for requests sent in pieces or on one connection.
sub connect {
    my ($self, %opt) = @_;

    my $sock = IO::Socket::INET->new(
        PeerAddr => '127.0.0.1', PeerPort => $self->port, Proto => 'tcp',
        Timeout => $opt{timeout} // $TIMEOUT)
        or die "connect to port $self->{port}: $!\n";

    binmode $sock;
    $sock->autoflush(1);

    return $sock;
}

# Options: headers => {}, body, chunked => bytes a chunk (1: 16 KiB),
# keepalive => 1.  The bytes of the request.
sub request_bytes {
    my ($self, $method, $path, %opt) = @_;

    my $body = $opt{body};
    my %headers = (Host => "127.0.0.1:$self->{port}",
                   Connection => $opt{keepalive} ? 'keep-alive' : 'close',
                   %{ $opt{headers} // {} });

    if (defined $body && $opt{chunked}) {
        my $size = $opt{chunked} == 1 ? 16384 : $opt{chunked};

        $headers{'Transfer-Encoding'} //= 'chunked';
        $body = join('', map { sprintf("%x\r\n%s\r\n", length $_, $_) }
                         unpack "(a$size)*", $body) . "0\r\n\r\n";

    } elsif (defined $body) {
        $headers{'Content-Length'} //= length $body;
    }

    return join("\r\n", "$method $path HTTP/1.1",
                map { "$_: $headers{$_}" } grep { defined $headers{$_} }
                sort keys %headers)
           . "\r\n\r\n" . ($body // '');
}

# Returns { status, reason, headers => { lower-case name => value }, body,
# raw }; a body with Content-Encoding gzip is inflated, json => decoded where
# the type says JSON, unless the option json is 0.  Dies if no answer comes.
sub request {
    my ($self, $method, $path, %opt) = @_;

    my $sock = $self->connect(%opt);

    # The server may answer and close before it has read everything.
    local $SIG{PIPE} = 'IGNORE';
    $self->send_bytes($sock, $self->request_bytes($method, $path, %opt),
                      $opt{timeout});

    return $self->read_response($sock, %opt, method => $method);
}

sub get {
    my ($self, $path, %opt) = @_;

    return $self->request('GET', $path, %opt);
}

sub post {
    my ($self, $path, $body, %headers) = @_;

    return $self->request('POST', $path, body => $body,
                          headers => \%headers);
}

# A querier call in JSON: rpc('LabelValues', { name => 'service_name' })
sub rpc {
    my ($self, $name, $message, %headers) = @_;

    my $body = JSON::PP->new->utf8->canonical->encode($message // {});

    return $self->post("/querier.v1.QuerierService/$name", $body,
                       'Content-Type' => 'application/json', %headers);
}

# The bytes that could be sent: all, unless the peer closed.
sub send_bytes {
    my ($self, $sock, $bytes, $timeout) = @_;

    my $select = IO::Select->new($sock);
    my $sent = 0;

    $sock->blocking(0);

    while ($sent < length $bytes) {
        last if !$select->can_write($timeout // $TIMEOUT);

        my $n = syswrite $sock, $bytes, 65536, $sent;

        if (defined $n) {
            $sent += $n;
        } elsif (!$!{EAGAIN} && !$!{EINTR}) {
            last;
        }
    }

    $sock->blocking(1);

    return $sent;
}

# One answer from a socket.  What came after it stays for the next call.
sub read_response {
    my ($self, $sock, %opt) = @_;

    my $until = Time::HiRes::time() + ($opt{timeout} // $TIMEOUT);
    my $in = delete ${*$sock}{pyro_rest} // '';
    my $more = sub { _read_more($sock, \$in, $until) };
    my %r;

    while (1) {
        while ($in !~ /\r\n\r\n/) {
            $more->() or die "no answer: the connection was closed\n";
        }

        %r = _parse_head(\$in);
        last if $r{status} >= 200;
    }

    my $length = $r{headers}{'content-length'};

    if (($opt{method} // '') eq 'HEAD' || $r{status} =~ /^(?:204|304)$/) {
        $r{raw} = '';

    } elsif (($r{headers}{'transfer-encoding'} // '') =~ /chunked/i) {
        $r{raw} = _read_chunked(\$in, $more);

    } elsif (defined $length) {
        while (length $in < $length) {
            $more->() or die "the answer ends early\n";
        }
        $r{raw} = substr $in, 0, $length, '';

    } else {
        1 while $more->();
        $r{raw} = $in;
        $in = '';
    }

    ${*$sock}{pyro_rest} = $in if length $in;

    return _decode(\%r, %opt);
}

sub _read_more {
    my ($sock, $in, $until) = @_;

    my ($left, $ready);

    # a signal ends the wait early: that is not the time's end
    do {
        $left = $until - Time::HiRes::time();
        $ready = $left > 0 && IO::Select->new($sock)->can_read($left);
    } while (!$ready && $left > 0 && $!{EINTR});

    die "no answer in time\n" if !$ready;

    my $n = sysread $sock, $$in, 65536, length $$in;

    return $n || 0;
}

sub _parse_head {
    my ($in) = @_;

    $$in =~ s/\A(.*?)\r\n\r\n//s;

    my ($first, @lines) = split /\r\n/, $1;
    my ($status, $reason) = $first =~ m{^HTTP/1\.[01] (\d{3})(?: (.*))?$}
        or die "no HTTP answer: $first\n";
    my %headers;

    for (@lines) {
        my ($name, $value) = /^([^:]+):\s*(.*?)\s*$/
            or die "bad header line: $_\n";

        $name = lc $name;
        $headers{$name} = defined $headers{$name}
                          ? "$headers{$name}, $value" : $value;
    }

    return (status => $status, reason => $reason, headers => \%headers);
}

sub _read_chunked {
    my ($in, $more) = @_;

    my $body = '';
    my $need = sub {
        my ($have) = @_;
        while (!$have->()) {
            $more->() or die "the chunked answer ends early\n";
        }
    };

    while (1) {
        $need->(sub { $$in =~ /\r\n/ });
        $$in =~ s/\A([0-9a-fA-F]+)[^\r\n]*\r\n// or die "bad chunk size\n";

        my $size = hex $1;
        last if $size == 0;

        $need->(sub { length $$in >= $size + 2 });
        $body .= substr $$in, 0, $size, '';
        substr $$in, 0, 2, '';
    }

    $need->(sub { $$in =~ /\A(?:[^\r\n]+\r\n)*\r\n/ });
    $$in =~ s/\A(?:[^\r\n]+\r\n)*\r\n//;

    return $body;
}

sub _decode {
    my ($r, %opt) = @_;

    $r->{body} = $r->{raw};

    if (($r->{headers}{'content-encoding'} // '') eq 'gzip') {
        $r->{body} = gunzip($r->{raw});
    }

    if (($opt{json} // 1) && ($r->{headers}{'content-type'} // '')
        =~ m{^application/json})
    {
        $r->{json} = eval { JSON::PP->new->utf8->decode($r->{body}) };
    }

    return $r;
}

# The sum of the samples of a metric whose labels hold all of these; undef if
# there is none.
sub metric {
    my ($self, $name, %labels) = @_;

    my $sum;

    LINE: for my $line (split /\n/, $self->get('/metrics')->{body}) {
        my ($labels, $value) = $line =~ /^\Q$name\E(?:\{(.*)\})? (\S+)/
            or next;

        for my $label (keys %labels) {
            my $pair = "$label=\"$labels{$label}\"";
            next LINE if ($labels // '') !~ /(?:^|,)\Q$pair\E(?:,|$)/;
        }

        $sum = ($sum // 0) + $value;
    }

    return $sum;
}

# Requests that were answered, by method, route and status_code.
sub answered {
    my ($self, %labels) = @_;

    return $self->metric('pyroscope_request_duration_seconds_count', %labels);
}


# ---- pushes as the Java agent sends them ------------------------------------

# The target: name, from, until; rate => 100 (undef: left out), format => jfr,
# path => /ingest, query => more text.
sub ingest_path {
    my ($self, %opt) = @_;

    my @query = (
        [name => $opt{name}], [units => 'samples'],
        [aggregationType => 'sum'], [from => $opt{from}],
        [until => $opt{until}], [spyName => 'javaspy'],
        [sampleRate => exists $opt{rate} ? $opt{rate} : 100],
        [format => $opt{format} // 'jfr']);

    return ($opt{path} // '/ingest') . '?'
           . join('&', map { "$_->[0]=" . uri_escape($_->[1]) }
                       grep { defined $_->[1] } @query)
           . ($opt{query} // '');
}

# ([name => bytes], ...) as multipart/form-data; gzip => 0: parts as they are.
sub multipart {
    my ($self, $parts, %opt) = @_;

    my $body = '';

    for (@$parts) {
        my ($name, $bytes) = @$_;
        my $type = $name eq 'labels'
                   ? "Content-Type: application/x-protobuf\r\n" : '';

        $bytes = gzip($bytes) if $opt{gzip} // 1;
        $body .= "--$BOUNDARY\r\nContent-Disposition: form-data; "
                 . "name=\"$name\"; filename=\"$name\"\r\n$type"
                 . "\r\n$bytes\r\n";
    }

    return "$body--$BOUNDARY--\r\n";
}

sub multipart_type { "multipart/form-data; boundary=$BOUNDARY" }

# Pushes a recording (a file, gzipped or not, or a reference to its bytes).
# Options: name, from, until, those of ingest_path() and request(); labels =>
# the same for the second part; gzip => 0: parts as they are; chunked => 0:
# with Content-Length.
sub push_jfr {
    my ($self, $jfr, %opt) = @_;

    my @parts = [jfr => _bytes($jfr)];

    push @parts, [labels => _bytes($opt{labels})] if defined $opt{labels};

    my $headers = { 'Content-Type' => $self->multipart_type,
                    'User-Agent' => 'okhttp/4.12.0',
                    'Accept-Encoding' => 'gzip', %{ $opt{headers} // {} } };

    return $self->request(
        'POST', $self->ingest_path(%opt),
        body => $self->multipart(\@parts, gzip => $opt{gzip}),
        headers => $headers, chunked => $opt{chunked} // 1,
        timeout => $opt{timeout}, keepalive => $opt{keepalive});
}

sub _bytes {
    my ($what) = @_;

    return $$what if ref $what;

    my $bytes = read_file($what);

    return $bytes =~ /\A\x1f\x8b/ ? gunzip($bytes) : $bytes;
}

1;
