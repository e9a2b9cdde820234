# The images of server and client: one binary each, nothing else.
#
# Targets: server, client            compile from this folder
#          server-prebuilt,          pack binaries that are already in dist/;
#          client-prebuilt           needs no network but the base image
#          certificates              makes and renews the certificates for TLS
#          load                      k6 with the scripts of loadtest/

# Compiles. Its version is "toolVersions.deno" of deno.json, as a test checks.
ARG DENO_IMAGE=denoland/deno:debian-2.9.3
# Runs the binary: glibc and certificates, no shell, user nonroot (65532).
ARG BASE_IMAGE=gcr.io/distroless/cc-debian12:nonroot
# Runs the load tests. Its version is "toolVersions.k6" of deno.json.
ARG K6_IMAGE=grafana/k6:1.8.1

# The scripts import what the lab and they have in common.
FROM ${K6_IMAGE} AS load
USER 65532:65532
COPY proto /project/proto
COPY loadtest /project/loadtest
COPY src/core /project/src/core
CMD ["run", "/project/loadtest/grpc.js"]

FROM ${BASE_IMAGE} AS base
USER 65532:65532
EXPOSE 8080

FROM base AS server-prebuilt
COPY dist/grpc-server /usr/local/bin/grpc-server
ENTRYPOINT ["/usr/local/bin/grpc-server"]

FROM base AS client-prebuilt
COPY dist/grpc-client /usr/local/bin/grpc-client
ENTRYPOINT ["/usr/local/bin/grpc-client"]

# All downloads, in a layer of their own, so that a source change downloads
# nothing: the npm packages of the lock file and, by compiling an empty program,
# Deno's bundler and the runtime for binaries.
FROM ${DENO_IMAGE} AS packages
ENV DENO_NO_UPDATE_CHECK=1
WORKDIR /project
COPY deno.json deno.lock ./
RUN deno install --quiet --frozen \
  && echo "export {};" > empty.ts \
  && deno compile --quiet --bundle --output /tmp/empty empty.ts \
  && rm empty.ts /tmp/empty

# Runs from source: moving a link takes a shell, which the image of the binaries
# does not have.
FROM packages AS certificates
COPY envoy.yaml ./
COPY src src
USER 65532:65532
ENTRYPOINT ["deno", "run", "--quiet", "--cached-only", "-P=certificates", "src/certificates.ts"]

FROM packages AS build
COPY proto proto
COPY src src
COPY bootstrap bootstrap
COPY tools tools
# What the binaries' --version says; there is no git in here.
ARG COMMIT=unknown
RUN deno task --quiet build --only server,client --commit "$COMMIT" --out /out

FROM base AS client
COPY --from=build /out/grpc-client /usr/local/bin/grpc-client
ENTRYPOINT ["/usr/local/bin/grpc-client"]

FROM base AS server
COPY --from=build /out/grpc-server /usr/local/bin/grpc-server
ENTRYPOINT ["/usr/local/bin/grpc-server"]
