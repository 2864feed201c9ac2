# The module's file: nothing but nginx's three symbols is exported, for nginx
# loads modules with RTLD_GLOBAL, and any other name could bind elsewhere.

use strict;
use warnings;

use Test::More;

my ($so) = split ' ', $ENV{TEST_NGINX_LOAD_MODULES} // '';

plan skip_all => 'the module is linked into nginx' if !$so;
plan tests => 2;

my @exported = sort map { (split)[2] }
               `nm -D --defined-only $so 2>&1`;

is_deeply [grep { !/^(?:__asan_|__odr_asan|__ubsan)/ } @exported],
          [qw(ngx_module_names ngx_module_order ngx_modules)],
          'three symbols are exported';

is_deeply [grep { /\bpyro_/ } `nm -D --undefined-only $so 2>&1`], [],
          'none of its own is missing';
