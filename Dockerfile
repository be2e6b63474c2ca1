# deberta-server as a container image: its programs and what they are linked with
# from Debian 13, on nothing else. No shell, no package manager, no Python.
#
#   docker build -t deberta-server .                   with the demo models
#   docker build -t deberta-server --target server .   without models
#   docker run --rm -p 50051:50051 -p 9090:9090 --read-only deberta-server
#
# Another base of the same distribution: --build-arg BASE_IMAGE=...
ARG BASE_IMAGE=debian:13-slim

FROM ${BASE_IMAGE} AS build
WORKDIR /src
COPY deploy/install-dependencies.sh deploy/
RUN deploy/install-dependencies.sh
COPY . .
# For a base that has ccache: --build-arg COMPILER_LAUNCHER=ccache
ARG COMPILER_LAUNCHER=
ARG BUILD_JOBS=
RUN export CMAKE_C_COMPILER_LAUNCHER="$COMPILER_LAUNCHER" \
      CMAKE_CXX_COMPILER_LAUNCHER="$COMPILER_LAUNCHER" \
 && cmake --preset release \
 && cmake --build --preset release ${BUILD_JOBS:+-j "$BUILD_JOBS"} --target \
      deberta-server deberta-client deberta-read-hdf5 deberta-bench deberta-convert

# Which versions there are is the base image's to say.
# hadolint ignore=DL3008
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      ca-certificates \
 && rm -rf /var/lib/apt/lists/*
RUN deploy/image-files.sh build/release /image \
 && cpack --config build/release/CPackConfig.cmake -B /packages

# The Debian package alone.
FROM scratch AS package
COPY --from=build /packages/*.deb /

FROM scratch AS server
COPY --from=build /image/base/ /
COPY --from=build /image/programs/ /
ARG REVISION=unknown
LABEL org.opencontainers.image.title="deberta-server" \
      org.opencontainers.image.description="DeBERTa models over gRPC" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="scratch"
USER 65532:65532
EXPOSE 50051 9090
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/deberta-server"]

FROM server AS demo
COPY demo/section-classifier /models/section-classifier
COPY demo/mask-filler /models/mask-filler
COPY demo/tech-tagger /models/tech-tagger
COPY demo/package-qa /models/package-qa
COPY demo/entity-finder /models/entity-finder
# Flags on the command line replace these.
ENV DEBERTA_MODELS=/models/section-classifier,/models/mask-filler,/models/tech-tagger,/models/package-qa,/models/entity-finder
