#!/usr/bin/perl

# What is secret comes into no log and no answer, and is not kept: headers,
# parameters that this server does not read, values of the YAML, options of a
# JVM.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use PyroJfr;
use PyroTest;
use PyroTest::Util;
use Test::More;

my $SECRET = 'hunter2-Zq8';
my $YAML = <<"EOF";
server: {http_listen_address: 127.0.0.1, http_listen_port: %PORT%}
analytics: {token: $SECRET}
limits: {s3_sse_kms_key_id: $SECRET}
storage:
  filesystem: {dir: '%DATA%'}
  s3: {secret_access_key: $SECRET, sse: {kms_key_id: '\${HIDDEN}'}}
  swift: {password: '\${HIDDEN}', '$SECRET': x}
EOF

my $t = PyroTest->new(yaml => $YAML, env => { HIDDEN => $SECRET },
                      http => <<'EOF', location => <<'EOF2')->start;
    limit_req_zone $http_x_limit zone=one:1m rate=1r/m;
    map $http_x_realm $realm {
        default off;
        r       r;
    }
EOF
            limit_req zone=one;
            auth_basic $realm;
            auth_basic_user_file %DIR%/passwd;

            location /denied {
                deny all;
                pyroscope;
            }
EOF2

write_file($t->dir . '/passwd', "somebody:{PLAIN}other\n");

# Who sends a secret in all places where clients do.
sub send_one {
    my ($method, $path, %opt) = @_;

    my $query = "access_token=$SECRET&$SECRET&=$SECRET&%74oken=$SECRET"
                . "&NAME=$SECRET&name2=$SECRET";

    $path .= ($path =~ /\?/ ? '&' : '?') . $query;

    return $t->request($method, $path, body => $opt{body}, headers => {
        Authorization => "Bearer $SECRET", Cookie => "token=$SECRET",
        Referer => "http://127.0.0.1/?token=$SECRET",
        'X-Api-Key' => $SECRET, %{ $opt{headers} // {} } });
}

sub lines { grep { /request: "/ } split /\n/, $t->error_log }


# ---- requests ---------------------------------------------------------------

my $ingest = '/ingest?name=shop&from=1700000000&format=';
my $denied = 'access forbidden by rule';
my @cases = (
    ['POST', "${ingest}none", 400, qr/pyroscope: format/],
    ['POST', "${ingest}jfr", 422, qr/pyroscope: jfr/],
    ['POST', '/ingest?format=jfr', 400, qr/pyroscope: name/],
    ['GET', '/pyroscope/render?query=x', 400, qr/failed to parse "query"/],
    ['GET', '/nothing', 404, qr/pyroscope: no such path/],
    ['GET', '/api/v1/jfr-info?service_name=', 400, qr/pyroscope: service_n/],
    ['POST', '/querier.v1.QuerierService/No', 404, qr/pyroscope: unknown RPC/],
    ['POST', '/denied/x', 403, qr/$denied/],
    ['POST', "${ingest}jfr", 401, qr/was not found|no user/,
     { 'X-Realm' => 'r', Authorization => 'Basic bm9ib2R5OmE=' }],
);

for (@cases) {
    my ($method, $path, $status, $said, $headers) = @$_;
    my $before = lines();
    my $r = send_one($method, $path, headers => $headers,
                     body => $method eq 'POST' ? 'no recording' : undef);

    is $r->{status}, $status, "$method $path: $status" or diag $r->{body};
    is index($r->{body}, $SECRET), -1, 'its body has it not';

    my @said = splice @{ [lines()] }, $before;

    is scalar(@said), 1, 'a line in the log';
    like $said[0], $said, 'with the reason';
    like $said[0], qr/\Q$path\E(?:\?|&)access_token=\*\*\*&\*\*\*&=\*\*\*
                      &%74oken=\*\*\*&NAME=\*\*\*&name2=\*\*\*\ HTTP/x,
         'with what the server reads of the URL';
}

# once more what a module of nginx says that comes before all others
for my $status (404, 503) {
    is send_one('GET', '/limited', headers => { 'X-Limit' => 1 })->{status},
       $status, "limited: $status";
}

like +(lines())[-1], qr/limiting requests.*"GET \/limited\?access_token=\*/,
     'a limit of nginx';
like +(lines())[-2], qr/host: "127/, 'the host is there';
unlike $_, qr/referrer/, 'but no referrer' for lines();

# a long one is cut and stays masked
send_one('POST', '/ingest?' . 'x' x 3000 . "=$SECRET&format=none&name="
         . 'y' x 3000, body => '');


# ---- the file of settings ---------------------------------------------------

my $config = $t->get('/api/v1/status/config');

is $config->{status}, 200, 'the settings in effect';
unlike $config->{body}, qr/s3|swift|HIDDEN|analytics/, 'but those ignored';

my $stderr = read_file($t->dir . '/stderr.log') . $t->error_log;

like $stderr, qr/accepted without a meaning here: .*storage\.s3/,
     'that they are ignored is said';


# ---- a JVM's command line ---------------------------------------------------

{
    my $jfr = PyroJfr::bytes('cortex-dev-01__kafka-0__cpu__0');
    my $swap = sub {
        my ($old, $new) = @_;

        $new .= 'x' x (length($old) - length $new);
        die "$new is too long\n" if length $new != length $old;
        die "$old is not there\n" if $jfr !~ s/\Q$old\E/$new/;
    };

    $swap->('-Dkafka.logs.dir=/opt/bitnami/kafka/bin/../logs',
            "-Dpyroscope.auth.token=$SECRET");
    $swap->('.jar=5556:/etc/jmx-kafka/jmx-kafka-prometheus.yml',
            ".jar=user:$SECRET");

    is $t->push_jfr(\$jfr, name => 'shop', from => time - 5)->{status}, 200,
       'a recording of such a JVM';

    my $info = wait_for(sub {
        my $r = $t->get('/api/v1/jfr-info?service_name=shop');
        return $r->{status} == 200 && $r;
    }, 120, 'jfr-info');

    like $info->{json}{jvm}{arguments},
         qr/-Dpyroscope\.auth\.token=\*\*\*\ .*_javaagent\.jar=\*\*\*(?:\ |$)/x,
         'jfr-info has stars';
    is index($info->{body}, $SECRET), -1, 'and not the secret';
}


# ---- nowhere ----------------------------------------------------------------

is $t->stop, 0, 'a clean end';

for my $file (glob($t->dir . '/*.log'), glob($t->data . '/*')) {
    is index(read_file($file), $SECRET), -1, "not in $file" =~ s{/.*/}{}r;
}


# ---- mistakes in the file ---------------------------------------------------

my @mistakes = (
    "storage: {s3: {secret_access_key: '$SECRET'}}\nstorrage: $SECRET\n",
    "storage: {s3: {secret_access_key: \"$SECRET\n",
    "storage: {s3: {secret_access_key: !secret $SECRET}}\n",
    "storage: {s3: &$SECRET x}\nlimits: *$SECRET\n",
    "storage: {s3: {a: $SECRET, a: $SECRET}}\n",
    "storage: {backend: s3, s3: {secret_access_key: $SECRET}}\n",
    "storage: {s3: {secret_access_key: $SECRET\x07}}\n",
    "server: {http_tls_config: {key: $SECRET}}\n",
    "scrape_configs: [{basic_auth: {password: $SECRET}}]\n",
    "overrides: {acme: {password: $SECRET}}\n",
    "multitenancy_enabled: {password: $SECRET}\n",
);

for my $yaml (@mistakes) {
    $t->write_config(yaml => $yaml);

    my ($status, $said) = $t->test_config;

    (my $shown = $yaml) =~ s/\n.*//s;
    isnt $status, 0, "refused: $shown";
    is index($said, $SECRET), -1, 'without the value' or diag $said;
}

done_testing;
