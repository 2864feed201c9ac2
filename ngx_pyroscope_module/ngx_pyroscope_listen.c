#include "ngx_pyroscope_module/ngx_pyroscope_listen.h"


/* from then on a socket with "http2" takes HTTP/1.1 as well */
#if (NGX_HTTP_V2 && nginx_version >= 1025001)
#define NGX_PYROSCOPE_BOTH  1
#else
#define NGX_PYROSCOPE_BOTH  0
#endif


static ngx_uint_t ngx_pyroscope_listens(ngx_http_core_main_conf_t *cmcf,
    ngx_http_core_srv_conf_t *cscf);
static ngx_int_t ngx_pyroscope_listen_server(ngx_conf_t *cf,
    ngx_http_core_srv_conf_t *cscf, pyro_settings_t *settings);
static ngx_int_t ngx_pyroscope_listen_grpc(ngx_conf_t *cf,
    ngx_http_core_srv_conf_t *cscf, pyro_settings_t *settings);
static ngx_int_t ngx_pyroscope_listen_port(ngx_conf_t *cf,
    ngx_http_core_srv_conf_t *cscf, pyro_settings_t *settings,
    ngx_uint_t port, ngx_uint_t http2);
static ngx_int_t ngx_pyroscope_listen_host(ngx_conf_t *cf,
    ngx_http_core_srv_conf_t *cscf, const char *host, ngx_uint_t port,
    ngx_uint_t http2);
static ngx_int_t ngx_pyroscope_listen_add(ngx_conf_t *cf,
    ngx_http_core_srv_conf_t *cscf, ngx_addr_t *addr, ngx_uint_t wildcard,
    ngx_uint_t http2);
static ngx_uint_t ngx_pyroscope_listen_has_inet6(void);


ngx_int_t
ngx_pyroscope_listen(ngx_conf_t *cf, ngx_pyroscope_main_conf_t *pmcf)
{
    ngx_uint_t                   i;
    ngx_pyroscope_srv_conf_t    *pscf;
    ngx_http_core_srv_conf_t   **servers;
    ngx_http_core_main_conf_t   *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    servers = cmcf->servers.elts;

    for (i = 0; i < cmcf->servers.nelts; i++) {
        pscf = servers[i]->ctx->srv_conf[ngx_pyroscope_module.ctx_index];

        if (!pscf->configured) {
            continue;
        }

        if (ngx_pyroscope_listens(cmcf, servers[i])) {

            if (pmcf->settings->server.grpc_listen_port) {
                ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                              "server.grpc_listen_port %ui is not listened "
                              "on: the server in %s:%ui has a \"listen\" of "
                              "its own",
                              (ngx_uint_t)
                              pmcf->settings->server.grpc_listen_port,
                              servers[i]->file_name, servers[i]->line);
            }

            continue;
        }

        if (ngx_pyroscope_listen_server(cf, servers[i], pmcf->settings)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* 1 if the server block has a "listen" of its own. */

static ngx_uint_t
ngx_pyroscope_listens(ngx_http_core_main_conf_t *cmcf,
    ngx_http_core_srv_conf_t *cscf)
{
    ngx_uint_t                   p, a, s;
    ngx_http_conf_port_t        *port;
    ngx_http_conf_addr_t        *addr;
    ngx_http_core_srv_conf_t   **server;

    if (cmcf->ports == NULL) {
        return 0;
    }

    port = cmcf->ports->elts;

    for (p = 0; p < cmcf->ports->nelts; p++) {
        addr = port[p].addrs.elts;

        for (a = 0; a < port[p].addrs.nelts; a++) {
            server = addr[a].servers.elts;

            for (s = 0; s < addr[a].servers.nelts; s++) {
                if (server[s] == cscf) {
                    return 1;
                }
            }
        }
    }

    return 0;
}


static ngx_int_t
ngx_pyroscope_listen_server(ngx_conf_t *cf, ngx_http_core_srv_conf_t *cscf,
    pyro_settings_t *settings)
{
    if (ngx_pyroscope_listen_port(cf, cscf, settings,
                                  settings->server.http_listen_port,
                                  NGX_PYROSCOPE_BOTH)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return settings->server.grpc_listen_port
           ? ngx_pyroscope_listen_grpc(cf, cscf, settings) : NGX_OK;
}


static ngx_int_t
ngx_pyroscope_listen_grpc(ngx_conf_t *cf, ngx_http_core_srv_conf_t *cscf,
    pyro_settings_t *settings)
{
#if (NGX_HTTP_V2)

    if (settings->server.grpc_listen_port
        != settings->server.http_listen_port)
    {
        return ngx_pyroscope_listen_port(cf, cscf, settings,
                                         settings->server.grpc_listen_port, 1);
    }

#if (NGX_PYROSCOPE_BOTH)

    return NGX_OK;

#else

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "server.grpc_listen_port %ui is server.http_listen_port: "
                  "nginx before 1.25.1 needs a port for HTTP/2 alone",
                  (ngx_uint_t) settings->server.grpc_listen_port);
    return NGX_ERROR;

#endif

#else

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "server.grpc_listen_port %ui needs nginx with HTTP/2",
                  (ngx_uint_t) settings->server.grpc_listen_port);
    return NGX_ERROR;

#endif
}


static ngx_int_t
ngx_pyroscope_listen_port(ngx_conf_t *cf, ngx_http_core_srv_conf_t *cscf,
    pyro_settings_t *settings, ngx_uint_t port, ngx_uint_t http2)
{
    const char  *address;

    address = settings->server.http_listen_address;

    if (address != NULL && address[0] != '\0') {
        return ngx_pyroscope_listen_host(cf, cscf, address, port, http2);
    }

    if (ngx_pyroscope_listen_host(cf, cscf, "*", port, http2) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_pyroscope_listen_has_inet6()
           ? ngx_pyroscope_listen_host(cf, cscf, "[::]", port, http2) : NGX_OK;
}


static ngx_int_t
ngx_pyroscope_listen_host(ngx_conf_t *cf, ngx_http_core_srv_conf_t *cscf,
    const char *host, ngx_uint_t port, ngx_uint_t http2)
{
    u_char     text[NGX_MAXHOSTNAMELEN + NGX_INT32_LEN + 4], *last;
    ngx_url_t  u;

    ngx_memzero(&u, sizeof(ngx_url_t));

    /* an IPv6 address may come without its brackets */

    last = ngx_slprintf(text, text + sizeof(text),
                        ngx_strchr(host, ':') && host[0] != '['
                        ? "[%s]:%ui" : "%s:%ui", host, port);
    u.url.data = text;
    u.url.len = last - text;
    u.listen = 1;
    u.default_port = 80;

    if (ngx_parse_url(cf->pool, &u) != NGX_OK || u.naddrs == 0) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "server.http_listen_address \"%s\": %s", host,
                      u.err ? u.err : "no address");
        return NGX_ERROR;
    }

    return ngx_pyroscope_listen_add(cf, cscf, &u.addrs[0], u.wildcard, http2);
}


/* The same defaults as nginx's own "listen". */

static ngx_int_t
ngx_pyroscope_listen_add(ngx_conf_t *cf, ngx_http_core_srv_conf_t *cscf,
    ngx_addr_t *addr, ngx_uint_t wildcard, ngx_uint_t http2)
{
    ngx_http_listen_opt_t  opt;

    ngx_memzero(&opt, sizeof(ngx_http_listen_opt_t));

    opt.sockaddr = addr->sockaddr;
    opt.socklen = addr->socklen;
    opt.addr_text = addr->name;
    opt.wildcard = wildcard;
    opt.http2 = http2;
    opt.backlog = NGX_LISTEN_BACKLOG;
    opt.rcvbuf = -1;
    opt.sndbuf = -1;
#if (NGX_HAVE_SETFIB)
    opt.setfib = -1;
#endif
#if (NGX_HAVE_TCP_FASTOPEN)
    opt.fastopen = -1;
#endif
#if (NGX_HAVE_INET6)
    opt.ipv6only = 1;
#endif
#if (nginx_version >= 1025000)
    opt.type = SOCK_STREAM;
#endif

    return ngx_http_add_listen(cf, cscf, &opt);
}


/* A machine without IPv6 must not keep the server from starting. */

static ngx_uint_t
ngx_pyroscope_listen_has_inet6(void)
{
#if (NGX_HAVE_INET6)
    int                  rc;
    ngx_socket_t         s;
    struct sockaddr_in6  sin6;

    s = ngx_socket(AF_INET6, SOCK_STREAM, 0);

    if (s == (ngx_socket_t) -1) {
        return 0;
    }

    ngx_memzero(&sin6, sizeof(struct sockaddr_in6));
    sin6.sin6_family = AF_INET6;

    rc = bind(s, (struct sockaddr *) &sin6, sizeof(struct sockaddr_in6));

    ngx_close_socket(s);

    return rc == 0;
#else
    return 0;
#endif
}
