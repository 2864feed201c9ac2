package PyroTest::Saved;

# Stores that versions of this project have left, t/data/store/VERSION, and what
# was answered from them.  t/data/store/make makes one with what is here, and
# t/390-saved-store.t holds later versions to it.
#
# Core Perl only.

use strict;
use warnings;

use Digest::SHA ();
use File::Path ();
use JSON::PP ();
use POSIX ();
use PyroJfr;
use PyroTest;
use PyroTest::Util;

my $JSON = JSON::PP->new->utf8->canonical;
my $DATA = PyroTest::root() . '/t/data/store';
my $OLD = '{service_name=~"shop|pay"}';     # what saved stores have

our $YAML = <<'END';
server:
  http_listen_address: 127.0.0.1
  http_listen_port: %PORT%
storage:
  filesystem:
    dir: %DATA%
multitenancy_enabled: true
END

sub folder { "$DATA/$_[0]" }

sub versions {
    return map { m{/([^/]+)/store\.tar\.gz$} }
           sort glob "$DATA/*/store.tar.gz";
}

# { days => [{ start, state }], answers => {} }
sub expected { $JSON->decode(read_file(folder($_[0]) . '/answers.json')) }

# A server that has it, not started; nothing is sealed, thinned or removed.
sub server {
    my ($version) = @_;

    my $t = PyroTest->new(workers => 2,
                          yaml => "${YAML}lmdb:\n  seal_after: off\n");

    File::Path::make_path($t->data);
    system('tar', '-xzf', folder($version) . '/store.tar.gz', '-C', $t->data)
        == 0 or die "tar ended with $?\n";

    return $t;
}

sub tool {
    my (@args) = @_;

    my $build = $ENV{PYRO_SAN} ? 'build/asan' : 'build';
    my $pid = open(my $out, '-|') // die "fork: $!\n";

    if ($pid == 0) {
        my $tool = PyroTest::root() . "/$build/pyroscope-store";

        open STDERR, '>&', \*STDOUT;
        exec { $tool } $tool, @args or POSIX::_exit(127);
    }

    my $said = do { local $/; <$out> } // '';
    close $out;

    return ($? >> 8, $said);
}

# What "list" says of the partitions: [start, state].
sub states {
    my ($dir) = @_;

    my ($status, $said) = tool('list', '--json', $dir);
    die "list: $said" if $status;

    return map { [$_->{start}, $_->{state}] }
           @{ $JSON->decode($said) };
}


# ---- answers ----------------------------------------------------------------

# What the profiles of the saved store are, of each day and tenant; the same
# before and after something was pushed, sealed or thinned.
sub profiles {
    my ($t, @days) = @_;

    my %answers;

    for my $tenant (qw(acme beta)) {
        my @tenant = ('X-Scope-OrgID' => $tenant);
        my $types = $t->rpc('ProfileTypes', { start => PyroJfr::FIRST,
                                              end => PyroJfr::LAST }, @tenant);

        for my $day (@days) {
            for my $type (map { $_->{ID} }
                          @{ $types->{json}{profileTypes} // [] })
            {
                $answers{"$tenant $day $type"} = of_day($t, $day, $type,
                                                        @tenant);
            }
        }
    }

    return \%answers;
}

# The total, the time line, and a digest of what each function has.
sub of_day {
    my ($t, $day, $type, @tenant) = @_;

    # a day that is thinned is its last moment's
    my %range = (start => $day * 1000 + 1, end => ($day + 86_400) * 1000);
    my %query = (profileTypeID => $type, labelSelector => $OLD, %range);

    my $graph = PyroJfr::merge($t, type => $type, selector => $OLD, %range,
                               max_nodes => 1_000_000,
                               headers => { @tenant })->{json}{flamegraph};
    my $lines = $t->rpc('SelectSeries', { %query, step => 3600, groupBy =>
                        ['service_name', 'instance'] }, @tenant)->{json};

    my @series = @{ $lines->{series} // [] };

    return {
        total     => ($graph->{total} // 0) + 0,
        functions => digest(selfs($graph)),
        series    => { map { series_name($_) => sum_of($_) } @series },
        points    => digest({ map { series_name($_) => [map {
                         [$_->{timestamp}, $_->{value}] } @{ $_->{points} }] }
                     @series }),
    };
}

sub sum_of {
    my ($series) = @_;

    my $sum = 0;
    $sum += $_->{value} for @{ $series->{points} };

    return $sum;
}

sub series_name {
    return join ',', sort map { "$_->{name}=$_->{value}" } @{ $_[0]{labels} };
}

# { function => the sum of its own values }
sub selfs {
    my ($graph) = @_;

    my %selfs;

    for my $level (@{ $graph->{levels} // [] }) {
        my @v = @{ $level->{values} };

        while (my ($delta, $total, $self, $name) = splice @v, 0, 4) {
            $selfs{$graph->{names}[$name]} += $self if $self;
        }
    }

    return \%selfs;
}

sub digest { Digest::SHA::sha256_hex($JSON->encode($_[0])) }

# All else: labels, types, single pushes, spans, settings, what recordings said.
sub facts {
    my ($t) = @_;

    my %range = (start => PyroJfr::FIRST, end => PyroJfr::LAST);
    my %query = (profileTypeID => PyroJfr::CPU, labelSelector => $OLD, %range);
    my %facts;

    for my $tenant (qw(acme beta)) {
        my @tenant = ('X-Scope-OrgID' => $tenant);
        my $ask = sub { $t->rpc(@_, @tenant)->{json} };

        $facts{$tenant} = {
            types  => [sort map { $_->{ID} }
                       @{ $ask->('ProfileTypes', \%range)->{profileTypes} }],
            names  => [sort @{ $ask->('LabelNames', \%range)->{names} }],
            values => { map { $_ => [sort @{ $ask->('LabelValues',
                                 { %range, name => $_ })->{names} // [] }] }
                        qw(service_name instance jfr_event) },
            series => digest([sort map { series_name($_) }
                              @{ $ask->('Series', \%range)->{labelsSet} }]),
            stats  => $ask->('GetProfileStats', {}),
            # the largest push of each point
            pushes => [sort map { $_->{profileId} }
                       map { @{ $_->{exemplars} // [] } }
                       map { @{ $_->{points} } }
                       @{ $ask->('SelectSeries', { %query, step => 86_400,
                                 exemplarType => 2 })->{series} // [] }],
            span   => $ask->('SelectMergeSpanProfile', { %query, spanSelector =>
                             ['00000000000000ef'] })->{flamegraph}{total},
            info   => $t->get('/api/v1/jfr-info?service_name=shop',
                              headers => { @tenant })->{json},
            settings => [sort { $a->{name} cmp $b->{name} }
                         @{ $t->post('/settings.v1.SettingsService/Get', '{}',
                                     'Content-Type' => 'application/json',
                                     @tenant)->{json}{settings} // [] }],
        };
    }

    return \%facts;
}

# The functions with their lines, as the tool writes them.
sub collapsed {
    my ($dir) = @_;

    my ($status, $said) = tool('export', $dir, '--tenant=acme',
                               '--format=collapsed', '--type=' . PyroJfr::CPU,
                               "--selector=$OLD");
    die "export: $said" if $status;

    return digest([sort split /\n/, $said]);
}

sub all {
    my ($t, @days) = @_;

    return { profiles => profiles($t, @days), facts => facts($t),
             collapsed => collapsed($t->data) };
}

1;
