/**
 * Event daemons and their tools, ours and Debian's, in every combination: the same commands give the same output and
 * the same status.
 */
import { expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type EventDaemon, type ScriptTexts, withEventDaemon } from "../support/event_daemon.ts";
import { compiledExecutables } from "../support/executables.ts";
import { until, when } from "../support/until.ts";

const STOCK = "/usr/libexec/ctdb";
const interop = test.skipIf(!existsSync(`${STOCK}/ctdb-eventd`));
const LIMIT_MS = 300_000;

const SCRIPTS: ScriptTexts = {
  "events/legacy/00.first.script": `#!/bin/sh
case "$1" in
"said") echo "said $*" ;;
"lines") printf 'one\\n\\n  two\\nthree\\n\\n' ;;
"fails") echo "no good" >&2; exit 3 ;;
"killed") kill -9 $$ ;;
"hangs") echo "hanging"; sleep 60 ;;
"mixed") echo 1; echo 2 >&2; echo 3; echo 4 >&2 ;;
"second") exit 0 ;;
esac
`,
  "events/legacy/10.off.script": "nothing\n",
  "events/legacy/50.last.script": `#!/bin/sh
[ "$1" = "second" ] && exit 7
exit 0
`,
  "events/legacy/README": "not a script\n",
  "events/empty/README": "not a script\n",
  "share/events/legacy/00.given.script": "#!/bin/sh\nexit 0\n",
  "share/events/legacy/50.last.script": "#!/bin/sh\nexit 0\n",
};

const COMMANDS: readonly string[] = [
  "",
  "run",
  "run 5",
  "run 5 legacy",
  "status legacy",
  "status legacy monitor more",
  "script",
  "script list",
  "script list legacy more",
  "script enable legacy",
  "bogus",
  "-x",
  "status legacy never -d",
  "status legacy never",
  "status absent monitor",
  "run 5 absent monitor",
  "run 5 empty monitor",
  "status empty monitor",
  "-d DEBUG status legacy never",
  "run 5 legacy said with  some words",
  "status legacy said",
  "run 5 legacy lines",
  "status legacy lines",
  "run 5 legacy mixed",
  "status legacy mixed",
  "run 5 legacy fails",
  "status legacy fails",
  "run 5 legacy killed",
  "status legacy killed",
  "run 1 legacy hangs",
  "status legacy hangs",
  "run 5 legacy second",
  "status legacy second",
  // No time at all: what is quick ends in time now and then.
  "run nonsense legacy hangs",
  "script list legacy",
  "script enable legacy 00.given",
  "script enable legacy 00.given",
  "script list legacy",
  "run 5 legacy said",
  "status legacy said",
  "script disable legacy 00.given",
  "script enable legacy 10.off",
  "script disable legacy 50.last",
  "script list legacy",
  "script enable legacy 99.none",
  "script disable legacy 99.none",
  "script enable absent 99.none",
  "script disable legacy README",
  "script list absent",
  "script list empty",
];

/** What depends on the time and the place, and the messages of the tool's own log, made the same. */
function plain(text: string, base: string): string {
  return text
    .replaceAll(base, "BASE")
    .replace(/\d+\.\d{3}(?= )/g, "SECONDS")
    .replace(/[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}/g, "TIME")
    .replace(/^Command (run|status|script|script list) finished with result=.*\n/gm, "")
    .replace(/^.*(event_client|sock_client|cmdline)\.c.*\n/gm, "");
}

async function transcript(daemon: EventDaemon, tool: string): Promise<string[]> {
  const lines: string[] = [];
  for (const command of COMMANDS) {
    const words = command.split(/ +/).filter((word) => word !== "");
    const { code, stdout, stderr } = await daemon.ask(tool, ...words);
    lines.push(`$ ${command}\n${plain(stdout + stderr, daemon.base)}[${code}]`);
  }
  return lines;
}

/** Without what the tools of different releases show differently: the output of scripts, a message, usage once or twice. */
function common(transcripts: readonly string[]): string[] {
  return transcripts.map((text) => {
    const lines = text
      .replace(/^( {2}OUTPUT:.*| {4}.*|)\n/gm, "")
      .replace(/^Unable to find event script installation directory: .*\n/gm, "")
      .replace(/^ {2}-j, --json .*\n/gm, "")
      .split("\n");
    return [...new Set(lines)].join("\n");
  });
}

interop(
  "ctdb-event and ctdb-eventd give the same with Debian's as among themselves",
  async () => {
    const ours = await compiledExecutables();
    const of = async (eventd: string, tool: string): Promise<string[]> => {
      const lines: string[] = [];
      await withEventDaemon(join(eventd, "ctdb-eventd"), SCRIPTS, async (daemon) => {
        lines.push(...(await transcript(daemon, join(tool, "ctdb-event"))));
      });
      return lines;
    };
    const stockOnly = await of(STOCK, STOCK);
    expect(stockOnly.join("\n")).toContain("00.first             OK         SECONDS TIME");
    expect(await of(ours, STOCK)).toEqual(stockOnly);
    const oursOnly = await of(ours, ours);
    expect(await of(STOCK, ours)).toEqual(oursOnly);
    expect(common(oursOnly)).toEqual(common(stockOnly));
  },
  LIMIT_MS,
);

test(
  "ctdb-eventd logs what scripts print at the level that is configured for it, and takes another one while it runs",
  async () => {
    const ours = await compiledExecutables();
    const configured = (level: string) => `[legacy]\nscript log level = ${level}\n`;
    await withEventDaemon(
      join(ours, "ctdb-eventd"),
      SCRIPTS,
      async (daemon) => {
        const say = (word: string) =>
          daemon.ask(join(ours, "ctdb-event"), "run", "5", "legacy", "said", word);
        await say("quietly");
        expect(daemon.log).not.toContain("quietly");
        const text = `[logging]\nlocation = file:\n${configured("WARNING")}`;
        writeFileSync(join(daemon.base, "ctdb.conf"), text);
        process.kill(daemon.pid, "SIGUSR1");
        await until("it has read the file", LIMIT_MS, () =>
          when(daemon.log.includes("of what scripts print WARNING")),
        );
        await say("aloud");
        await until("the line is written", LIMIT_MS, () => when(daemon.log.includes("said aloud")));
      },
      configured("DEBUG"),
    );
  },
  LIMIT_MS,
);
