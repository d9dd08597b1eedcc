import { z } from "zod";
import { schemasOf } from "./fields/field.ts";
import { RECORD_TYPES, ROLES } from "./fields/lists.ts";
import { RESERVATION_FIELDS } from "./fields/reservation.ts";
import { PREFIX_FIELDS } from "./fields/prefix.ts";
import { address, bytes, label, mac } from "./fields/schemas.ts";
import { SEGMENT_OPTION_FIELDS } from "./fields/segment-option.ts";
import { SEGMENT_FIELDS } from "./fields/segment.ts";

const reservation = z
  .strictObject({
    segment: label.describe("Where it holds"),
    address: address.describe("The address that is promised"),
    mac: mac.optional().describe("To this MAC"),
    uuid: z.guid().optional().describe("As the firmware sends it in option 97"),
    clientId: bytes.optional().describe("Option 61: text, or 0x and hex"),
    port: z
      .strictObject({
        relay: address.describe("giaddr"),
        circuitId: bytes.describe("As the relay writes it: text, or 0x and hex"),
        remoteId: bytes.optional().describe("Only behind this one"),
      })
      .optional()
      .describe("The address follows the switch port: whoever holds it yields"),
    ...schemasOf(RESERVATION_FIELDS),
  })
  .refine(({ mac, uuid, clientId, port }) => [mac, uuid, clientId, port].filter(Boolean).length === 1, {
    message: "want one of mac, uuid, clientId and port",
  });

/** Section `ipam` of the site's file: what the site declares; everything can also be edited through the API. */
export const ipamSchema = z.strictObject({
  domains: z
    .array(
      z.strictObject({
        name: z
          .string()
          .regex(
            /^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]*[a-z0-9])?$/,
            "want a lower-case domain name without a final dot",
          )
          .describe("A DNS zone, lower-case, without the final dot"),
        nameServers: z
          .array(z.string())
          .min(1)
          .default(["ns1"])
          .describe("The first is the SOA's primary; relative names are below the zone"),
        ttlSeconds: z.int().min(1).max(86_400).default(60).describe("Time to live of its records"),
        negativeTtlSeconds: z.int().min(1).max(3600).default(5).describe("How long a resolver keeps a no"),
      }),
    )
    .default([])
    .describe("DNS zones of the site's names"),
  segments: z
    .array(
      z.strictObject({
        ...schemasOf(SEGMENT_FIELDS),
        prefixes: z
          .array(z.strictObject(schemasOf(PREFIX_FIELDS)))
          .min(1)
          .describe("Its addresses"),
        options: z.strictObject(schemasOf(SEGMENT_OPTION_FIELDS)).prefault({}),
      }),
    )
    .default([])
    .describe("Broadcast domains, their prefixes and policies"),
  names: z
    .array(
      z.strictObject({
        owner: z.string().max(253).describe("In full, below one of the domains"),
        type: z.enum(RECORD_TYPES).describe("The record's type"),
        data: z.string().min(1).max(4096).describe("In presentation form; names in it in full"),
        ttlSeconds: z.int().min(1).max(86_400).default(60).describe("Time to live"),
      }),
    )
    .default([])
    .describe("Declared records, services above all"),
  pools: z
    .array(
      z
        .strictObject({
          name: label.describe("What operators and automation ask it by"),
          kind: z.enum(["integer", "ipv4", "ipv6", "prefix"]).describe("What its values are"),
          length: z.int().min(1).max(128).optional().describe("Of the IPv6 prefixes that a `prefix` pool delegates"),
          ranges: z.array(z.string()).min(1).describe("As 100-199, 7, 10.0.0.0/24 or 2001:db8::/32; ends included"),
          excluded: z.array(z.string()).default([]).describe("Never given; written as the ranges"),
        })
        .refine(({ kind, length }) => (kind === "prefix") === (length !== undefined), {
          message: "length is for prefix pools, and they need it",
          path: ["length"],
        }),
    )
    .default([])
    .describe("Values given one by one: VLANs, VNIs, ASNs, loopbacks, delegated prefixes"),
  reservations: z
    .array(reservation)
    .default([])
    .describe("Addresses promised to a MAC, UUID, client-id or switch port"),
});

/** Section `expectedMachines`: what is to be racked. The only way machines are grouped: never by their own word. */
export const expectedMachinesSchema = z
  .array(
    z.strictObject({
      name: label.describe("The machine's name: a host label"),
      serial: z.string().max(64).optional().describe("For people"),
      interfaces: z
        .array(
          z.strictObject({
            mac: mac.describe("Each MAC once"),
            role: z.enum(ROLES).describe("What it is of the machine"),
            label: label.optional().describe("Default: NAME for the host, NAME-bmc, NAME-dpu, NAME-dpu-bmc"),
            address: address.optional().describe("A fixed address of its own"),
            segment: label.optional().describe("Where it is to appear; default: the one that its address lies in"),
          }),
        )
        .min(1)
        .describe("Its interfaces, by MAC"),
    }),
  )
  .default([])
  .describe("Machines that are to come; a MAC belongs to a machine by this list alone");

export type IpamConfig = z.output<typeof ipamSchema>;
export type ExpectedMachines = z.output<typeof expectedMachinesSchema>;

/** All that a site's file says about addresses and machines. */
export interface SiteDeclaration {
  readonly ipam: IpamConfig;
  readonly expectedMachines: ExpectedMachines;
}
