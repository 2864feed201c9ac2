# Every fuzz target on its corpus, under sanitizers: what was ever found is an
# ordinary test.  Built by "make SAN=1 fuzz-replay".

use strict;
use warnings;

use Test::More;

my @targets = map { m{t/fuzz/(\w+)_fuzz\.c$} ? $1 : () }
              glob 't/fuzz/*_fuzz.c';

plan tests => scalar @targets;

for my $name (@targets) {
    my @inputs = grep { -d } "t/fuzz/corpus/$name", "t/fuzz/regressions/$name";
    my $out = `build/asan/fuzz/${name}_fuzz @inputs 2>&1`;

    my ($n) = $out =~ /^(\d+) inputs$/m;

    ok($? == 0 && $n, "$name: " . ($n // 0) . ' inputs')
        or diag $out;
}
