/** Breakages of the limits of the daemon; see list.ts. */
import type { Breakage } from "./breakage.ts";

export const DAEMON_LIMITS_BREAKAGES: readonly Breakage[] = [
  {
    name: "controls-unlimited",
    breaks: "a client may have any number of controls unanswered",
    edits: [
      {
        file: "src/control/pending_controls.ts",
        find: "if (client.pendingControls === CONTROLS_PER_CLIENT_MAX) client.link.hold();",
        replace: "if (CONTROLS_PER_CLIENT_MAX < 0) client.link.hold();",
      },
    ],
    tests: ["test/daemon/limits.test.ts"],
  },
  {
    name: "held-for-controls-for-ever",
    breaks: "a client that had too many controls unanswered is never read from again",
    edits: [
      {
        file: "src/control/pending_controls.ts",
        find: "if (client.pendingControls === CONTROLS_PER_CLIENT_MAX - 1) client.link.release();",
        replace: "",
      },
    ],
    tests: ["test/daemon/limits.test.ts"],
  },
  {
    name: "srvids-unlimited",
    breaks: "a client registers any number of srvids",
    edits: [
      {
        file: "src/daemon/controls/clients.ts",
        find: "if (client.srvids.length >= SRVIDS_PER_CLIENT_MAX) {",
        replace: "if (SRVIDS_PER_CLIENT_MAX < 0) {",
      },
    ],
    tests: ["test/daemon/limits.test.ts"],
  },
  {
    name: "notifications-unlimited",
    breaks: "a client registers any number of notifications",
    edits: [
      {
        file: "src/daemon/controls/clients.ts",
        find: "if (notifications.length >= NOTIFICATIONS_PER_CLIENT_MAX) {",
        replace: "if (NOTIFICATIONS_PER_CLIENT_MAX < 0) {",
      },
    ],
    tests: ["test/daemon/limits.test.ts"],
  },
  {
    name: "clients-unlimited",
    breaks: "any number of clients connects",
    edits: [
      {
        file: "src/daemon/routing/client_service.ts",
        find: "clients.size >= CLIENTS_MAX) {",
        replace: "CLIENTS_MAX < 0) {",
      },
    ],
    tests: ["test/daemon/limits.test.ts"],
  },
  {
    name: "client-queue-unlimited",
    breaks: "any number of bytes waits for a client that does not read",
    edits: [
      {
        file: "src/daemon/routing/client_service.ts",
        find: "if (link.queuedBytes > CLIENT_QUEUE_BYTES_MAX) {",
        replace: "if (CLIENT_QUEUE_BYTES_MAX < 0) {",
      },
    ],
    tests: ["test/daemon/limits.test.ts"],
  },
  {
    name: "slow-reader-still-read",
    breaks: "a client that does not read its answers may go on asking",
    edits: [
      {
        file: "src/daemon/routing/client_service.ts",
        find: "      client.heldForBacklog = true;\n      link.hold();",
        replace: "      client.heldForBacklog = true;",
      },
    ],
    tests: ["test/daemon/limits.test.ts"],
  },
  {
    name: "relieved-client-held",
    breaks: "a client that has read its answers is not read from again",
    edits: [
      {
        file: "src/daemon/routing/client_service.ts",
        find: "  client.heldForBacklog = false;\n  client.link.release();",
        replace: "  client.heldForBacklog = false;",
      },
    ],
    tests: ["test/daemon/limits.test.ts"],
  },
];
