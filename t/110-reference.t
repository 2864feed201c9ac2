#!/usr/bin/perl

# The reference is what the code does: keys of the YAML with their ranges and
# defaults, as the README and pyroscope-config.yml have them; directives,
# variables, paths and metrics, as the README has them.  What is in one place
# only, or differs, is named.

use strict;
use warnings;
use utf8;

use FindBin ();
use lib "$FindBin::Bin/lib";

use PyroJfr;
use PyroTest;
use PyroTest::Util;
use Test::More;
use YAML::XS ();

chdir PyroTest::root() or die "cannot change to the root: $!\n";
binmode $_, ':utf8' for map { Test::More->builder->$_ }
                            qw(output failure_output todo_output);

my $KEYS = 'build/asan/unit/settings/keys_test';
my $README = text('README.md');
my $YAML = text('pyroscope-config.yml');

-x $KEYS or BAIL_OUT("$KEYS is not there: make SAN=1 $KEYS");

sub text {
    my ($file) = @_;
    my $text = read_file($file);

    utf8::decode($text) or die "$file is not UTF-8\n";

    return $text;
}

# The cells of a table's rows below a heading, without its head.
sub rows {
    my ($heading) = @_;

    my ($section) = $README =~ /^\Q$heading\E\n(.*?)(?=^#{1,3} |\z)/ms
        or die "README: there is no \"$heading\"\n";

    return map { [map { s/^\s+|\s+$//gr } split /(?<!\\)\|/, $_] }
           grep { !/^---/ } $section =~ /^\|(.*)\|$/mg;
}

# What stands between `` of a text.
sub words { $_[0] =~ /`([^`]+)`/g }

# Two sets: what is in one of them alone, by name.
sub same {
    my ($name, $code, $docs) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my %code = map { $_ => 1 } @$code;
    my %docs = map { $_ => 1 } @$docs;

    cmp_ok scalar(@$code), '>', 0, "$name: there are some";
    is_deeply [sort grep { !$docs{$_} } keys %code], [],
              "$name: all are documented";
    is_deeply [sort grep { !$code{$_} } keys %docs], [],
              "$name: all that are documented are there";
}


# ---- keys -------------------------------------------------------------------

my %UNIT = (
    (map { ("${_}iB" => 1024 ** (1 + index 'KMGT', $_)) } qw(K M G T)),
    ns => 1, ms => 1e6, s => 1e9, m => 60e9, h => 3600e9, d => 86400e9,
    w => 7 * 86400e9, y => 365 * 86400e9, '%' => -1, '' => 1
);

# As the file is written to what the table has; undef: it is no value.
sub value {
    my ($text) = @_;

    my ($n, $unit) = $text =~ /^(\d+(?:\.\d+)?)([A-Za-z]*|%)$/ or return undef;

    return defined $UNIT{$unit} ? $n * $UNIT{$unit} : undef;
}

my @columns = qw(path type min max default zero word words);
my %keys;

for my $line (split /\n/, `$KEYS --print`) {
    my %key;

    @key{@columns} = split /\t/, $line, -1;
    $keys{$key{path}} = \%key;
}

# "1MiB–1TiB", and whether a 0 beside it stands for the most.
sub range_differs {
    my ($key, $cell) = @_;

    my ($min, $max) = map { value($_) } $cell =~ /(\d\w*)–(\d\w*)/;
    my $scale = $key->{type} eq 'number' ? $UNIT{MiB} : 1;

    if ($key->{type} eq 'text' && $key->{min} == 0) {
        ($min, $max) = (0, $cell =~ /up to (\d+) bytes/);
    }

    my $bounded = $key->{type} =~ /^(?:text|count|number|duration|size)$/
                  && $key->{max} ne '' && $key->{max} < 2 ** 62;

    return 'a range of what has none' if !$bounded && defined $max;
    return '' if !$bounded;

    return 'no range' if !defined $max;
    return 'the range' if $min * $scale != $key->{min}
                          || $max * $scale != $key->{max};

    return 'a 0 for the most'
        if ($key->{zero} eq 'max') != ($cell =~ /\b0 for the most/);

    return '';
}

my %TYPE = (text => qr/^(?:text|path), /, duration => qr/^duration\b|^\d/,
            size => qr/\bsize\b/, share => qr/^size or `%`/, bool => qr/^bool$/,
            count => qr/^\d/, number => qr/^MiB with a fraction, /,
            tenants => qr/^map of tenants$/, blank => qr/^(?:list|map)$/,
            word => qr/^`/);

# What is wrong with a cell of the column "type"; '': nothing.
sub type_differs {
    my ($key, $cell) = @_;

    return "the type, $key->{type}" if $cell !~ $TYPE{$key->{type}};

    return 'the words' if $key->{type} eq 'word'
                          && join(',', words($cell)) ne $key->{words};
    return "`$key->{word}`" if $key->{word} ne ''
                               && $cell !~ /`$key->{word}`/;

    return range_differs($key, $cell);
}

sub default_differs {
    my ($key, $cell) = @_;

    my ($first) = $cell =~ /^`?([^\s`:,;(]+)/;

    return $first ne ($key->{default} ? 'true' : 'false')
        if $key->{type} eq 'bool';
    return $first ne 'empty'
        if $key->{type} =~ /^(?:blank|tenants)$/
           || ($key->{type} eq 'text' && $key->{default} eq '');
    return $first ne $key->{default} if $key->{type} =~ /^(?:text|word)$/;
    return $first ne $key->{word}
        if $key->{word} ne '' && $key->{default} == 0;

    my $value = value($first);

    return 1 if !defined $value;

    $value *= $UNIT{MiB} if $key->{type} eq 'number';

    return $value != $key->{default};
}

{
    my @documented;

    for my $row (rows('## pyroscope-config.yml')) {
        my ($names, $type, $default) = @$row;
        my @names = grep { /^[a-z0-9_.]+$/ } words($names);
        my @defaults = split /;\s*/, $default;

        push @documented, @names;

        for my $i (0 .. $#names) {
            my $key = $keys{$names[$i]} or next;

            is type_differs($key, $type), '', "README: $names[$i]: $type";
            ok !default_differs($key, @defaults == @names ? $defaults[$i]
                                                          : $default),
               "README: $names[$i]: the default is $key->{default}"
                or diag $default;
        }
    }

    same('keys', [keys %keys], \@documented);
    is_deeply [grep { my $k = $_; 1 < grep { $_ eq $k } @documented }
               keys %keys], [], 'README: each key once';
}


# ---- pyroscope-config.yml ---------------------------------------------------

# Keys with values, "a.b.c" to a scalar, or to a list or map that is empty.
sub flat {
    my ($node, $path) = @_;

    return ($path => $node) if ref $node ne 'HASH'
                               || (!%$node && defined $path);

    return map { flat($node->{$_}, defined $path ? "$path.$_" : $_) }
           keys %$node;
}

my %file = flat(YAML::XS::Load($YAML =~ s/\$\{\w+:-([^}]*)\}/$1/gr));

same('pyroscope-config.yml', [keys %keys], [keys %file]);

for my $path (sort grep { $keys{$_} } keys %file) {
    my $value = $file{$path};

    if ($keys{$path}{type} eq 'bool') {
        $value = $value ? 'true' : 'false';

    } elsif (ref $value eq 'ARRAY' ? !@$value
             : ref $value ? !%$value : $value eq '') {
        $value = 'empty';
    }

    ok !default_differs($keys{$path}, $value),
       "pyroscope-config.yml: $path is the default" or diag explain $value;
}

# "1KiB to 2GiB" in the comment above keys is the range of one of them
{
    my ($section, @comment) = ('');
    my %said;

    for (split /\n/, $YAML) {
        $section = $1 if /^(\w+):/;
        push @comment, $1 if /^ +# (.*)/;

        if (/^ +(\w+): \S/) {
            push @{ $said{join ' ', @comment} }, "$section.$1" if @comment;
        } elsif (!/^ +#/) {
            @comment = ();
        }
    }

    for my $comment (sort keys %said) {
        my @keys = grep { $_ } map { $keys{$_} } @{ $said{$comment} };

        while ($comment =~ /\b(\d+\w*) to (\d+\w*)/g) {
            my ($min, $max) = (value($1), value($2));

            # of MiB with a fraction it is in these

            ok scalar(grep { my $unit = $_->{type} eq 'number' ? $UNIT{MiB}
                                                               : 1;
                             $_->{min} == $min * $unit
                             && $_->{max} == $max * $unit } @keys),
               "pyroscope-config.yml: $1 to $2 is the range of "
               . join ', ', @{ $said{$comment} };
        }
    }
}


# ---- directives, variables, paths -------------------------------------------

my $glue = 'ngx_pyroscope_module/ngx_pyroscope';

{
    my %context = (SRV => 'server', LOC => 'location');
    my %code = (thread_pool => 'main',          # nginx's own
                map { /(\w+)"\),\s+NGX_HTTP_(\w+?)_CONF\|/
                      ? ($1 => $context{$2}) : () }
                split /ngx_string\("/, text("${glue}_module.c"));
    my %documented =
        $README =~ /^Syntax:\ \*\*`(\w+)`\*\*.*\n
                     Default:\ .*\nContext:\ (\w+)$/mxg;

    same('directives', [map { "$_ in $code{$_}" } keys %code],
         [map { "$_ in $documented{$_}" } keys %documented]);
}

same('pools', [map { "$_;" } map { s/"\), ngx_string\("/ /r }
               text("${glue}_pools.c")
               =~ /ngx_string\("(pyroscope_\w+"\), ngx_string\("threads=\d+)"/g],
     [$README =~ /thread_pool (pyroscope_\w+ threads=\d+;)/g]);

same('variables',
     [map { "\$$_" } text("${glue}_variables.c") =~ /ngx_string\("(\w+)"\)/g],
     [$README =~ /^\| `(\$pyroscope_\w+)` \|/mg]);

{
    my $source = text("${glue}_route.c");
    my (@routes, @documented);

    push @routes, map { "POST /querier.v1.QuerierService/$_" }
                  $source =~ /NGX_PYROSCOPE_RPC\("(\w+)"/g;
    push @routes, map { "POST $_" } $source =~ /_CALL\("(\S+?)",/g;
    push @routes, map { "GET $_" } $source =~ /_URL\("(\S+?)"/g;
    push @routes, ($2 eq 'POST' ? 'POST ' : 'GET ') . $1
        while $source =~ /ngx_string\("(\S+?)"\),[^{}]*?
                          NGX_(?:HTTP|PYROSCOPE)_(POST|GET)\b/gx;

    # `GET /a`, `/b?c=d`; `POST /a.b/C` `D`: each goes on where the last was

    for my $row (rows('## HTTP API')) {
        my ($method, $folder);

        next if $row->[0] !~ /^`(?:GET|POST) /;

        for (words($row->[0])) {
            $method = $1 if s/^(GET|POST) //;
            s/\?.*//;
            $_ = "$folder$_" if !m{^/};
            ($folder) = m{^(.*/)};
            push @documented, "$method $_";
        }
    }

    same('paths', \@routes, \@documented);
}


# ---- metrics ----------------------------------------------------------------

{
    my $t = PyroTest->new(workers => 1)->start;

    # something of each kind, so that all labels are there

    is $t->push_jfr(PyroJfr::recording('new_spancontext'), name => 'shop'
                    )->{status}, 200, 'a push';
    is $t->request('POST', '/ingest?name=shop&format=jfr', body => 'none'
                   )->{status}, 422, 'a bad one';

    my $text = $t->get('/metrics')->{body};
    my %families = $text =~ /^# TYPE (\S+) (\S+)$/mg;
    my (%documented, %labels, %values);

    while ($text =~ /^(\w+?)(?:_bucket|_sum|_count)?\{(.*)\} /mg) {
        my ($name, $labels) = ($1, $2);

        $name = "${name}_count" if !$families{$name};

        while ($labels =~ /(\w+)="([^"]*)"/g) {
            next if $1 eq 'le';
            $labels{$name}{$1} = 1;
            $values{$name}{$1}{$2} = 1;
        }
    }

    for my $row (rows('### Metrics')) {
        my ($names, $types, $labels) = @$row;
        my @names = words($names);
        my @types = split /, /, $types;

        for my $i (0 .. $#names) {
            my $name = $names[$i];

            $documented{$name} = @types == @names ? $types[$i] : $types;

            # "tenant" is there or not, by multitenancy_enabled

            is_deeply [sort keys %{ $labels{$name} }],
                      [sort grep { $_ ne 'tenant' || $labels{$name}{tenant} }
                       words($labels)], "$name: its labels"
                if $families{$name};

            # `result`: stored, repeated

            my ($label, $list) = $labels =~ /^`(\w+)`: ([^`]*,[^`]*)/
                or next;
            my %known = map { $_ => 1 } $list =~ /\w+/g;

            is_deeply [grep { !$known{$_} }
                       sort keys %{ $values{$name}{$label} }], [],
                      "$name: values of $label";
        }
    }

    same('metrics', [map { "$_ $families{$_}" } keys %families],
         [map { "$_ $documented{$_}" } grep { $_ ne 'name' }
          keys %documented]);

    same('kinds of ngx_pyroscope_jfr_total',
         [keys %{ $values{ngx_pyroscope_jfr_total}{kind} }],
         [map { words($_->[0]) } grep { $_->[0] =~ /^`[a-z_]+`/
                                        && @$_ == 2 }
          rows('### What a recording becomes')]);

    same('reasons of pyroscope_discarded_samples_total',
         [keys %{ $values{pyroscope_discarded_samples_total}{reason} }],
         [map { words($_->[0]) } grep { $_->[0] =~ /^`[a-z_]+`/
                                        && @$_ == 3
                                        && $_->[0] ne '`reason`' }
          rows('### Who pushes, and what is refused')]);

    is $t->stop, 0, 'a clean end';
    $t->log_ok;
}

done_testing;
