# The image of the service. Three stages: build the wheel, install it, and keep only what was installed.
#
#   docker build -t data-storage-service:0.1.0 .
#   docker run --read-only --tmpfs /tmp --cap-drop ALL -e DATASTORAGE_DATABASE_URL=... data-storage-service:0.1.0
#
# Everything that is installed is locked by hash; only the base is a tag. Pin that too where you build:
#   docker buildx imagetools inspect python:3.11.14-slim-bookworm   # says its digest
#   docker build --build-arg SLIM=python:3.11.14-slim-bookworm@sha256:... .
ARG FULL=docker.io/library/python:3.11.14-bookworm
ARG SLIM=docker.io/library/python:3.11.14-slim-bookworm

FROM ${FULL} AS build
WORKDIR /src
COPY . .
RUN make dist

FROM ${SLIM} AS install
COPY --from=build /src/.venv/bin/uv /usr/local/bin/uv
COPY --from=build /src/dist /dist
COPY deploy/image/install /install
# Compiled now, since the service may not write beside its code.
RUN UV_COMPILE_BYTECODE=1 UV_NO_CACHE=1 /install /dist /opt/datastorage

FROM ${SLIM}
LABEL org.opencontainers.image.title="data-storage-service" \
      org.opencontainers.image.description="GraphQL memory of automatic incident remediation" \
      org.opencontainers.image.licenses="Apache-2.0"
# Whoever gets in finds nothing to install more with.
RUN python -m pip uninstall --yes --quiet pip setuptools wheel
COPY --from=install /opt/datastorage /opt/datastorage
# `off`: a database inside a container would store on a disk that vanishes.
ENV PATH=/opt/datastorage/bin:$PATH \
    DATASTORAGE_EMBEDDED=off \
    DATASTORAGE_HTTP_HOST=0.0.0.0 \
    DATASTORAGE_METRICS_HOST=0.0.0.0 \
    DATASTORAGE_LOG_FORMAT=json \
    PYTHONDONTWRITEBYTECODE=1
# Writes nothing but, with several workers, /tmp: the root file system may be read-only.
USER 65532:65532
WORKDIR /
EXPOSE 8080 9090
HEALTHCHECK --interval=10s --timeout=2s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/health', timeout=1)"]
ENTRYPOINT ["datastorage"]
CMD ["serve"]
