import { expect, test } from "bun:test";
import { FakeScripts } from "../../../test/support/fake_scripts.ts";
import { err, ok } from "../../base/result.ts";
import type { EventReply, EventRequest } from "../../wire/event_protocol.ts";
import { runEventTool } from "./event_tool.ts";

const BASE = "/etc/ctdb";
const SHARE = "/usr/share/ctdb";
const LOCAL = `${BASE}/events/legacy`;

/** The tool with an event daemon that gives one reply, or a way to none (an errno). */
async function tool(
  line: string,
  reply: EventReply | number = 0,
  files = new FakeScripts(LOCAL, []),
  environment: Record<string, string> = {},
) {
  let text = "";
  const asked: EventRequest[] = [];
  const status = await runEventTool(
    {
      environment,
      etcDirectory: BASE,
      dataDirectory: SHARE,
      files,
      ask: async (request) => {
        asked.push(request);
        return typeof reply === "number" ? err(reply) : ok(reply);
      },
      out: (printed) => {
        text += printed;
      },
      err: (printed) => {
        text += `! ${printed}`;
      },
    },
    line.split(" ").filter((word) => word !== ""),
  );
  return { status, text, asked };
}

test("runEventTool() asks for an event with all its arguments", async () => {
  const reply = { command: "run", result: 0 } as const;
  const { asked, text, status } = await tool(
    "run -d DEBUG 30 legacy takeip eth0 1.2.3.4 24",
    reply,
  );
  const request = { command: "run", component: "legacy", event: "takeip" } as const;
  expect(asked).toEqual([{ ...request, args: "eth0 1.2.3.4 24", timeout: 30, flags: 0 }]);
  expect([text, status]).toEqual(["", 0]);
  const all = { CTDB_TEST_MODE: "yes", CTDB_EVENT_RUN_ALL: "1" };
  const other = await tool("run -- -3 legacy monitor", reply, undefined, all);
  expect(other.asked).toEqual([
    {
      command: "run",
      component: "legacy",
      event: "monitor",
      args: undefined,
      timeout: 0,
      flags: 1,
    },
  ]);
});

test("runEventTool() says how an event ended, in its text and its status", async () => {
  const said: Record<number, string> = {};
  for (const result of [2, 8, 110, 125, 11]) {
    const { text, status } = await tool("run 30 legacy setup", { command: "run", result });
    said[status] = text;
  }
  expect(said).toEqual({
    2: "Event dir for legacy does not exist\n",
    8: "Event setup in legacy failed\n",
    110: "Event setup in legacy timed out\n",
    125: "Event setup in legacy got cancelled\n",
    11: "Failed to run event setup in legacy, result=11\n",
  });
  expect(await tool("run 30 legacy setup", 111)).toMatchObject({
    status: 1,
    text: "! Failed to run event setup in legacy, ret=111\n",
  });
});

test("runEventTool() shows the scripts of an event, but none of an earlier run", async () => {
  const time = (sec: number, usec = 0) => ({ sec, usec });
  const script = (name: string, sec: number, result: number, output?: string) => ({
    name,
    begin: time(sec),
    end: time(sec + 1, 234_000),
    result,
    output,
  });
  const scripts = [
    script("00.ctdb", 100, 0, "one\n\ntwo\n\n"),
    script("10.off", 101, -8),
    script("11.new", 0, -42),
    script("20.bad", 102, 1),
    script("30.hung", 103, -110, "waits\n"),
    script("40.killed", 104, -4),
    script("50.strange", 105, -99),
    script("60.earlier", 50, 0),
  ];
  const reply = { command: "status", result: 0, status: { summary: -110, scripts } } as const;
  const { text, status } = await tool("status legacy monitor", reply);
  const year = new Date(100_000).getFullYear();
  const lines = text.replaceAll(new RegExp(` [A-Z][a-z]{2} [A-Z].* ${year}$`, "gm"), " TIME");
  expect(status).toBe(110);
  expect(lines).toBe(`00.ctdb              OK         1.234 TIME
  OUTPUT:
    one
    
    two
10.off               DISABLED  
20.bad               ERROR      1.234 TIME
  OUTPUT: 
30.hung              TIMEDOUT   TIME
  OUTPUT: waits
40.killed            CANNOT RUN (Interrupted system call)
  OUTPUT: 
50.strange           CANNOT RUN (Unknown error 99)
  OUTPUT: 
`);
});

test("runEventTool() lists, enables and disables provided scripts by links, others by permissions", async () => {
  const files = new FakeScripts(LOCAL, ["50.own.script", "-60.own.script"]);
  const provided = new FakeScripts(`${SHARE}/events/legacy`, ["00.ctdb.script", "10.nfs.script"]);
  for (const [path, entry] of provided.entries) files.entries.set(path, entry);
  files.directories.add(`${SHARE}/events/legacy`);
  const run = async (line: string) => {
    const { status, text } = await tool(`script ${line}`, 0, files);
    return `${text}[${status}]`;
  };
  expect(await run("list legacy")).toBe("  00.ctdb\n  10.nfs\n\n* 50.own\n  60.own\n[0]");
  for (const line of ["enable legacy 00.ctdb", "enable legacy 60.own", "disable legacy 50.own"]) {
    expect([line, await run(line), await run(line)]).toEqual([line, "[0]", "[0]"]);
  }
  expect(await run("list legacy")).toBe("* 00.ctdb\n  10.nfs\n\n  50.own\n* 60.own\n[0]");
  expect(await run("disable legacy 00.ctdb")).toBe("[0]");
  // A link of that name to something else is not the provided script.
  files.makeLink("/opt/other.script", `${LOCAL}/00.ctdb.script`);
  expect(await run("list legacy")).toBe(
    "  00.ctdb\n  10.nfs\n\n  00.ctdb\n  50.own\n* 60.own\n[0]",
  );
  expect(await run("enable legacy 99.none")).toBe("Script 99.none does not exist in legacy\n[2]");
  expect(await run("disable legacy 99.none")).toBe("[0]");
  expect(await run("list other")).toBe(
    `! Unable to find event script installation directory: ${SHARE}/events/other\n[2]`,
  );
});

test("runEventTool() explains itself when it is asked to or not understood", async () => {
  const wrong = ["", "bogus", "-x", "run 1 legacy", "status legacy", "script list a b"];
  for (const line of [...wrong, "-h", "run --help"]) {
    const { status, text, asked } = await tool(line);
    expect([line, status, asked]).toEqual([line, wrong.includes(line) ? 1 : 0, []]);
    expect(text).toContain("Usage: ctdb-event");
  }
});
