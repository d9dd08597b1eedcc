import { isMalformed, assertParsed } from "@firstlight/wire";
import { encodeQuery, parseData, parseName } from "@firstlight/wire/dns";
import { answer, newScratch } from "../../packages/dnsd/src/answer.ts";
import { Zones } from "../../packages/dnsd/src/zones.ts";
import { addressOf, FORWARD, hostOf, MINIMUM_SECONDS, TTL_SECONDS } from "../dns/content.ts";
import type { Case } from "./case.ts";

const HOSTS = 4096;
const LIMITS = { payloadBytes: 1232, isStream: false, isStale: false };

/** A query for an address, from its bytes to the bytes of the answer. No socket. */
export const question: Case = {
  name: "dns question to answer",
  async open() {
    const zones = zonesOf();
    const queries = Array.from({ length: HOSTS }, (_, n) => queryOf(hostOf(n)));
    const [out, scratch] = [new Uint8Array(1232), newScratch()];
    let at = 0;
    return {
      run(times) {
        for (let n = 0; n < times; n++) {
          const query = queries[(at = (at + 1) % HOSTS)]!;
          const length = answer(zones, query, query.length, out, LIMITS, scratch);
          if (typeof length === "string" || length <= query.length) throw new Error("no answer");
        }
      },
    };
  },
};

function zonesOf(): Zones {
  const soa = { mname: `ns1.${FORWARD}`, rname: `hostmaster.${FORWARD}`, minimumSeconds: MINIMUM_SECONDS };
  const [refreshSeconds, retrySeconds, expireSeconds] = [3600, 600, 604_800];
  const times = { refreshSeconds, retrySeconds, expireSeconds };
  const zones = new Zones([{ name: FORWARD, ttlSeconds: TTL_SECONDS, soa: { ...soa, ...times } }], 7);
  for (let n = 0; n < HOSTS; n++) {
    const owner = assertParsed(parseName(hostOf(n)), hostOf(n));
    zones.put(owner, [{ type: "A", data: parseData("A", addressOf(n)), ttlSeconds: TTL_SECONDS }]);
  }
  return zones;
}

function queryOf(name: string): Uint8Array {
  const query = encodeQuery({ id: 1, name, type: "A", payloadBytes: false });
  if (isMalformed(query)) throw new Error(query.because);
  return query;
}
