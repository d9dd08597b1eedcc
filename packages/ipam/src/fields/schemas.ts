import { z } from "zod";

/** Texts of the site's file, each with its rule. */
export const label = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i, "want a host label: letters, digits, hyphens");
export const address = z.union([z.ipv4(), z.ipv6()]);
export const prefix = z.union([z.cidrv4(), z.cidrv6()]);
export const mac = z
  .string()
  .regex(/^([0-9a-f]{2}[:-]){5}[0-9a-f]{2}$/i, "want a MAC address, for example 02:00:00:00:00:01");

/** Printable text as it is, or `0x` and hex. */
export const bytes = z
  .string()
  .regex(/^(0x([0-9a-f]{2}){1,255}|(?!0x)[ -~]{1,255})$/i, "want printable text, or 0x and hex");

/** A value from a resource pool. */
export const fromPool = z.strictObject({ pool: label.describe("One of ipam.pools") });

/** A value of its own, or one that a resource pool gives. */
export const pooled = <T extends z.ZodType>(own: T) => z.union([own, fromPool]).optional();
