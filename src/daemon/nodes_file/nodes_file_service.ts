/**
 * Takes the steps of changes of the nodes file that a tool asks for, on this node or another one
 * (wire/nodes_file_messages.ts). What a step may do is decided in membership/nodes_change.ts.
 *
 * Invariants:
 * 1. One step at a time: between looking at the files and acting nobody else of this process acts.
 * 2. Every request that can be read is answered, with the files as they are afterwards.
 * 3. Nothing here waits for a disk: the file is somebody else's, who calls back.
 */
import type { Logger } from "../../base/log.ts";
import type { Result } from "../../base/result.ts";
import type { NodeTable } from "../../membership/node_table.ts";
import { judgeStep, type NodesFileVerdict } from "../../membership/nodes_change.ts";
import type { PendingFile, PendingFileState } from "../../platform/types/pending_file.ts";
import { SRVID } from "../../wire/constants.ts";
import {
  decodeNodesFileRequest,
  encodeNodesFileAnswer,
  type NodesFileAnswer,
  type NodesFileRequest,
} from "../../wire/nodes_file_messages.ts";
import type { MessageRouter } from "../routing/message_router.ts";
import { STEPS_WAITING_MAX } from "./limits.ts";

/** Where the list of nodes comes from, as the configuration is now. */
export type NodesListSource =
  | { readonly kind: "file"; readonly file: PendingFile }
  | { readonly kind: "command"; readonly command: string };

export interface NodesFileServiceParts {
  readonly nodes: Pick<NodeTable, "own" | "ownPnn" | "exists">;
  readonly messages: Pick<MessageRouter, "listen" | "send">;
  readonly log: Logger;
  source(): NodesListSource;
  /** Runs what a file calls back with as a turn of the loop. */
  inTurn(action: () => void): void;
}

interface Waiting {
  readonly from: number;
  readonly request: NodesFileRequest;
}

const EMPTY_STATE: PendingFileState = { present: undefined, next: undefined };

export class NodesFileService {
  readonly #p: NodesFileServiceParts;
  readonly #remove: () => void;
  readonly #waiting: Waiting[] = [];
  #working = false;
  #closed = false;

  constructor(parts: NodesFileServiceParts) {
    this.#p = parts;
    this.#remove = parts.messages.listen(SRVID.NODES_FILE, (data, srcnode) =>
      this.#asked(data, srcnode),
    );
  }

  close(): void {
    this.#closed = true;
    this.#remove();
    this.#waiting.length = 0;
  }

  #asked(data: Uint8Array, from: number): void {
    const { log, nodes } = this.#p;
    const request = decodeNodesFileRequest(data);
    if (!request.ok) {
      log.warning(`Dropped a request of node ${from} about the nodes file: ${request.error}`);
      return;
    }
    // Where an answer would go nobody is.
    if (!nodes.exists(from)) return;
    if (this.#waiting.length >= STEPS_WAITING_MAX) {
      const waiting = { from, request: request.value };
      const reason = `${STEPS_WAITING_MAX} steps wait there already`;
      this.#answer(waiting, this.#p.source(), EMPTY_STATE, reason);
      return;
    }
    this.#waiting.push({ from, request: request.value });
    this.#next();
  }

  #next(): void {
    if (this.#working || this.#closed) return;
    const waiting = this.#waiting.shift();
    if (waiting === undefined) return;
    this.#working = true;
    const source = this.#p.source();
    if (source.kind === "command") {
      this.#finished(waiting, source, EMPTY_STATE, undefined);
      return;
    }
    this.#called(source.file.look, source.file, (state) => {
      if (!state.ok) return this.#finished(waiting, source, EMPTY_STATE, state.error);
      const { own } = this.#p.nodes;
      const verdict = judgeStep(waiting.request.step, state.value, own);
      this.#act(waiting, source, state.value, verdict);
    });
  }

  #act(
    waiting: Waiting,
    source: NodesListSource & { readonly kind: "file" },
    state: PendingFileState,
    verdict: NodesFileVerdict,
  ): void {
    const { file } = source;
    if (verdict.act === "nothing" || verdict.act === "refuse") {
      const reason = verdict.act === "refuse" ? verdict.reason : undefined;
      this.#finished(waiting, source, state, reason);
      return;
    }
    const acted = (outcome: Result<void>) => {
      this.#told(waiting, file.path, verdict.act, outcome);
      this.#called(file.look, file, (after) => {
        const reason = outcome.ok ? undefined : outcome.error;
        if (after.ok) this.#finished(waiting, source, after.value, reason);
        else this.#finished(waiting, source, EMPTY_STATE, reason ?? after.error);
      });
    };
    if (verdict.act === "prepare") {
      const { text } = verdict;
      this.#called(
        (done: (outcome: Result<void>) => void) => file.prepare(text, done),
        file,
        acted,
      );
    } else {
      this.#called(file[verdict.act], file, acted);
    }
  }

  /** What the file calls back with, unless the node has ended meanwhile. */
  #called<T>(
    operation: (done: (outcome: Result<T>) => void) => void,
    file: PendingFile,
    then: (outcome: Result<T>) => void,
  ): void {
    operation.call(file, (outcome) => {
      if (!this.#closed) this.#p.inTurn(() => then(outcome));
    });
  }

  #told({ from }: Waiting, path: string, act: string, outcome: Result<void>): void {
    const { log } = this.#p;
    const what = `${act} a change of the nodes file "${path}"`;
    if (outcome.ok) log.notice(`Node ${from} had this node ${what}`);
    else log.error(`Cannot ${what}, as node ${from} asks for: ${outcome.error}`);
  }

  #finished(
    waiting: Waiting,
    source: NodesListSource,
    state: PendingFileState,
    refused: string | undefined,
  ): void {
    this.#working = false;
    this.#answer(waiting, source, state, refused);
    this.#next();
  }

  #answer(
    { from, request }: Waiting,
    source: NodesListSource,
    { present, next }: PendingFileState,
    refused: string | undefined,
  ): void {
    const name = source.kind === "file" ? source.file.path : source.command;
    const isStep = request.step.step !== "look";
    const byCommand =
      source.kind === "command" && isStep ? `the command ${name} gives its list` : undefined;
    const answer: NodesFileAnswer = {
      id: request.id,
      node: this.#p.nodes.ownPnn,
      refused: refused ?? byCommand ?? null,
      source: { kind: source.kind, name },
      present: present ?? null,
      next: next ?? null,
    };
    this.#p.messages.send(from, request.answer, encodeNodesFileAnswer(answer));
  }
}
