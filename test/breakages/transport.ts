/** Breakages of the transport; see list.ts. */
import type { Breakage } from "./breakage.ts";

export const TRANSPORT_BREAKAGES: readonly Breakage[] = [
  {
    name: "any-magic",
    breaks: "a packet with another magic is taken",
    edits: [
      {
        file: "src/transport/framer.ts",
        find: "if (magic !== CTDB_MAGIC) {",
        replace: "if (magic < 0) {",
      },
    ],
    tests: ["src/transport/framer.test.ts"],
  },
  {
    name: "any-version",
    breaks: "a packet of another protocol version is taken",
    edits: [
      {
        file: "src/transport/framer.ts",
        find: "if (version !== CTDB_PROTOCOL) {",
        replace: "if (version < 0) {",
      },
    ],
    tests: ["src/transport/framer.test.ts"],
  },
  {
    name: "one-link-takes-all-turns",
    breaks: "a busy link hands out any number of packets in a turn",
    edits: [
      {
        file: "src/transport/packet_link.ts",
        find: "while (packets < SLICE_PACKETS_MAX && bytes < SLICE_BYTES_MAX) {",
        replace: "while (packets < 1e9 * SLICE_PACKETS_MAX && bytes < SLICE_BYTES_MAX) {",
      },
    ],
    tests: ["src/transport/packet_link.test.ts"],
  },
  {
    name: "one-link-takes-all-bytes",
    breaks: "a busy link hands out any number of bytes in a turn",
    edits: [
      {
        file: "src/transport/packet_link.ts",
        find: "while (packets < SLICE_PACKETS_MAX && bytes < SLICE_BYTES_MAX) {",
        replace: "while (packets < SLICE_PACKETS_MAX && bytes < 1e9 * SLICE_BYTES_MAX) {",
      },
    ],
    tests: ["src/transport/packet_link.test.ts"],
  },
  {
    name: "last-packets-lost",
    breaks: "packets that arrived before the end of a stream are lost",
    edits: [
      {
        file: "src/transport/packet_link.ts",
        find: "if (this.#framer.hasMore && this.#holds === 0) this.#ended = reason;\n    else this",
        replace: "this",
      },
    ],
    tests: ["src/transport/packet_link.test.ts"],
  },
  {
    name: "last-words-unsent",
    breaks: "what was sent in the turn of a close is lost",
    edits: [
      {
        file: "src/transport/packet_link.ts",
        find: '    if (this.#state === "open" && !this.#streamFull) this.#output.flush(this.#write);\n',
        replace: "",
      },
    ],
    tests: ["src/transport/packet_link.test.ts"],
  },
  {
    name: "padding-of-old-bytes",
    breaks: "the padding of a packet is what lay there before",
    edits: [
      {
        file: "src/transport/output_queue.ts",
        find: "    if (padded !== length) block.bytes.fill(0, at + length, at + padded);\n",
        replace: "",
      },
    ],
    tests: ["src/transport/output_queue.test.ts"],
  },
  {
    name: "node-queue-unlimited",
    breaks: "any number of bytes waits for a node that takes nothing",
    edits: [
      {
        file: "src/transport/node_peer.ts",
        find: "if (link.queuedBytes > NODE_QUEUE_BYTES_MAX) {",
        replace: "if (NODE_QUEUE_BYTES_MAX < 0) {",
      },
    ],
    tests: ["test/daemon/limits.test.ts"],
  },
  {
    name: "second-incoming-link",
    breaks: "a second connection of a node replaces the first",
    edits: [
      {
        file: "src/transport/node_links.ts",
        find: "return peer.hasIncoming ?",
        replace: "return peer.node.pnn < 0 ?",
      },
    ],
    tests: ["test/daemon/links.test.ts"],
  },
  {
    name: "connects-without-pause",
    breaks: "a node is connected to again at once",
    edits: [
      {
        file: "src/transport/connect_attempts.ts",
        find: "Math.max(0, intervalMs - sinceMs)",
        replace: "Math.max(0, 0 * sinceMs)",
      },
    ],
    tests: ["test/daemon/controls.test.ts"],
  },
  {
    name: "held-clients-of-a-lost-link",
    breaks: "clients that waited for a link that ended wait for ever",
    edits: [
      {
        file: "src/transport/node_peer.ts",
        find: "    for (const source of this.#waiting) source.release();\n    this.#waiting.clear();\n",
        replace: "",
      },
    ],
    tests: ["test/daemon/limits.test.ts"],
  },
  {
    name: "held-clients-of-a-relieved-link",
    breaks: "clients that waited for a congested link wait for ever",
    edits: [
      {
        file: "src/transport/node_peer.ts",
        find: "          for (const source of waiting) source.release();\n",
        replace: "",
      },
    ],
    tests: ["test/daemon/routing.test.ts"],
  },
  {
    name: "data-on-the-sending-link",
    breaks: "data on the connection that is for sending only is ignored",
    edits: [
      {
        file: "src/transport/node_peer.ts",
        find: 'this.restart("data came on the connection that is for sending only");',
        replace: "void this;",
      },
    ],
    tests: ["test/daemon/forged.test.ts"],
  },
  {
    name: "one-link-is-enough",
    breaks: "a node counts as connected with one of its two connections",
    edits: [
      {
        file: "src/transport/node_peer.ts",
        find: "if (this.#connected || this.#outgoing === undefined || this.#incoming === undefined) return;",
        replace: "if (this.#connected || this.#outgoing === undefined) return;",
      },
    ],
    tests: ["test/daemon/links.test.ts"],
  },
  {
    name: "malformed-not-told",
    breaks: "a packet of a node that cannot be framed is not counted",
    edits: [
      {
        file: "src/transport/node_peer.ts",
        find: "          if (malformed) this.#s.owner.onMalformed(this.node.pnn, reason);\n",
        replace: "",
      },
    ],
    tests: ["test/daemon/forged.test.ts"],
  },
];
