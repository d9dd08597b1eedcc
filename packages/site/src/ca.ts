import "reflect-metadata";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createPrivateKey, webcrypto, X509Certificate } from "node:crypto";
import { join } from "node:path";
import * as x509 from "@peculiar/x509";

x509.cryptoProvider.set(webcrypto);

const ECDSA = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const DAY_MS = 86_400_000;
const CA_DAYS = 3650;
const LEAF_DAYS = 365;

/** Who a certificate is for: `daemon` or `operator`, and its name. */
export interface Subject {
  readonly is: "daemon" | "operator";
  readonly name: string;
}

export interface Issued {
  readonly subject: Subject;
  readonly certFile: string;
  readonly keyFile: string;
  /** `kept` while more than a third of its life is left and it is of this CA. */
  readonly done: "issued" | "renewed" | "kept";
}

export interface Ca {
  readonly certFile: string;
  /** Whether it was made just now. */
  readonly fresh: boolean;
  /** Writes `NAME.crt` and `NAME.key` into `dir` (default: the CA's own folder), unless good ones are there. */
  issue(subject: Subject, dir?: string): Promise<Issued>;
}

/** `spiffe://SITE/daemon/NAME`: the only identity that counts in a site. */
export const spiffe = (site: string, { is, name }: Subject): string => `spiffe://${site}/${is}/${name}`;

/**
 * The site's certificate authority in `dir`: `ca.crt`, and `ca.key` of mode 0600. ECDSA P-256; ten years, one for what it
 * issues. It is made on the first call, and never renewed by itself: a new authority is a decision.
 */
export async function openCa(dir: string, site: string, now: number = Date.now()): Promise<Ca> {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const certFile = join(dir, "ca.crt");
  const keyFile = join(dir, "ca.key");
  const fresh = !existsSync(certFile) || !existsSync(keyFile);
  if (fresh) await createCa(certFile, keyFile, site, now);
  const cert = new x509.X509Certificate(readFileSync(certFile, "utf8"));
  const key = await importKey(readFileSync(keyFile, "utf8"));
  return { certFile, fresh, issue: (subject, into = dir) => issue({ cert, key, site, now }, subject, into) };
}

async function createCa(certFile: string, keyFile: string, site: string, now: number): Promise<void> {
  const keys = await webcrypto.subtle.generateKey(ECDSA, true, ["sign", "verify"]);
  const cert = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=Firstlight CA of ${site}`,
    keys: keys,
    signingAlgorithm: ECDSA,
    ...validity(now, CA_DAYS),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  await writeKey(keyFile, keys.privateKey);
  writeNew(certFile, pem(cert), 0o644);
}

interface Authority {
  readonly cert: x509.X509Certificate;
  readonly key: webcrypto.CryptoKey;
  readonly site: string;
  readonly now: number;
}

async function issue(ca: Authority, subject: Subject, dir: string): Promise<Issued> {
  const certFile = join(dir, `${subject.name}.crt`);
  const keyFile = join(dir, `${subject.name}.key`);
  const there = existsSync(certFile) && existsSync(keyFile);
  if (there && (await isGood(ca, subject, certFile, keyFile))) return { subject, certFile, keyFile, done: "kept" };
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const keys = await webcrypto.subtle.generateKey(ECDSA, true, ["sign", "verify"]);
  const cert = await x509.X509CertificateGenerator.create({
    subject: `CN=${subject.name},OU=${subject.is},O=${ca.site}`,
    issuer: ca.cert.subject,
    publicKey: keys.publicKey,
    signingKey: ca.key,
    signingAlgorithm: ECDSA,
    ...validity(ca.now, LEAF_DAYS),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(USAGES[subject.is]),
      new x509.SubjectAlternativeNameExtension(names(ca.site, subject)),
      await x509.AuthorityKeyIdentifierExtension.create(ca.cert.publicKey),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  await writeKey(keyFile, keys.privateKey);
  writeNew(certFile, pem(cert), 0o644);
  return { subject, certFile, keyFile, done: there ? "renewed" : "issued" };
}

const USAGES = {
  daemon: [x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth],
  operator: [x509.ExtendedKeyUsage.clientAuth],
};

/** Loopback names let a plain TLS client (`buf curl`) check the API of an all-in-one site. */
function names(site: string, subject: Subject): x509.JsonGeneralName[] {
  const uri: x509.JsonGeneralName = { type: "url", value: spiffe(site, subject) };
  if (subject.is !== "daemon" || subject.name !== "api") return [uri];
  return [uri, { type: "dns", value: "localhost" }, { type: "ip", value: "127.0.0.1" }];
}

/** Of this CA and for this subject, with more than a third of its life left. */
async function isGood(ca: Authority, subject: Subject, certFile: string, keyFile: string): Promise<boolean> {
  try {
    const cert = new x509.X509Certificate(readFileSync(certFile, "utf8"));
    const alternative = cert.getExtension(x509.SubjectAlternativeNameExtension);
    if (
      alternative?.names.items.some((name) => name.type === "url" && name.value === spiffe(ca.site, subject)) !== true
    )
      return false;
    // A crash between the two files leaves a key that is not this certificate's.
    if (!new X509Certificate(cert.toString("pem")).checkPrivateKey(createPrivateKey(readFileSync(keyFile))))
      return false;
    const life = cert.notAfter.getTime() - cert.notBefore.getTime();
    if (cert.notAfter.getTime() - ca.now < life / 3) return false;
    return await cert.verify({ publicKey: ca.cert.publicKey, date: new Date(ca.now) });
  } catch {
    return false; // not a certificate: it is replaced
  }
}

/** From an hour ago, for clocks that are a little behind. */
function validity(now: number, days: number): { serialNumber: string; notBefore: Date; notAfter: Date } {
  const serial = webcrypto.getRandomValues(new Uint8Array(16));
  serial[0] = (serial[0] ?? 0) & 0x7f; // RFC 5280 §4.1.2.2: positive
  return {
    serialNumber: Buffer.from(serial).toString("hex"),
    notBefore: new Date(now - 3_600_000),
    notAfter: new Date(now + days * DAY_MS),
  };
}

const pem = (cert: x509.X509Certificate): string => `${cert.toString("pem")}\n`;

async function writeKey(file: string, key: webcrypto.CryptoKey): Promise<void> {
  const bytes = await webcrypto.subtle.exportKey("pkcs8", key);
  writeNew(file, `${x509.PemConverter.encode(bytes, x509.PemConverter.PrivateKeyTag)}\n`, 0o600);
}

async function importKey(text: string): Promise<webcrypto.CryptoKey> {
  const [bytes] = x509.PemConverter.decode(text);
  if (bytes === undefined) throw new Error("the CA's key is no PEM");
  return webcrypto.subtle.importKey("pkcs8", bytes, ECDSA, false, ["sign"]);
}

/** Whole or not at all, and never readable with a wrong mode. */
function writeNew(file: string, text: string, mode: number): void {
  writeFileSync(`${file}.new`, text, { mode, flush: true });
  renameSync(`${file}.new`, file);
}
