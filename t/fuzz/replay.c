/*
 * Runs a fuzz target on files, without a fuzzing engine: what was ever found,
 * and the corpus, are ordinary tests.
 *
 *     NAME_fuzz FILE|DIRECTORY ...
 */

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *name);
static int replay_directory(const char *name);


static int
replay_file(const char *name)
{
    FILE     *f;
    long      size;
    uint8_t  *data;

    f = fopen(name, "rb");

    if (f == NULL) {
        perror(name);
        return -1;
    }

    fseek(f, 0, SEEK_END);
    size = ftell(f);
    rewind(f);

    /* exactly its size, so that a sanitizer sees one byte too many */

    data = malloc(size ? (size_t) size : 1);

    if (data == NULL || fread(data, 1, (size_t) size, f) != (size_t) size) {
        perror(name);
        return -1;
    }

    fclose(f);

    LLVMFuzzerTestOneInput(data, (size_t) size);
    free(data);

    return 1;
}


static int
replay_directory(const char *name)
{
    int             n, rc;
    DIR            *dir;
    char            path[4096];
    struct dirent  *entry;

    dir = opendir(name);

    if (dir == NULL) {
        perror(name);
        return -1;
    }

    n = 0;

    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.') {
            continue;
        }

        snprintf(path, sizeof(path), "%s/%s", name, entry->d_name);
        rc = replay_file(path);

        if (rc < 0) {
            return rc;
        }

        n += rc;
    }

    closedir(dir);

    return n;
}


int
main(int argc, char **argv)
{
    int          i, n, rc;
    struct stat  st;

    n = 0;

    for (i = 1; i < argc; i++) {
        if (stat(argv[i], &st) == -1) {
            perror(argv[i]);
            return 1;
        }

        rc = S_ISDIR(st.st_mode) ? replay_directory(argv[i])
                                 : replay_file(argv[i]);

        if (rc < 0) {
            return 1;
        }

        n += rc;
    }

    printf("%d inputs\n", n);

    return 0;
}
