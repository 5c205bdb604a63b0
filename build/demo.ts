/**
 * The demonstration: three nodes on loopback, a record written on one and read on another, a node killed,
 * the recovery. Leaves the cluster running until Ctrl-C; with `--once` it stops and exits.
 * Exit status 0 only when everything that was shown is as it should be.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PROJECT } from "./stage.ts";

const DIST = join(PROJECT, "dist");
const USAGE = `Usage: build/demo [--once] [--stock]
  --once    stop the cluster at the end, instead of leaving it to you
  --stock   the same with Debian's daemons and tool, to compare
`;
const RECOVERY_TIMEOUT_MS = 60_000;
const POLL_MS = 250;
const KILLED = 1;
const SURVIVORS = [0, 2];

class DemoFailure extends Error {}

class Demo {
  readonly #directory = mkdtempSync(join(tmpdir(), "ctdb-demo-"));
  readonly #stock: boolean;

  constructor(stock: boolean) {
    this.#stock = stock;
  }

  get #tool(): string {
    return this.#stock ? "/usr/bin/ctdb" : "ctdb";
  }

  async show(): Promise<void> {
    say(`Three nodes in ${this.#directory}`);
    await this.#local("setup", "-n", "3", ...(this.#stock ? ["--stock", "0,1,2"] : []));
    const start = performance.now();
    await this.#local("start");
    say(
      `They are up after ${seconds(performance.now() - start)}: they elected a leader and recovered`,
    );
    await this.#ctdb(0, "status");

    say("A record written on node 0 …");
    await this.#ctdb(0, "attach", "demo.tdb");
    await this.#ctdb(0, "writekey", "demo.tdb", "greeting", "hello from node 0");
    say("… is there on node 2: the record migrates to whoever uses it");
    this.#expect(await this.#ctdb(2, "readkey", "demo.tdb", "greeting"), "hello from node 0");

    say(`Node ${KILLED} is killed (SIGKILL) …`);
    const killed = performance.now();
    await this.#local("kill", `${KILLED}`);
    await this.#waitRecovered();
    say(`… and the others have recovered without it after ${seconds(performance.now() - killed)}`);
    await this.#ctdb(0, "status");
    say("The record is still there, on either node");
    for (const pnn of SURVIVORS) {
      this.#expect(await this.#ctdb(pnn, "readkey", "demo.tdb", "greeting"), "hello from node 0");
    }
  }

  /** Never ends by itself. */
  async leaveToUser(): Promise<void> {
    const local = `dist/ctdb-local ${this.#directory}`;
    say("The cluster runs on. Try, in another terminal:");
    process.stdout.write(`
  ${local} status
  ${local} start ${KILLED}                        # node ${KILLED} comes back
  ${local} onnode all ctdb status
  ${local} onnode 0 ctdb catdb demo.tdb
  ${local} onnode 0 ctdb statistics
  ${local} onnode 2 ctdb stop                   # node 2 leaves, "continue" brings it back
  ${local} onnode 0 /usr/bin/ctdb status        # Debian's tool, where it is installed
  ${local} print-log 0

Ctrl-C stops the cluster and removes its directory.
`);
    await new Promise<never>(() => {
      setInterval(() => {}, 60_000);
    });
  }

  async end(): Promise<void> {
    say("Stopping the cluster");
    const { code, text } = await run([join(DIST, "ctdb-local"), this.#directory, "stop"]);
    if (code !== 0) throw new DemoFailure(text);
    rmSync(this.#directory, { recursive: true, force: true });
  }

  /** Recovered: the killed node is out of the map and of the vnn map. */
  async #waitRecovered(): Promise<void> {
    const deadline = performance.now() + RECOVERY_TIMEOUT_MS;
    for (;;) {
      const { text } = await this.#onNode(0, "status");
      const lines = text.split("\n");
      const gone = lines.some((line) => /^pnn:1 .*DISCONNECTED/.test(line));
      const mapped = lines.includes(`Size:${SURVIVORS.length}`);
      if (gone && mapped && text.includes("Recovery mode:NORMAL")) return;
      if (performance.now() > deadline)
        throw new DemoFailure(`no recovery after the kill:\n${text}`);
      await Bun.sleep(POLL_MS);
    }
  }

  async #local(...args: readonly string[]): Promise<void> {
    const { code, text } = await run([join(DIST, "ctdb-local"), this.#directory, ...args]);
    if (code !== 0) throw new DemoFailure(`ctdb-local ${args.join(" ")} failed:\n${text}`);
  }

  async #ctdb(pnn: number, ...args: readonly string[]): Promise<string> {
    process.stdout.write(`\n  node ${pnn} $ ctdb ${args.join(" ")}\n`);
    const { code, text } = await this.#onNode(pnn, ...args);
    process.stdout.write(text.replace(/^(?=.)/gm, "    "));
    if (code !== 0) throw new DemoFailure(`ctdb ${args.join(" ")} on node ${pnn}: exit ${code}`);
    return text;
  }

  #onNode(pnn: number, ...args: readonly string[]) {
    const local = [join(DIST, "ctdb-local"), this.#directory, "onnode", `${pnn}`];
    return run([...local, this.#tool, ...args]);
  }

  #expect(text: string, part: string): void {
    if (!text.includes(part)) throw new DemoFailure(`expected "${part}", got "${text.trim()}"`);
  }
}

async function run(command: string[]): Promise<{ code: number; text: string }> {
  const child = Bun.spawn(command, { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { code: await child.exited, text: stdout + stderr };
}

function say(text: string): void {
  process.stdout.write(`\n== ${text}\n`);
}

function seconds(durationMs: number): string {
  return `${(durationMs / 1000).toFixed(1)} s`;
}

async function present(demo: Demo, once: boolean): Promise<void> {
  await demo.show();
  if (!once) await demo.leaveToUser();
}

function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    process.once("SIGINT", () => resolve());
    process.once("SIGTERM", () => resolve());
  });
}

async function main(args: readonly string[]): Promise<number> {
  const unknown = args.filter((arg) => arg !== "--once" && arg !== "--stock");
  if (unknown.length > 0) {
    process.stderr.write(USAGE);
    return args.includes("--help") ? 0 : 2;
  }
  const demo = new Demo(args.includes("--stock"));
  let status = 0;
  try {
    await Promise.race([present(demo, args.includes("--once")), interrupted()]);
  } catch (error) {
    if (!(error instanceof DemoFailure)) throw error;
    process.stderr.write(`\nThe demonstration failed: ${error.message}\n`);
    status = 1;
  } finally {
    await demo.end();
  }
  if (status === 0) say("Done");
  return status;
}

process.exit(await main(process.argv.slice(2)));
