/** Commands about TCP connections: tickles, which make clients of a lost node connect again. */
import type { Subject } from "./manual.ts";

const LIST = "Without arguments it reads connections from standard input, two ends a line.";

export const CONNECTIONS: Subject = {
  title: "Connections of clients",
  commands: {
    gettickles: {
      about: [
        "Lists the connections to a public address that the cluster knows, or those to one of its ports. After a takeover the new host tickles them, so that clients notice at once that their connection is gone.",
      ],
      examples: [
        {
          line: "ctdb gettickles 10.1.0.1 445",
          output:
            "Connections for IP: 10.1.0.1\nNum connections: 1\nSRC: 10.2.0.7:49152   DST: 10.1.0.1:445",
        },
        {
          line: "ctdb -X gettickles 10.1.0.1",
          output: "|Source IP|Port|Destination IP|Port|\n|10.2.0.7|49152|10.1.0.1|445|",
        },
      ],
    },
    addtickle: {
      about: [
        `Registers a connection: the end of the client, then the public address with its port. ${LIST} Samba registers its connections itself; event scripts do it for other services.`,
      ],
      status: "1 if one could not be registered; how many is told.",
      examples: [{ line: "ctdb addtickle 10.2.0.7:49152 10.1.0.1:445" }],
    },
    deltickle: {
      about: [
        `Takes back that a connection was registered; the ends are as with \`ctdb addtickle\`. ${LIST}`,
      ],
      status: "1 if one could not be taken back; how many is told.",
      examples: [{ line: "ctdb deltickle 10.2.0.7:49152 10.1.0.1:445" }],
    },
    tickle: {
      about: [
        `Sends a TCP acknowledgement to the first end, as if it came from the second. Its numbers are wrong, so the other side answers, and learns that the connection is gone. ${LIST} It needs root, and asks no daemon.`,
      ],
      status: "1 if one could not be sent; how many is told.",
      examples: [{ line: "ctdb tickle 10.2.0.7:49152 10.1.0.1:445" }],
    },
    checktcpport: {
      about: [
        "Looks whether a service of this machine listens on a TCP port, by trying to bind to it without listening. No daemon is asked.",
      ],
      status:
        "0 if the port is free. Otherwise the number of the error: 98 (EADDRINUSE) says that somebody has it.",
      examples: [{ line: "ctdb checktcpport 445", output: "Failed to bind to TCP port 445" }],
    },
  },
};
