/** Floor 1. What the daemons ask of the API service, in plain values; the contract itself is in `proto/`. */
export * from "./api.ts";
