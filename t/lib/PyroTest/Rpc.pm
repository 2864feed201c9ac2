package PyroTest::Rpc;

# Every RPC of the server in both encodings, over HTTP/1.1 and HTTP/2.
#
#     my $rpc = PyroTest::Rpc->new($t);
#     my $r = $rpc->ask('proto', 'LabelValues', { name => 'region' });
#     my $message = PyroTest::Rpc::message('LabelValues', $r);
#     # { names => [...] }, which is the same for 'json'
#
# Messages are those of PyroTest::Grafana.  Core Perl only; HTTP/2 is curl's.

use strict;
use warnings;

use Exporter 'import';
use JSON::PP ();
use MIME::Base64 ();
use POSIX ();
use PyroTest::Grafana;
use PyroTest::Util;

our @EXPORT = qw(@RPCS);

# in the order of the README
our @RPCS = qw(ProfileTypes LabelNames LabelValues Series SelectSeries
               SelectMergeStacktraces SelectMergeSpanProfile SelectMergeProfile
               SelectHeatmap Diff GetProfileStats AnalyzeQuery Get Set Delete
               Version GetFeatureFlags);

my %SERVICE = (
    (map { $_ => 'settings.v1.SettingsService' } qw(Get Set Delete)),
    Version => 'version.v1.Version',
    GetFeatureFlags => 'capabilities.v1.FeatureFlagsService',
);

# a message that each of them takes, but for the time
my $TYPE = 'process_cpu:cpu:nanoseconds:cpu:nanoseconds';
my %query = (profileTypeID => $TYPE, labelSelector => '{}');
my %SAMPLE = (
    (map { $_ => {} } qw(ProfileTypes LabelNames Series)),
    LabelValues            => { name => 'service_name' },
    SelectSeries           => { %query, step => 15 },
    SelectMergeStacktraces => { %query },
    SelectMergeSpanProfile => { %query },
    SelectMergeProfile     => { %query },
    SelectHeatmap          => { %query, step => 15, queryType => 1 },
    AnalyzeQuery           => { query => "$TYPE\{}" },
);

sub new {
    my ($class, $t) = @_;

    return bless { t => $t }, $class;
}

sub path {
    my ($rpc) = @_;

    return '/' . ($SERVICE{$rpc} // 'querier.v1.QuerierService') . "/$rpc";
}

# The message of an RPC for a time (start => ms, end => ms), with other fields;
# undef where it has no time.
sub sample {
    my ($rpc, $range, %fields) = @_;

    return { map { $_ => { %query, %$range, %fields } } qw(left right) }
        if $rpc eq 'Diff';

    my $message = $SAMPLE{$rpc} // return;

    return { %$message, %$range, %fields };
}

# The bytes of a message.
sub body {
    my ($codec, $rpc, $message) = @_;

    return $codec eq 'json' ? JSON::PP->new->utf8->canonical->encode($message)
                            : PyroTest::Grafana::encode("${rpc}Request",
                                                        $message);
}

# One request: options are headers => {}, gzip => 1 (it is sent packed), and
# body => bytes instead of the message.
sub request {
    my ($codec, $rpc, $message, %opt) = @_;

    my $body = $opt{body} // body($codec, $rpc, $message);

    return {
        path    => path($rpc),
        body    => $opt{gzip} ? gzip($body) : $body,
        headers => { 'Content-Type' => "application/$codec",
                     $opt{gzip} ? ('Content-Encoding' => 'gzip') : (),
                     %{ $opt{headers} // {} } },
    };
}

sub ask {
    my ($self, $codec, $rpc, $message, %opt) = @_;

    my $request = request($codec, $rpc, $message, %opt);
    return $self->{t}->request('POST', $request->{path}, %$request,
                               json => 0);
}

# What was answered, in one form for both encodings: 64-bit integers are texts
# in JSON, and bytes are in base64.
sub message {
    my ($rpc, $r) = @_;

    my $type = $r->{headers}{'content-type'} // '';
    my $message = $type eq 'application/proto'
                  ? PyroTest::Grafana::decode("${rpc}Response", $r->{body})
                  : $type eq 'application/json'
                  ? JSON::PP->new->utf8->decode($r->{body})
                  : die "$rpc: the answer is $type\n";

    if ($type =~ /json/ && defined $message->{tree}) {
        $message->{tree} = MIME::Base64::decode($message->{tree});
    }

    return _texts($message);
}

sub _texts {
    my ($x) = @_;

    return ref $x eq 'HASH' ? { map { $_ => _texts($x->{$_}) } keys %$x }
           : ref $x eq 'ARRAY' ? [map { _texts($_) } @$x]
           : "$x";
}

# The answers to requests over HTTP/2, which are sent at once.  Each has a curl
# of its own: some cannot go on with a connection whose protocol they were told.
sub over_http2 {
    my ($self, $port, @requests) = @_;

    my $dir = $self->{t}->dir;
    my $curl = which('curl') // die "there is no curl\n";
    my @pids;

    for my $i (0 .. $#requests) {
        my $request = $requests[$i];

        write_file("$dir/h2-$i.in", $request->{body});

        my $pid = fork // die "fork: $!\n";

        if ($pid == 0) {
            my @command = ($curl, '-sS', '--http2-prior-knowledge', '-m',
                $TIMEOUT, '--data-binary', "\@$dir/h2-$i.in", '-o',
                "$dir/h2-$i.out", '-D', "$dir/h2-$i.head",
                (map { ('-H', "$_: $request->{headers}{$_}") }
                 sort keys %{ $request->{headers} }),
                "http://127.0.0.1:$port$request->{path}");

            { no warnings 'exec'; exec { $command[0] } @command; }
            POSIX::_exit(127);
        }

        push @pids, $pid;
    }

    for my $pid (@pids) {
        waitpid $pid, 0;
        die "curl ends with $?\n" if $?;
    }

    return map { _http2_answer("$dir/h2-$_") } 0 .. $#requests;
}

sub _http2_answer {
    my ($file) = @_;

    my ($status, @lines) = grep { length }
                           split /\r\n/, read_file("$file.head");
    my %r = (status => $status =~ m{^HTTP/2 (\d+)} ? $1 : "not 2: $status",
             headers => { map { /^([^:]+): (.*)/ } @lines });

    # without a body curl makes no file
    $r{raw} = -e "$file.out" ? read_file("$file.out") : '';
    unlink "$file.out";

    $r{body} = ($r{headers}{'content-encoding'} // '') eq 'gzip'
               ? gunzip($r{raw}) : $r{raw};

    return \%r;
}

1;
