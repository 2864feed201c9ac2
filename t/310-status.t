#!/usr/bin/perl

# What an operator looks at: /ready, /healthz, /metrics, buildinfo, the settings
# in effect; nginx's own error pages as JSON; static files beside the API.

use strict;
use warnings;

use Test::Nginx::Socket;

no_root_location();
no_long_string();
no_shuffle();
repeat_each(2);

add_block_preprocessor(sub {
    my ($block) = @_;

    if (!defined $block->config) {
        $block->set_value(config => 'location / { pyroscope; }');
    }

    # a folder *_temp is removed between blocks
    $block->set_value(config => "pyroscope_config html/pyroscope.yml;\n"
                                . "large_client_header_buffers 4 32k;\n"
                                . $block->config);
    $block->set_value(user_files => ($block->user_files // '')
                      . ">>> pyroscope.yml\nstorage:\n  filesystem:\n"
                      . "    dir: ./store_temp\nlmdb:\n"
                      . "  min_free_disk: 0\n");

    if (!defined $block->no_error_log) {
        $block->set_value(no_error_log =>
                          "[error]\n[alert]\n[crit]\n[emerg]\n");
    }
});

plan 'no_plan';

run_tests();

__DATA__

=== TEST 1: ready
--- request
GET /ready
--- response_body chomp
ready
--- response_headers
Content-Type: text/plain; charset=utf-8



=== TEST 2: ready, with arguments
--- request
GET /ready?a=b
--- response_body chomp
ready



=== TEST 3: healthz
--- request
GET /healthz
--- response_body chomp
ok



=== TEST 4: HEAD has no body, but its length
--- request
HEAD /ready
--- response_body
--- response_headers
Content-Length: 5



=== TEST 5: buildinfo
--- request
GET /api/v1/status/buildinfo
--- response_body_like chomp
^\{"status":"success","data":\{"version":"\d+\.\d+\.\d+","revision":"[^"]*","branch":"[^"]*","buildUser":"[^"]*","buildDate":"[^"]*","goVersion":"[^"]*".*\}\}$
--- response_headers
Content-Type: application/json



=== TEST 6: HEAD of buildinfo
--- request
HEAD /api/v1/status/buildinfo
--- response_body



=== TEST 7: metrics are Prometheus' text: HELP, TYPE, then samples of that name
--- request
GET /metrics
--- response_body_like eval
my $value = qr/(?:\d+(?:\.\d+)?(?:e[-+]?\d+)?)/;
my $label = qr/[a-zA-Z_]\w*="(?:[^"\\\n]|\\.)*"/;
qr/\A(?:\#\ HELP\ ([a-zA-Z_:][\w:]*)\ [^\n]+\n
        \#\ TYPE\ \1\ (?:counter|gauge|histogram)\n
        (?:\1(?:_bucket|_sum|_count)?(?:\{$label(?:,$label)*\})?\ $value\n)*
   )+\z/x
--- response_headers
Content-Type: text/plain; version=0.0.4; charset=utf-8



=== TEST 8: metrics that must be there
--- request
GET /metrics
--- response_body_like eval
my @names = ('pyroscope_build_info\{version="[^"]+"\} 1',
             'ngx_pyroscope_pushes_total\{result="stored"\} 0',
             'pyroscope_distributor_received_compressed_bytes_sum\{.*\} 0',
             'ngx_pyroscope_info_failures_total 0',
             'ngx_pyroscope_upkeep_failures_total 0',
             'pyroscope_discarded_samples_total\{reason="malformed_profile"',
             'ngx_pyroscope_commit_duration_seconds_bucket\{le="\+Inf"\} 0',
             'ngx_pyroscope_query_duration_seconds_count 0',
             'ngx_pyroscope_store_available 1',
             'ngx_pyroscope_store_bytes\{state="control"\} [1-9]',
             'ngx_pyroscope_store_disk_free_bytes [1-9]');
my $all = CORE::join '', map { "(?=.*^$_)" } @names;
qr/\A$all/ms



=== TEST 9: HEAD of metrics
--- request
HEAD /metrics
--- response_body



=== TEST 10: metrics over HTTP/1.0
--- request
GET /metrics HTTP/1.0
--- response_body_like chomp
^# HELP pyroscope_build_info



=== TEST 11: several requests on one connection
--- pipelined_requests eval
["GET /ready", "GET /metrics", "GET /healthz", "GET /nowhere", "GET /ready"]
--- response_body_like eval
["^ready\$", "^# HELP", "^ok\$", "no such path", "^ready\$"]
--- error_code eval
[200, 200, 200, 404, 200]



=== TEST 12: an unknown path
--- request
GET /nowhere
--- error_code: 404
--- response_body chomp
{"code":"unimplemented","message":"no such path: /nowhere"}
--- response_headers
Content-Type: application/json



=== TEST 13: a message is JSON whatever the path is
--- request eval
qq{GET /a"b\\c%0a%ff%3c}
--- error_code: 404
--- response_body_like chomp
^\{"code":"unimplemented","message":"no such path: /a\\"b\\\\c[^"\\\x00-\x1f\x80-\xff]*<"\}$



=== TEST 14: a location for pushes
--- config
location / { pyroscope push; }
--- pipelined_requests eval
["GET /ready", "GET /metrics", "GET /ingest",
 "POST /querier.v1.QuerierService/LabelNames",
 "GET /api/v1/status/buildinfo", "GET /api/v1/jfr-info?service_name=a",
 "GET /api/v1/status/config"]
--- error_code eval
[200, 200, 405, 404, 404, 404, 404]
--- response_body_like eval
["ready", "HELP", "POST", "unimplemented", "unimplemented", "unimplemented",
 "unimplemented"]



=== TEST 15: a location for queries
--- config
location / { pyroscope query; }
--- pipelined_requests eval
["GET /ready", "GET /metrics", "POST /ingest?name=a&format=jfr",
 "GET /querier.v1.QuerierService/LabelNames",
 "GET /api/v1/status/buildinfo", "GET /api/v1/jfr-info?service_name=a",
 "GET /api/v1/status/config"]
--- error_code eval
[200, 200, 404, 405, 200, 404, 200]
--- response_body_like eval
["ready", "HELP", "unimplemented", "^\$", "success", "not_found", "^server:"]



=== TEST 16: nginx's own error as JSON: access denied
--- config
location / { pyroscope; deny all; }
--- request
GET /ready
--- error_code: 403
--- response_body chomp
{"code":"permission_denied","message":"HTTP status 403"}
--- response_headers
Content-Type: application/json
--- error_log
access forbidden by rule
--- no_error_log
[alert]



=== TEST 17: with its header
--- config
location / {
    pyroscope;
    auth_basic "pyroscope";
    auth_basic_user_file ../html/users;
}
--- user_files
>>> users
me:{PLAIN}pass
--- request
GET /ready
--- error_code: 401
--- response_body_like chomp
^\{"code":"unauthenticated","message":".+"\}$
--- response_headers
WWW-Authenticate: Basic realm="pyroscope"



=== TEST 18: and with the password
--- config
location / {
    pyroscope;
    auth_basic "pyroscope";
    auth_basic_user_file ../html/users;
}
--- user_files
>>> users
me:{PLAIN}pass
--- request
GET /ready
--- more_headers
Authorization: Basic bWU6cGFzcw==
--- response_body chomp
ready



=== TEST 19: a body that is too large
--- config
location / { pyroscope; client_max_body_size 10; }
--- request eval
"POST /ingest?name=a&format=jfr\n" . "x" x 11
--- error_code: 413
--- response_body chomp
{"code":"resource_exhausted","message":"the request body is larger than client_max_body_size, 10 bytes"}
--- error_log
client intended to send too large body
--- no_error_log
[alert]



=== TEST 20: the user's error_page wins
--- config
error_page 413 /large.html;
location = /large.html { return 413 "mine\n"; }
location / { pyroscope; client_max_body_size 10; }
--- request eval
"POST /ingest?name=a&format=jfr\n" . "x" x 11
--- error_code: 413
--- response_body
mine
--- error_log
client intended to send too large body
--- no_error_log
[alert]



=== TEST 21: a location of nginx keeps nginx's page
--- config
location /plain { return 404; }
location / { pyroscope; }
--- request
GET /plain
--- error_code: 404
--- response_body_like chomp
<h1>404 Not Found</h1>
--- response_headers
Content-Type: text/html



=== TEST 22: no location matches
--- config
location /api { pyroscope; }
--- request
GET /querier
--- error_code: 404
--- response_body chomp
{"code":"unimplemented","message":"no such path"}
--- error_log
No such file
--- no_error_log
[alert]



=== TEST 23: static files of the same location
--- config
location / { pyroscope; root html; index start.html; }
--- user_files
>>> start.html
the page
>>> sub/app.js
the script
--- pipelined_requests eval
["GET /", "GET /sub/app.js", "GET /ready", "GET /start.html?x"]
--- response_body eval
["the page\n", "the script\n", "ready", "the page\n"]



=== TEST 24: a file that is not there
--- config
location / { pyroscope; root html; }
--- request
GET /nothing.html
--- error_code: 404
--- response_body chomp
{"code":"unimplemented","message":"no such path"}
--- error_log
No such file
--- no_error_log
[alert]



=== TEST 25: a POST is not for files
--- config
location / { pyroscope; root html; }
--- user_files
>>> app.js
the script
--- request
POST /app.js
x
--- error_code: 404
--- response_body_like chomp
"no such path: /app.js"



=== TEST 26: HEAD of a file
--- config
location / { pyroscope; root html; }
--- user_files
>>> app.js
the script
--- request
HEAD /app.js
--- response_headers
Content-Length: 11
--- response_body



=== TEST 27: an unknown RPC is not a file
--- config
location / { pyroscope; root html; }
--- request
POST /settings.v1.RecordingRulesService/ListRecordingRules
{}
--- more_headers
Content-Type: application/json
--- error_code: 404
--- response_body chomp
{"code":"unimplemented","message":"unknown RPC: /settings.v1.RecordingRulesService/ListRecordingRules"}



=== TEST 28: nginx's gzip does not touch what is gzip already
--- config
gzip on;
gzip_types *;
gzip_min_length 1;
location / { pyroscope; }
--- request
POST /querier.v1.QuerierService/LabelNames
{}
--- more_headers
Content-Type: application/json
Accept-Encoding: gzip
--- response_headers
Content-Encoding: gzip
--- response_body_filters eval
sub {
    require IO::Uncompress::Gunzip;
    IO::Uncompress::Gunzip::gunzip(\$_[0], \my $out);
    return $out;
}
--- response_body chomp
{}



=== TEST 29: subrequests
--- config
location = /page { ssi on; ssi_types *; root html; }
location / { pyroscope; }
--- user_files
>>> page
<!--#include virtual="/ready" -->, <!--#include virtual="/metrics" -->, <!--#include virtual="/nowhere" -->.
--- request
GET /page
--- response_body_like chomp
^ready, # HELP pyroscope_build_info(?s:.*), \{"code":"unimplemented","message":"no such path: /nowhere"\}\.$



=== TEST 30: auth_request
--- config
location / { pyroscope; auth_request /ready; }
location = /ready { pyroscope; }
--- request
GET /metrics
--- response_body_like chomp
^# HELP pyroscope_build_info



=== TEST 31: a request that nginx cannot read
--- raw_request eval
"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n"
--- error_code: 400
--- response_body_like chomp
^\{"code":"invalid_argument","message":".+"\}$



=== TEST 32: the settings in effect: what the file has, and defaults
--- request
GET /api/v1/status/config
--- response_body_like eval
qr/\Aserver:\n\ \ http_listen_address:\ ""\n
   \ \ http_listen_port:\ 4040\n
   \ \ \#\ log_level:\ info\n
   \ \ grpc_listen_port:\ 0\n
   storage:\n\ \ filesystem:\n\ \ \ \ dir:\ "\.\/store_temp"\n
   compactor:\n\ \ retention_period:\ 0\n.*
   ^limits:\n.*^\ \ reject_newer_than:\ 10m\n.*
   ^lmdb:\n.*^\ \ map_size:\ auto\n.*^\ \ min_free_disk:\ 0\n.*
   ^query:\n\ \ timeout:\ 1m\n.*
   ^multitenancy_enabled:\ false\nruntime_config:\n\ \ file:\ ""\n\z/xms
--- response_headers
Content-Type: text/plain; charset=utf-8



=== TEST 33: HEAD of the settings
--- request
HEAD /api/v1/status/config
--- response_headers_like
Content-Length: \d{3,}
--- response_body



=== TEST 34: the settings cannot be set
--- request
POST /api/v1/status/config
limits: {}
--- error_code: 405
--- response_headers
Allow: GET, HEAD
--- response_body chomp
{"code":"unimplemented","message":"the method must be GET or HEAD"}
