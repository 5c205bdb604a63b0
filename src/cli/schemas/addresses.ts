/** Documents of commands about public addresses, interfaces and connections. */
import * as v from "valibot";
import { address, count, type Facts, pnn, u32 } from "./facts.ts";

const interfaceNames = v.strictObject({
  active: v.nullable(v.string()),
  available: v.array(v.string()),
  configured: v.array(v.string()),
});

const hostedIps = v.strictObject({
  /** That was asked; null: all that are active (`ctdb ip all`). */
  node: v.nullable(pnn),
  addresses: v.array(
    v.strictObject({
      address,
      /** Where it is; null: nowhere. */
      host: v.nullable(pnn),
      /** With -v; null: nobody can know. */
      interfaces: v.exactOptional(v.nullable(interfaceNames)),
    }),
  ),
});

/** With --simulate: where addresses are, and where they would be. */
const simulatedIps = v.strictObject({
  leaving: pnn,
  addresses: v.array(v.strictObject({ address, from: v.nullable(pnn), to: v.nullable(pnn) })),
});

export const ipFacts = v.union([hostedIps, simulatedIps]);

const networkInterface = v.strictObject({
  name: v.string(),
  link_up: v.boolean(),
  references: count,
});
export type InterfaceFacts = Facts<typeof networkInterface>;

export const ifacesFacts = v.strictObject({ node: pnn, interfaces: v.array(networkInterface) });

export const ipinfoFacts = v.strictObject({
  node: pnn,
  address,
  host: v.nullable(pnn),
  interfaces: v.array(v.strictObject({ ...networkInterface.entries, active: v.boolean() })),
});

const endpoint = v.strictObject({ address, port: u32 });

export const getticklesFacts = v.strictObject({
  node: pnn,
  address,
  connections: v.array(v.strictObject({ source: endpoint, destination: endpoint })),
});
