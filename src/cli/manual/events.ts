/** Commands about event scripts and the gateways that some of them make. */
import type { Subject } from "./manual.ts";

const GATEWAY_WORDS = (what: string) =>
  `\`leader\` prints the node that is ${what}, with its address; \`list\` the nodes of the group, that one marked; \`status\` their states.`;

export const EVENTS: Subject = {
  title: "Event scripts and gateways",
  commands: {
    event: {
      about: [
        "Runs events, shows what came of them, enables and disables scripts: `ctdb-event` with the same arguments. The component of CTDB's own scripts is `legacy`. No daemon but the event daemon of this node is asked.",
        {
          terms: [
            [
              "run TIMEOUT COMPONENT EVENT [ARGUMENTS]",
              "Runs an event now, for so many seconds at most; 0 is no limit.",
            ],
            [
              "status COMPONENT EVENT",
              "Shows the scripts of the last run: name, `OK`, `ERROR`, `TIMEDOUT`, `DISABLED` or `CANNOT RUN`, seconds, when it began, and what it printed if it failed.",
            ],
            [
              "script list COMPONENT",
              "Lists scripts, those that come with CTDB first, then others; enabled ones have a `*`.",
            ],
            ["script enable COMPONENT SCRIPT", "Lets a script take part in events."],
            ["script disable COMPONENT SCRIPT", "Leaves a script out of events."],
          ],
        },
      ],
      status: "Of `status`: how the event ended. Otherwise the number of the error.",
      examples: [
        {
          line: "ctdb event status legacy monitor",
          output: `00.ctdb              OK         0.010 Thu Oct 29 10:38:54 2026
05.system            OK         0.024 Thu Oct 29 10:38:54 2026
10.interface         OK         0.021 Thu Oct 29 10:38:54 2026`,
        },
        { line: "ctdb event script enable legacy 50.samba" },
      ],
    },
    scriptstatus: {
      about: [
        "Shows the scripts of the last run of an event, `monitor` without one. The same as `ctdb event status legacy EVENT`, which new scripts should use.",
      ],
      status: "0, however the event ended.",
      examples: [{ line: "ctdb scriptstatus" }, { line: "ctdb scriptstatus startup" }],
    },
    natgw: {
      about: [
        `Shows the NAT gateway of nodes without public addresses (see ctdb(7)). ${GATEWAY_WORDS("the gateway")}`,
      ],
      status: "2 if no node of the group can be it.",
      examples: [{ line: "ctdb natgw leader", output: "1 10.0.0.2" }],
    },
    lvs: {
      about: [`Shows the load balancer by LVS (see ctdb(7)). ${GATEWAY_WORDS("the balancer")}`],
      status: "2 if no node of the group can be it.",
      examples: [{ line: "ctdb lvs list", output: "10.0.0.1\n10.0.0.2  LEADER" }],
    },
  },
};
