# loggateway in a container. doc/operations.md has the `docker run` lines.

FROM debian:bookworm-slim AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends gcc libc6-dev meson ninja-build pkg-config libcurl4-openssl-dev \
        libssl-dev libxml2-dev zlib1g-dev libisal-dev libcjson-dev libmicrohttpd-dev libyaml-dev libsqlite3-dev \
        libxxhash-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY meson.build meson_options.txt ./
COPY doc/man doc/man
COPY src src
COPY parsers parsers
COPY datasources datasources
RUN meson setup /build --prefix=/usr/local -Disal=enabled -Dtests=disabled \
    && ninja -C /build \
    && DESTDIR=/installed meson install -C /build --no-rebuild --strip

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates tzdata libcurl4 libssl3 libxml2 zlib1g libisal2 libcjson1 \
        libmicrohttpd12 libyaml-0-2 libsqlite3-0 libxxhash0 \
        gnuplot-nox \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --system --gid 10001 loggateway \
    && useradd --system --uid 10001 --gid loggateway --no-create-home --home-dir /var/lib/loggateway \
        --shell /usr/sbin/nologin loggateway \
    && install -d -o loggateway -g loggateway -m 0700 /var/lib/loggateway \
    && install -d -m 0755 /etc/loggateway
COPY --from=build /installed/usr/local/bin/loggateway /usr/local/bin/loggateway
USER loggateway
ENV STATE_DIRECTORY=/var/lib/loggateway
VOLUME /var/lib/loggateway
# config.yaml is looked for here: `docker exec .. loggateway status` needs no -c.
WORKDIR /etc/loggateway
# Unhealthy: a job fails, or falls behind. After a pause there are some minutes to catch up.
HEALTHCHECK --interval=60s --timeout=10s --start-period=5m CMD ["loggateway", "status", "--check"]
ENTRYPOINT ["loggateway"]
CMD ["run"]
