# The server as a container image: nginx of Debian 12 with the module,
# jfrcat and pyroscope-store.
#
#     docker build -t ngx_pyroscope .
#     docker run -p 4040:4040 -v pyroscope-data:/var/pyroscope/data \
#         ngx_pyroscope
#
# A configuration of one's own is mounted as
# /etc/pyroscope/pyroscope-config.yml, as for a Pyroscope server.

FROM debian:bookworm-slim AS build

RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        gcc libc6-dev libdeflate-dev libjansson-dev liblmdb-dev \
        libpcre2-dev libprotobuf-c-dev libxxhash-dev libyaml-dev make \
        nginx nginx-dev pkg-config protobuf-c-compiler zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /src
COPY . .
RUN make module build/jfrcat build/pyroscope-store


FROM debian:bookworm-slim

RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        libdeflate0 libjansson4 liblmdb0 libprotobuf-c1 libyaml-0-2 nginx \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --system --gid 10001 pyroscope \
    && useradd --system --uid 10001 --gid 10001 --no-create-home \
        --home-dir /var/pyroscope --shell /usr/sbin/nologin pyroscope \
    && install -d -o 10001 -g 10001 /var/pyroscope /var/pyroscope/data \
    && ln -s /etc/pyroscope/pyroscope-config.yml /var/pyroscope/

COPY --from=build /src/build/ngx_pyroscope_module.so /usr/lib/nginx/modules/
COPY --from=build /src/build/jfrcat /src/build/pyroscope-store /usr/bin/
COPY nginx.conf pyroscope-config.yml /etc/pyroscope/

# With its whole path the file is found where /var/pyroscope is a tmpfs, too.
RUN sed -i 's,pyroscope_config  ,&/etc/pyroscope/,' /etc/pyroscope/nginx.conf

USER 10001:10001
VOLUME /var/pyroscope/data
EXPOSE 4040

# QUIT lets requests end; TERM would cut them off.
STOPSIGNAL SIGQUIT

# There is no curl in the image.
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s CMD \
    ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/${PYROSCOPE_PORT:-4040} \
     && printf 'GET /ready HTTP/1.0\\r\\n\\r\\n' >&3 \
     && read -r _ status _ <&3 && [ \"$status\" = 200 ]"]

# The prefix is where nginx may write and where relative paths begin.
CMD ["nginx", "-p", "/var/pyroscope", "-c", "/etc/pyroscope/nginx.conf", \
     "-e", "stderr", "-g", \
     "load_module /usr/lib/nginx/modules/ngx_pyroscope_module.so; daemon off; \
      worker_processes auto; error_log stderr notice; \
      pid /var/pyroscope/nginx.pid;"]
