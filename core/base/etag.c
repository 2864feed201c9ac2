#include "core/base/etag.h"


int
pyro_etag_listed(pyro_slice_t list, pyro_slice_t etag)
{
    const char    *comma;
    pyro_slice_t   tag;

    while (list.len) {
        comma = memchr(list.data, ',', list.len);
        tag = pyro_slice(list.data,
                         comma != NULL ? (size_t) (comma - list.data)
                                       : list.len);
        list.data += tag.len + (comma != NULL);
        list.len -= tag.len + (comma != NULL);
        tag = pyro_slice_trim(tag);

        if (tag.len > 2 && tag.data[0] == 'W' && tag.data[1] == '/') {
            tag.data += 2;
            tag.len -= 2;
        }

        if (pyro_slice_is(tag, "*") || pyro_slice_eq(tag, etag)) {
            return 1;
        }
    }

    return 0;
}
