# ngx_pyroscope.  Everything generated lives under build/.
#
#   make run            build, start nginx with this project's nginx.conf
#   make test           install what tests need, build, run everything
#   make demo           a Java shop under the real agent, and what it shows
#
# SAN=1 builds into build/asan with address and undefined sanitizers.

SHELL       := /bin/bash
ROOT        := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))

SAN         ?=
B           := $(if $(SAN),build/asan,build)
GEN         := build/gen

CC          ?= gcc
comma       := ,
OPT         := $(if $(SAN),-O1 -fsanitize=address$(comma)undefined \
               -fno-sanitize-recover=undefined -fno-omit-frame-pointer,-O2)
CFLAGS      ?= -g
ALL_CFLAGS  := -std=gnu11 $(OPT) $(CFLAGS) -fPIC -Wall -Wextra -Werror \
               -fvisibility=hidden -I. -I$(GEN)

.PHONY: all
all: module


# ---- what knows no nginx: one archive a directory, as the layers have it ----

LIBS        := base model format query api settings jfr storage
DIR_base    := core/base
DIR_model   := core/model
DIR_format  := core/format
DIR_query   := core/query
DIR_api     := core/api
DIR_settings := core/settings
DIR_jfr     := jfr
DIR_storage := storage

# what each is linked with, in the linker's order
DEPS_base     := base
DEPS_model    := model base
DEPS_format   := format model base
DEPS_query    := query model base
DEPS_api      := api format query model base
DEPS_settings := settings base
DEPS_jfr      := jfr model base
DEPS_storage  := storage query model base

LDLIBS      := -llmdb -lyaml -lprotobuf-c -ljansson -lpcre2-8 \
               $(shell pkg-config --libs libdeflate 2>/dev/null) -lz -lpthread
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

-include $(shell find build -name '*.d' 2>/dev/null)
