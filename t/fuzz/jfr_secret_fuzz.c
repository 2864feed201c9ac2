/*
 * The arguments of a JVM without their secrets: what fits into less room is the
 * beginning of the whole, and a password is not shown, whatever follows it.
 */

#define _GNU_SOURCE

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "jfr/jfr_secret.h"


#define FUZZ_BEFORE  "-Durl=jdbc:x://h/db?user=u&password="
#define FUZZ_SECRET  "Gb3xPq7&"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char    *text, *whole, *part;
    size_t   len, most, some, n;

    len = strlen(FUZZ_BEFORE FUZZ_SECRET) + size;
    most = 4 * len;             /* an empty value becomes three stars */
    some = size ? data[0] : 0;
    text = malloc(len);
    whole = malloc(most);
    part = malloc(some + 1);

    if (text == NULL || whole == NULL || part == NULL) {
        abort();
    }

    memcpy(text, FUZZ_BEFORE FUZZ_SECRET, len - size);

    if (size) {
        memcpy(text + len - size, data, size);
    }

    n = pyro_jfr_arguments(whole, most, pyro_slice(text, len));

    if (n >= most || (memmem(data, size, "Gb3xPq7", 7) == NULL
                      && memmem(whole, n, "Gb3xPq7", 7) != NULL))
    {
        abort();
    }

    some = some < n ? some : n;

    if (pyro_jfr_arguments(part, some, pyro_slice(text, len)) != some
        || memcmp(part, whole, some) != 0)
    {
        abort();
    }

    free(text);
    free(whole);
    free(part);

    return 0;
}
