/** `127.0.0.1:80` or `[::1]:80` split into host and port. */
export function splitEndpoint(endpoint: string): { host: string; port: number } {
  const colon = endpoint.lastIndexOf(":");
  return { host: endpoint.slice(0, colon).replaceAll(/^\[|\]$/g, ""), port: Number(endpoint.slice(colon + 1)) };
}

/** Joins address and port: RFC 3986 §3.2.2 puts an IPv6 address in brackets. */
export function joinEndpoint(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
