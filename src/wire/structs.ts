/**
 * All structs that controls and messages carry (docs/protocol.md, "Structs"), under one name: for the table of
 * controls, and for tests that go through all of them. Each layout stands once, as a codec; the TypeScript type
 * follows from it. Field names are the wire's.
 */
export * from "./structs/addresses.ts";
export * from "./structs/clients.ts";
export * from "./structs/cluster.ts";
export * from "./structs/databases.ts";
export * from "./structs/g_lock.ts";
export * from "./structs/records.ts";
export * from "./structs/socket_address.ts";
export * from "./structs/statistics.ts";
export * from "./structs/time.ts";
export * from "./structs/tunables.ts";
