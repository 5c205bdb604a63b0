/** The facts of the files that node links over TLS need. */
import type { ApplianceConfig } from "../../config/appliance_conf.ts";
import { parseRevoked, TLS_FILES } from "../../transport/tls/files.ts";
import { DAY_MS, REVOKED_MAX } from "../../transport/tls/limits.ts";
import type { LocalFacts } from "./facts.ts";
import type { Machine } from "./machine.ts";

/** Without `transport = tls` there are none. */
export function tlsFiles(
  machine: Machine,
  { nodeTransport, tlsDirectory }: ApplianceConfig,
  nowMs: number,
): LocalFacts["tlsFiles"] {
  if (nodeTransport !== "tls") return [];
  return Object.entries(TLS_FILES).map(([what, name]) => {
    const path = `${tlsDirectory}/${name}`;
    const isKey = what === "key";
    const common = { path, isKey, mode: machine.stat(path)?.mode };
    const text = machine.files.readText(path);
    if (!text.ok) return { ...common, problem: text.error.message, certificates: [] };
    if (isKey) return { ...common, problem: undefined, certificates: [] };
    if (what === "revoked") {
      const revoked = parseRevoked(text.value, REVOKED_MAX);
      return { ...common, problem: revoked.ok ? undefined : revoked.error, certificates: [] };
    }
    const read = machine.certificates(text.value);
    if (!read.ok) return { ...common, problem: read.error, certificates: [] };
    const certificates = read.value.map(({ serial, notAfterMs }) => ({
      serial,
      daysLeft: (notAfterMs - nowMs) / DAY_MS,
    }));
    return { ...common, problem: undefined, certificates };
  });
}
