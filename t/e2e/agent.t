#!/usr/bin/perl

# The real Java agent pushes the demo shop's profiles to a server of its own,
# and the report must find every trouble in the method that causes it.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/../lib";

use PyroTest;
use Test::More;

for my $tool (qw(java javac mvn python3)) {
    PyroTest::which($tool)
        or plan skip_all => "$tool is not installed: see \"make deps-demo\"";
}

my $t = PyroTest->new(workers => 2)->start;

sub demo {
    my (%setting) = @_;

    my @command = (PyroTest::root() . '/demo/run', "PORT=" . $t->port,
                   map { "$_=$setting{$_}" } sort keys %setting);

    open my $out, '-|', @command or die "demo/run: $!\n";
    my $text = do { local $/; <$out> } // '';
    close $out;

    note $text;

    return ($? >> 8, $text);
}

my ($status, $report) = demo(EVENT => 'itimer', DURATION => 20);

is $status, 0, 'every trouble is found' or diag $report;

like $report, qr/^CPU, perf_event\n.*\n  empty \(engine used: itimer\)$/m,
     'the perf_event panel is empty and says which engine was used';

my $readme = PyroTest::read_file(PyroTest::root() . '/demo/README.md');

for my $expected (
    ['What burns CPU',       'PriceRules',   'recalculate'],
    ['What allocates most',  'OrderArchive', 'keep'],
    ['synchronized \(mutex\)', 'Till',       'pay'],
    ['ReentrantLock \(block\)', 'StockRoom', 'reserve'])
{
    my ($question, $class, $method) = @$expected;

    my $answer = qr{$question\W+demo/shop/$class\.$method .*\n};
    my $place = qr{ +at (demo/shop/$class\.java:\d+) };

    like $report, qr{$answer$place}, "$class.$method is the answer";

    my ($line) = $report =~ qr{$answer$place};
    $line //= 'no line';

    like $readme, qr{demo/shop/$class\.$method`.*`\Q$line\E`},
         "the README says the same: $line";
}

# one each five seconds, unless the machine is slow
cmp_ok $t->answered(route => 'ingest', status_code => 200) // 0, '>=', 1,
       'pushes are counted';

is_deeply $t->rpc('LabelValues', { name => 'jfr_engine' })->{json}{names},
          ['itimer'], 'the engine is a label';

{
    my ($service) = @{ $t->rpc('LabelValues', { name => 'service_name' })
                         ->{json}{names} };
    my $info = $t->get("/api/v1/jfr-info?service_name=$service")->{json};

    like $info->{agent}{recorder} // '', qr/^async-profiler \d/,
         'jfr-info: the recorder';
    like $info->{jvm}{version} // '', qr/^\d+\./, 'jfr-info: the JVM';
    is $info->{settings}{event}, 'itimer', 'jfr-info: the event';
    is $info->{settings}{interval}, '20000000', 'jfr-info: the interval';
    is_deeply $info->{lost}, {}, 'jfr-info: nothing was lost';
}

is $t->stop('QUIT'), 0, 'a clean stop';

$t->log_ok;

done_testing;
