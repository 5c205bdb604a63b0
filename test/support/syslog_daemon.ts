/** A syslog daemon of a test: a datagram socket in another process, which tells what it got. */
import { TemporaryDirectory } from "./temp_dir.ts";

const PROGRAM = `import socket, sys
kind, path, count, last, held = sys.argv[1:]
family = socket.AF_UNIX if kind == "unix" else socket.AF_INET
s = socket.socket(family, socket.SOCK_DGRAM)
s.bind(path if kind == "unix" else ("127.0.0.1", 0))
s.settimeout(50)
print(0 if kind == "unix" else s.getsockname()[1], flush=True)
if held == "held": sys.stdin.readline()
for i in range(int(count)):
    text = s.recv(9000).decode()
    print(repr(text), flush=True)
    if last in text and last: break`;

export interface SyslogDaemon {
  readonly unixPath: string;
  readonly udpPort: number;
  /** A held one begins to read. */
  release(): void;
}

export interface SyslogDaemonOptions {
  readonly path?: string;
  /** Reads nothing until it is released. */
  readonly held?: boolean;
  /** Ends with the first that contains this. */
  readonly last?: string;
}

/** The first `count` datagrams that come while `action` runs and after it, as Python shows them. */
export async function withSyslog(
  kind: "unix" | "udp",
  action: (daemon: SyslogDaemon) => Promise<void> | void,
  count: number,
  options: SyslogDaemonOptions = {},
): Promise<string[]> {
  using directory = new TemporaryDirectory("log");
  const unixPath = options.path ?? directory.file("log");
  const { last = "", held = false } = options;
  const words = [kind, unixPath, String(count), last, held ? "held" : "reading"];
  const python = Bun.spawn(["/usr/bin/python3", "-c", PROGRAM, ...words], {
    stdin: "pipe",
    stdout: "pipe",
  });
  try {
    const reader = python.stdout.getReader();
    const first = await reader.read();
    const udpPort = Number(new TextDecoder().decode(first.value));
    const release = () => {
      python.stdin.write("\n");
      python.stdin.flush();
    };
    await action({ unixPath, udpPort, release });
    let text = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (value !== undefined) text += new TextDecoder().decode(value);
      if (done) break;
    }
    return text.trim().split("\n");
  } finally {
    python.kill();
  }
}
