#!/usr/bin/perl

# One block for each fixed defect of the module that has no other home.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/lib";

use PyroJfr;
use PyroTest;
use Test::More;

my $bytes = PyroJfr::bytes('new_spancontext');
my $time = PyroJfr::FROM;


# An answered client that leaves its connection open held its place in the
# queue for as long as nginx waited for it to close.
{
    my $t = PyroTest->new(workers => 1,
                          more_yaml => "lmdb:\n  queue_pushes: 1\n")->start;

    my $path = $t->ingest_path(name => 'idle', from => $time);
    my $idle = $t->connect;

    print $idle "POST $path HTTP/1.1\r\nHost: localhost\r\n"
                . "Connection: close\r\nContent-Length: " . length($bytes)
                . "\r\n\r\n$bytes";
    $idle->flush;
    sysread $idle, my $answer, 4096;
    like $answer, qr{^HTTP/1\.1 200 }, 'a client is answered and stays';

    for my $n (1 .. 3) {
        is $t->post($t->ingest_path(name => 'next', from => $time + $n),
                    $bytes)->{status}, 200, "the next one passes, $n";
    }

    close $idle;
    $t->stop('QUIT');
    $t->log_ok;
}


# "if" and "limit_except" make nameless locations, which had no handler.
{
    my $t = PyroTest->new(workers => 1, location => <<'END')->start;
        if ($arg_x) {
            set $seen 1;
        }

        limit_except GET {
            allow 127.0.0.1;
            deny all;
        }
END

    is $t->get('/ready?x=1')->{status}, 200, 'inside "if"';
    is $t->post($t->ingest_path(name => 'allowed', from => $time),
                $bytes)->{status}, 200, 'inside "limit_except"';
    is $t->get('/nowhere?x=1')->{status}, 404, 'unknown, inside "if"';

    $t->stop('QUIT');
    $t->log_ok;
}


# The filter for nginx's own error pages took the user's text for one of them.
{
    my $t = PyroTest->new(workers => 1, location => <<'END')->start;
        if ($arg_deny) {
            return 403 "denied by the user";
        }
END

    my $r = $t->get('/ready?deny=1');

    is $r->{status}, 403, 'return 403 "text"';
    is $r->{body}, 'denied by the user', "the user's text";

    $t->stop('QUIT');
    $t->log_ok;
}


# The routes are whole paths: nothing that only begins or ends like one.
{
    my $t = PyroTest->new(workers => 1)->start;

    for my $path ('querier.v1.QuerierService/SeriesX',
                  'querier.v1.QuerierService/', 'querier.v1.Nope/Series',
                  'querier.v1.QuerierService/series')
    {
        my $r = $t->post("/$path", '{}', 'Content-Type' => 'application/json');

        is $r->{status}, 404, "no RPC: $path";
        like $r->{body}, qr/"unimplemented"/, 'as Connect has it';
    }

    $t->stop('QUIT');
    $t->log_ok;
}

done_testing;
