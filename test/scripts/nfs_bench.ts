/** A bench for 60.nfs: checks and call-outs beside the functions, an rpcinfo that says what the test wants. */
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { SCRIPTS, ScriptBench } from "./script_bench.ts";

/** The first call of monitor decides at once, and later ones count: this makes it the second one. */
export async function healthyOnce(bench: ScriptBench): Promise<void> {
  const { code, output } = await bench.event("60.nfs", "monitor");
  if (code !== 0 || output !== "") throw new Error(`monitor: status ${code}\n${output}`);
}

export function nfsBench(...options: readonly string[]): ScriptBench {
  const bench = new ScriptBench();
  for (const name of ["nfs-checks.d", "nfs-linux-kernel-callout", "nfs-ganesha-callout"]) {
    symlinkSync(join(SCRIPTS, name), bench.path("base", name));
  }
  bench.environment["CTDB_NFS_DISTRO_STYLE"] = "sysvinit-debian";
  bench.options(options.join("\n"));
  for (const name of ["rpcinfo", "exportfs", "pkill", "nfsconf", "sleep"]) bench.standIn(name);
  for (const name of ["mountd", "statd", "rquotad"]) bench.standIn(`rpc.${name}`);
  return bench;
}

/** A call-out that does nothing but note its calls and say `body`. */
export function fakeCallout(bench: ScriptBench, body = ""): void {
  bench.standIn("callout", body);
  bench.environment["CTDB_NFS_CALLOUT"] = bench.path("bin/callout");
}

/** One check instead of the shipped ones. */
export function onlyCheck(bench: ScriptBench, name: string, text: string): void {
  bench.write(`checks/${name}`, text);
  bench.environment["CTDB_NFS_CHECKS_DIR"] = bench.path("checks");
}
