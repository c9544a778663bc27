# The migrator as an image: the binary that ships, and nothing else.
#
#   docker build -t crm-migrator .
#   docker run --rm -e DATABASE_URL=postgres://user@host/crm crm-migrator status

ARG RUST_VERSION=1.95

# On Alpine the binary is linked with musl, so it needs no library of the image that it ends up in.
FROM rust:${RUST_VERSION}-alpine AS build
# git: `dist` writes the commit into the binary. The context holds .git for that reason.
RUN apk add --no-cache git musl-dev
WORKDIR /src
COPY . .
RUN cargo xtask dist --only-migrator

FROM scratch
# For servers whose certificate a public authority has signed.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /src/target/dist/migrator /migrator
# A number: there is no /etc/passwd here to look a name up.
USER 65532:65532
ENTRYPOINT ["/migrator"]
CMD ["up"]
