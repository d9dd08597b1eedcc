/** Operations on the IPAM over time: history, usage, reclaim. For api and site. */
export type { Arrived, Had, WhatHad } from "../history/device.ts";
export type { Difference } from "../history/difference.ts";
export { KEEP, type Keep } from "../history/forget.ts";
export { type HistoryOptions, type Keeper, startHistory } from "../history/keeper.ts";
export { auditMachine, type MachineChange } from "../history/machine.ts";
export * from "../history/read.ts";
