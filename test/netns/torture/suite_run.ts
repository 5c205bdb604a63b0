/** One run of a suite of smbtorture on a cluster, as a rule with its connections on two nodes in turn. */
import type { NetnsCluster } from "../cluster.ts";
import { PASSWORD, SHARE, USER } from "../samba.ts";
import type { Suite } from "./suites.ts";

export type Verdict = "success" | "failure" | "skip";

export interface SuiteResult {
  /** By the test's full name, "smb2.lock.valid-request"; a suite that broke off has failed as a whole. */
  readonly verdicts: ReadonlyMap<string, Verdict>;
  readonly output: string;
  readonly seconds: number;
}

const NODES_USED = 2;
/** How long smbd holds a refused SMB1 open back; its default makes some suites wait for hours. */
const SHARE_DELAY_US = 20_000;
/** For smb.conf. */
export const TORTURE_OPTIONS: readonly string[] = [`smbd:sharedelay = ${SHARE_DELAY_US}`];
const PROXY = new URL("alternating_proxy.ts", import.meta.url).pathname;

export async function runSuite(
  cluster: NetnsCluster,
  { name: suite, oneNode }: Suite,
  timeoutMs: number,
): Promise<SuiteResult> {
  const start = performance.now();
  const nodes = cluster.nodes.slice(0, oneNode ? 1 : NODES_USED).map(({ host }) => host.address);
  const { client } = cluster;
  const proxy = client.namespaces.spawn([process.execPath, PROXY, client.address, ...nodes]);
  try {
    const listening = await proxy.stdout.getReader().read();
    if (listening.done) throw new Error(await new Response(proxy.stderr).text());
    const seconds = Math.ceil(timeoutMs / 1000);
    const unc = `//${client.address}/${SHARE}`;
    const { code, stdout, stderr } = await client.run(
      [
        ...["timeout", "--signal=KILL", String(seconds)],
        ...["smbtorture", unc, suite, `-U${USER}%${PASSWORD}`, "--format=subunit"],
        "--option=torture:progress=no",
        `--option=torture:sharedelay=${SHARE_DELAY_US}`,
      ],
      { timeoutMs: timeoutMs + 5000 },
    );
    const output = `${stdout}${stderr}`;
    const verdicts = readVerdicts(suite, stdout, oneNode ? " (one node)" : "");
    const brokeOff = code > 1 || verdicts.size === 0;
    if (brokeOff) verdicts.set(`${suite} (status ${code})`, "failure");
    return { verdicts, output, seconds: (performance.now() - start) / 1000 };
  } finally {
    proxy.stdin.end();
    await proxy.exited;
  }
}

/** Lines "success: NAME", "failure: NAME [", "error: NAME [", "skip: NAME". */
export function readVerdicts(suite: string, output: string, suffix = ""): Map<string, Verdict> {
  const verdicts = new Map<string, Verdict>();
  for (const [, word, name] of output.matchAll(/^(success|failure|error|skip): (\S+)/gm)) {
    const full = name === suite || name?.startsWith(`${suite}.`) ? name : `${suite}.${name}`;
    verdicts.set(`${full}${suffix}`, word === "success" || word === "skip" ? word : "failure");
  }
  return verdicts;
}
