#!/usr/bin/perl

# The dashboards are what Grafana's own types, which it publishes as the npm
# package @grafana/schema, say a dashboard is.  What a panel's plugin defines
# (options, queries) is free text to them; t/500-grafana.t asks the queries.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/../lib";

use File::Path ();
use JSON::PP ();
use PyroTest;
use PyroTest::Util;
use Test::More;

my $ROOT = PyroTest::root();
my $json = JSON::PP->new->utf8->canonical;

chomp(my $packages = `$ROOT/t/lib/grafana-schema`);

if (!is $?, 0, 'there are the types') {
    done_testing;
    exit 1;
}

my $dir = "$packages/check";

File::Path::make_path($dir);

# A text in a file is none of TypeScript's enums: they become what it may be.
sub types {
    my $types = read_file("$packages/node_modules/\@grafana/schema/dist/types"
                          . '/raw/dashboard/x/types.gen.d.ts');

    $types =~ s{export declare enum (\w+) \{(.*?)\n\}}{
        my ($name, $body) = ($1, $2);
        "export type $name = " . join(' | ', $body =~ /= ("[^"]*"|\d+)/g) . ';'
    }gse;

    return $types;
}

# What tsc says of dashboards, in one run: nothing, if that is what they are.
sub faults {
    my (%board) = @_;

    for my $name (sort keys %board) {
        my $board = $board{$name};

        # Grafana writes them, but the types do not have them
        delete $_->{filters} for grep { $_->{type} eq 'adhoc' }
                                 @{ $board->{templating}{list} };

        write_file("$dir/$name.ts",
                   "import type { Dashboard } from './types';\n"
                   . 'export const board: Dashboard = '
                   . $json->encode($board) . ";\n");
    }

    my $files = join ' ', map { "$_.ts" } sort keys %board;

    return `cd '$dir' && ../node_modules/.bin/tsc --noEmit --strict \\
                --skipLibCheck --target es2020 $files 2>&1`;
}

write_file("$dir/types.d.ts", types());

my %board = map { m{([^/]+)\.json$}; ($1, $json->decode(read_file($_))) }
            glob "$ROOT/grafana/dashboards/*.json";

is scalar keys %board, 3, 'dashboards';
is faults(%board), '', 'they are what the types say';

# the check finds something
my $board = $board{'student-apm'};

$board->{panels}[0]{gridPos}{width} = 12;
$board->{links}[0]{type} = 'nothing';

my $said = faults('wrong' => $board);

like $said, qr/'"?width"?' does not exist/, 'an unknown field is found';
like $said, qr/"nothing"/, 'a wrong word is found';

done_testing;
