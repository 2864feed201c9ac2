#include "core/api/protocol.h"

#include <strings.h>


#define CONNECT   PYRO_PROTOCOL_CONNECT
#define GRPC      PYRO_PROTOCOL_GRPC
#define GRPC_WEB  PYRO_PROTOCOL_GRPC_WEB
#define PROTO     PYRO_CODEC_PROTO
#define JSON      PYRO_CODEC_JSON


static const pyro_content_type_t  pyro_content_types[] = {
    { "application/proto",          CONNECT,  PROTO },
    { "application/json",           CONNECT,  JSON },
    { "application/grpc",           GRPC,     PROTO },
    { "application/grpc+proto",     GRPC,     PROTO },
    { "application/grpc+json",      GRPC,     JSON },
    { "application/grpc-web",       GRPC_WEB, PROTO },
    { "application/grpc-web+proto", GRPC_WEB, PROTO },
    { "application/grpc-web+json",  GRPC_WEB, JSON },
    { NULL,                         CONNECT,  PROTO }
};


const pyro_content_type_t *
pyro_content_type_find(pyro_slice_t value)
{
    const char                 *semicolon;
    const pyro_content_type_t  *type;

    semicolon = value.len ? memchr(value.data, ';', value.len) : NULL;

    if (semicolon != NULL) {
        value.len = (size_t) (semicolon - value.data);
    }

    value = pyro_slice_trim(value);

    for (type = pyro_content_types; type->name != NULL; type++) {

        if (value.len == strlen(type->name)
            && strncasecmp(value.data, type->name, value.len) == 0)
        {
            return type;
        }
    }

    return NULL;
}
