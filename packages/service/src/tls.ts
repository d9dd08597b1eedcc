/**
 * What a process proves itself with: PEM bytes of the site's CA, its own certificate and key. A subject is a URI SAN
 * `spiffe://SITE/daemon/NAME` or `spiffe://SITE/operator/NAME`; there is no plaintext gRPC in a site.
 */
export interface Credentials {
  readonly ca: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
}
