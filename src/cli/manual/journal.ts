/** Commands about what happened, and why. */
import type { Subject } from "./manual.ts";

const NEEDS =
  "It asks ctdb-admind, which has to be turned on: section [admin] of ctdb-appliance.conf. Nodes are asked through the links of the daemons; neither a port nor ssh is needed. A node that keeps no journal, or does not answer, is named on standard error. Times are of this machine's clock: what the clock of another node is off is found out and taken away.";

const STATUS = "78 if nothing is recorded: no node that was asked keeps a journal.";

export const JOURNAL: Subject = {
  title: "What happened, and why",
  commands: {
    why: {
      about: [
        "Says in sentences why something happened, and below it what led to that, each cause one step further in. With `--at` it is the last one up to that moment.",
        {
          terms: [
            ["node PNN banned", "the last ban of the node"],
            ["node PNN unhealthy|disconnected|stopped|disabled", "when the node last became so"],
            ["recovery", "the last recovery"],
            ["leader", "the last change of the leader"],
            ["address ADDRESS", "the last move of a public address"],
            ["event PNN ID", "one event; `ctdb -v journal` shows the numbers"],
          ],
        },
        NEEDS,
      ],
      status: `1 if the journal knows of no such thing. ${STATUS}`,
      examples: [
        {
          line: "ctdb why node 2 banned",
          output: `2026/11/29 03:12:41.204  Node 2 was banned for 300 s by node 0: 3 credits
2026/11/29 03:12:41.118    because: Recovery 1362079228 failed: node 2 did not answer DB_PULL`,
        },
        { line: "ctdb why address 10.0.0.5 --at 03:00" },
        { line: "ctdb why recovery --json" },
      ],
    },
    journal: {
      about: [
        "Lists what happened, the oldest first: time, node, and a sentence. With `-v` also the kind of the event, its number in the journal of its node, and the process that has recorded it. Without `-n` the journals of all connected nodes are merged.",
        NEEDS,
      ],
      status: STATUS,
      examples: [
        { line: "ctdb journal --since -1h" },
        { line: "ctdb journal --kind ban,unban --limit 20" },
        { line: "ctdb -n 1 journal --follow" },
      ],
    },
    state: {
      about: [
        "Shows the cluster as it was at a moment, as journals tell: nodes with their flags, generation, recovery mode, leader, public addresses with their nodes (-1: on none), and databases.",
        NEEDS,
      ],
      status: STATUS,
      examples: [{ line: "ctdb state --at 03:12:30" }],
    },
  },
};
