#define _GNU_SOURCE

#include "jfr/jfr_secret.h"

#include <strings.h>

#include "core/base/count.h"


#define PYRO_JFR_STARS  PYRO_SLICE("***")


typedef struct {
    char    *p;
    size_t   left;
} pyro_jfr_room_t;


static void pyro_jfr_put(pyro_jfr_room_t *room, pyro_slice_t text);
static int pyro_jfr_is_secret(pyro_slice_t name);
static size_t pyro_jfr_argument_end(pyro_slice_t rest);
static void pyro_jfr_put_urls(pyro_jfr_room_t *room, pyro_slice_t text);
static void pyro_jfr_put_pairs(pyro_jfr_room_t *room, pyro_slice_t text);
static size_t pyro_jfr_secret_len(pyro_slice_t rest);
static void pyro_jfr_argument(pyro_jfr_room_t *room, pyro_slice_t argument);


static const char *const  pyro_jfr_secret_words[] = {
    "pass", "pwd", "secret", "token", "key", "auth", "cred", "header", "cookie",
    "private", "dsn", NULL
};


static void
pyro_jfr_put(pyro_jfr_room_t *room, pyro_slice_t text)
{
    if (text.len > room->left) {
        text.len = room->left;
    }

    if (text.len) {
        PYRO_COUNT(PYRO_COUNT_BYTES, text.len);
        memcpy(room->p, text.data, text.len);
    }

    room->p += text.len;
    room->left -= text.len;
}


/* 1 if one of the words is anywhere in the name, in whatever case. */
static int
pyro_jfr_is_secret(pyro_slice_t name)
{
    char         c;
    size_t       i, k, len;
    const char  *word;

    for (i = 0; i < name.len; i++) {
        c = (char) (name.data[i] | 0x20);
        PYRO_COUNT(PYRO_COUNT_BYTES, 1);

        for (k = 0; pyro_jfr_secret_words[k] != NULL; k++) {
            word = pyro_jfr_secret_words[k];

            if (*word != c) {
                continue;
            }

            len = strlen(word);

            if (len <= name.len - i
                && strncasecmp(name.data + i, word, len) == 0)
            {
                return 1;
            }
        }
    }

    return 0;
}


/* The JVM joins its arguments by blanks; the next one begins with a dash. */
static size_t
pyro_jfr_argument_end(pyro_slice_t rest)
{
    size_t  i;

    for (i = 1; i + 1 < rest.len; i++) {
        PYRO_COUNT(PYRO_COUNT_BYTES, 1);

        if (rest.data[i] == ' ' && rest.data[i + 1] == '-') {
            return i;
        }
    }

    return rest.len;
}


/* What stands between "://" and the last "@" before a slash or blank. */
static void
pyro_jfr_put_urls(pyro_jfr_room_t *room, pyro_slice_t text)
{
    size_t       i, k, end;
    const char  *p;

    while ((p = memmem(text.data, text.len, "://", 3)) != NULL) {
        i = (size_t) (p - text.data) + 3;
        end = i;
        PYRO_COUNT(PYRO_COUNT_BYTES, i);

        for (k = i; k < text.len && !memchr("/ ", text.data[k], 2); k++) {
            PYRO_COUNT(PYRO_COUNT_BYTES, 1);
            end = text.data[k] == '@' ? k : end;
        }

        pyro_jfr_put(room, pyro_slice(text.data, i));

        if (end < k && text.data[end] == '@') {
            pyro_jfr_put(room, PYRO_JFR_STARS);
            i = end;
        }

        pyro_jfr_put(room, pyro_slice(text.data + i, k - i));
        text = pyro_slice(text.data + k, text.len - k);
    }

    pyro_jfr_put(room, text);
}


/* "a=b&password=c", "a=b;pwd=c" and the like in a value, of a URL or not. */
static void
pyro_jfr_put_pairs(pyro_jfr_room_t *room, pyro_slice_t text)
{
    size_t  i, done, name;

    for (i = 0, done = 0, name = 0; i < text.len; i++) {
        PYRO_COUNT(PYRO_COUNT_BYTES, 1);

        if (text.data[i] == '='
            && pyro_jfr_is_secret(pyro_slice(text.data + name, i - name)))
        {
            pyro_jfr_put_urls(room, pyro_slice(text.data + done,
                                               i + 1 - done));
            pyro_jfr_put(room, PYRO_JFR_STARS);

            i += pyro_jfr_secret_len(pyro_slice(text.data + i + 1,
                                                text.len - i - 1));
            done = i + 1;
        }

        if (memchr("=&;?, ", text.data[i], 6) != NULL) {
            name = i + 1;
        }
    }

    pyro_jfr_put_urls(room, pyro_slice(text.data + done, text.len - done));
}


/* In quotes it may have what ends it else. */
static size_t
pyro_jfr_secret_len(pyro_slice_t rest)
{
    size_t       i;
    const char  *quote;

    if (rest.len && rest.data[0] == '"') {
        quote = memchr(rest.data + 1, '"', rest.len - 1);

        return quote != NULL ? (size_t) (quote + 1 - rest.data) : rest.len;
    }

    for (i = 0; i < rest.len && !memchr("&; ", rest.data[i], 3); i++) {
        PYRO_COUNT(PYRO_COUNT_BYTES, 1);
    }

    return i;
}


static void
pyro_jfr_argument(pyro_jfr_room_t *room, pyro_slice_t argument)
{
    int           agent;
    size_t        len;
    const char   *equals;
    pyro_slice_t  name;

    equals = argument.len ? memchr(argument.data, '=', argument.len) : NULL;

    if (equals == NULL) {
        pyro_jfr_put_urls(room, argument);
        return;
    }

    len = (size_t) (equals - argument.data);
    name = pyro_slice(argument.data, len);

    /* all but the first have the blank before them */

    while (name.len && name.data[0] == ' ') {
        name = pyro_slice(name.data + 1, name.len - 1);
    }

    agent = pyro_slice_starts(name, PYRO_SLICE("-javaagent:"))
            || pyro_slice_starts(name, PYRO_SLICE("-agentpath:"))
            || pyro_slice_starts(name, PYRO_SLICE("-agentlib:"));

    if (agent || pyro_jfr_is_secret(name)) {
        pyro_jfr_put(room, pyro_slice(argument.data, len + 1));
        pyro_jfr_put(room, PYRO_JFR_STARS);
        return;
    }

    pyro_jfr_put_pairs(room, argument);
}


size_t
pyro_jfr_arguments(char *dst, size_t max, pyro_slice_t arguments)
{
    size_t           end;
    pyro_jfr_room_t  room = { dst, max };

    while (arguments.len && room.left) {
        end = pyro_jfr_argument_end(arguments);
        pyro_jfr_argument(&room, pyro_slice(arguments.data, end));

        arguments = pyro_slice(arguments.data + end, arguments.len - end);
    }

    return max - room.left;
}
