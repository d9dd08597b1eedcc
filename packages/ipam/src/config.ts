import { z } from "zod";

const label = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i, "want a host label: letters, digits, hyphens");
const address = z.union([z.ipv4(), z.ipv6()]);
const prefix = z.union([z.cidrv4(), z.cidrv6()]);
const mac = z.string().regex(/^([0-9a-f]{2}[:-]){5}[0-9a-f]{2}$/i, "want a MAC address, for example 02:00:00:00:00:01");

/** Printable text as it is, or `0x` and hex. */
const bytes = z.string().regex(/^(0x([0-9a-f]{2}){1,255}|(?!0x)[ -~]{1,255})$/i, "want printable text, or 0x and hex");

const reservation = z
  .strictObject({
    segment: label,
    address,
    mac: mac.optional(),
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
          ),
        nameServers: z
          .array(z.string())
          .min(1)
          .default(["ns1"])
          .describe("The first is the SOA's primary; relative names are below the zone"),
        ttlSeconds: z.int().min(1).max(86_400).default(60),
        negativeTtlSeconds: z.int().min(1).max(3600).default(5),
      }),
    )
    .default([]),
  segments: z
    .array(
      z.strictObject({
        name: label,
        kind: z.enum(["underlay", "admin", "tenant", "host_inband"]).default("underlay"),
        domain: z.string(),
        vrf: z.string().default("default"),
        mtu: z.int().min(576).max(9216).default(1500),
        vlan: z.int().min(1).max(4094).optional(),
        vni: z.int().min(1).max(16_777_215).optional(),
        leaseSeconds: z.int().min(60).max(31_536_000).default(3600),
        graceSeconds: z.int().min(0).max(31_536_000).default(86_400).describe("Rest of a freed address before reuse"),
        admission: z.enum(["open", "expected"]).default("open"),
        allocation: z.enum(["dynamic", "sequential", "reserved"]).default("dynamic"),
        policy: z.enum(["dynamic", "fixed", "retained", "preserved"]).default("dynamic"),
        naming: z.enum(["address", "mac"]).default("address"),
        boots: z.boolean().default(true).describe("Whether dhcpd offers something to boot"),
        prefixes: z
          .array(
            z.strictObject({
              prefix,
              gateway: address.optional(),
              reserved: z.int().min(0).max(65_536).default(1).describe("Addresses at the head that are never given"),
              excluded: z.array(address).default([]),
            }),
          )
          .min(1),
        options: z
          .strictObject({
            routers: z.array(z.ipv4()).optional().describe("Default: the prefix's gateway"),
            domainNameServers: z.array(z.ipv4()).optional(),
            ntpServers: z.array(z.ipv4()).optional(),
            domainSearch: z.array(z.string()).optional().describe("Default: the segment's domain"),
            staticRoutes: z.array(z.strictObject({ to: z.cidrv4(), via: z.ipv4() })).optional(),
          })
          .prefault({}),
      }),
    )
    .default([]),
  reservations: z
    .array(reservation)
    .default([])
    .describe("Addresses promised to a MAC, UUID, client-id or switch port"),
});

/** Section `expectedMachines`: what is to be racked. The only way machines are grouped: never by their own word. */
export const expectedMachinesSchema = z
  .array(
    z.strictObject({
      name: label,
      serial: z.string().max(64).optional(),
      interfaces: z
        .array(
          z.strictObject({
            mac,
            role: z.enum(["host", "host_bmc", "dpu_bmc", "dpu_oob", "other"]),
            label: label.optional().describe("Default: NAME for the host, NAME-bmc, NAME-dpu, NAME-dpu-bmc"),
            address: address.optional().describe("A fixed address of its own"),
          }),
        )
        .min(1),
    }),
  )
  .default([]);

export type IpamConfig = z.output<typeof ipamSchema>;
export type ExpectedMachines = z.output<typeof expectedMachinesSchema>;

/** All that a site's file says about addresses and machines. */
export interface SiteDeclaration {
  readonly ipam: IpamConfig;
  readonly expectedMachines: ExpectedMachines;
}
