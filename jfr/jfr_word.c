#include "jfr/jfr_word.h"

#include "core/base/count.h"


static const pyro_slice_t  pyro_jfr_words[PYRO_JFR_WORD_COUNT] = {
    { "", 0 },
#define PYRO_JFR_WORD_SLICE(id, text)  { text, sizeof(text) - 1 },
    PYRO_JFR_WORDS(PYRO_JFR_WORD_SLICE)
#undef PYRO_JFR_WORD_SLICE
};


pyro_jfr_word_e
pyro_jfr_word(pyro_slice_t text)
{
    int       rc;
    uint32_t  low, high, middle;

    if (text.len == 0 || text.len > PYRO_JFR_MAX_WORD) {
        return PYRO_JFR_WORD_NONE;
    }

    low = 1;
    high = PYRO_JFR_WORD_COUNT;

    while (low < high) {
        PYRO_COUNT(PYRO_COUNT_LOOKUPS, 1);
        middle = (low + high) / 2;

        if (text.len != pyro_jfr_words[middle].len) {
            rc = text.len < pyro_jfr_words[middle].len ? -1 : 1;

        } else {
            rc = memcmp(text.data, pyro_jfr_words[middle].data, text.len);
        }

        if (rc == 0) {
            return middle;
        }

        if (rc < 0) {
            high = middle;

        } else {
            low = middle + 1;
        }
    }

    return PYRO_JFR_WORD_NONE;
}


pyro_jfr_word_e
pyro_jfr_word_v1(pyro_slice_t text)
{
    size_t        i, cut;
    char          name[PYRO_JFR_MAX_WORD + sizeof("jdk.types.")];
    pyro_slice_t  prefix;

    static const struct {
        pyro_slice_t  old;
        pyro_slice_t  now;
    } prefixes[] = {
        { { "com.oracle.jdk.", 15 }, { "jdk.", 4 } },
        { { "com.oracle.jfr.types.", 21 }, { "jdk.types.", 10 } },
    };

    for (i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        cut = prefixes[i].old.len;

        if (pyro_slice_starts(text, prefixes[i].old)
            && text.len - cut <= PYRO_JFR_MAX_WORD)
        {
            prefix = prefixes[i].now;
            memcpy(name, prefix.data, prefix.len);
            memcpy(name + prefix.len, text.data + cut, text.len - cut);

            return pyro_jfr_word(pyro_slice(name,
                                            prefix.len + text.len - cut));
        }
    }

    return pyro_jfr_word(text);
}


pyro_slice_t
pyro_jfr_word_text(pyro_jfr_word_e word)
{
    return pyro_jfr_words[word];
}
