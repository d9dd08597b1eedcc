/**
 * Settings of a session that runs lease batches. A plan made while the tables were empty lives as long as its connection, and
 * tables grow without renewing it (measured: 2 ms an address instead of 50 µs), so the planner is left no choice by statistics.
 */
export const PLANNER_SETTINGS = [
  "plan_cache_mode = force_generic_plan",
  "jit = off",
  "enable_seqscan = off",
  "enable_mergejoin = off",
  "enable_nestloop = off",
];
