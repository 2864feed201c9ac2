#!/usr/bin/perl

# The manifests in docs/kubernetes are what the types of Kubernetes' API, made
# from its OpenAPI description as the npm package kubernetes-types, say: no
# field that it does not know, none of another type, none missing.  Whether they
# fit each other is for t/540-kubernetes.t.

use strict;
use warnings;

use FindBin ();
use lib "$FindBin::Bin/../lib";

use File::Path ();
use JSON::PP ();
use PyroTest;
use PyroTest::Util;
use Test::More;
use YAML::XS ();

my $ROOT = PyroTest::root();
my $json = JSON::PP->new->utf8->canonical;

# apiVersion => the package's module; kustomize is no part of the API
my %MODULE = (
    'v1'                           => 'core/v1',
    'apps/v1'                      => 'apps/v1',
    'batch/v1'                     => 'batch/v1',
    'networking.k8s.io/v1'         => 'networking/v1',
    'rbac.authorization.k8s.io/v1' => 'rbac/v1',
);

$YAML::XS::Boolean = 'JSON::PP';

chomp(my $packages = `$ROOT/t/lib/kubernetes-types`);

if (!is $?, 0, 'there are the types') {
    done_testing;
    exit 1;
}

my $dir = "$packages/check";

File::Path::remove_tree($dir);
File::Path::make_path($dir);

# What tsc says of objects, in one run: nothing, if that is what they are.
sub faults {
    my (%object) = @_;

    for my $name (sort keys %object) {
        my $object = $object{$name};
        my $module = $MODULE{ $object->{apiVersion} }
                     // die "$name: $object->{apiVersion} is not known\n";

        write_file("$dir/$name.ts",
                   "import type { $object->{kind} } from "
                   . "'kubernetes-types/$module';\n"
                   . "export const object: $object->{kind} = "
                   . $json->encode($object) . ";\n");
    }

    my $files = join ' ', map { "$_.ts" } sort keys %object;

    return `cd '$dir' && ../node_modules/.bin/tsc --noEmit --strict \\
                --target es2020 --moduleResolution node $files 2>&1`;
}

my %object;

for my $file (sort glob "$ROOT/docs/kubernetes/*.yaml") {
    my ($name) = $file =~ m{([^/]+)\.yaml$};
    my $n = 0;

    for my $object (YAML::XS::Load(read_file($file))) {
        $object{ $name . '-' . $n++ } = $object
            if $object->{kind} ne 'Kustomization';
    }
}

cmp_ok scalar keys %object, '>=', 9, 'objects';
is faults(%object), '', 'they are what the types say';

# the check finds something
my $set = $object{'statefulset-0'};
my ($container) = @{ $set->{spec}{template}{spec}{containers} };

$container->{securityContext}{readOnlyRoot} = JSON::PP::true;
$container->{ports}[0]{containerPort} = '4040';

my $said = faults('wrong-field' => $set);

like $said, qr/'"?readOnlyRoot"?' does not exist/, 'an unknown field is found';

delete $container->{securityContext}{readOnlyRoot};
$said = faults('wrong-type' => $set);

like $said, qr/'string' is not assignable to type 'number'/,
     'a wrong type is found';

done_testing;
