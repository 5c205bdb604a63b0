/**
 * The nodes files of several nodes, asked for and changed through their ctdbd (wire/nodes_file_messages.ts).
 *
 * Invariant: a node whose answer does not come within the time limit has an unknown file: nothing is concluded of it.
 */
import type { U64 } from "../../base/u64.ts";
import { decodePadded } from "../../wire/codec.ts";
import { SRVID } from "../../wire/constants.ts";
import { PING_KNOWLEDGE } from "../../wire/controls.ts";
import {
  decodeNodesFileAnswer,
  encodeNodesFileRequest,
  type NodesFileAnswer,
  type NodesFileStep,
} from "../../wire/nodes_file_messages.ts";
import { nodeKnowledge } from "../../wire/structs/cluster.ts";
import { CommandFailure } from "../failure.ts";
import { okOrThrow, type Session } from "../session.ts";

/** Those of nodes that did not answer are left out. */
export type Answers = ReadonlyMap<number, NodesFileAnswer>;

/** A node's nodes file, and a change of it that was prepared and not installed. */
export interface LookedAt {
  readonly path: string;
  readonly present: FileContent;
  readonly next: FileContent | undefined;
}
type FileContent = NonNullable<NodesFileAnswer["present"]>;

export class NodesFiles {
  readonly #session: Session;
  readonly #srvid: U64;
  readonly #waiting = new Map<number, (answer: NodesFileAnswer) => void>();
  #ids = 0;

  private constructor(session: Session, srvid: U64) {
    this.#session = session;
    this.#srvid = srvid;
  }

  static async open(session: Session): Promise<NodesFiles> {
    const files = new NodesFiles(session, session.nextSrvid());
    okOrThrow(await session.client.registerSrvid(files.#srvid, (data) => files.#came(data)));
    return files;
  }

  /** Each its step, at the same time. */
  async each(pnns: readonly number[], step: (pnn: number) => NodesFileStep): Promise<Answers> {
    const answers = await Promise.all(pnns.map((pnn) => this.#ask(pnn, step(pnn))));
    return new Map(
      answers.flatMap((answer, i) => (answer === undefined ? [] : [[pnns[i] as number, answer]])),
    );
  }

  /** The files of all of `pnns`, of which everyone must be able to change its own. */
  async look(pnns: readonly number[]): Promise<ReadonlyMap<number, LookedAt>> {
    // Samba's ctdbd has nobody who listens, and would keep us waiting for the whole time limit.
    await Promise.all(pnns.map((pnn) => this.#expectOurs(pnn)));
    const answers = await this.each(pnns, () => ({ step: "look" }));
    return new Map(pnns.map((pnn) => [pnn, lookedAt(pnn, answers.get(pnn))]));
  }

  async #ask(pnn: number, step: NodesFileStep): Promise<NodesFileAnswer | undefined> {
    const { client, host, timeoutMs } = this.#session;
    this.#ids += 1;
    const id = this.#ids;
    return await new Promise((resolve) => {
      const timer = host.timers.after(timeoutMs, () => {
        this.#waiting.delete(id);
        resolve(undefined);
      });
      this.#waiting.set(id, (answer) => {
        // Another node answered with this number: whatever it means, it is no answer.
        if (answer.node !== pnn) return;
        this.#waiting.delete(id);
        timer.cancel();
        resolve(answer);
      });
      const request = encodeNodesFileRequest({ id, answer: this.#srvid, step });
      client.sendMessage(pnn, SRVID.NODES_FILE, request);
    });
  }

  #came(data: Uint8Array): void {
    const answer = decodeNodesFileAnswer(data);
    if (answer.ok) this.#waiting.get(answer.value.id)?.(answer.value);
    else this.#session.host.err(`Dropped an answer about a nodes file: ${answer.error}\n`);
  }

  async #expectOurs(pnn: number): Promise<void> {
    const options = { flags: PING_KNOWLEDGE };
    const said = await this.#session.attempt("PING", undefined, pnn, options);
    if (!said.ok) throw new CommandFailure(1, `Node ${pnn} did not answer: ${said.error.reason}`);
    if (decodePadded(nodeKnowledge, said.value.data).ok) return;
    const reason = `Node ${pnn} runs another ctdbd, which cannot change its nodes file`;
    throw new CommandFailure(1, `${reason}. ${BY_HAND}`);
  }
}

function lookedAt(pnn: number, answer: NodesFileAnswer | undefined): LookedAt {
  if (answer === undefined) {
    const reason = `Node ${pnn} did not say what its nodes file is`;
    throw new CommandFailure(1, `${reason}: it may run an older release. ${BY_HAND}`, "timeout");
  }
  const { source, refused, present, next } = answer;
  if (source.kind === "command") throw givenByCommand(pnn, source.name);
  if (refused !== null) {
    throw new CommandFailure(1, `Node ${pnn} cannot read its nodes file: ${refused}`);
  }
  if (present === null) throw new CommandFailure(1, `Node ${pnn} has no nodes file ${source.name}`);
  return { path: source.name, present, next: next ?? undefined };
}

const BY_HAND =
  'Change the nodes file of every node by hand, so that all are the same, then run "ctdb reloadnodes"';

function givenByCommand(pnn: number, command: string): CommandFailure {
  const reason = `Node ${pnn} has its list of nodes from a command, "${command}"`;
  const advice = `Change what it prints on every node, then run "ctdb reloadnodes"`;
  return new CommandFailure(1, `${reason}. ${advice}`);
}
