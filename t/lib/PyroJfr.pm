package PyroJfr;

# The recordings of t/data/jfr, what they must give, and questions to a server
# about it.  $t is a PyroTest; a time range is everything unless it is given.
#
# Core Perl only.

use strict;
use warnings;

use File::Basename ();
use JSON::PP ();
use PyroTest;
use PyroTest::Util;

use constant {
    CPU   => 'process_cpu:cpu:nanoseconds:cpu:nanoseconds',
    WALL  => 'wall:wall:nanoseconds:wall:nanoseconds',
    FROM  => 1700000000,            # s, where a test needs some time
    FIRST => 1,                     # ms
    LAST  => 4_000_000_000_000,
};

my $DATA = PyroTest::root() . '/t/data';


# ---- recordings -------------------------------------------------------------

sub names {
    return map { File::Basename::basename($_) } sort grep { -d }
           glob "$DATA/jfr/*";
}

sub recording { "$DATA/jfr/$_[0]/recording.jfr.gz" }

# Its bytes, inflated.
sub bytes { gunzip(read_file(recording($_[0]))) }

# The file of the labels snapshot, or undef.
sub labels {
    my $file = "$DATA/jfr/$_[0]/labels.pb.gz";
    return -f $file ? $file : undef;
}

sub expect {
    return JSON::PP->new->decode(
        read_file("$DATA/jfr/$_[0]/expect.json"));
}

# { profile type id => total } of all kinds, or of those named.
sub totals {
    my ($name, @kinds) = @_;

    my $profiles = expect($name)->{profiles};
    my %totals;

    for my $kind (@kinds ? @kinds : keys %$profiles) {
        my $p = $profiles->{$kind};
        @totals{@{ $p->{profileTypes} }} = @{ $p->{totals} };
    }

    return \%totals;
}

sub cpu_total { totals($_[0], 'cpu')->{+CPU} }

# The sum over the samples of a kind that has one value; 0 without its file.
sub sum_of {
    my ($name, $kind) = @_;

    my $file = "$DATA/jfr/$name/$kind.samples.tsv.gz";
    return 0 if !-f $file;

    my $sum = 0;

    $sum += (split /[\t ]/)[-1] for split /\n/, gunzip(read_file($file));

    return $sum;
}

# A whole raw request of t/data/http.
sub http_request { read_file("$DATA/http/$_[0].http") }

# Writes it to the server as it is; options: sed => sub that changes it in $_.
sub send_http {
    my ($t, $name, %opt) = @_;

    local $_ = http_request($name);
    $opt{sed}->() if $opt{sed};

    my $sock = $t->connect;
    $t->send_bytes($sock, $_);

    return $t->read_response($sock);
}

# A request that waits, all but its last byte sent; finish() sends that one.
sub prepare {
    my ($t, $method, $path, %opt) = @_;

    my $bytes = $t->request_bytes($method, $path, %opt);
    my $last = chop $bytes;
    my $sock = $t->connect;

    local $SIG{PIPE} = 'IGNORE';
    $t->send_bytes($sock, $bytes);

    return { sock => $sock, last => $last };
}

# A server that has answered already may have closed.
sub finish {
    local $SIG{PIPE} = 'IGNORE';
    syswrite $_->{sock}, $_->{last} for @_;
}

# The answers, in order; undef where the connection ended without one.
sub answers {
    my ($t, @prepared) = @_;
    return map { my $p = $_; scalar eval { $t->read_response($p->{sock}) } }
           @prepared;
}


# ---- questions --------------------------------------------------------------

# SelectMergeStacktraces; options: type, selector (or name, a service), start,
# end, max_nodes, headers => {}.
sub merge {
    my ($t, %opt) = @_;

    return $t->rpc('SelectMergeStacktraces', {
        profileTypeID => $opt{type} // CPU,
        labelSelector => _selector(%opt),
        start         => $opt{start} // FIRST,
        end           => $opt{end} // LAST,
        defined $opt{max_nodes} ? (maxNodes => $opt{max_nodes}) : (),
    }, %{ $opt{headers} // {} });
}

sub _selector {
    my (%opt) = @_;
    return $opt{selector} // (defined $opt{name}
                              ? qq({service_name="$opt{name}"}) : '{}');
}

# The total of it, whose nodes are not needed; 0 if there is nothing, undef
# unless it is 200.
sub total {
    my $r = merge(@_, max_nodes => 1);
    return if $r->{status} != 200;
    return $r->{json}{flamegraph}{total} // 0;
}

# SelectSeries; options as above and group_by => [], step, limit, aggregation.
sub series {
    my ($t, %opt) = @_;

    return $t->rpc('SelectSeries', {
        profileTypeID => $opt{type} // CPU,
        labelSelector => _selector(%opt),
        start         => $opt{start} // FROM * 1000,
        end           => $opt{end} // (FROM + 3600) * 1000,
        step          => $opt{step} // 60,
        groupBy       => $opt{group_by} // [],
        defined $opt{limit} ? (limit => $opt{limit}) : (),
        defined $opt{aggregation} ? (aggregation => $opt{aggregation}) : (),
    });
}

# { "value,value" of the labels asked for => sum of the points }
sub series_sums {
    my ($t, %opt) = @_;

    my $r = series($t, %opt);
    return if $r->{status} != 200;

    my %sums;

    for my $one (@{ $r->{json}{series} // [] }) {
        my %label = map { $_->{name} => $_->{value} }
                    @{ $one->{labels} // [] };
        my $key = join ',', map { $label{$_} // '' } @{ $opt{group_by} // [] };

        $sums{$key} += $_->{value} for @{ $one->{points} };
    }

    return \%sums;
}

# Sorted label sets "a=b,c=d" of Series.
sub label_sets {
    my ($t, $matchers, @names) = @_;

    my $r = $t->rpc('Series', { matchers => $matchers, labelNames => \@names,
                                start => FIRST, end => LAST });
    return if $r->{status} != 200;

    return sort map {
        join ',', map { "$_->{name}=$_->{value}" } @{ $_->{labels} // [] }
    } @{ $r->{json}{labelsSet} // [] };
}

sub label_values {
    my ($t, $name, @matchers) = @_;

    my $r = $t->rpc('LabelValues', { name => $name, matchers => \@matchers,
                                     start => FIRST, end => LAST });

    return @{ $r->{json}{names} // [] };
}

# What is wrong with a flame graph: an empty list if nothing is.
sub flamegraph_faults {
    my ($graph) = @_;

    my @names = @{ $graph->{names} // [] };
    my %seen;
    my @faults = map { "name $_ twice" } grep { $seen{$_}++ } @names;
    my ($sum, $max_self, $depth, @above) = (0, 0, 0);

    push @faults, 'no total' if ($names[0] // '') ne 'total';

    for my $level (@{ $graph->{levels} // [] }) {
        my @v = @{ $level->{values} };
        my ($x, $parent, @row) = (0, 0);

        push @faults, "level $depth: not four values a node" if @v % 4;

        while (my ($delta, $total, $self, $name) = splice @v, 0, 4) {
            $x += $delta;
            $sum += $self;
            $max_self = $self if $self > $max_self;

            push @faults, "level $depth: name $name" if $name > $#names;
            push @faults, "level $depth: delta $delta" if $delta < 0;
            push @faults, "level $depth: self $self of $total"
                if $self < 0 || $self > $total;

            $parent++ while $parent < $#above && $above[$parent][1] <= $x;

            push @faults, "level $depth: $names[$name] outside its parent"
                if $depth && (!@above || $x < $above[$parent][0]
                              || $x + $total > $above[$parent][1]);

            push @row, [$x, $x + $total];
            $x += $total;
        }

        push @faults, "level $depth: @{[scalar @row]} nodes"
            if !@row || $depth == 0 && @row != 1;
        @above = @row;
        $depth++;
    }

    push @faults, "self adds to $sum, total " . ($graph->{total} // 0)
        if $sum != ($graph->{total} // 0);
    push @faults, "largest self $max_self, maxSelf "
                  . ($graph->{maxSelf} // 0)
        if $max_self != ($graph->{maxSelf} // 0);

    return @faults;
}

# Its nodes without the root.
sub flamegraph_nodes {
    my ($graph) = @_;

    my $n = -1;
    $n += @{ $_->{values} } / 4 for @{ $graph->{levels} };

    return $n;
}


# ---- protobuf by hand -------------------------------------------------------

sub varint {
    my ($n) = @_;

    my $out = '';

    while ($n > 127) {
        $out .= chr($n & 127 | 128);
        $n >>= 7;
    }

    return $out . chr $n;
}

# ([number, value], ...): an integer, or [text], or [undef, double]
sub pb {
    return join '', map {
        my ($number, $value) = @$_;

        !ref $value ? varint($number << 3) . varint($value)
        : @$value == 2 ? varint($number << 3 | 1) . pack('d<', $value->[1])
        : varint($number << 3 | 2) . varint(length $value->[0]) . $value->[0]
    } @_;
}

# { number => [values] }: integers and bytes.
sub pb_fields {
    my ($in) = @_;

    my %fields;

    while (length $in) {
        my $key = _take_varint(\$in);
        my ($number, $type) = ($key >> 3, $key & 7);
        my $value = $type == 0 ? _take_varint(\$in)
                    : $type == 1 ? unpack('d<', substr $in, 0, 8, '')
                    : $type == 2 ? substr($in, 0, _take_varint(\$in), '')
                    : die "wire type $type\n";

        push @{ $fields{$number} }, $value;
    }

    return \%fields;
}

sub pb_packed {
    my ($in) = @_;

    my @values;
    push @values, _take_varint(\$in) while length $in;

    return @values;
}

sub _take_varint {
    my ($in) = @_;

    my ($n, $shift) = (0, 0);

    while (1) {
        my $byte = ord substr $$in, 0, 1, '';
        $n |= ($byte & 127) << $shift;
        return $n if $byte < 128;
        $shift += 7;
    }
}


# ---- processes --------------------------------------------------------------

# Lines of [error] in the log that no pattern allows, cut.
sub errors {
    my ($t, @allowed) = @_;

    return map { substr $_, 0, 300 } grep {
        my $line = $_;
        $line =~ /\[error\]/ && !grep { $line =~ $_ } @allowed;
    } split /\n/, $t->error_log;
}

# A number of /proc/PID/status: 'Threads', 'VmHWM' (KiB).
sub proc_status {
    my ($pid, $name) = @_;

    my ($value) = read_file("/proc/$pid/status")
                  =~ /^\Q$name\E:\s+(\d+)/m;

    return $value;
}

sub under_sanitizer { !!$ENV{TEST_NGINX_LD_PRELOAD} }

1;
