/*
 * The JFR reader on chunks of version 0.9.  Whatever the input is, it is made
 * one as far as its head goes: magic and version, and a metadata event that
 * begins within it and ends with it.
 */

#include <stdlib.h>

#include "core/base/bytes.h"
#include "jfr/jfr.h"


#define FUZZ_BUDGET  (64 * 1024 * 1024)

/* Bytes of the header, and of the head of an event behind it. */
#define FUZZ_HEADER  16
#define FUZZ_EVENT   8


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_head(uint8_t *data, size_t size);


static void
fuzz_head(uint8_t *data, size_t size)
{
    uint64_t  metadata;

    memcpy(data, "FLR\0\0\0\0\11", 8);
    metadata = pyro_get_be64(data + 8);

    if (metadata < FUZZ_HEADER || metadata > size - FUZZ_EVENT) {
        metadata = FUZZ_HEADER + metadata % (size - FUZZ_EVENT - FUZZ_HEADER
                                             + 1);
    }

    pyro_put_be64(data + 8, metadata);
    pyro_put_be32(data + metadata, (uint32_t) (size - metadata));
    pyro_put_be32(data + metadata + 4, 0);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t             *copy;
    pyro_error_t         err;
    pyro_arena_t        *arena;
    pyro_profile_t      *profile;
    pyro_jfr_report_t    report;
    pyro_label_limits_t  limits = { 30, 1024, 2048 };
    pyro_jfr_options_t   options = { .sample_rate = 100 };
    pyro_labels_t        labels = { NULL, 0 };

    if (size < FUZZ_HEADER + FUZZ_EVENT) {
        return 0;
    }

    /* of its own size, so that a sanitizer sees one byte too many */

    copy = malloc(size);
    arena = pyro_arena_create(FUZZ_BUDGET);
    profile = arena != NULL ? pyro_profile_create(arena) : NULL;

    if (copy != NULL && profile != NULL) {
        memcpy(copy, data, size);
        fuzz_head(copy, size);

        if (pyro_jfr_read(pyro_slice(copy, size), &options, profile, &report,
                          &err) == PYRO_OK)
        {
            pyro_profile_finish(profile, &labels, &limits, &err);
        }
    }

    pyro_arena_destroy(arena);
    free(copy);

    return 0;
}
