import { createSocket } from "node:dgram";
import { readAddress } from "@firstlight/kit";
import type { IPv4 } from "@firstlight/wire";
import { isMalformed } from "@firstlight/wire";
import {
  type Data,
  decode,
  encode,
  foldName,
  type Message,
  RCODES,
  type RecordType,
  type ResourceRecord,
  TYPES,
} from "@firstlight/wire/dns";

/** A small authority on UDP for a real resolver to ask. Its zones' name servers cannot be reached: only a stub finds it. */
export async function authority(zones: readonly string[]) {
  const records = new Map<string, Data>();
  let isDown = false;
  const socket = createSocket("udp4");
  socket.on("message", (bytes, from) => {
    const query = decode(bytes);
    if (isDown || isMalformed(query)) return;
    const reply = encode(answer(query));
    if (!isMalformed(reply)) socket.send(reply, from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));

  function answer(query: Message): Message {
    const { name, type } = query.questions[0]!;
    const owner = foldName(name);
    const zone = zones.find((one) => owner === one || owner.endsWith(`.${one}`));
    const reply = { ...query, isResponse: true, isAuthoritative: zone !== undefined };
    if (zone === undefined || query.recursionDesired) return { ...reply, rcode: RCODES.of.REFUSED };
    const data = records.get(owner) ?? (owner === zone ? soa(zone) : undefined);
    if (data !== undefined && typeOf(data) === type) {
      const authorities = [record(zone, { is: "NS", host: `ns1.${zone}` })];
      return { ...reply, answers: [record(owner, data)], authorities, additionals: [record(`ns1.${zone}`, NOBODY)] };
    }
    const isThere = owner === zone || [...records.keys()].some((one) => one === owner || one.endsWith(`.${owner}`));
    const rcode = isThere ? RCODES.of.NOERROR : RCODES.of.NXDOMAIN;
    return { ...reply, rcode, authorities: [record(zone, soa(zone))] };
  }

  return {
    endpoint: `127.0.0.1:${socket.address().port}`,
    records,
    goAway: () => void (isDown = true),
    comeBack: () => void (isDown = false),
    [Symbol.dispose]: () => void socket.close(),
  };
}

export function a(address: string): Data {
  return { is: "A", address: readAddress(address) as IPv4 };
}

const NOBODY = a("127.9.9.9");

const typeOf = (data: Data): number => TYPES.of[data.is as RecordType];

function record(owner: string, data: Data): ResourceRecord {
  return { owner, type: typeOf(data), class: 1, ttlSeconds: 60, data };
}

/** With a "no" that would stay for a minute. */
function soa(zone: string): Data {
  const times = { serial: 1, refreshSeconds: 3600, retrySeconds: 600, expireSeconds: 86_400, minimumSeconds: 60 };
  return { is: "SOA", mname: `ns1.${zone}`, rname: `hostmaster.${zone}`, ...times };
}
