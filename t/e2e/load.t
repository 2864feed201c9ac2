#!/usr/bin/perl

# Agents and dashboards, many connections, and a HUP every few seconds: nobody
# gets anything but 200, 304 where that was asked for, and 429; what was
# answered 200 is in the store, exactly; nothing is left of the workers that
# were replaced.
#
#     LOAD_TIME           seconds, default 4 (make test-load: 60)
#     LOAD_HUP            seconds between two HUPs, 1 (3)
#     LOAD_CONNECTIONS    60 (200)
#
# Nothing is judged by the time that it takes.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/../lib";

use JSON::PP ();
use PyroJfr;
use PyroTest;
use PyroTest::Load;
use PyroTest::Util;
use Test::More;
use Time::HiRes ();

my $TIME = $ENV{LOAD_TIME} || 4;
my $HUP = $ENV{LOAD_HUP} || 1;
my $CONNECTIONS = $ENV{LOAD_CONNECTIONS} || 60;
my $SERVICES = 10;
my $JSON = JSON::PP->new->utf8;
my $ALLOC = 'memory:alloc_in_new_tlab_bytes:bytes:space:bytes';

# pushes are of the last hours, those of some agents of a day that is over, and
# sealed, meanwhile
my $START = time - 2 * 3600;
my $OVER = $START - 3 * 86_400;

# how often of 16, and what of it
my @RECORDINGS = (
    [8, 'new_spancontext'], [4, 'ap45-all'], [3, 'dump1'],
    [1, 'cortex-dev-01__kafka-0__cpu_lock0_alloc0__0'],
);

my $t = PyroTest->new(workers => 2,
                      more_yaml => "lmdb:\n  seal_after: 2s\n")->start;


# ---- what is asked ----------------------------------------------------------

# As agents send them, and as curl does; made once.
sub body_of {
    my ($name) = @_;

    my @parts = [jfr => PyroJfr::bytes($name)];
    my $labels = PyroJfr::labels($name);

    push @parts, [labels => gunzip(read_file($labels))] if $labels;

    my $totals = PyroJfr::totals($name);

    return {
        name  => $name,
        rate  => PyroJfr::expect($name)->{sampleRate},
        body  => $t->multipart(\@parts),
        cpu   => $totals->{+PyroJfr::CPU},
        alloc => $totals->{$ALLOC} // 0,
    };
}

my @deck = map { my ($n, $name) = @$_; my $b = body_of($name); ($b) x $n }
           @RECORDINGS;
my %recording = map { $_->{name} => $_ } @deck;

sub service { 'load-' . $_[0] % $SERVICES }

# One in ten asks, one in ten pushes on a connection for each push, one in ten
# pushes to the day that is over.
sub role { (qw(dashboard reconnects over), ('agent') x 7)[$_[0] % 10] }

sub next_push {
    my ($n, $i, $role) = @_;

    my $r = $deck[rand @deck];
    my $second = ($role eq 'over' ? $OVER : $START) + $i;
    my $close = $role eq 'reconnects';
    my $path = $t->ingest_path(
        name => service($n) . "{instance=i-$n}", rate => $r->{rate},
        from => $second, until => $second + 1);

    return {
        kind  => "push-$role", close => $close, pause => 0.4,
        note  => "$n:$second:$r->{name}",
        bytes => $t->request_bytes(
            'POST', $path, body => $r->{body}, keepalive => !$close,
            chunked => $i % 2,
            headers => { 'Content-Type' => $t->multipart_type,
                         'User-Agent' => 'okhttp/4.12.0' }),
    };
}

# What is asked in turn, over all that is there.
my @RANGE = ($OVER * 1000, ($START + 86_400) * 1000);
my @QUESTIONS = (qw(SelectMergeStacktraces render SelectSeries LabelValues
                    SelectMergeProfile ready metrics));

sub message {
    my ($kind, $n) = @_;

    return {
        start => $RANGE[0], end => $RANGE[1],
        $kind eq 'LabelValues' ? (name => 'instance')
        : (profileTypeID => PyroJfr::CPU,
           labelSelector => sprintf '{service_name="%s"}', service($n)),
        $kind eq 'SelectSeries' ? (step => 60, groupBy => ['instance']) : (),
    };
}

sub next_question {
    my ($n, $i, $own) = @_;

    my $kind = $QUESTIONS[$i % @QUESTIONS];
    my ($method, $path, %opt) = ('GET', "/$kind");

    # of the answer to that question a turn ago
    $own->{tag} = delete $own->{headers}{etag} // $own->{tag};

    if ($kind eq 'render') {
        my $query = PyroJfr::CPU . sprintf '{service_name="%s"}', service($n);

        $path = "/pyroscope/render?from=$RANGE[0]&until=$RANGE[1]&query="
                . uri_escape($query);
        $opt{headers}{'If-None-Match'} = $own->{tag};

    } elsif ($kind =~ /^[A-Z]/) {
        ($method, $path) = ('POST', "/querier.v1.QuerierService/$kind");
        $opt{body} = $JSON->encode(message($kind, $n));
        $opt{headers}{'Content-Type'} = 'application/json';
    }

    return {
        kind  => $kind, pause => 0.4,
        bytes => $t->request_bytes($method, $path, %opt, keepalive => 1),
    };
}

sub next_request {
    my ($n, $i, $own) = @_;

    my $role = role($n);

    return $role eq 'dashboard' ? next_question($n, $i, $own)
                                : next_push($n, $i, $role);
}


# ---- the server's processes -------------------------------------------------

# What a generation of workers may have left behind in the master.
sub master {
    my $dir = '/proc/' . $t->pid;
    my @fds = glob "$dir/fd/*";
    my @shared = grep { m{/dev/zero} } split /\n/, read_file("$dir/maps");

    return { fds => scalar @fds, shared => scalar @shared,
             memory => PyroJfr::proc_status($t->pid, 'RssAnon') };
}


# ---- the load ---------------------------------------------------------------

my $before = master();
my $load = PyroTest::Load->new($t, clients => $CONNECTIONS, processes => 4,
                               next => \&next_request)->start;
my ($hups, $most) = (0, 0);

# A signal that comes while another waits for the master is none.
sub heard {
    return scalar(() = $t->error_log =~ /signal 1 \(SIGHUP\) received/g);
}

my $until = Time::HiRes::time() + $TIME;

while (Time::HiRes::time() < $until) {
    Time::HiRes::sleep($HUP);

    # some are about to end
    for my $size (map { eval { PyroJfr::proc_status($_, 'RssAnon') } // 0 }
                  $t->worker_pids(all => 1))
    {
        $most = $size if $size > $most;
    }

    kill 'HUP', $t->pid;
    $hups++;
    wait_for(sub { heard() >= $hups }, undef, 'the HUP to be heard');
}

my @results = $load->stop;

# and the last ones of before it end
$t->reload;
$hups++;
$t->wait_workers(2);
pass 'the old workers end';

my (%statuses, %times, %acknowledged);
my $retries = 0;

for my $r (@results) {
    $statuses{$r->{status}}++;
    $retries += $r->{retries};
    push @{ $times{$r->{kind}} }, $r->{time};

    if ($r->{note} ne '-' && $r->{status} == 200) {
        my ($n, $second, $name) = split /:/, $r->{note};
        $acknowledged{$n}{$second} = $recording{$name};
    }
}

is_deeply [grep { !/^(?:200|304|429)$/ } sort keys %statuses], [],
          'nothing but 200, 304 and 429'
    or diag join "\n", map { "$_->{kind}: $_->{status} $_->{error}" }
                       grep { $_->{status} !~ /^(?:200|304|429)$/ } @results;
cmp_ok $statuses{200} // 0, '>', 0, 'and there were some';

sub percentiles {
    my (@sorted) = sort { $a <=> $b } @_;
    return map { $sorted[$_ * $#sorted] } 0.5, 0.9, 0.99, 1;
}

note sprintf '%d requests of %d clients in %d s, %d HUPs, %d once more: %s',
    scalar @results, $CONNECTIONS, $TIME, $hups, $retries,
    join ', ', map { "$_: $statuses{$_}" } sort keys %statuses;
note sprintf '%-24s %7s %8s %8s %8s %8s', 'seconds', 'n', qw(50% 90% 99% most);
note sprintf '%-24s %7d %8.3f %8.3f %8.3f %8.3f', $_, scalar @{ $times{$_} },
    percentiles(@{ $times{$_} }) for sort keys %times;


# ---- what is there ----------------------------------------------------------

# Each second of each agent has what was acknowledged, and no other has any.
sub all_there {
    my ($what) = @_;

    my (%expected, %found, @wrong);

    for my $n (keys %acknowledged) {
        my $seconds = $acknowledged{$n};
        $expected{"$n:$_"} = $seconds->{$_}{cpu} for keys %$seconds;
    }

    for my $day ($OVER, $START) {
        for my $s (0 .. $SERVICES - 1) {
            my $r = PyroJfr::series(
                $t, name => service($s), step => 1, group_by => ['instance'],
                start => $day * 1000, end => ($day + 86_400) * 1000);

            for my $one (@{ $r->{json}{series} // [] }) {
                my ($n) = $one->{labels}[0]{value} =~ /^i-(\d+)$/;
                $found{"$n:" . $_->{timestamp} / 1000} = $_->{value}
                    for grep { $_->{value} } @{ $one->{points} };
            }
        }
    }

    for my $key (sort keys %expected) {
        my $value = delete $found{$key} // 'nothing';
        push @wrong, "$key: $value, not $expected{$key}"
            if $value ne $expected{$key};
    }

    push @wrong, map { "$_: $found{$_}, not acknowledged" } sort keys %found;
    is_deeply [splice @wrong, 0, 10], [],
              "$what: " . keys(%expected) . ' pushes, value for value';
}

sub totals_there {
    my ($what) = @_;

    my %expected;

    for my $n (keys %acknowledged) {
        for my $recording (values %{ $acknowledged{$n} }) {
            $expected{service($n)}{$_} += $recording->{$_} for qw(cpu alloc);
        }
    }

    is_deeply { map { $_ => {
                    cpu   => PyroJfr::total($t, name => $_),
                    alloc => PyroJfr::total($t, name => $_, type => $ALLOC) } }
                keys %expected },
              \%expected, "$what: flame graphs";
}

all_there('then');
totals_there('then');

# those of a worker that has ended are open until the master knows of its end
eval { wait_for(sub { master()->{fds} == $before->{fds} }) };

my $after = master();

is $after->{fds}, $before->{fds}, 'the master has as many files open';
is $after->{shared}, $before->{shared}, 'and as many shared zones';

note "master: $before->{memory} KiB before, $after->{memory} KiB then; "
     . "the largest worker: $most KiB";

SKIP: {
    skip 'memory under a sanitizer', 2 if PyroJfr::under_sanitizer();

    # of their own, not of the files; a generation costs the master nothing
    cmp_ok $after->{memory} - $before->{memory}, '<', 16 * 1024,
           'the master has not grown';
    cmp_ok $most, '<', 512 * 1024, 'workers are of a modest size';
}

is heard(), $hups, "$hups HUPs were heard";
is scalar(() = $t->error_log =~ /exited with (?:fatal )?code [^0]/g), 0,
   'every process ended well';

is $t->stop, 0, 'the end';
$t->start;
all_there('after a restart');
totals_there('after a restart');
is $t->stop, 0, 'the end';
$t->log_ok;

done_testing;
