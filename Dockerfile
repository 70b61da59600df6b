# The same image as `npm run image` makes without a container engine, by the same code: it is built in the first stage
# and unpacked into an empty one. No shell, no package manager, not root.
#
#   docker buildx build --platform linux/amd64,linux/arm64 --build-arg REVISION="$(git rev-parse HEAD)" -t IMAGE .

FROM --platform=$BUILDPLATFORM node:24.21.0-bookworm AS build
WORKDIR /source
COPY . .
RUN npm ci
ARG TARGETARCH
RUN npm run image -- --platform "linux/$TARGETARCH" --output /image
# Of the layout's files only the layers are compressed; no path is in two of them but folders.
RUN mkdir /root-file-system && \
    for blob in /image/blobs/sha256/*; do \
      if gzip --test "$blob" 2>/dev/null; then tar -xpzf "$blob" --numeric-owner -C /root-file-system || exit 1; fi; \
    done

FROM scratch
COPY --from=build /root-file-system /
ARG REVISION
LABEL org.opencontainers.image.title="Connected Registry" \
      org.opencontainers.image.description="Operator, registry and node agent of Connected Registry" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.revision="$REVISION"
ENV PATH=/usr/bin NODE_ENV=production \
    LD_PRELOAD=libjemalloc.so.2 \
    MALLOC_CONF=narenas:1,background_thread:true,dirty_decay_ms:1000,muzzy_decay_ms:0,tcache_max:20480
USER 65532:65532
WORKDIR /
ENTRYPOINT ["/usr/bin/node", "--use-openssl-ca", "--max-semi-space-size=4", "--expose-gc", "/app/connected-registry.js"]
CMD ["--help"]
