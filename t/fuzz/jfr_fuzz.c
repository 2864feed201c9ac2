/*
 * The whole JFR reader.  The first byte says how many of the bytes behind it
 * are the label snapshot; the rest is the recording.
 */

#include "profile_check.h"

#include "jfr/jfr.h"


#define FUZZ_BUDGET  (64 * 1024 * 1024)


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t               len;
    pyro_error_t         err;
    pyro_arena_t        *arena;
    pyro_status_e        status;
    pyro_profile_t      *profile;
    pyro_label_limits_t  limits = { 30, 1024, 2048 };
    pyro_jfr_report_t    report;
    pyro_jfr_options_t   options;
    pyro_labels_t        labels = { NULL, 0 };

    if (size == 0) {
        return 0;
    }

    len = data[0] < size - 1 ? data[0] : size - 1;
    memset(&options, 0, sizeof(options));
    options.labels = pyro_slice(data + 1, len);
    options.sample_rate = (int64_t) len - 1;

    arena = pyro_arena_create(FUZZ_BUDGET);
    profile = arena != NULL ? pyro_profile_create(arena) : NULL;

    if (profile != NULL) {
        status = pyro_jfr_read(pyro_slice(data + 1 + len, size - 1 - len),
                               &options, profile, &report, &err);

        if (status == PYRO_OK
            && pyro_profile_finish(profile, &labels, &limits, &err)
               == PYRO_OK)
        {
            profile_check(profile);
        }

        FUZZ_CHECK(pyro_arena_used(arena) <= FUZZ_BUDGET);
    }

    pyro_arena_destroy(arena);

    return 0;
}
