import { z } from "zod";

const label = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i, "want a host label: letters, digits, hyphens");
const address = z.union([z.ipv4(), z.ipv6()]);
const prefix = z.union([z.cidrv4(), z.cidrv6()]);
const mac = z.string().regex(/^([0-9a-f]{2}[:-]){5}[0-9a-f]{2}$/i, "want a MAC address, for example 02:00:00:00:00:01");

/** Printable text as it is, or `0x` and hex. */
const bytes = z.string().regex(/^(0x([0-9a-f]{2}){1,255}|(?!0x)[ -~]{1,255})$/i, "want printable text, or 0x and hex");

const role = z.enum(["host", "host_bmc", "dpu_bmc", "dpu_oob", "other"]);
const drainState = z.enum(["active", "draining"]).optional();

/** A value of its own, or one that a resource pool gives. */
const fromPool = z.strictObject({ pool: label.describe("One of ipam.pools") });
const pooled = <T extends z.ZodType>(own: T) => z.union([own, fromPool]).optional();

const rolePool = z.strictObject({
  from: address.describe("Its first address"),
  to: address.describe("Its last one"),
  roles: z.array(role).min(1).describe("Whose it is: they get addresses here alone, and no other role does"),
});

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
        name: label.describe("Its name: a host label"),
        kind: z
          .enum(["underlay", "admin", "tenant", "host_inband"])
          .default("underlay")
          .describe("Whose broadcast domain it is"),
        domain: z.string().describe("The domain of its addresses' names"),
        vrf: z.string().default("default").describe("Routing context: addresses are unique in it"),
        mtu: z.int().min(576).max(9216).default(1500).describe("Told to clients"),
        vlan: pooled(z.int().min(1).max(4094)).describe("For the record: a number, or { pool: NAME } to be given one"),
        vni: pooled(z.int().min(1).max(16_777_215)).describe("For the record; as vlan"),
        asn: pooled(z.int().min(1).max(4_294_967_295)).describe("For the record; as vlan"),
        loopback: z
          .union([z.ipv4(), z.ipv6(), fromPool])
          .optional()
          .describe("For the record: an address, or { pool: NAME } to be given one"),
        leaseSeconds: z.int().min(60).max(31_536_000).default(3600).describe("Length of a lease"),
        graceSeconds: z.int().min(0).max(31_536_000).default(86_400).describe("Rest of a freed address before reuse"),
        admission: z
          .enum(["open", "expected"])
          .default("open")
          .describe("Who gets an address: anybody, or expected devices alone"),
        allocation: z
          .enum(["dynamic", "sequential", "reserved"])
          .default("dynamic")
          .describe("Which address: by hash of the MAC, the lowest free, or declared ones alone"),
        policy: z
          .enum(["dynamic", "fixed", "retained", "preserved"])
          .default("dynamic")
          .describe("How long an address stays its interface's"),
        rehome: z
          .enum(["move", "keep", "refuse"])
          .optional()
          .describe(
            "A device that turns up on another segment of this kind: its machine and name move there, stay here, or it gets no address there, while its promise here runs; default: keep for tenant and host_inband, else move",
          ),
        naming: z
          .enum(["address", "mac", "serial", "machine", "declared"])
          .default("address")
          .describe("What names its interfaces"),
        state: drainState.describe("draining: gives no new address, its holders move on; default: as it is"),
        drainSeconds: z
          .int()
          .min(0)
          .max(31_536_000)
          .optional()
          .describe("How long holders still renew in what drains; default: leaseSeconds"),
        boots: z.boolean().default(true).describe("Whether dhcpd offers something to boot"),
        prefixes: z
          .array(
            z.strictObject({
              prefix: prefix.describe("IPv4 or IPv6, without host bits; no two overlap in one vrf"),
              gateway: address.optional().describe("In the prefix; never given"),
              reserved: z.int().min(0).max(65_536).default(1).describe("Addresses at the head that are never given"),
              reservedRanges: z
                .array(z.string())
                .optional()
                .describe("Never given either: as 10.0.0.50-10.0.0.99, or a prefix"),
              excluded: z.array(address).default([]).describe("Never given"),
              pools: z.array(rolePool).max(64).optional().describe("Ranges for some roles alone, in the prefix"),
              state: drainState.describe("As a segment's, for this prefix alone"),
            }),
          )
          .min(1)
          .describe("Its addresses"),
        options: z
          .strictObject({
            routers: z.array(z.ipv4()).optional().describe("Default: the prefix's gateway"),
            domainNameServers: z.array(z.ipv4()).optional().describe("Option 6"),
            ntpServers: z.array(z.ipv4()).optional().describe("Option 42"),
            domainSearch: z.array(z.string()).optional().describe("Default: the segment's domain"),
            staticRoutes: z
              .array(z.strictObject({ to: z.cidrv4().describe("A prefix"), via: z.ipv4().describe("Its router") }))
              .optional()
              .describe("Option 121"),
          })
          .prefault({}),
      }),
    )
    .default([])
    .describe("Broadcast domains, their prefixes and policies"),
  names: z
    .array(
      z.strictObject({
        owner: z.string().max(253).describe("In full, below one of the domains"),
        type: z.enum(["A", "AAAA", "CNAME", "TXT", "SRV", "PTR"]).describe("The record's type"),
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
            role: role.describe("What it is of the machine"),
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
