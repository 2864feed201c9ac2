# The server as a container image: nginx of Debian 12 with the module,
# jfrcat and pyroscope-store.
#
#     docker build -t ngx-pyroscope .
#     docker run -p 4040:4040 -v pyroscope-data:/var/pyroscope/data \
#         ngx-pyroscope [-config.file=/etc/pyroscope/pyroscope-config.yml]
#
# Settings of one's own are mounted as /etc/pyroscope/pyroscope-config.yml, or
# as the image of Pyroscope has them, /etc/pyroscope/config.yaml; an nginx.conf
# of one's own as /etc/pyroscope/nginx.conf.  docker/pyroscope starts nginx.

FROM debian:bookworm-slim AS build

RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        gcc libc6-dev libdeflate-dev libjansson-dev liblmdb-dev \
        libpcre2-dev libprotobuf-c-dev libxxhash-dev libyaml-dev make \
        nginx nginx-dev pkgconf protobuf-c-compiler zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /src
COPY . .
RUN make module build/jfrcat build/pyroscope-store \
    && strip --strip-unneeded build/ngx_pyroscope_module.so build/jfrcat \
        build/pyroscope-store


FROM debian:bookworm-slim

# Of nginx the program alone is needed.  Where a mounted nginx.conf does not
# say otherwise nginx writes to /var/lib/nginx and /var/log/nginx, which are not
# its user's here.  A volume that is mounted at /data, where Pyroscope has its
# own, gets that folder's owner.
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        libdeflate0 libjansson4 liblmdb0 libprotobuf-c1 libyaml-0-2 nginx \
    && rm -rf /var/lib/apt/lists/* /var/cache/* /var/log/* /var/www \
        /var/lib/nginx /usr/share/man/* /usr/share/locale/* \
    && find /usr/share/doc -type f ! -name copyright -delete \
    && groupadd --system --gid 10001 pyroscope \
    && useradd --system --uid 10001 --gid 10001 --no-create-home \
        --home-dir /var/pyroscope --shell /usr/sbin/nologin pyroscope \
    && install -d -o 10001 -g 10001 /data /var/pyroscope /var/pyroscope/data \
    && ln -s /var/pyroscope /var/lib/nginx \
    && mkdir /var/log/nginx \
    && ln -s /dev/stdout /var/log/nginx/access.log \
    && mkdir /etc/pyroscope \
    && ln -s pyroscope-config.yml /etc/pyroscope/config.yaml

COPY --from=build /src/build/ngx_pyroscope_module.so /usr/lib/nginx/modules/
COPY --from=build /src/build/jfrcat /src/build/pyroscope-store /usr/bin/
COPY pyroscope-config.yml /etc/pyroscope/
COPY nginx.conf docker/options /usr/share/pyroscope/
COPY docker/pyroscope /usr/bin/pyroscope
COPY docker/ready /usr/bin/pyroscope-ready

USER 10001:10001
VOLUME /var/pyroscope/data
EXPOSE 4040

# QUIT lets requests end; TERM would cut them off.
STOPSIGNAL SIGQUIT

HEALTHCHECK --interval=10s --timeout=5s --start-period=5s \
    CMD ["pyroscope-ready"]

ENTRYPOINT ["pyroscope"]
