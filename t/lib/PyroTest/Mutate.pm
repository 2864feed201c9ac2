package PyroTest::Mutate;

# Bytes that are nearly right: what a fuzzer makes of a request, the same for
# the same seed.
#
#     my $mutate = PyroTest::Mutate->new(7);
#     my $bytes = $mutate->bytes($request, \@others);
#     my $message = $mutate->message({ name => 'region', start => 1 });
#
# perl's own rand() is the same everywhere.  Core Perl only.

use strict;
use warnings;

# what decoders get wrong at their edges, as text and as varints
my @NUMBERS = ('0', '-0', '-1', '1', '127', '128', '255', '65536', '1048577',
               '2147483647', '2147483648', '4294967295', '-2147483649',
               '9223372036854775807', '9223372036854775808',
               '-9223372036854775808', '18446744073709551615', '1e18', '1e308',
               '1e999', '0.0009', '0.001', '-0.5', 'NaN', 'Infinity',
               '1' x 400);
my @INTEGERS = (0, 1, 2, 3, 4, 5, 16, 100, 1_048_576, 1_048_577, -1, -2,
                2_147_483_647, 2_147_483_648, 4_294_967_296, 1_795_381_200_000,
                9_223_372_036_854_775_807, -9_223_372_036_854_775_807);
my @VARINTS = ("\0", "\x7f", "\x80\1", "\xff\xff\xff\xff\x0f",
               "\xff" x 9 . "\1", "\xff" x 8 . "\x7f", "\x80" x 9 . "\1",
               "\x80" x 9 . "\2", "\xff" x 10);
my @TOKENS = ('null', 'true', '[]', '{}', '""', '"', '{', '[', ']', '}', ',',
              ':', '\\', '\\u0000', '\\ud800', '[' x 40, '{"a":' x 40, "\xff",
              "\xed\xa0\x80", "\xc3\xa4", '{a=~"', '(a+)+', '(?=', 'x{65536}',
              '{}', '=~', '!~', '.*', '|', '%', '&', '=', '+', ';', '%00',
              '%zz', 'now-1h', 'now-', '99999y', '<script>', "'", '../../');

sub new {
    my ($class, $seed) = @_;

    srand $seed;

    return bless { seed => $seed }, $class;
}

sub pick { return $_[1 + int rand $#_] }

# One change, or up to four; others are whole requests of the same kind.
sub bytes {
    my ($self, $bytes, $others) = @_;

    for (1 .. $self->pick(1, 1, 1, 2, 3, 4)) {
        my $how = $self->pick(
            qw(_flip _flip _set _set _delete _insert _repeat _cut _swap _splice
               _number _number _token _varint));

        $bytes = $self->$how($bytes, $others);
    }

    return length $bytes > 100_000 ? substr $bytes, 0, 100_000 : $bytes;
}

# A copy with another value in one or two fields, without one, or with more of
# it: still a message, so that it gets further than to a decoder.
sub message {
    my ($self, $message) = @_;

    my $copy = _copy($message);

    for (1 .. $self->pick(1, 1, 2)) {
        my @at = _leaves($copy) or last;
        my ($in, $key) = @{ $self->pick(@at) };

        if (rand() < 0.05) {
            ref $in eq 'HASH' ? delete $in->{$key} : splice @$in, $key, 1;

        } elsif (ref $in eq 'HASH') {
            $in->{$key} = $self->_value($in->{$key});

        } elsif (rand() < 0.1) {
            push @$in, ($in->[$key]) x $self->pick(1, 20, 99, 100, 1000);

        } else {
            $in->[$key] = $self->_value($in->[$key]);
        }
    }

    return $copy;
}

sub _copy {
    my ($x) = @_;

    return ref $x eq 'HASH' ? { map { $_ => _copy($x->{$_}) } sort keys %$x }
           : ref $x eq 'ARRAY' ? [map { _copy($_) } @$x] : $x;
}

# [what it is in, its key or index] of all texts and numbers
sub _leaves {
    my ($x) = @_;

    my @keys = ref $x eq 'HASH' ? sort keys %$x : 0 .. $#$x;

    return map {
        my $value = ref $x eq 'HASH' ? $x->{$_} : $x->[$_];
        ref $value ? _leaves($value) : [$x, $_]
    } @keys;
}

# Of a number another one; of a text some bytes, each of them a character.
sub _value {
    my ($self, $value) = @_;

    return $self->pick(@INTEGERS) if $value =~ /^-?[0-9]{1,20}\z/;

    return $self->bytes($value, ['a=~"b|c"}', '{a="b",c!~"d.*"}', ':::::']);
}

# A place, and how much there is from it: short more often than long.
sub _range {
    my ($bytes) = @_;

    my $at = int rand 1 + length $bytes;
    my $most = length($bytes) - $at;
    my $n = int rand 1 + (rand() < 0.8 && $most > 8 ? 8 : $most);

    return ($at, $n);
}

sub _flip {
    my ($self, $bytes) = @_;

    my $at = int rand length $bytes;

    substr($bytes, $at, 1) ^= chr(1 << int rand 8) if length $bytes;

    return $bytes;
}

sub _set {
    my ($self, $bytes) = @_;

    substr($bytes, int rand length $bytes, 1) = chr int rand 256
        if length $bytes;

    return $bytes;
}

sub _delete {
    my ($self, $bytes) = @_;

    my ($at, $n) = _range($bytes);

    substr($bytes, $at, $n) = '';

    return $bytes;
}

sub _insert {
    my ($self, $bytes) = @_;

    my ($at) = _range($bytes);

    substr($bytes, $at, 0) = join '', map { chr int rand 256 }
                                      0 .. int rand 8;

    return $bytes;
}

sub _repeat {
    my ($self, $bytes) = @_;

    my ($at, $n) = _range($bytes);

    substr($bytes, $at, 0) = substr($bytes, $at, $n)
                             x $self->pick(1, 1, 2, 3, 20, 200);

    return $bytes;
}

sub _cut {
    my ($self, $bytes) = @_;

    return substr $bytes, 0, int rand 1 + length $bytes;
}

sub _swap {
    my ($self, $bytes) = @_;

    my ($at, $n) = _range($bytes);
    my $piece = substr $bytes, $at, $n, '';

    substr($bytes, int rand 1 + length $bytes, 0) = $piece;

    return $bytes;
}

# The head of one and the tail of another.
sub _splice {
    my ($self, $bytes, $others) = @_;

    my $other = $self->pick(@$others);

    return substr($bytes, 0, int rand 1 + length $bytes)
           . substr($other, int rand 1 + length $other);
}

sub _number {
    my ($self, $bytes) = @_;

    my @at;
    my $number = $self->pick(@NUMBERS);

    push @at, [$-[0], $+[0] - $-[0]] while $bytes =~ /-?\d+/g;

    my $place = @at ? $self->pick(@at) : [_range($bytes)];

    substr($bytes, $place->[0], $place->[1]) = $number;

    return $bytes;
}

sub _token { return $_[0]->_replace($_[1], @TOKENS) }

sub _varint { return $_[0]->_replace($_[1], @VARINTS) }

sub _replace {
    my ($self, $bytes, @by) = @_;

    my ($at, $n) = _range($bytes);

    substr($bytes, $at, rand() < 0.5 ? 0 : $n) = $self->pick(@by);

    return $bytes;
}

1;
