import { isMalformed } from "@firstlight/wire";
import { type DomainName, parseName } from "@firstlight/wire/dns";
import type { Domain } from "../model/model.ts";

const read = new WeakMap<Domain, DomainName | undefined>();

/** The domain's name as a value, parsed once for each row; `undefined` if DNS cannot carry it. */
export function domainName(domain: Domain): DomainName | undefined {
  if (read.has(domain)) return read.get(domain);
  const name = parseName(domain.name);
  const value = isMalformed(name) ? undefined : name;
  read.set(domain, value);
  return value;
}
