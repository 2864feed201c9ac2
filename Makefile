# ngx_pyroscope.  Everything generated lives under build/.
#
#   make run            build, start nginx with this project's nginx.conf
#                       [PORT=4040] [DATA=build/data] [WORKERS=auto]
#   make demo           a Java shop under the real agent, and what it shows
#                       [EVENT=cpu] [TROUBLE=all] [PORT=4040]
#   make test           install what tests need, build, run everything
#
#   make module         build/ngx_pyroscope_module.so
#   make jfrcat         build/jfrcat
#   make store-tool     build/pyroscope-store
#   make install        both tools, their man pages, and the module if it was
#                       built
#                       [PREFIX=/usr/local] [BINDIR] [MANDIR] [MODULEDIR]
#                       [DESTDIR]
#   make uninstall      removes what install puts there
#   make package        the Debian packages, in build/package
#   make asan           module, tools and unit tests with sanitizers, in
#                       build/asan
#   make soak           processes killed, and files damaged, SOAK=200 times
#   make test-asan      every suite with the sanitizer build
#   make test-static    every suite with the module linked into nginx
#   make test-load      200 clients for LOAD_TIME seconds [60], a HUP every
#                       LOAD_HUP [3]
#   make test-image     the container image and compose.yaml, built and run
#   make test-package   the Debian packages, built and used in clean roots
#   make test-debian13  every suite in a root of Debian 13
#   make fuzz           each fuzz target for FUZZ_TIME seconds [60]
#   make bench          the benchmarks of t/bench
#   make deps           install what building and running need
#   make clean          remove what was built; the data stays
#
# SAN=1 builds into build/asan with address and undefined sanitizers.

SHELL       := /bin/bash
ROOT        := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))

PORT        ?= 4040
DATA        ?= build/data
WORKERS     ?= auto
EVENT       ?= cpu
TROUBLE     ?= all
FUZZ_TIME   ?= 60

SAN         ?=
B           := $(if $(SAN),build/asan,build)
GEN         := build/gen

comma       := ,
SAN_FLAGS   := -O1 -fsanitize=address$(comma)undefined \
               -fno-sanitize-recover=undefined -fno-omit-frame-pointer \
               -DPYRO_COUNTING=1
OPT         := $(if $(SAN),$(SAN_FLAGS),-O2)
CFLAGS      ?= -g
ALL_CFLAGS  := -std=gnu11 $(OPT) $(CFLAGS) $(CPPFLAGS) -fPIC -Wall -Wextra \
               -Werror -fvisibility=hidden -I. -I$(GEN)

# for builds that are begun from here, where make was not told
JOBS        := $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))

.PHONY: all
all: module jfrcat store-tool


# ---- what knows no nginx: one archive a directory, as the layers have it ----

LIBS        := base model format query api settings jfr storage cli
DIR_base    := core/base
DIR_model   := core/model
DIR_format  := core/format
DIR_query   := core/query
DIR_api     := core/api
DIR_settings := core/settings
DIR_jfr     := jfr
DIR_storage := storage
DIR_cli     := cli

# what each is linked with, in the linker's order
DEPS_base     := base
DEPS_model    := model base
DEPS_format   := format model base
DEPS_query    := query model base
DEPS_api      := api format query model base
DEPS_settings := settings base
DEPS_jfr      := jfr model base
DEPS_storage  := storage query model base
DEPS_cli      := cli jfr format model base
DEPS_store    := cli storage api settings format query model base

GZIP_LIBS   := $(shell pkg-config --libs libdeflate 2>/dev/null) -lz
LDLIBS      := -llmdb -lyaml -lprotobuf-c -ljansson -lpcre2-8 $(GZIP_LIBS) \
               -lpthread
HAVE_LIBDEFLATE := $(shell pkg-config --exists libdeflate 2>/dev/null && echo 1)
ALL_CFLAGS  += $(if $(HAVE_LIBDEFLATE),-DPYRO_HAVE_LIBDEFLATE=1)

PROTOS      := $(wildcard core/api/proto/*.proto)
PROTO_C     := $(PROTOS:%.proto=$(GEN)/%.pb-c.c)
PROTO_O     := $(PROTO_C:$(GEN)/%.c=$(B)/obj/gen/%.o)

$(GEN)/%.pb-c.c $(GEN)/%.pb-c.h: %.proto
	@mkdir -p $(GEN)
	protoc-c --c_out=$(GEN) $<

$(B)/obj/gen/%.o: $(GEN)/%.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c $< -o $@

$(B)/obj/%.o: %.c | $(PROTO_C)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

define LIB
SRC_$(1)   := $$(wildcard $$(DIR_$(1))/*.c)
OBJ_$(1)   := $$(SRC_$(1):%.c=$$(B)/obj/%.o) $(if $(filter api,$(1)),$$(PROTO_O))
$$(B)/lib/$(1).a: $$(OBJ_$(1))
	@mkdir -p $$(@D)
	@rm -f $$@
	ar rcs $$@ $$^
endef
$(foreach l,$(LIBS),$(eval $(call LIB,$(l))))


# ---- tools: thin mains in cli/ ----

JFRCAT      := $(B)/jfrcat

$(JFRCAT): $(B)/obj/cli/jfrcat.o $(DEPS_cli:%=$(B)/lib/%.a)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) $^ -o $@ $(GZIP_LIBS)

STORE_TOOL  := $(B)/pyroscope-store

$(STORE_TOOL): $(B)/obj/cli/store.o $(DEPS_store:%=$(B)/lib/%.a)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) $^ -o $@ -llmdb -lprotobuf-c -ljansson \
	    -lpcre2-8 $(GZIP_LIBS) -lpthread

.PHONY: jfrcat store-tool
jfrcat: $(JFRCAT)
store-tool: $(STORE_TOOL)


# ---- unit tests: t/unit/<layer>/<topic>_test.c, TAP by cmocka ----

UNIT_SRC    := $(wildcard t/unit/*/*_test.c)
UNIT_BIN    := $(UNIT_SRC:t/unit/%.c=$(B)/unit/%)

.SECONDEXPANSION:
$(B)/unit/%: t/unit/%.c $$(foreach l,$$(DEPS_$$(firstword $$(subst /, ,$$*))),$(B)/lib/$$(l).a)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -It/unit -MMD -MP -MF $@.d $< $(filter %.a,$^) \
	    -o $@ -lcmocka $(LDLIBS)

.PHONY: unit
unit: $(UNIT_BIN)


# ---- fuzz targets: replayed in every test, run by "make fuzz" ----

FUZZ_SRC    := $(wildcard t/fuzz/*_fuzz.c)
FUZZ_REPLAY := $(FUZZ_SRC:t/fuzz/%.c=$(B)/fuzz/%)
ALL_LIBS    := storage jfr settings api format query model base
ALL_A       := $(ALL_LIBS:%=$(B)/lib/%.a)

FUZZ_H      := $(wildcard t/fuzz/*.h)

$(B)/fuzz/%: t/fuzz/%.c t/fuzz/replay.c $(FUZZ_H) $(ALL_A)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $< t/fuzz/replay.c $(ALL_A) -o $@ $(LDLIBS)

.PHONY: fuzz fuzz-replay fuzz-engine
fuzz-replay: $(FUZZ_REPLAY)

# the same sources once more, by clang, with libFuzzer in place of replay.c
FUZZ_B      := build/libfuzzer
FUZZ_FLAGS  := $(SAN_FLAGS)

fuzz: deps-fuzz
	$(MAKE) -s B=$(FUZZ_B) CC=clang \
	    OPT="$(FUZZ_FLAGS) -fsanitize=fuzzer-no-link" fuzz-engine
	@for f in $(FUZZ_SRC:t/fuzz/%_fuzz.c=%); do \
	    echo "== $$f"; \
	    mkdir -p $(FUZZ_B)/corpus/$$f $(FUZZ_B)/found; \
	    $(FUZZ_B)/$$f -max_total_time=$(FUZZ_TIME) -rss_limit_mb=2048 \
	        -timeout=10 -print_final_stats=1 -verbosity=0 \
	        -artifact_prefix=$(FUZZ_B)/found/$$f- \
	        $(FUZZ_B)/corpus/$$f t/fuzz/corpus/$$f || exit 1; \
	done

fuzz-engine: $(FUZZ_SRC:t/fuzz/%_fuzz.c=$(FUZZ_B)/%)

$(FUZZ_B)/%: t/fuzz/%_fuzz.c $(FUZZ_H) $(ALL_A)
	$(CC) $(ALL_CFLAGS) -fsanitize=fuzzer $< $(ALL_A) -o $@ $(LDLIBS)


# ---- benchmarks: print figures, never part of a test ----

BENCH_SRC   := $(wildcard t/bench/*_bench.c)
BENCH_BIN   := $(BENCH_SRC:t/bench/%.c=$(B)/bench/%)

# counts what a recording takes from malloc
$(B)/bench/jfr_bench: BENCH_LD := -Wl,--wrap=malloc,--wrap=free,--wrap=calloc

$(B)/bench/%: t/bench/%.c $(ALL_A)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $< $(ALL_A) -o $@ $(BENCH_LD) $(LDLIBS) -lm
	@ln -sf bench/$* $(B)/$*

.PHONY: bench
bench: deps $(BENCH_BIN)
	$(B)/bench/jfr_bench t/data/jfr/*/recording.jfr.gz
	@rm -rf build/bench/store && mkdir -p build/bench/store
	$(B)/bench/store_bench build/bench/store


# ---- the nginx module, against the distribution's nginx ----

NGINX       ?= /usr/sbin/nginx
NGX_SRC     ?= /usr/share/nginx/src
NGX_OUT     := $(B)/nginx
MODULE      := $(B)/ngx_pyroscope_module.so
NGX_FILES   := config $(wildcard ngx_pyroscope_module/*) $(PROTOS) \
               $(foreach l,$(filter-out cli,$(LIBS)), \
               $(wildcard $(DIR_$(l))/*.[ch]))
NGX_CC_OPT  := -g $(OPT) -fPIC -Wextra -Wno-unused-parameter \
               $(if $(SAN),-U_FORTIFY_SOURCE,-fstack-protector-strong \
               -D_FORTIFY_SOURCE=2)
NGX_LD_OPT  := $(if $(SAN),-fsanitize=address$(comma)undefined,-Wl$(comma)-z$(comma)relro \
               -Wl$(comma)-z$(comma)now)

# the file list is part of the stamp's name: a new file configures again
NGX_STAMP   := $(NGX_OUT)/configured-$(shell echo $(NGX_FILES) | cksum | \
               cut -d' ' -f1)

# under a lock: two makes in one folder would read each other's half-made files
$(MODULE): config $(NGX_FILES)
	@mkdir -p $(NGX_OUT)
	@flock $(NGX_OUT).lock $(MAKE) -s $(JOBS) B=$(B) SAN=$(SAN) nginx-module

# renamed, for what is written over a file in use kills the server of "make run"
.PHONY: nginx-module
nginx-module: $(NGX_STAMP)
	$(MAKE) -s -C $(NGX_SRC) -f $(ROOT)/$(NGX_OUT)/Makefile modules
	cp $(NGX_OUT)/ngx_pyroscope_module.so $(MODULE).new
	mv -f $(MODULE).new $(MODULE)

$(NGX_STAMP): config $(PROTOS)
	@rm -rf $(NGX_OUT)
	@mkdir -p $(NGX_OUT)
	cd $(NGX_SRC) && . ./conf_flags && ./configure "$${NGX_CONF_FLAGS[@]}" \
	    --with-cc-opt="$(NGX_CC_OPT)" --with-ld-opt="$(NGX_LD_OPT)" \
	    --add-dynamic-module=$(ROOT) --builddir=$(ROOT)/$(NGX_OUT) \
	    > $(ROOT)/$(NGX_OUT).log 2>&1 \
	    || { tail -20 $(ROOT)/$(NGX_OUT).log; exit 1; }
	@touch $@

.PHONY: module asan
module: deps $(MODULE)

asan: deps-test
	$(MAKE) $(JOBS) SAN=1 build/asan/ngx_pyroscope_module.so unit \
	    fuzz-replay jfrcat store-tool


# ---- packages: printed, asked for only at a terminal ----

DEPS        := gcc make pkgconf nginx nginx-dev liblmdb-dev libyaml-dev \
               zlib1g-dev libdeflate-dev libxxhash-dev libpcre2-dev \
               libjansson-dev libprotobuf-c-dev protobuf-c-compiler
DEPS_TEST   := $(DEPS) libcmocka-dev curl python3 perl \
               libfilter-perl libhttp-message-perl libipc-run-perl \
               liblist-moreutils-perl libtest-base-perl \
               libtest-longstring-perl libtext-diff-perl liburi-perl procps \
               libwww-perl groff-base libyaml-libyaml-perl openssl systemd \
               util-linux linux-libc-dev
DEPS_DEMO   := default-jdk-headless maven python3
DEPS_FUZZ   := clang libclang-rt-dev
DEPS_IMAGE  := docker.io docker-compose debootstrap python3
DEPS_PACKAGE := debhelper dpkg-dev git $(DEPS)
DEPS_ROOT   := debootstrap git perl procps

.PHONY: deps deps-test deps-demo deps-e2e deps-fuzz deps-image deps-package \
        deps-root
deps:
	@t/lib/packages $(DEPS)

deps-test: deps
	@t/lib/packages $(DEPS_TEST)
	@t/lib/test-nginx
	@t/lib/promtool > /dev/null

deps-demo:
	@t/lib/packages $(DEPS_DEMO)

# a Go that is new enough and the modules of the client; speedscope; a browser;
# Grafana's types and Kubernetes'
deps-e2e:
	@t/lib/speedscope > /dev/null
	@t/lib/browser > /dev/null
	@t/lib/grafana-schema > /dev/null
	@t/lib/kubernetes-types > /dev/null
	@cd t/e2e/client && ../../lib/go list -deps . > /dev/null

deps-fuzz: deps
	@t/lib/packages $(DEPS_FUZZ)

deps-image:
	@t/lib/packages $(DEPS_IMAGE)

deps-package:
	@t/lib/packages $(DEPS_PACKAGE)

deps-root:
	@t/lib/packages $(DEPS_ROOT)


# ---- running ----

.PHONY: run demo
run: module
	@mkdir -p build/run $(DATA)
	@ln -sf $(ROOT)/pyroscope-config.yml build/run/pyroscope-config.yml
	@echo "ngx_pyroscope: http://127.0.0.1:$(PORT)/  data in $(abspath $(DATA))"
	@echo "stop with Ctrl-C"
	@exec env PYROSCOPE_PORT=$(PORT) PYROSCOPE_DATA=$(abspath $(DATA)) \
	    $(NGINX) -p $(ROOT)/build/run/ -c $(ROOT)/nginx.conf -e stderr -g \
	    "load_module $(ROOT)/$(MODULE); daemon off; pid nginx.pid; \
	     worker_processes $(WORKERS); error_log stderr notice; \
	     $$([ $$(id -u) = 0 ] && echo 'user root root;')"

demo: deps-demo
	@PORT=$(PORT) EVENT=$(EVENT) TROUBLE=$(TROUBLE) demo/run


# ---- testing ----

# what runs, and under what; the same suites for each build, two at a time:
# half of what they take is waiting
SUITES      := $(sort $(wildcard t/*.t))
PROVE       := prove $(PROVEARGS)

.PHONY: test test-asan test-static test-load test-image test-package test-debian13
test: deps-test deps-demo deps-e2e module
	$(MAKE) $(JOBS) jfrcat store-tool
	$(MAKE) $(JOBS) SAN=1 unit fuzz-replay jfrcat store-tool
	t/lib/suite $(PROVE) -j4 build/asan/unit/*/*_test
	TEST_NGINX_LOAD_MODULES=$(ROOT)/$(MODULE) t/lib/suite \
	    $(PROVE) -j2 $(sort $(wildcard t/e2e/*.t)) $(SUITES)

test-asan: asan
	TEST_NGINX_LOAD_MODULES=$(ROOT)/build/asan/ngx_pyroscope_module.so \
	    PYRO_SAN=1 t/lib/suite $(PROVE) -j2 $(SUITES)

test-static: deps-test
	$(MAKE) $(JOBS) store-tool
	$(MAKE) $(JOBS) SAN=1 fuzz-replay jfrcat store-tool \
	    build/asan/unit/settings/keys_test
	t/lib/static-nginx $(ROOT)/build/static
	TEST_NGINX_LOAD_MODULES= TEST_NGINX_BINARY=$(ROOT)/build/static/nginx \
	    t/lib/suite $(PROVE) -j2 $(SUITES)

# what "make test" does ten times; PYRO_SOAK is the number
SOAK        ?= 200
SOAK_TESTS  := process seal_crash seal_late seal_reader

.PHONY: soak
soak: deps-test module
	$(MAKE) $(JOBS) $(SOAK_TESTS:%=$(B)/unit/storage/%_test)
	PYRO_SOAK=$(SOAK) t/lib/suite $(PROVE) \
	    $(SOAK_TESTS:%=$(B)/unit/storage/%_test)
	TEST_NGINX_LOAD_MODULES=$(ROOT)/$(MODULE) PYRO_SOAK=$(SOAK) \
	    t/lib/suite $(PROVE) $(sort $(wildcard t/soak/*.t))

# "make test" has a short one of it
LOAD_TIME   ?= 60
LOAD_HUP    ?= 3
LOAD_CONNECTIONS ?= 200

test-load: deps-test module
	$(MAKE) $(JOBS) store-tool
	TEST_NGINX_LOAD_MODULES=$(ROOT)/$(MODULE) LOAD_TIME=$(LOAD_TIME) \
	    LOAD_HUP=$(LOAD_HUP) LOAD_CONNECTIONS=$(LOAD_CONNECTIONS) \
	    t/lib/suite $(PROVE) -v t/e2e/load.t

test-image: deps-image
	prove t/e2e/image t/e2e/compose

test-package: deps-root
	prove t/e2e/package

test-debian13: deps-root
	prove t/e2e/debian13
	PYRO_SUITE=trixie prove t/e2e/package


# ---- installing ----

PREFIX      ?= /usr/local
BINDIR      ?= $(PREFIX)/bin
MANDIR      ?= $(PREFIX)/share/man
MODULEDIR   ?= /usr/lib/nginx/modules
INSTALL     ?= install

.PHONY: install uninstall
install: jfrcat store-tool
	$(INSTALL) -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(MANDIR)/man1
	$(INSTALL) -m 755 $(JFRCAT) $(DESTDIR)$(BINDIR)/jfrcat
	$(INSTALL) -m 644 man/jfrcat.1 $(DESTDIR)$(MANDIR)/man1/jfrcat.1
	$(INSTALL) -m 755 $(STORE_TOOL) $(DESTDIR)$(BINDIR)/pyroscope-store
	$(INSTALL) -m 644 man/pyroscope-store.1 \
	    $(DESTDIR)$(MANDIR)/man1/pyroscope-store.1
	@if [ -f $(MODULE) ]; then set -x; \
	    $(INSTALL) -d $(DESTDIR)$(MODULEDIR) \
	    && $(INSTALL) -m 644 $(MODULE) $(DESTDIR)$(MODULEDIR)/; \
	else \
	    echo "The module was not built, so not installed: make module"; \
	fi

uninstall:
	rm -f $(DESTDIR)$(BINDIR)/jfrcat $(DESTDIR)$(MANDIR)/man1/jfrcat.1 \
	    $(DESTDIR)$(BINDIR)/pyroscope-store \
	    $(DESTDIR)$(MANDIR)/man1/pyroscope-store.1 \
	    $(DESTDIR)$(MODULEDIR)/ngx_pyroscope_module.so


# ---- the Debian packages ----

# The source package is made of the files that git knows, as they are here.
PACKAGE     := build/package
SOURCE      := ngx-pyroscope

.PHONY: package source-package
package: deps-package source-package
	cd $(PACKAGE)/$(SOURCE)-* && dpkg-buildpackage -us -uc
	@ls $(PACKAGE)/*.deb

source-package:
	@rm -rf $(PACKAGE)
	@version=$$(sed -n 's/.*PYRO_VERSION  "\(.*\)"/\1/p' \
	    core/base/version.h) && mkdir -p $(PACKAGE)/$(SOURCE)-$$version \
	&& git ls-files -z -- . ':!debian' | tar -cz --null -T - --owner=0 \
	    --group=0 --transform "flags=r;s,^,$(SOURCE)-$$version/," \
	    -f $(PACKAGE)/$(SOURCE)_$$version.orig.tar.gz \
	&& tar -xzf $(PACKAGE)/$(SOURCE)_$$version.orig.tar.gz -C $(PACKAGE) \
	&& git ls-files -z -- debian \
	    | xargs -0 cp -p --parents -t $(PACKAGE)/$(SOURCE)-$$version


# ---- the rest ----

.PHONY: clean
clean:
	rm -rf build/{obj,lib,gen,unit,fuzz,libfuzzer,bench,nginx,asan,static,run,demo,e2e,package} \
	    build/*.so build/jfrcat build/pyroscope-store

-include $(shell find $(wildcard $(B)/obj $(B)/unit) -name '*.d' -type f 2>/dev/null)
