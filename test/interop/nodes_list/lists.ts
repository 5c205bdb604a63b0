/** What tests of the nodes files of a cluster ask and do, by hand and as a tool that ends in the middle. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { u64 } from "../../../src/base/u64.ts";
import type { CtdbClient } from "../../../src/client/types.ts";
import { NODE_FLAGS, SRVID } from "../../../src/wire/constants.ts";
import {
  decodeNodesFileAnswer,
  encodeNodesFileRequest,
  type NodesFileAnswer,
  type NodesFileStep,
} from "../../../src/wire/nodes_file_messages.ts";
import type { TestCluster } from "../../support/local_cluster.ts";
import { must } from "../../support/must.ts";
import { within } from "../../support/until.ts";

const ANSWER_MS = 20_000;

/** The nodes that have a file of their own from the beginning; the last one of the cluster comes later. */
export const FIRST = [0, 1, 2] as const;
export const NEW_NODE = 3;

export class Lists {
  readonly cluster: TestCluster;
  readonly newAddress: string;
  #requests = 0;

  constructor(cluster: TestCluster) {
    this.cluster = cluster;
    this.newAddress = cluster.local.description.nodes[NEW_NODE]?.address ?? "";
  }

  path(pnn: number): string {
    return `${this.cluster.base(pnn)}/nodes`;
  }
  text(pnn: number): string {
    return readFileSync(this.path(pnn), "utf8");
  }
  texts(): readonly string[] {
    return FIRST.map((pnn) => this.text(pnn));
  }
  write(pnn: number, text: string): void {
    writeFileSync(this.path(pnn), text);
  }
  /** Nodes on which a change lies that was not installed. */
  left(): readonly number[] {
    return FIRST.filter((pnn) => existsSync(`${this.path(pnn)}.new`));
  }

  /** Three nodes that know nothing of the fourth. */
  async start(): Promise<void> {
    const lines = this.text(0).trimEnd().split("\n").slice(0, FIRST.length);
    for (const pnn of FIRST) this.write(pnn, `${lines.join("\n")}\n`);
    await this.cluster.start(...FIRST);
    await this.cluster.waitReady(...FIRST);
  }

  /** Addresses by number as a node that runs knows them; "#" for a deleted one. */
  async running(pnn: number): Promise<string> {
    const client = await this.cluster.connect(pnn);
    const map = must(await client.control("GET_NODEMAP", undefined), "GET_NODEMAP").data;
    client.close();
    return map
      .map(({ flags, addr }) => ((flags & NODE_FLAGS.DELETED) !== 0 ? "#" : addr.address))
      .join(" ");
  }
  async runningEverywhere(): Promise<readonly string[]> {
    return await Promise.all(FIRST.map((pnn) => this.running(pnn)));
  }

  /** One step of a change at one node, as a tool on the client's node asks for it. */
  async step(client: CtdbClient, pnn: number, step: NodesFileStep): Promise<NodesFileAnswer> {
    this.#requests += 1;
    const id = this.#requests;
    const srvid = u64(0xce010000, (process.pid & 0xffff) * 0x10000 + 0xff00 + (id & 0xff));
    const answered = Promise.withResolvers<NodesFileAnswer>();
    const listening = must(
      await client.registerSrvid(srvid, (data) =>
        answered.resolve(must(decodeNodesFileAnswer(data))),
      ),
    );
    client.sendMessage(pnn, SRVID.NODES_FILE, encodeNodesFileRequest({ id, answer: srvid, step }));
    const answer = await within(`node ${pnn} answers ${step.step}`, ANSWER_MS, answered.promise);
    listening.remove();
    return answer;
  }
}
