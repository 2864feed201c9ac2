#!/usr/bin/perl

# The files that are shipped for others to read: compose.yaml, Grafana's
# provisioning and dashboards, Prometheus' alerts.  Neither Grafana nor
# Prometheus runs here: what they would ask is asked of a server that has
# recordings, promtool reads the rules, and of Grafana's own formats the fields
# are compared with what its documentation has; t/e2e/grafana.t holds the
# dashboards to its published types.

use strict;
use warnings;
use utf8;

use FindBin ();
use lib "$FindBin::Bin/lib";

use File::Temp ();
use JSON::PP ();
use PyroJfr;
use PyroTest;
use PyroTest::Util;
use Test::More;
use YAML::XS ();

my $ROOT = PyroTest::root();
my $FROM = PyroJfr::FROM;

my $PERF = 'CPU Flamegraph — Linux (perf_event)';
my $TIMER = 'CPU Flamegraph — Docker Desktop / Windows / macOS (itimer)';
my $HEAP = 'Heap Flamegraph — memory allocations (F3-OOM)';
my $LOCK = 'Lock Contention Flamegraph — JVM locks (A8 Race Condition)';

my %TITLES = (
    'student-apm'    => [$PERF, $TIMER],
    'instructor-apm' => [$PERF, $TIMER, $HEAP, $LOCK],
);

# families of /metrics that the dashboard leaves out, and why
my %NOT_SHOWN = ();

# service => its recording; which CPU panel has it
my %SERVICES = (
    'by-perf'       => ['example', $PERF],
    'by-perf-old'   => ['cortex-dev-01__kafka-0__cpu__0', $PERF],
    'by-itimer'     => ['ap45-itimer-alloc-lock-live', $TIMER],
    'by-itimer-old' => ['dump1', $TIMER],
    'by-ctimer'     => ['new_spancontext', $TIMER],
    'by-wall'       => ['ap45-wall', ''],
);

my $UID = 'pyroscope';
my $TYPE = 'grafana-pyroscope-datasource';

my $yaml_files = join ' ', qw(compose.yaml grafana/prometheus.yml),
                 map { "grafana/$_/*.yml" } qw(alerts provisioning/*);

$YAML::XS::Boolean = 'JSON::PP';
binmode $_, ':encoding(UTF-8)' for Test::More->builder->output,
                                   Test::More->builder->failure_output;


# ---- helpers ----------------------------------------------------------------

sub part {
    my ($name, $code) = @_;

    subtest $name => sub {
        eval { $code->(); 1 } or fail $@;
        done_testing;
    };
}

sub text { read_file("$ROOT/$_[0]") }

sub yaml { YAML::XS::Load(text($_[0])) }

sub dashboard {
    my ($name) = @_;

    return JSON::PP->new->utf8->decode(
        text("grafana/dashboards/$name.json"));
}

sub names {
    return map { m{([^/]+)\.json$} }
           sort glob "$ROOT/grafana/dashboards/*.json";
}

# Every value of that key, however deep.
sub values_of {
    my ($key, $node) = @_;

    return map { values_of($key, $_) } @$node if ref $node eq 'ARRAY';
    return if ref $node ne 'HASH';

    return map { ($_ eq $key ? $node->{$_} : (),
                  values_of($key, $node->{$_})) } sort keys %$node;
}

sub texts_of {
    my ($node) = @_;

    return map { texts_of($_) } @$node if ref $node eq 'ARRAY';
    return map { texts_of($_) } map { $node->{$_} } sort keys %$node
        if ref $node eq 'HASH';
    return $node // '';
}

# The keys are all known, and those that must be there are.
sub fields {
    my ($node, $needed, $known, $what) = @_;

    my %known = map { $_ => 1 } @$needed, @$known;

    is_deeply [grep { !$known{$_} } sort keys %$node], [],
              "$what: no unknown field";
    is_deeply [grep { !exists $node->{$_} } @$needed], [],
              "$what: no field is missing";
}

# What promtool says of a file: its status and its output.
sub promtool {
    my ($promtool, @args) = @_;

    my $said = `'$promtool' @args 2>&1`;

    return ($? >> 8, $said);
}


# ---- the files --------------------------------------------------------------

part 'every file parses' => sub {
    my @yaml = map { s{^\Q$ROOT/}{}r } map { glob "$ROOT/$_" }
               split ' ', $yaml_files;

    cmp_ok scalar @yaml, '>=', 6, 'YAML files';

    for my $file (@yaml, 'pyroscope/pyroscope-config.yml') {
        ok eval { yaml($file) }, $file or diag $@;
    }

    is_deeply [names()], [qw(instructor-apm ngx-pyroscope student-apm)],
              'dashboards';

    for my $name (names()) {
        ok eval { dashboard($name) }, "$name.json" or diag $@;
    }
};


part 'compose.yaml' => sub {
    my $compose = yaml('compose.yaml');
    my $services = $compose->{services};
    my $server = $services->{'perfshop-pyroscope'};

    fields($compose, [qw(services volumes)], [], 'the file');
    is $server->{build}, '.', 'built from the Dockerfile';
    is $server->{container_name}, 'perfshop-pyroscope', 'its name';
    is_deeply $server->{ports}, ['${PYROSCOPE_HTTP_PORT:-4040}:4040'],
              'its port';
    is_deeply $server->{volumes},
              ['pyroscope-data:/var/pyroscope/data',
               './pyroscope/pyroscope-config.yml'
               . ':/etc/pyroscope/pyroscope-config.yml:ro'], 'its volumes';
    is_deeply $server->{networks}{default}{aliases}, ['pyroscope'],
              'its alias';
    is $server->{restart}, 'unless-stopped', 'its restart policy';
    ok !exists $server->{healthcheck} && !exists $server->{command}
       && !exists $server->{environment}, 'the rest is the image\'s';
    like text('Dockerfile'), qr/^HEALTHCHECK /m, 'which has a health check';
    like text('Dockerfile'), qr{^VOLUME /var/pyroscope/data$}m,
         'and the volume';

    my %known = map { $_ => 1 } keys %{ $compose->{volumes} };

    for my $name (sort keys %$services) {
        for my $mount (@{ $services->{$name}{volumes} // [] }) {
            my ($from, $to) = split /:/, $mount;

            ok $from =~ m{^\./} ? -e "$ROOT/$from" : $known{$from},
               "$name: $mount: is there";
        }

        for my $on (map { ref eq 'HASH' ? keys %$_ : @$_ }
                    grep { defined } $services->{$name}{depends_on})
        {
            ok $services->{$on}, "$name: depends on $on";
        }
    }

    is_deeply [grep { $services->{$_}{profiles} } sort keys %$services],
              [qw(grafana prometheus)], 'what is behind a profile';
};


part 'the shops' => sub {
    my $services = yaml('compose.yaml')->{services};
    my %event = ('perfshop-app' => 'cpu', 'perfshop-app-itimer' => 'itimer');
    my $dockerfile = text('demo/Dockerfile');
    my ($run) = text('demo/run') =~ /^AGENT_VERSION=(\S+)$/m;
    my %app;

    for my $name (sort keys %event) {
        my $options = $services->{$name}{environment}{JAVA_OPTS};

        my @options = split ' ', $options;
        my %set = map { /^-D([^=]+)=(.*)$/ ? ($1, $2) : ($_, '') } @options;

        is_deeply \%set, {
            '-javaagent:/agents/pyroscope.jar' => '',
            'pyroscope.server.address' => 'http://perfshop-pyroscope:4040',
            'pyroscope.application.name' => $set{'pyroscope.application.name'},
            'pyroscope.format'             => 'jfr',
            'pyroscope.profiler.event'     => $event{$name},
            'pyroscope.profiler.alloc'     => '512k',
            'pyroscope.profiler.lock'      => '10ms',
            'pyroscope.profiling.interval' => '20ms' }, "$name: its options";

        $app{ $set{'pyroscope.application.name'} }++;
        is $services->{$name}{build}, 'demo', "$name: its image";
    }

    is_deeply \%app, { perfshop => 1, 'perfshop-itimer' => 1 },
              'two applications, so that each has one CPU panel';
    is_deeply $services->{'perfshop-app'}{cap_add}, ['${PERF_CAPABILITY:-PERFMON}'],
              'perf_event is permitted';
    ok !exists $services->{'perfshop-app-itimer'}{cap_add},
       'itimer needs nothing';

    like $dockerfile, qr/^ARG AGENT_VERSION=\Q$run\E$/m,
         'the agent is that of demo/run';
    like $dockerfile, qr{^COPY shop demo/shop$}m, 'the shop is copied';
    like $dockerfile, qr{COPY --from=build /agents/pyroscope\.jar /agents/},
         'the agent lies where its option says';
};


# No image is built here, but what it starts can be tried: with a java that
# prints its arguments.
part 'the command of the shop' => sub {
    my ($cmd) = text('demo/Dockerfile') =~ /^CMD (.+?[^\\])$/ms;
    my ($sh, $c, $line) = @{ JSON::PP->new->decode($cmd =~ s/\\\n//gr) };
    my $dir = File::Temp::tempdir('java-XXXXXX', TMPDIR => 1, CLEANUP => 1);

    write_file("$dir/java", "#!/bin/sh\nprintf '%s\\n' \"\$@\"\n");
    chmod 0755, "$dir/java";

    local @ENV{qw(PATH JAVA_OPTS TROUBLE DURATION)} =
        ("$dir:$ENV{PATH}", '-Da=1 -Db=2', 'all', 86400);

    open my $out, '-|', $sh, $c, $line or die "$sh: $!\n";

    is_deeply [map { chomp; $_ } <$out>],
              [qw(-Da=1 -Db=2 -cp /shop demo.shop.Shop all 86400)],
              'java and its arguments';
};


# The file as it is, but for the port and the folder.
part 'the configuration of compose.yaml' => sub {
    my $text = text('pyroscope/pyroscope-config.yml');

    is_deeply YAML::XS::Load($text), {
        server  => { http_listen_port => 4040, log_level => 'warn' },
        storage => { backend => 'filesystem',
                     filesystem => { dir => '/var/pyroscope/data' } },
        scrape_configs => [] }, 'a Pyroscope server\'s file';

    $text =~ s/\b4040\b/%PORT%/;
    $text =~ s{/var/pyroscope/data}{%DATA%};

    my ($status, $said) = PyroTest->new(yaml => $text)->test_config;

    is $status, 0, 'nginx -t accepts it' or diag $said;
    unlike $said, qr/warn/, 'without a warning';
};


part 'provisioning' => sub {
    my $dir = 'grafana/provisioning';
    my $pyroscope = yaml("$dir/datasources/pyroscope.yml");

    is_deeply $pyroscope, { apiVersion => 1, datasources => [{
        name => 'Pyroscope', type => $TYPE, uid => $UID, access => 'proxy',
        url => 'http://perfshop-pyroscope:4040',
        isDefault => JSON::PP::false, editable => JSON::PP::true }] },
        'the data source';

    for my $source (map { @{ yaml("$dir/datasources/$_.yml")->{datasources} } }
                    qw(pyroscope prometheus))
    {
        my ($host) = $source->{url} =~ m{^http://([^:/]+):\d+$};

        fields($source, [qw(name type access url uid)],
               [qw(orgId user database basicAuth basicAuthUser isDefault
                   jsonData secureJsonData editable version
                   withCredentials)], $source->{name});
        ok yaml('compose.yaml')->{services}{$host},
           "$source->{name}: its host is in compose.yaml";
    }

    my ($provider, @more) =
        @{ yaml("$dir/dashboards/pyroscope.yml")->{providers} };

    is_deeply \@more, [], 'one provider of dashboards';
    fields($provider, [qw(name type options)],
           [qw(orgId folder folderUid disableDeletion editable
               updateIntervalSeconds allowUiUpdates)], 'it');
    is $provider->{type}, 'file', 'of files';
    ok grep({ $_ eq "./grafana/dashboards:$provider->{options}{path}:ro" }
            @{ yaml('compose.yaml')->{services}{grafana}{volumes} }),
       'which are mounted where it looks';
};


# ---- dashboards -------------------------------------------------------------

# Two panels in one place hide one another.
sub overlaps {
    my @panels = @_;
    my @found;

    for my $i (0 .. $#panels) {
        my $p = $panels[$i]{gridPos};

        push @found, "$panels[$i]{title} is out of the grid"
            if $p->{x} < 0 || $p->{x} + $p->{w} > 24;

        for my $other (@panels[$i + 1 .. $#panels]) {
            my $q = $other->{gridPos};

            push @found, "$panels[$i]{title}, $other->{title}"
                if $p->{x} < $q->{x} + $q->{w} && $q->{x} < $p->{x} + $p->{w}
                   && $p->{y} < $q->{y} + $q->{h}
                   && $q->{y} < $p->{y} + $p->{h};
        }
    }

    return @found;
}

my %uids;

for my $name (names()) {
    part $name => sub {
        my $board = dashboard($name);
        my @panels = @{ $board->{panels} };
        my %ids;

        $ids{ $_->{id} }++ for @panels;

        ok !$uids{ $board->{uid} }++, 'its uid is its own';
        is $board->{uid}, $name, 'and its name, for links';
        ok !exists $board->{id}, 'no id: Grafana gives it one';
        cmp_ok $board->{schemaVersion}, '>=', 36, 'the version of its format';
        is_deeply [grep { $_ > 1 } values %ids], [], 'ids of panels';
        is_deeply [overlaps(@panels)], [], 'places of panels';

        my @variables = map { $_->{name} } @{ $board->{templating}{list} };
        my %known = map { $_ => 1 } @variables, '__rate_interval', '__all';
        my @used = map { /\$\{?(\w+)/g } texts_of($board);

        is_deeply [grep { !$known{$_} } @used], [],
                  'every variable is defined';

        for my $source (values_of('datasource', $board)) {
            is_deeply $source, $source->{type} eq 'prometheus'
                      ? { type => 'prometheus', uid => '$prometheus' }
                      : { type => $TYPE, uid => $UID }, 'a data source';
        }

        my %titles;
        $titles{ $_->{title} }++ for @panels;

        is_deeply [grep { $titles{$_} > 1 } sort keys %titles], [],
                  'titles differ';

        return if !$TITLES{$name};

        is_deeply [map { $_->{title} } @panels], $TITLES{$name}, 'its titles';
        is_deeply [map { $_->{type} } @panels],
                  [('flamegraph') x @panels], 'flame graphs';
        is_deeply [map { [map { $_->{queryType} } @{ $_->{targets} }] }
                   @panels], [(['profile']) x @panels],
                  'each of one profile: a flame graph shows one';
        ok grep({ $_ eq 'service' } @variables), 'a service is chosen';
        ok grep({ $_->{type} eq 'adhoc' } @{ $board->{templating}{list} }),
           'labels are chosen';

        my @links = map { $_->{url} } @{ $board->{links} };

        for my $needed (qr{^/a/grafana-pyroscope-app/explore\?.*
                            \bexplorationType=diff-flame-graph\b}x,
                        qr{^/explore\?.*\bpanes=})
        {
            ok grep({ /$needed/ } @links), "a link like $needed";
        }
    };
}


part 'two windows of Explore' => sub {
    for my $name (sort keys %TITLES) {
        for my $url (map { $_->{url} } @{ dashboard($name)->{links} }) {
            my ($panes) = $url =~ /\bpanes=([^&]+)/ or next;

            $panes =~ s/%([0-9A-F]{2})/chr hex $1/ge;

            my $pane = JSON::PP->new->decode($panes);
            my ($before, $now) = @$pane{qw(before now)};

            is_deeply $before->{queries}, $now->{queries},
                      'both ask the same';
            is $before->{range}{to}, $now->{range}{from},
               'one window after the other';
            is $_->{datasource}, $UID, 'of the data source'
                for $before, $now;
            is $now->{queries}[0]{labelSelector},
               '{service_name="$service"}', 'of the service';
        }
    }
};


part 'docs/grafana.md names them all' => sub {
    my $text = text('docs/grafana.md');

    utf8::decode($text);

    my $alerts = yaml('grafana/alerts/ngx-pyroscope.yml')->{groups};

    ok index($text, $_) >= 0, $_ for
        (map { @$_ } values %TITLES),
        (map { "`$_.json`" } names()),
        (map { "`$_->{alert}`" } map { @{ $_->{rules} } } @$alerts),
        text('grafana/provisioning/datasources/pyroscope.yml');
};


# ---- what a server answers --------------------------------------------------

my $t = PyroTest->new(workers => 2)->start;

for my $service (sort keys %SERVICES) {
    is $t->push_jfr(PyroJfr::recording($SERVICES{$service}[0]),
                    name => $service, from => $FROM, until => $FROM + 10)
       ->{status}, 200, "push: $service";
}

# The values that a variable may have.
sub choices {
    my ($board, $name) = @_;

    my ($variable) = grep { $_->{name} eq $name }
                     @{ $board->{templating}{list} };

    return map { $_->{value} } @{ $variable->{options} };
}

# A query of a panel for each value of the one variable in its profile type:
# ([type, total], ...)
sub ask_panel {
    my ($board, $panel, $service) = @_;

    my ($target, @more) = @{ $panel->{targets} };

    die "$panel->{title}: more than one target\n" if @more;

    my @types = $target->{profileTypeId} =~ /^\$(\w+)$/
                ? choices($board, $1) : $target->{profileTypeId};
    my $selector = $target->{labelSelector} =~ s/\$service/$service/r;

    return map {
        my $r = $t->rpc('SelectMergeStacktraces', {
            profileTypeID => $_, labelSelector => $selector,
            start => ($FROM - 60) * 1000, end => ($FROM + 60) * 1000 });

        die "$panel->{title}: $r->{status} $r->{body}\n"
            if $r->{status} != 200;

        [$_, $r->{json}{flamegraph}{total} // 0];
    } @types;
}

for my $name (sort keys %TITLES) {
    my $board = dashboard($name);

    for my $service (sort keys %SERVICES) {
        my ($recording, $of) = @{ $SERVICES{$service} };
        my $totals = PyroJfr::totals($recording);

        part "$name: $service" => sub {
            for my $panel (@{ $board->{panels} }) {
                my $cpu = $panel->{title} eq $PERF
                          || $panel->{title} eq $TIMER;

                for (ask_panel($board, $panel, $service)) {
                    my ($type, $total) = @$_;
                    my $expected = $cpu && $panel->{title} ne $of
                                   ? 0 : $totals->{$type} // 0;

                    is $total, $expected, "$panel->{title}: $type";
                }
            }
        };
    }
}


part 'each panel has data of some recording' => sub {
    my $board = dashboard('instructor-apm');
    my %sum;

    for my $panel (@{ $board->{panels} }) {
        for my $service (sort keys %SERVICES) {
            $sum{"$panel->{title}: $_->[0]"} += $_->[1]
                for ask_panel($board, $panel, $service);
        }
    }

    is scalar keys %sum, 6, 'CPU twice, heap and locks by two types each';
    cmp_ok $sum{$_}, '>', 0, $_ for sort keys %sum;
};


part 'a panel of a service that is not there' => sub {
    my $board = dashboard('instructor-apm');

    for my $panel (@{ $board->{panels} }) {
        is $_->[1], 0, "$panel->{title}: empty, and no error"
            for ask_panel($board, $panel, 'nobody');
    }
};


part 'the variable "service"' => sub {
    for my $name (sort keys %TITLES) {
        my ($variable) = grep { $_->{name} eq 'service' }
                         @{ dashboard($name)->{templating}{list} };
        my $query = $variable->{query};

        is $query->{type}, 'labelValue', "$name: values of a label";

        my $r = $t->rpc('LabelValues', {
            name => $query->{labelName}, start => ($FROM - 60) * 1000,
            end => ($FROM + 60) * 1000, matchers => [
                "{__profile_type__=\"$query->{profileTypeId}\"}"] });

        is_deeply $r->{json}{names}, [sort keys %SERVICES],
                  "$name: all services";
    }
};


# ---- metrics ----------------------------------------------------------------

# a route has a line when it was asked
$t->get('/pyroscope/render?query=' . uri_escape(PyroJfr::CPU . '{}'));

my $metrics = $t->get('/metrics')->{body};
my %families = $metrics =~ /^# TYPE (\S+) (\S+)$/mg;
my $rules = yaml('grafana/alerts/ngx-pyroscope.yml');
my @alerts = map { @{ $_->{rules} } } @{ $rules->{groups} };
my @shown = values_of('expr', dashboard('ngx-pyroscope')->{panels});
my @watched = map { $_->{expr} } @alerts;

# The families that an expression names.
sub families {
    my ($expr) = @_;

    return map {
        my $base = s/_(?:bucket|sum|count)$//r;
        ($families{$base} // '') eq 'histogram' ? $base : $_;
    } $expr =~ /\b((?:ngx_)?pyroscope_\w+)/g;
}

part 'metrics are there, and shown' => sub {
    my %shown = map { $_ => 1 } map { families($_) } @shown;

    for my $expr (@shown, @watched) {
        my @families = families($expr);

        ok @families && !grep({ !$families{$_} } @families),
           "there are the metrics of $expr";
    }

    is_deeply [grep { !$shown{$_} && !$NOT_SHOWN{$_} } sort keys %families],
              [], 'every family is shown, or listed as not shown';
    is_deeply [grep { !$families{$_} || $shown{$_} } sort keys %NOT_SHOWN],
              [], 'and what is listed is there and not shown';
};


# Of labels whose values are always there; a matcher that nothing can have
# would be silent for ever.
part 'labels of metrics' => sub {
    for my $expr (@shown, @watched) {
        for my $label (qw(result reason kind)) {
            while ($expr =~ /\b$label[!=]~?"([^"]*)"/g) {
                for my $value (split /\|/, $1) {
                    ok $metrics =~ /\b$label="\Q$value\E"/,
                       "$label=\"$value\"";
                }
            }
        }

        while ($expr =~ /\broute=~"([^"]*)"/g) {
            for my $pattern (split /\|/, $1) {
                ok $metrics =~ /\broute="$pattern"/, "route=~\"$pattern\"";
            }
        }
    }
};


part 'alerts say what to do' => sub {
    my %severity = map { $_ => 1 } qw(critical warning info);

    cmp_ok scalar @alerts, '>=', 10, 'alerts';

    for my $alert (@alerts) {
        my $name = $alert->{alert};

        fields($alert, [qw(alert expr labels annotations)], ['for'], $name);
        ok $severity{ $alert->{labels}{severity} }, "$name: its severity";
        like $alert->{annotations}{summary}, qr/\S/, "$name: a summary";
        like $alert->{annotations}{description}, qr/[.?]$/,
             "$name: what to do";
    }
};


part 'promtool' => sub {
    chomp(my $promtool = `$ROOT/t/lib/promtool`);

    is $?, 0, 'there is promtool' or return;

    for my $command (
        [qw(check rules), "$ROOT/grafana/alerts/ngx-pyroscope.yml"],
        [qw(check config), "$ROOT/grafana/prometheus.yml"],
        [qw(test rules), "$ROOT/t/data/alerts/ngx-pyroscope.test.yml"])
    {
        my ($status, $said) = promtool($promtool, @$command);

        is $status, 0, "promtool @$command[0, 1]" or diag $said;
    }

    # the queries of the dashboard, as if they were rules
    my @records = map { { record => "panel:$_", expr => $shown[$_] } }
                  0 .. $#shown;

    $_->{expr} =~ s/\$__rate_interval/5m/g for @records;

    write_file($t->dir . '/panels.yml', YAML::XS::Dump(
        { groups => [{ name => 'panels', rules => \@records }] }));
    write_file($t->dir . '/metrics.txt', $metrics);

    my ($status, $said) = promtool($promtool, qw(check rules),
                                   $t->dir . '/panels.yml');

    is $status, 0, 'promtool reads the queries of the dashboard'
        or diag $said;

    ($status, $said) = promtool($promtool, 'check metrics <',
                                $t->dir . '/metrics.txt');
    is $status, 0, 'promtool has nothing against /metrics' or diag $said;
};


# The test of promtool's raises every alert.
part 'each alert is tested' => sub {
    my $tests = yaml('t/data/alerts/ngx-pyroscope.test.yml')->{tests};
    my %raised;

    for my $sample (map { @{ $_->{exp_samples} } }
                    map { @{ $_->{promql_expr_test} } } @$tests)
    {
        $raised{$1}++ if $sample->{labels} =~ /alertname="([^"]+)"/;
    }

    is_deeply [sort keys %raised], [sort map { $_->{alert} } @alerts],
              'raised by some trouble';
};


is $t->stop, 0, 'a clean stop';
$t->log_ok;

done_testing;
