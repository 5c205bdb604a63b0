/** The program on the client host (load_process.ts) as the benchmark sees it. */
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import type { NetnsCluster } from "../../netns/cluster.ts";
import { SHARE } from "../../netns/samba.ts";
import { within } from "../../support/until.ts";
import type { LoadReply, LoadRequest } from "./load_protocol.ts";

const ANSWER_TIMEOUT_MS = 60_000;
const PROGRAM = new URL("load_process.ts", import.meta.url).pathname;

export class LoadClient {
  readonly #process: Bun.Subprocess<"pipe", "pipe", "pipe">;
  readonly #lines: AsyncIterator<string>;

  private constructor(cluster: NetnsCluster) {
    const addresses = cluster.nodes.map(({ host }) => host.address);
    const argv = [process.execPath, PROGRAM, SHARE, ...addresses];
    this.#process = cluster.client.namespaces.spawn(argv);
    const output = Readable.fromWeb(this.#process.stdout as never);
    this.#lines = createInterface({ input: output })[Symbol.asyncIterator]();
  }

  /** With connections to all nodes. */
  static async start(cluster: NetnsCluster): Promise<LoadClient> {
    const client = new LoadClient(cluster);
    await client.#reply();
    return client;
  }

  /** Puts the load on the nodes; returns the number of operations. Throws when one fails. */
  async run(request: LoadRequest): Promise<number> {
    this.#process.stdin.write(`${JSON.stringify(request)}\n`);
    this.#process.stdin.flush();
    return (await this.#reply()).operations;
  }

  /** The program ends now, or with its host. */
  end(): void {
    this.#process.stdin.end();
  }

  async #reply(): Promise<LoadReply> {
    const next = await within("the SMB clients answer", ANSWER_TIMEOUT_MS, this.#lines.next());
    if (next.done !== true) return JSON.parse(next.value) as LoadReply;
    throw new Error(`the SMB clients ended: ${await new Response(this.#process.stderr).text()}`);
  }
}
