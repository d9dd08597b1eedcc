/** Whom a certificate of the site names: `spiffe://SITE/daemon/NAME` or `spiffe://SITE/operator/NAME`. */
export interface Subject {
  readonly site: string;
  readonly is: "daemon" | "operator";
  readonly name: string;
}

/**
 * Reads the one SPIFFE id of a certificate from its subject alternative names, in the form Node gives them
 * (`URI:spiffe://lab/daemon/api, DNS:localhost`). None, two, or a quoted name (Node quotes what could be mistaken for a
 * second name) is nobody: SPIFFE X509-SVID §2 wants exactly one.
 */
export function subjectOf(subjectAltName: string | undefined): Subject | undefined {
  if (subjectAltName === undefined || subjectAltName.includes('"')) return undefined;
  const uris = subjectAltName.split(", ").filter((name) => name.startsWith("URI:"));
  const match = /^URI:spiffe:\/\/([a-z][a-z0-9-]{0,30})\/(daemon|operator)\/([a-z0-9][a-z0-9._-]{0,62})$/.exec(
    uris[0] ?? "",
  );
  if (uris.length !== 1 || !match) return undefined;
  return { site: match[1]!, is: match[2] as Subject["is"], name: match[3]! };
}

/** As in certificates' paths, logs and the actor of a change: `daemon/dhcpd`. */
export function formatSubject(subject: Subject): string {
  return `${subject.is}/${subject.name}`;
}
