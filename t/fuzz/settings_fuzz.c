/*
 * pyroscope-config.yml: any bytes give settings or an error that says where;
 * what is shown of settings gives the same once more.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/utf8.h"
#include "core/settings/settings.h"
#include "core/settings/show.h"


#define FUZZ_ARENA  (64 * 1024 * 1024)


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


/* data NULL: no memory. */
static pyro_slice_t
fuzz_shown(pyro_arena_t *arena, const pyro_settings_t *settings)
{
    pyro_rope_t   rope;
    pyro_slice_t  text;

    pyro_rope_init(&rope, 0);
    pyro_settings_show(settings, &rope);
    text = pyro_rope_flat(&rope, arena);
    pyro_rope_free(&rope);

    return text;
}


static void
fuzz_again(pyro_arena_t *arena, const pyro_settings_t *settings)
{
    pyro_error_t     err;
    pyro_slice_t     text, again;
    pyro_status_e    rc;
    pyro_settings_t  back;

    text = fuzz_shown(arena, settings);

    if (text.data == NULL) {
        return;
    }

    rc = pyro_settings_parse(arena, "shown.yml", text, &back, &err);

    if (rc == PYRO_UNAVAILABLE) {
        return;
    }

    again = rc == PYRO_OK ? fuzz_shown(arena, &back) : pyro_slice(NULL, 0);

    if (rc != PYRO_OK || (again.data && !pyro_slice_eq(text, again))) {
        abort();
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pyro_arena_t     *arena;
    pyro_error_t      err;
    pyro_status_e     rc;
    pyro_settings_t   settings;

    arena = pyro_arena_create(FUZZ_ARENA);

    if (arena == NULL) {
        return 0;
    }

    memset(&err, 0, sizeof(pyro_error_t));

    rc = pyro_settings_parse(arena, "fuzz.yml", pyro_slice(data, size),
                             &settings, &err);

    if (rc == PYRO_OK) {

        if (settings.storage.dir == NULL
            || settings.storage.dir[0] == '\0'
            || settings.server.http_listen_port == 0
            || settings.limits.max_profile_size_bytes
               > settings.lmdb.parse_bytes
            || settings.limits.max_flamegraph_nodes_default
               > settings.limits.max_flamegraph_nodes_max
            || settings.lmdb.partition < 3600
            || settings.lmdb.partition > 7 * 86400
            || settings.query.timeout < 100
            || settings.limits.retention_period < 0)
        {
            abort();
        }

        fuzz_again(arena, &settings);

    } else if ((rc != PYRO_INVALID && rc != PYRO_UNAVAILABLE)
               || err.status != rc
               || err.message[0] == '\0'
               || !pyro_utf8_valid(err.message, strlen(err.message)))
    {
        abort();
    }

    pyro_arena_destroy(arena);

    return 0;
}
