/** Nodes of a scripted cluster that have nodes files, which the real service changes in memory. */
import { silentLogger } from "../../src/base/log.ts";
import {
  NodesFileService,
  type NodesListSource,
} from "../../src/daemon/nodes_file/nodes_file_service.ts";
import { encode } from "../../src/wire/codec.ts";
import { SRVID } from "../../src/wire/constants.ts";
import { PING_KNOWLEDGE } from "../../src/wire/controls.ts";
import { CURRENT_NODE } from "../../src/wire/packet.ts";
import { nodeKnowledge } from "../../src/wire/structs/cluster.ts";
import type { FakeCtdbd } from "../support/fake_ctdbd.ts";
import { MemoryPendingFile } from "../support/memory_pending_file.ts";
import { nodeAt } from "./tool_harness.ts";

const KNOWLEDGE = {
  leader: 0,
  leader_age: 0,
  heard: [],
  problems: [],
  versions: [],
  missing_links: [],
};

/** By pnn: the content of its file, or the command that gives the list. Others are of another make. */
export function withNodesFiles(
  ctdbd: FakeCtdbd,
  lists: readonly (string | { readonly command: string })[],
): readonly MemoryPendingFile[] {
  const files = lists.map((list) => new MemoryPendingFile(typeof list === "string" ? list : ""));
  const handlers = lists.map((list, pnn) => serve(ctdbd, pnn, list, files[pnn]));
  const before = ctdbd.onMessage;
  ctdbd.onMessage = (message) => {
    if (message.srvid.hi !== SRVID.NODES_FILE.hi) return before(message);
    const pnn = message.destnode === CURRENT_NODE ? ctdbd.pnn : message.destnode;
    handlers[pnn]?.(message.data);
  };
  const pinged = ctdbd.handler("PING");
  ctdbd.on("PING", (nothing, pnn, flags) => {
    const isOurs = lists[pnn === CURRENT_NODE ? ctdbd.pnn : pnn] !== undefined;
    if (flags !== PING_KNOWLEDGE) return pinged?.(nothing, pnn, flags) ?? { status: 3 };
    return isOurs ? { status: 3, data: encode(nodeKnowledge, KNOWLEDGE) } : { status: 3 };
  });
  return files;
}

function serve(
  ctdbd: FakeCtdbd,
  pnn: number,
  list: string | { readonly command: string },
  file: MemoryPendingFile | undefined,
): (data: Uint8Array) => void {
  let handler: (data: Uint8Array, srcnode: number) => void = () => {};
  const source: NodesListSource =
    typeof list === "string" && file !== undefined
      ? { kind: "file", file }
      : { kind: "command", command: typeof list === "string" ? list : list.command };
  const own = { pnn, address: nodeAt(pnn).addr.address };
  new NodesFileService({
    nodes: { own, ownPnn: pnn, exists: () => true } as never,
    messages: {
      listen: (_srvid, heard) => {
        handler = heard;
        return () => {};
      },
      send: (_to, srvid, data) => ctdbd.sendMessage(srvid, data, pnn),
    },
    log: silentLogger,
    source: () => source,
    inTurn: (action) => action(),
  });
  return (data) => handler(data, ctdbd.pnn);
}
