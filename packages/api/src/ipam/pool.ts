import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { PoolService } from "@firstlight/api-client/gen/firstlight/v1/pool_pb.js";
import { type Grant, ipamSchema, type Pool } from "@firstlight/ipam";
import type { Store } from "@firstlight/ipam/store";
import { pageSize, textOf } from "../grpc/field.ts";
import { invalid } from "../grpc/error.ts";
import type { Handlers } from "../grpc/server.ts";

const MAX_NAME = 253;
const declared = ipamSchema.shape.pools.unwrap().element;

/** Resource pools, for operators: the database alone knows them. */
export function poolHandlers(store: Store): Handlers<typeof PoolService> {
  return {
    async listPools(request) {
      const limit = pageSize(request.pageSize, 100, 1_000);
      const pools = await store.pools(textOf(request.pageToken, "page_token", MAX_NAME), limit);
      return { pools: pools.map(poolToWire), nextPageToken: pools.length === limit ? pools.at(-1)!.name : "" };
    },

    async putPool({ pool }, { actor }) {
      if (!pool) throw invalid("pool", "field-missing");
      const { name, kind, length, ranges, excluded } = pool;
      const read = declared.safeParse({ name, kind, ranges, excluded, ...(length > 0 && { length }) });
      const issue = read.error?.issues[0];
      if (issue || !read.data)
        throw invalid(["pool", ...(issue?.path ?? [])].join("."), "field-malformed", { fault: issue?.message ?? "" });
      const { kind: is, ...edit } = read.data;
      await store.putPool({ ...edit, is }, actor);
      return {};
    },

    async deletePool({ name }, { actor }) {
      await store.deletePool(textOf(name, "name", MAX_NAME, 1), actor);
      return {};
    },

    async allocate(request, { actor }) {
      const [pool, owner] = [textOf(request.pool, "pool", MAX_NAME, 1), textOf(request.owner, "owner", MAX_NAME, 1)];
      const [wanted, hint] = [textOf(request.wanted, "wanted", MAX_NAME), textOf(request.hint, "hint", MAX_NAME)];
      const grant = await store.allocate(
        { pool, owner, ...(wanted !== "" && { wanted }), ...(hint !== "" && { hint }) },
        actor,
      );
      return { grant: grantToWire(grant) };
    },

    async release(request, { actor }) {
      const text = (field: "pool" | "value" | "owner"): string => textOf(request[field], field, MAX_NAME, 1);
      await store.release({ pool: text("pool"), value: text("value"), owner: text("owner") }, actor);
      return {};
    },

    async listGrants(request) {
      const limit = pageSize(request.pageSize, 100, 1_000);
      const after = textOf(request.pageToken, "page_token", MAX_NAME) || undefined;
      const grants = await store.grants(textOf(request.pool, "pool", MAX_NAME, 1), after, limit);
      const nextPageToken = grants.length === limit ? grants.at(-1)!.value : "";
      return { grants: grants.map(grantToWire), nextPageToken };
    },
  };
}

function poolToWire({ name, is, length, ranges, excluded, granted, free, version }: Pool) {
  return {
    name,
    kind: is,
    length: length ?? 0,
    ranges: [...ranges],
    excluded: [...excluded],
    granted: BigInt(granted),
    free: String(free),
    version: BigInt(version),
  };
}

function grantToWire({ pool, value, owner, at }: Grant) {
  return { pool, value, owner, granted: timestampFromMs(at) };
}
