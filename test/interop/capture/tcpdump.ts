/** Records the node links of one cluster from the loopback interface; needs root. */
import { existsSync, readFileSync, statSync } from "node:fs";
import type { TestCluster } from "../../support/local_cluster.ts";
import { until, when } from "../../support/until.ts";

const START_TIMEOUT_MS = 10_000;
const QUIET_MS = 1_200;
const FLUSH_TIMEOUT_MS = 20_000;
const BUFFER_KIB = 32 * 1024;

export function canCapture(): boolean {
  const programs = ["/usr/bin/tcpdump", "/usr/bin/tshark"];
  return process.getuid?.() === 0 && programs.every((path) => existsSync(path));
}

/** Runs `traffic` and gives the capture's bytes; throws when the kernel dropped packets. */
export async function captureWhile(
  cluster: TestCluster,
  path: string,
  traffic: () => Promise<void>,
): Promise<Uint8Array> {
  const address = cluster.local.description.nodes[0]?.address ?? "";
  const network = `${address.split(".").slice(0, 3).join(".")}.0/24`;
  const filter = `tcp port 4379 and net ${network}`;
  const options = ["-i", "lo", "-s", "0", "-U", "-n", "-B", String(BUFFER_KIB), "-Z", "root"];
  const tcpdump = Bun.spawn(["tcpdump", ...options, "-w", path, filter], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  const said = new Response(tcpdump.stderr).text();
  try {
    await until("tcpdump writes its file", START_TIMEOUT_MS, () => when(existsSync(path)));
    await traffic();
    await writtenOut(path);
  } finally {
    tcpdump.kill("SIGTERM");
    await tcpdump.exited;
  }
  const dropped = /(\d+) packets? dropped by kernel/.exec(await said)?.[1];
  if (dropped !== "0") throw new Error(`tcpdump dropped ${dropped} packets: ${await said}`);
  return readFileSync(path);
}

/** The last packets come to the file after a moment: wait until it does not grow. */
async function writtenOut(path: string): Promise<void> {
  let size = -1;
  let sinceMs = performance.now();
  await until("tcpdump has written everything", FLUSH_TIMEOUT_MS, () => {
    const now = statSync(path).size;
    if (now !== size) sinceMs = performance.now();
    size = now;
    return when(performance.now() - sinceMs > QUIET_MS);
  });
}
