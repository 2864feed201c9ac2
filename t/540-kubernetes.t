#!/usr/bin/perl

# The manifests in docs/kubernetes.  No cluster runs here: they are held to
# each other (names, labels, ports, volumes, sizes), and their configuration to
# a real server; t/e2e/kubernetes.t holds them to Kubernetes' own schemas.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use JSON::PP ();
use PyroJfr;
use PyroTest;
use PyroTest::Util;
use Test::More;
use YAML::XS ();

my $ROOT = PyroTest::root();
my $DIR = "$ROOT/docs/kubernetes";
my $THREADS = 2;                        # of the pool pyroscope_query

my %VERSION = (
    ConfigMap      => 'v1',
    CronJob        => 'batch/v1',
    Deployment     => 'apps/v1',
    Job            => 'batch/v1',
    Kustomization  => 'kustomize.config.k8s.io/v1beta1',
    NetworkPolicy  => 'networking.k8s.io/v1',
    Role           => 'rbac.authorization.k8s.io/v1',
    RoleBinding    => 'rbac.authorization.k8s.io/v1',
    Service        => 'v1',
    ServiceAccount => 'v1',
    StatefulSet    => 'apps/v1',
);

$YAML::XS::Boolean = 'JSON::PP';


# ---- what is there ----------------------------------------------------------

my @files = map { m{([^/]+)$} } sort glob "$DIR/*.yaml";
my %objects;                            # kind => [object, ...]

for my $file (@files) {
    for my $object (YAML::XS::Load(read_file("$DIR/$file"))) {
        my $kind = $object->{kind} // '';

        is $object->{apiVersion}, $VERSION{$kind}, "$file: $kind";
        push @{ $objects{$kind} }, $object;
    }
}

sub only {
    my ($kind) = @_;

    my @found = @{ $objects{$kind} // [] };

    is scalar @found, 1, "one $kind";

    return $found[0];
}

is_deeply [sort keys %objects], [sort keys %VERSION], 'kinds';

my $set = only('StatefulSet');
my $pod = $set->{spec}{template}{spec};
my ($server) = @{ $pod->{containers} };
my $config = only('ConfigMap');
my $yaml = $config->{data}{'pyroscope-config.yml'};
my $settings = YAML::XS::Load($yaml);
my $service = only('Service');
my $app = only('Deployment');
my $job = only('CronJob');
my $restore = only('Job');

is_deeply only('Kustomization')->{resources},
          [qw(configmap.yaml service.yaml statefulset.yaml)],
          'the kustomization has the server';

my $page = read_file("$ROOT/docs/kubernetes.md");

ok index($page, "(kubernetes/$_)") >= 0, "docs/kubernetes.md names $_"
    for @files;


# ---- they fit each other ----------------------------------------------------

# All of the labels are those of the pods.
sub selects {
    my ($selector, $workload, $name) = @_;

    my $labels = $workload->{spec}{template}{metadata}{labels};

    ok %$selector && !grep({ ($labels->{$_} // '') ne $selector->{$_} }
                           keys %$selector), $name;
}

selects($_->{spec}{selector}{matchLabels}, $_,
        "$_->{metadata}{name}: its selector is of its pods")
    for $set, $app;

selects($service->{spec}{selector}, $set, 'the Service is of the server');
selects(only('NetworkPolicy')->{spec}{podSelector}{matchLabels}, $set,
        'so is the NetworkPolicy');

is $set->{spec}{serviceName}, $service->{metadata}{name}, 'serviceName';
is $set->{spec}{replicas}, 1, 'one replica';

my ($port) = @{ $server->{ports} };

is $port->{containerPort}, $settings->{server}{http_listen_port},
   'the port of the configuration';
is $service->{spec}{ports}[0]{targetPort}, $port->{name},
   'the Service sends to it';
is $service->{spec}{ports}[0]{port}, 4040, 'from 4040';
is $server->{$_}{httpGet}{port}, $port->{name}, "$_ asks it"
    for qw(livenessProbe readinessProbe);
is $server->{livenessProbe}{httpGet}{path}, '/healthz',
   'a full disk does not restart it';
is $server->{readinessProbe}{httpGet}{path}, '/ready', 'but it is not ready';
is $set->{spec}{template}{metadata}{annotations}{'prometheus.io/port'},
   $port->{containerPort}, 'Prometheus scrapes it';
is only('NetworkPolicy')->{spec}{ingress}[0]{ports}[0]{port}, $port->{name},
   'and may reach it';
ok !$pod->{enableServiceLinks}, 'no PYROSCOPE_PORT comes from the Service';

for my $workload ($set, $app) {
    my $spec = $workload->{spec}{template}{spec};
    my %volume = map { $_ => 1 }
        (map { $_->{name} } @{ $spec->{volumes} }),
        (map { $_->{metadata}{name} }
             @{ $workload->{spec}{volumeClaimTemplates} // [] });
    my %mounted = map { $_->{name} => 1 }
                  map { @{ $_->{volumeMounts} } }
                  map { @{ $spec->{$_} // [] } } qw(containers initContainers);

    is_deeply [sort keys %mounted], [sort keys %volume],
              "$workload->{metadata}{name}: what is mounted is there";
}

my %mount = map { $_->{name} => $_->{mountPath} } @{ $server->{volumeMounts} };
my ($volume) = grep { $_->{name} eq 'config' } @{ $pod->{volumes} };

is $volume->{configMap}{name}, $config->{metadata}{name},
   'the ConfigMap is mounted';
is_deeply $server->{args},
          ["-config.file=$mount{config}/pyroscope-config.yml"],
          'and is what the server reads';
is $settings->{storage}{filesystem}{dir}, $mount{data},
   'the store is on its disk';
is $mount{run}, '/var/pyroscope', 'and the prefix is writable';

my $dockerfile = read_file("$ROOT/Dockerfile");

like $dockerfile, qr/^VOLUME \Q$mount{data}\E$/m, "the image's volume";
like $dockerfile, qr/^USER $pod->{securityContext}{runAsUser}:/m,
     "the image's user";
like $dockerfile, qr/^STOPSIGNAL SIGQUIT$/m, "the image's stop signal";


# ---- the program under the agent --------------------------------------------

my ($program) = @{ $app->{spec}{template}{spec}{containers} };
my ($agent) = @{ $app->{spec}{template}{spec}{initContainers} };
my %env = map { $_->{name} => $_->{value} // '' } @{ $program->{env} };
my $jar = $env{JAVA_TOOL_OPTIONS} =~ /^-javaagent:(\S+)$/ ? $1 : '';

is $agent->{command}[-1], $jar, 'the jar is where the JVM looks for it';
is $env{PYROSCOPE_SERVER_ADDRESS},
   "http://$service->{metadata}{name}:$service->{spec}{ports}[0]{port}",
   'the agent pushes to the Service';

my $options = read_file("$ROOT/docs/java-agent.md");

for my $name (grep { /^PYROSCOPE_/ } sort keys %env) {
    my $property = lc $name =~ tr/_/./r;

    ok index($options, "`$property`") >= 0, "$property is an option";
}


# ---- Pod Security Admission, level "restricted" -----------------------------

for ([server => $pod], [program => $app->{spec}{template}{spec}],
     [backup => $job->{spec}{jobTemplate}{spec}{template}{spec}],
     [restore => $restore->{spec}{template}{spec}])
{
    my ($name, $spec) = @$_;

    ok $spec->{securityContext}{runAsNonRoot}, "$name: not root";
    is $spec->{securityContext}{seccompProfile}{type}, 'RuntimeDefault',
       "$name: seccomp";

    for my $container (map { @{ $spec->{$_} // [] } }
                       qw(containers initContainers))
    {
        my $context = $container->{securityContext};

        ok !$context->{allowPrivilegeEscalation}
           && $context->{readOnlyRootFilesystem},
           "$name: $container->{name} gets no more";
        is_deeply $context->{capabilities}, { drop => ['ALL'] },
                  "$name: $container->{name} has no capability";
    }
}


# ---- the backup -------------------------------------------------------------

my ($kubectl) = @{ $job->{spec}{jobTemplate}{spec}{template}{spec}
                       {containers} };
my $name = "$set->{metadata}{name}-0";
my %account = map { $_ => 1 }
    only('ServiceAccount')->{metadata}{name},
    $job->{spec}{jobTemplate}{spec}{template}{spec}{serviceAccountName},
    only('RoleBinding')->{subjects}[0]{name};

is_deeply [@{ $kubectl->{command} }[0 .. 2]], ['kubectl', 'exec', $name],
          'it runs inside of the server';
is scalar keys %account, 1, 'by one account';
is only('RoleBinding')->{roleRef}{name}, only('Role')->{metadata}{name},
   'whose role is there';
is_deeply $_->{resourceNames}, [$name], "that may $_->{resources}[0]"
    for @{ only('Role')->{rules} };


# ---- the restore ------------------------------------------------------------

{
    my $spec = $restore->{spec}{template}{spec};
    my ($container) = @{ $spec->{containers} };
    my %claim = map { $_->{name} => $_->{persistentVolumeClaim}{claimName} }
                @{ $spec->{volumes} };

    is $container->{image}, $server->{image}, 'the restore: its image';
    is_deeply { map { $claim{$_->{name}} => $_->{mountPath} }
                @{ $container->{volumeMounts} } },
              { map { ("$_-$name" => $mount{$_}) } qw(data backup) },
              'the restore: the volumes of the server';
    is_deeply [@{ $container->{args} }[0, 1]], [qw(bash -euc)],
              'the restore: a script';

    # of a real store, that had one push more when it was copied
    my $t = PyroTest->new->start;
    my ($data, $backup) = ($t->data, $t->dir . '/backup');
    my $tool = "$ROOT/" . ($ENV{PYRO_SAN} ? 'build/asan' : 'build');
    my $push = sub {
        $t->push_jfr(PyroJfr::recording('new_spancontext'), name => $_[0])
    };

    is $push->('kept')->{status}, 200, 'a push';
    mkdir $backup;
    is system("$tool/pyroscope-store", 'backup', $data, "$backup/last"), 0,
       'a backup';
    is $push->('lost')->{status}, 200, 'one that it lacks';
    is $t->stop, 0, 'a stop';

    my $script = $container->{args}[2] =~ s/\Q$mount{data}\E/$data/gr
                 =~ s/\Q$mount{backup}\E/$backup/gr;

    is system(qw(env), "PATH=$tool:$ENV{PATH}", qw(bash -euc), $script), 0,
       'the restore';
    $t->start;

    my $names = $t->get('/pyroscope/label-values?label=service_name');

    is_deeply $names->{json}, ['kept'], 'the store is that of the backup';
    is $t->stop, 0, 'a clean end';
    $t->log_ok;
}


# ---- a real server by the ConfigMap -----------------------------------------

my %env_of = map { $_->{name} => $_->{value} // '' } @{ $server->{env} };
my $workers = $env_of{PYROSCOPE_WORKERS};

{
    my $t = PyroTest->new(workers => $workers, yaml => $yaml);
    my ($status, $said) = $t->test_config;

    is $status, 0, 'nginx -t' or diag $said;
    unlike $said, qr/\[(?:warn|emerg)\]/, 'without a warning';
}

sub bytes {
    my ($size) = @_;

    my ($n, $unit) = $size =~ /^(\d+)([KMG])i?B?$/ or die "$size: no size\n";

    return $n * 1024 ** { K => 1, M => 2, G => 3 }->{$unit};
}

# The most that a worker may take, as docs/sizing.md has it.
sub worker_bytes {
    my ($now) = @_;

    my ($lmdb, $query) = @$now{qw(lmdb query)};

    return bytes($lmdb->{parse_bytes}) + bytes($lmdb->{queue_bytes})
           + $THREADS * (bytes($query->{max_memory})
                         + bytes($query->{max_response_bytes}));
}

sub status {
    my ($t) = @_;

    return YAML::XS::Load($t->get('/api/v1/status/config')->{body});
}

# Kubernetes swaps the directory: the file is a link into ..data, which is a
# link to a directory of that version.
{
    my $here = $yaml =~ s/^(server:\n)/$1  http_listen_address: 127.0.0.1\n/r
                     =~ s/(min_free_disk:) \S+/$1 0/r;
    my $t = PyroTest->new(workers => $workers, yaml =>
        $here =~ s/(http_listen_port:) \d+/$1 %PORT%/r
              =~ s/(dir:) \S+/$1 %DATA%/r)->start;
    my $dir = $t->dir;
    my $text = read_file("$dir/pyroscope-config.yml");

    my $swap = sub {
        my ($version, $from, $to) = @_;

        mkdir "$dir/..$version" or die "mkdir: $!\n";
        write_file("$dir/..$version/pyroscope-config.yml",
                   $text =~ s/$from/$to/r);
        symlink "..$version", "$dir/..new" or die "symlink: $!\n";
        rename "$dir/..new", "$dir/..data" or die "rename: $!\n";
    };

    my $hup = sub {
        my ($retention) = @_;

        kill 'HUP', $t->pid;
        wait_for(sub { status($t)->{limits}{retention_period} eq $retention },
                 $TIMEOUT, "the retention to be $retention");
        $t->wait_workers;
        pass "a change of the ConfigMap is there after HUP: $retention";
    };

    my $now = status($t);
    my $limit = bytes($server->{resources}{limits}{memory});

    cmp_ok $workers * worker_bytes($now), '<=', $limit,
           'the sizes fit into the memory limit';
    cmp_ok bytes($now->{lmdb}{max_disk_size}) / 0.9, '<=',
           bytes($set->{spec}{volumeClaimTemplates}[0]{spec}{resources}
                     {requests}{storage}), 'and the store onto its disk';

    $swap->(1, qr/$/, '');
    unlink "$dir/pyroscope-config.yml";
    symlink '..data/pyroscope-config.yml', "$dir/pyroscope-config.yml"
        or die "symlink: $!\n";

    $swap->(2, 'retention_period: 30d', 'retention_period: 1w');
    $hup->('1w');
    $swap->(3, 'retention_period: 30d', 'retention_period: 3w');
    $hup->('3w');

    $swap->(4, 'retention_period', 'retention_perod');
    kill 'HUP', $t->pid;
    wait_for(sub { $t->error_log =~ /\[emerg\].*retention_perod/ }, $TIMEOUT,
             'a mistake to be told');
    is status($t)->{limits}{retention_period}, '3w', 'a mistake costs nothing';

    is $t->stop, 0, 'a clean stop';
    $t->log_ok(qr/retention_perod/);
}

done_testing;
