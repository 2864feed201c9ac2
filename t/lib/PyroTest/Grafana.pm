package PyroTest::Grafana;

# The backend of Grafana's Pyroscope data source, which is connect-go: its
# requests byte for byte, what it makes of answers, and the frame of a flame
# graph.
#
#     my $g = PyroTest::Grafana->new($t);
#     my $r = $g->call('LabelValues', { name => 'service_name' });
#     # { message => { names => [...] } } or { error => { code, message } },
#     # and http: the answer of PyroTest::Client
#
# Messages have the names and shapes of their JSON, so that both codecs can be
# compared.  Core Perl only.

use strict;
use warnings;

use JSON::PP ();

# two of its releases: the older one does not know the length of a body
my %CLIENT = (
    old => { agent => 'connect-go/1.11.1 (go1.21.4)', chunked => 1 },
    new => { agent => 'connect-go/1.19.1 (go1.25.1)' },
);

my $QUERIER = 'querier.v1.QuerierService';

# what connect-go takes a status for that comes without an error in JSON
my %CODE = (400 => 'internal', 401 => 'unauthenticated',
            403 => 'permission_denied', 404 => 'unimplemented',
            429 => 'unavailable', 502 => 'unavailable', 503 => 'unavailable',
            504 => 'unavailable');


# ---- messages ---------------------------------------------------------------

# field => [number, type]; [type]: repeated; "?type": sent even if it is zero
my %MESSAGE = (
    Label      => { name => [1, 'text'], value => [2, 'text'] },
    Labels     => { labels => [1, ['Label']] },
    CallSite   => { callSite => [1, ['Location']], goPgo => [2, 'GoPGO'] },
    Location   => { name => [1, 'text'] },
    GoPGO      => { keepLocations => [1, 'int'],
        aggregateCallees => [2, 'bool'] },

    ProfileTypesRequest  => { start => [1, 'int'], end => [2, 'int'] },
    ProfileTypesResponse => { profileTypes => [1, ['ProfileType']] },
    ProfileType => { ID => [1, 'text'], name => [2, 'text'],
        sampleType => [4, 'text'], sampleUnit => [5, 'text'],
        periodType => [6, 'text'], periodUnit => [7, 'text'] },

    LabelNamesRequest => { matchers => [1, ['text']], start => [2, 'int'],
        end => [3, 'int'] },
    LabelNamesResponse => { names => [1, ['text']] },

    LabelValuesRequest => { name => [1, 'text'], matchers => [2, ['text']],
        start => [3, 'int'], end => [4, 'int'] },
    LabelValuesResponse => { names => [1, ['text']] },

    SeriesRequest => { matchers => [1, ['text']], labelNames => [2, ['text']],
        start => [3, 'int'], end => [4, 'int'] },
    SeriesResponse => { labelsSet => [2, ['Labels']] },

    SelectMergeStacktracesRequest => { profileTypeID => [1, 'text'],
        labelSelector => [2, 'text'], start => [3, 'int'], end => [4, 'int'],
        maxNodes => [5, '?int'], format => [6, 'int'],
        stackTraceSelector => [7, 'CallSite'],
        profileIdSelector => [8, ['text']], traceIdSelector => [10, ['text']],
        spanSelector => [11, ['text']] },
    SelectMergeStacktracesResponse => { flamegraph => [1, 'FlameGraph'],
        tree => [2, 'bytes'], dot => [3, 'text'], pprof => [5, 'Pprof'] },
    Pprof => { profile => [1, 'Profile'] },
    FlameGraph => { names => [1, ['text']], levels => [2, ['Level']],
        total => [3, 'int'], maxSelf => [4, 'int'], leftTicks => [5, 'int'],
        rightTicks => [6, 'int'] },
    Level => { values => [1, 'packed'] },

    SelectMergeSpanProfileRequest => { profileTypeID => [1, 'text'],
        labelSelector => [2, 'text'], spanSelector => [3, ['text']],
        start => [4, 'int'], end => [5, 'int'], maxNodes => [6, '?int'],
        format => [7, 'int'] },
    SelectMergeSpanProfileResponse => { flamegraph => [1, 'FlameGraph'],
        tree => [2, 'bytes'] },

    SelectMergeProfileRequest => { profileTypeID => [1, 'text'],
        labelSelector => [2, 'text'], start => [3, 'int'], end => [4, 'int'],
        maxNodes => [5, '?int'], stackTraceSelector => [6, 'CallSite'],
        profileIdSelector => [7, ['text']],
        traceIdSelector => [8, ['text']] },
    SelectMergeProfileResponse => 'Profile',
    Profile => { sampleType => [1, ['ValueType']], sample => [2, ['Sample']],
        mapping => [3, ['Mapping']], location => [4, ['ProfileLocation']],
        function => [5, ['Function']], stringTable => [6, ['text']],
        timeNanos => [9, 'int'], durationNanos => [10, 'int'],
        periodType => [11, 'ValueType'], period => [12, 'int'],
        defaultSampleType => [14, 'int'] },
    ValueType => { type => [1, 'int'], unit => [2, 'int'] },
    Sample => { locationId => [1, 'packed'], value => [2, 'packed'] },
    Mapping => { id => [1, 'int'], memoryStart => [2, 'int'],
        memoryLimit => [3, 'int'], fileOffset => [4, 'int'],
        filename => [5, 'int'], buildId => [6, 'int'],
        hasFunctions => [7, 'bool'], hasFilenames => [8, 'bool'],
        hasLineNumbers => [9, 'bool'], hasInlineFrames => [10, 'bool'] },
    ProfileLocation => { id => [1, 'int'], mappingId => [2, 'int'],
        address => [3, 'int'], line => [4, ['Line']] },
    Line => { functionId => [1, 'int'], line => [2, 'int'] },
    Function => { id => [1, 'int'], name => [2, 'int'],
        systemName => [3, 'int'], filename => [4, 'int'],
        startLine => [5, 'int'] },

    SelectSeriesRequest => { profileTypeID => [1, 'text'],
        labelSelector => [2, 'text'], start => [3, 'int'], end => [4, 'int'],
        groupBy => [5, ['text']], step => [6, 'double'],
        aggregation => [7, '?int'], stackTraceSelector => [8, 'CallSite'],
        limit => [9, '?int'], exemplarType => [10, 'int'] },
    SelectSeriesResponse => { series => [1, ['SeriesPoints']] },
    SeriesPoints => { labels => [1, ['Label']], points => [2, ['Point']] },
    Point => { value => [1, 'double'], timestamp => [2, 'int'],
        exemplars => [4, ['Exemplar']] },
    Exemplar => { timestamp => [1, 'int'], profileId => [2, 'text'],
        spanId => [3, 'text'], value => [4, 'int'], labels => [5, ['Label']],
        traceId => [6, 'text'] },

    SelectHeatmapRequest => { profileTypeID => [1, 'text'],
        labelSelector => [2, 'text'], start => [3, 'int'], end => [4, 'int'],
        step => [5, 'double'], groupBy => [6, ['text']],
        queryType => [7, 'int'], exemplarType => [8, 'int'],
        limit => [9, '?int'] },
    SelectHeatmapResponse => { series => [1, ['HeatmapSeries']] },
    HeatmapSeries => { labels => [1, ['Label']], slots => [2, ['Slot']] },
    Slot => { timestamp => [1, 'int'], yMin => [2, 'doubles'],
        counts => [3, 'packed'], exemplars => [4, ['Exemplar']] },

    DiffRequest => { left => [1, 'SelectMergeStacktracesRequest'],
        right => [2, 'SelectMergeStacktracesRequest'] },
    DiffResponse => { flamegraph => [1, 'FlameGraph'] },

    GetProfileStatsRequest => {},
    GetProfileStatsResponse => { dataIngested => [1, 'bool'],
        oldestProfileTime => [2, 'int'], newestProfileTime => [3, 'int'] },

    AnalyzeQueryRequest => { start => [2, 'int'], end => [3, 'int'],
        query => [4, 'text'] },
    AnalyzeQueryResponse => { queryScopes => [1, ['QueryScope']],
        queryImpact => [2, 'QueryImpact'] },
    QueryScope => { componentType => [1, 'text'], componentCount => [2, 'int'],
        blockCount => [3, 'int'], seriesCount => [4, 'int'],
        profileCount => [5, 'int'], sampleCount => [6, 'int'],
        indexBytes => [7, 'int'], profileBytes => [8, 'int'],
        symbolBytes => [9, 'int'] },
    QueryImpact => { totalBytesInTimeRange => [2, 'int'],
        totalQueriedSeries => [3, 'int'], deduplicationNeeded => [4, 'bool'] },

    # of the services beside
    Setting => { name => [1, 'text'], value => [2, 'text'],
        modifiedAt => [3, 'int'] },
    GetRequest => {},
    GetResponse => { settings => [1, ['Setting']] },
    SetRequest => { setting => [1, 'Setting'] },
    SetResponse => { setting => [1, 'Setting'] },
    DeleteRequest => { name => [1, 'text'] },
    DeleteResponse => {},
    VersionRequest => {},
    VersionResponse => { QuerierAPI => [1, 'int'] },
    GetFeatureFlagsRequest => {},
    GetFeatureFlagsResponse => { featureFlags => [1, ['Flag']] },
    Flag => { name => [1, 'text'], enabled => [2, 'bool'] },
);

# { field => [number, type] } of a message, as above.
sub fields { return %{ _fields($_[0]) } }

sub _varint {
    my ($n) = @_;

    $n = unpack 'Q', pack 'q', $n if $n < 0;

    my $out = '';

    while ($n > 127) {
        $out .= chr($n & 127 | 128);
        $n >>= 7;
    }

    return $out . chr $n;
}

sub _take_varint {
    my ($in) = @_;

    my ($n, $shift) = (0, 0);

    while (length $$in && $shift < 70) {
        my $byte = ord substr $$in, 0, 1, '';

        $n |= ($byte & 127) << $shift;
        return unpack 'q', pack 'Q', $n if $byte < 128;
        $shift += 7;
    }

    die "a broken varint\n";
}

# The bytes of a message, its fields in the order of their numbers.
sub encode {
    my ($type, $message) = @_;

    my $fields = _fields($type);
    my $out = '';

    for my $name (keys %$message) {
        die "$type has no $name\n" if !$fields->{$name};
    }

    for my $name (sort { $fields->{$a}[0] <=> $fields->{$b}[0] }
                  grep { defined $message->{$_} } keys %$fields) {
        my ($number, $of) = @{ $fields->{$name} };
        my $value = $message->{$name};

        $out .= _field($number, $of, $_) for ref $of ? @$value : $value;
    }

    return $out;
}

sub _field {
    my ($number, $of, $value) = @_;

    my $repeated = ref $of;
    $of = $of->[0] if $repeated;

    if ($of =~ /^(\??)(?:int|bool)$/) {
        return '' if !$value && !$1;
        return _varint($number << 3) . _varint($value);
    }

    if ($of eq 'double') {
        return '' if $value == 0;
        return _varint($number << 3 | 1) . pack 'd<', $value;
    }

    if ($of eq 'text') {
        return '' if $value eq '' && !$repeated;
        utf8::encode($value);

    } else {
        $value = encode($of, $value);
    }

    return _varint($number << 3 | 2) . _varint(length $value) . $value;
}

sub _fields {
    my ($type) = @_;

    my $fields = $MESSAGE{$type} // die "unknown message $type\n";

    return ref $fields ? $fields : $MESSAGE{$fields};
}

# What JSON would have: fields that are not there are left out.
sub decode {
    my ($type, $in) = @_;

    my $fields = _fields($type);
    my %by_number = map { $fields->{$_}[0] => $_ } keys %$fields;
    my %out;

    while (length $in) {
        my $key = _take_varint(\$in);
        my ($number, $wire) = ($key >> 3, $key & 7);
        my $name = $by_number{$number} // die "$type has a field $number\n";
        my $of = $fields->{$name}[1];
        my $value = $wire == 0 ? _take_varint(\$in)
                    : $wire == 1 ? substr($in, 0, 8, '')
                    : $wire == 2 ? _take_bytes(\$in)
                    : die "$type.$name: wire type $wire\n";

        if (ref $of) {
            push @{ $out{$name} }, _value($of->[0], $wire, $value);

        } elsif ($of =~ /^(?:packed|doubles)$/) {
            push @{ $out{$name} }, _values($of, $wire, $value);

        } else {
            $out{$name} = _value($of, $wire, $value);
        }
    }

    return \%out;
}

sub _take_bytes {
    my ($in) = @_;

    my $length = _take_varint($in);

    die "a broken length\n" if $length < 0 || $length > length $$in;

    return substr $$in, 0, $length, '';
}

sub _value {
    my ($of, $wire, $value) = @_;

    if ($of =~ /^\??(int|bool|double)$/) {
        die "wire type $wire for $1\n" if $wire != ($1 eq 'double' ? 1 : 0);

        return $1 eq 'double' ? unpack 'd<', $value
               : $1 eq 'bool' ? JSON::PP::true() : $value;
    }

    die "wire type $wire for $of\n" if $wire != 2;

    return decode($of, $value) if $MESSAGE{$of};

    $of eq 'bytes' or utf8::decode($value) or die "a text is not UTF-8\n";

    return $value;
}

sub _values {
    my ($of, $wire, $value) = @_;

    return $of eq 'doubles' ? unpack 'd<', $value : $value if $wire != 2;
    return unpack '(d<)*', $value if $of eq 'doubles';

    my @values;
    push @values, _take_varint(\$value) while length $value;

    return @values;
}


# ---- requests ---------------------------------------------------------------

# client => 'old' or 'new'; headers => { of all requests }
sub new {
    my ($class, $t, %opt) = @_;

    return bless { t => $t, %opt }, $class;
}

# The bytes of a request.  Options: client, headers; timeout => ms.
sub request_bytes {
    my ($self, $rpc, $message, %opt) = @_;

    my $client = $CLIENT{$opt{client} // $self->{client} // 'new'};
    my $body = $opt{body} // encode("${rpc}Request", $message);
    my $service = $opt{service} // $QUERIER;
    my %headers = (
        'Accept-Encoding' => 'gzip', 'Connect-Protocol-Version' => 1,
        'Content-Type' => 'application/proto',
        defined $opt{timeout} ? ('Connect-Timeout-Ms' => $opt{timeout}) : (),
        %{ $self->{headers} // {} }, %{ $opt{headers} // {} });

    # Go's order: these three, then the others by name
    my @lines = ("POST /$service/$rpc HTTP/1.1",
                 'Host: 127.0.0.1:' . $self->{t}->port,
                 "User-Agent: $client->{agent}");

    if ($client->{chunked}) {
        push @lines, 'Transfer-Encoding: chunked';
        $body = (length $body ? sprintf("%x\r\n%s\r\n", length $body, $body)
                              : '') . "0\r\n\r\n";
    } else {
        push @lines, 'Content-Length: ' . length $body;
    }

    return join("\r\n", @lines, map { "$_: $headers{$_}" } sort keys %headers)
           . "\r\n\r\n" . $body;
}

# One call; sock => a connection that is kept.
sub call {
    my ($self, $rpc, $message, %opt) = @_;

    my $sock = $self->send($rpc, $message, %opt);

    return $self->answer($rpc, $sock);
}

# The connection on which the answer is to come.
sub send {
    my ($self, $rpc, $message, %opt) = @_;

    my $sock = $opt{sock} // $self->{t}->connect;

    local $SIG{PIPE} = 'IGNORE';
    $self->{t}->send_bytes($sock, $self->request_bytes($rpc, $message, %opt));

    return $sock;
}

sub answer {
    my ($self, $rpc, $sock) = @_;

    return understand($rpc, $self->{t}->read_response($sock));
}

# What connect-go hands to the data source.
sub understand {
    my ($rpc, $http) = @_;

    my %headers = %{ $http->{headers} };
    my $type = $headers{'content-type'} // '';
    my $encoding = $headers{'content-encoding'} // 'identity';
    my %r = (http => $http);

    if ($encoding !~ /^(?:identity|gzip)$/) {
        $r{error} = { code => 'internal',
                      message => "unknown encoding $encoding" };

    } elsif ($http->{status} != 200) {
        my $json = $type =~ m{^application/json(?:; charset=utf-8)?$}
                   ? $http->{json} : undef;

        $r{error} = ref $json eq 'HASH' && defined $json->{code} ? $json
                    : { code => $CODE{$http->{status}} // 'unknown',
                        message => "HTTP status $http->{status}" };

    } elsif ($type ne 'application/proto') {
        $r{error} = { code => 'unknown',
                      message => "invalid content-type: \"$type\"" };

    } else {
        $r{message} = eval { decode("${rpc}Response", $http->{body}) };
        $r{error} = { code => 'internal', message => $@ } if !$r{message};
    }

    return \%r;
}


# ---- flame graphs -----------------------------------------------------------

# The frame that the data source makes of a flame graph, depth first:
# ([level, value, self, label], ...).  Dies where the data source would, or
# would show a bar elsewhere.  side => 1 is the second of a differential one.
sub frame {
    my ($graph, %opt) = @_;

    my @levels = map { $_->{values} // [] } @{ $graph->{levels} // [] };
    return if !@levels;

    my ($width, $of) = _layout($graph, %opt);

    die "level 0 is not one bar\n" if @{ $levels[0] } != $width;

    my $root;
    my @parents;

    for my $level (0 .. $#levels) {
        my ($end, @row) = (0);

        die "level $level is torn\n" if @{ $levels[$level] } % $width;

        for (my $i = 0; $i < @{ $levels[$level] }; $i += $width) {
            my @bar = @{ $levels[$level] }[$i .. $i + $width - 1];
            my ($gap, $total, $self, $name) = @bar[@$of];
            my $label = $graph->{names}[$name];

            die "level $level: no name $name\n"
                if $name < 0 || !defined $label;
            die "level $level, $label: a negative number\n"
                if $gap < 0 || $total < 0 || $self < 0;

            my $node = { level => $level, value => $total, self => $self,
                         label => $label, start => $end + $gap };
            $end = $node->{end} = $node->{start} + $total;
            push @row, $node;

            if ($level == 0) {
                $root = $node;
                next;
            }

            # to the right of where its parent was is no other one
            shift @parents while @parents && !_inside($node, $parents[0]);
            die "level $level, $label is in none of the level above\n"
                if !@parents;

            push @{ $parents[0]{children} }, $node;
        }

        @parents = @row;
    }

    return _nested($root);
}

sub _layout {
    my ($graph, %opt) = @_;

    return (4, [0, 1, 2, 3]) if !defined $opt{side};
    return (7, $opt{side} ? [3, 4, 5, 6] : [0, 1, 2, 6]);
}

sub _inside {
    my ($node, $parent) = @_;

    return $node->{start} >= $parent->{start} && $node->{end} <= $parent->{end};
}

sub _nested {
    my ($node) = @_;

    my @rows = ([@$node{qw(level value self label)}]);
    my $sum = $node->{self};

    for my $child (@{ $node->{children} // [] }) {
        $sum += $child->{value};
        push @rows, _nested($child);
    }

    die "level $node->{level}, $node->{label}: self and children are $sum, "
        . "not $node->{value}\n" if $sum != $node->{value};

    return @rows;
}

# What is wrong with it for a data source; nothing: an empty text.
sub faults {
    my ($graph, %opt) = @_;

    my @frame = eval { frame($graph, %opt) };
    return $@ if $@;
    return '' if !@frame;

    my $total = $opt{total} // $graph->{total} // 0;
    my $sum = 0;
    $sum += $_->[2] for @frame;

    return $sum != $total || $frame[0][1] != $total
           ? "the root has $frame[0][1], all selves are $sum, not $total"
           : $frame[0][3] ne 'total' ? "the root is $frame[0][3]" : '';
}

# { "a;b;c" => self } of a frame, without the root and without zeros.
sub stacks {
    my (%stacks, @path);

    for (@_) {
        my ($level, $value, $self, $label) = @$_;

        $path[$level] = $label;
        $stacks{join ';', @path[1 .. $level]} += $self if $level && $self;
    }

    return \%stacks;
}

# The same of a profile in pprof.
sub profile_stacks {
    my ($profile) = @_;

    my @strings = @{ $profile->{stringTable} // [] };
    my %function = map { $_->{id} => $strings[$_->{name} // 0] }
                   @{ $profile->{function} // [] };
    my %location = map { my $l = $_;
        $l->{id} => join ';', map { $function{$_->{functionId}} // die
            "location $l->{id} has no function\n" } reverse @{ $l->{line} }
    } @{ $profile->{location} // [] };
    my %stacks;

    for my $sample (@{ $profile->{sample} // [] }) {
        my $stack = join ';', map { $location{$_} // die "no location $_\n" }
                              reverse @{ $sample->{locationId} };

        $stacks{$stack} += $_ for @{ $sample->{value} };
    }

    return \%stacks;
}

1;
