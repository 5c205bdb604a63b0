/** What the nodes of a simulated cluster are configured with. */
import type { ConfiguredNode, CtdbConfig, CtdbPaths } from "../../src/config/types.ts";

export const LEADER_TIMEOUT_SEC = 5;

export function nodeAddress(pnn: number): string {
  return `10.0.0.${pnn + 1}`;
}

export function nodeList(size: number): readonly ConfiguredNode[] {
  return Array.from({ length: size }, (_, pnn) => ({
    pnn,
    address: nodeAddress(pnn),
    deleted: false,
  }));
}

export const PATHS: CtdbPaths = {
  testMode: false,
  etcDirectory: "/etc",
  dataDirectory: "/usr/share",
  socket: "/run/ctdbd.socket",
  recoverdSocket: "/run/recd.socket",
  eventSocket: "/run/eventd.socket",
  pidFile: "/run/ctdbd.pid",
  logDirectory: "/log",
  variableDirectory: "/var",
  runDirectory: "/run",
  lockDirectory: "/run",
  helperDirectory: "/bin",
};

export function nodeConfig(usesLock: boolean, address: string): CtdbConfig {
  return {
    logging: { logLevel: "NOTICE", location: "file:" },
    cluster: {
      transport: "tcp",
      nodeAddress: address,
      clusterLock: usesLock ? "/cluster/lock" : undefined,
      nodesList: undefined,
      leaderTimeoutSec: LEADER_TIMEOUT_SEC,
      leaderCapability: true,
    },
    database: {
      volatileDirectory: "/volatile",
      persistentDirectory: "/persistent",
      stateDirectory: "/state",
      lockDebugScript: undefined,
      tdbMutexes: false,
    },
    event: { debugScript: undefined },
    failover: { disabled: false, shutdownExtraTimeoutSec: 0, shutdownFailoverTimeoutSec: 10 },
    legacy: {
      realtimeScheduling: false,
      lmasterCapability: true,
      startAsStopped: false,
      startAsDisabled: false,
      scriptLogLevel: "ERROR",
    },
  };
}
