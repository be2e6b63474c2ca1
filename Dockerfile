# deberta-server on Debian 13 with the demo models.
#
#   docker build -t deberta-server .
#   docker run --rm -p 50051:50051 -p 9090:9090 deberta-server
#
# Another base of the same distribution: --build-arg BASE_IMAGE=...
ARG BASE_IMAGE=debian:13-slim

FROM ${BASE_IMAGE} AS build
WORKDIR /src
COPY deploy/install-dependencies.sh deploy/
RUN deploy/install-dependencies.sh
COPY . .
RUN cmake --preset release \
 && cmake --build --preset release --target deberta-server deberta-client \
      deberta-read-hdf5 \
 && strip build/release/deberta-server build/release/deberta-client \
      build/release/deberta-read-hdf5

FROM ${BASE_IMAGE}
# Which versions there are is the base image's to say.
# hadolint ignore=DL3008
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      libcurl4t64 libdnnl3.6 libgomp1 libgrpc++1.51t64 libhdf5-310 \
      libhwy1t64 libmicrohttpd12t64 libprometheus-cpp-core1.0 libre2-11 \
      libutf8proc3 \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /src/build/release/deberta-server \
                  /src/build/release/deberta-client \
                  /src/build/release/deberta-read-hdf5 /usr/local/bin/
COPY demo/section-classifier /models/section-classifier
COPY demo/mask-filler /models/mask-filler
COPY demo/tech-tagger /models/tech-tagger
COPY demo/package-qa /models/package-qa
LABEL org.opencontainers.image.title="deberta-server" \
      org.opencontainers.image.description="DeBERTa models over gRPC" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
USER 65532:65532
# Flags on the command line replace these.
ENV DEBERTA_MODELS=/models/section-classifier,/models/mask-filler,/models/tech-tagger,/models/package-qa
EXPOSE 50051 9090
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/deberta-server"]
