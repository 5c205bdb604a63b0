/**
 * ctdb-event: runs events by the event daemon, shows what came of them, enables and disables scripts. Texts and exit
 * statuses are those of the original.
 */
import { ECANCELED, EINVAL, ENOENT, ENOEXEC, ETIMEDOUT } from "../../base/errno.ts";
import type { Result } from "../../base/result.ts";
import { ToolDocuments } from "../../base/tool_documents.ts";
import { asksForJson, parseToolWords, type ToolWords } from "../../base/tool_words.ts";
import type { EventToolHost } from "./event_tool_host.ts";
import { disableCommand, enableCommand, listCommand } from "./script_commands.ts";
import { NEVER_RAN, statusFacts } from "./status_facts.ts";
import { statusText } from "./status_text.ts";

interface EventCommand {
  readonly name: string;
  readonly args: string;
  readonly help: string;
  readonly argsMin: number;
  readonly argsMax: number;
  run(host: EventToolHost, args: readonly string[]): Promise<number> | number;
}

const COMMANDS: readonly EventCommand[] = [
  {
    name: "run",
    args: "<timeout> <component> <event> <args>",
    help: "Run an event",
    argsMin: 3,
    argsMax: Number.POSITIVE_INFINITY,
    run: runCommand,
  },
  {
    name: "status",
    args: "<component> <event>",
    help: "Get status of an event",
    argsMin: 2,
    argsMax: 2,
    run: statusCommand,
  },
  {
    name: "script list",
    args: "<component>",
    help: "List event scripts",
    argsMin: 1,
    argsMax: 1,
    run: (host, [component = ""]) => listCommand(host, component),
  },
  {
    name: "script enable",
    args: "<component> <script>",
    help: "Enable an event script",
    argsMin: 2,
    argsMax: 2,
    run: scriptChange(enableCommand),
  },
  {
    name: "script disable",
    args: "<component> <script>",
    help: "Disable an event script",
    argsMin: 2,
    argsMax: 2,
    run: scriptChange(disableCommand),
  },
];

const RUN_ALL = 1;
const FAILED = 1;
const SECONDS_MAX = 0x7fffffff;

/** The result is the exit status. */
export async function runEventTool(host: EventToolHost, args: readonly string[]): Promise<number> {
  const words = parseToolWords(args);
  const json = words.ok ? words.value.json && !words.value.help : asksForJson(args);
  if (!json) return await run(host, words);
  const documents = new ToolDocuments(host, "event");
  return documents.end(await run(documents.host, words));
}

async function run(host: EventToolHost, words: Result<ToolWords>): Promise<number> {
  if (words.ok) return await runWords(host, words.value);
  host.misused?.();
  host.err(`${words.error}\n`);
  host.out(usage());
  return FAILED;
}

async function runWords(host: EventToolHost, words: ToolWords): Promise<number> {
  const command = COMMANDS.find(({ name }) =>
    name.split(" ").every((word, at) => words.words[at] === word),
  );
  if (command === undefined && !words.help) host.misused?.();
  if (words.help || command === undefined) {
    host.out(command === undefined ? usage() : commandUsage(command));
    return words.help ? 0 : FAILED;
  }
  const rest = words.words.slice(command.name.split(" ").length);
  if (rest.length < command.argsMin || rest.length > command.argsMax) {
    host.misused?.();
    host.out(commandUsage(command));
    return FAILED;
  }
  return await command.run(host, rest);
}

/** Says nothing where it succeeds. */
function scriptChange(change: typeof enableCommand): EventCommand["run"] {
  return (host, [component = "", script = ""]) => {
    const result = change(host, component, script);
    if (result === 0) host.facts?.({ component, script });
    return result;
  };
}

async function runCommand(host: EventToolHost, args: readonly string[]): Promise<number> {
  const [timeout = "", component = "", event = "", ...words] = args;
  const { environment } = host;
  const runAll =
    environment["CTDB_TEST_MODE"] !== undefined && environment["CTDB_EVENT_RUN_ALL"] !== undefined;
  const reply = await host.ask({
    command: "run",
    component,
    event,
    args: words.length === 0 ? undefined : words.join(" "),
    timeout: secondsOf(timeout),
    flags: runAll ? RUN_ALL : 0,
  });
  if (!reply.ok || reply.value.command !== "run") {
    const number = reply.ok ? 0 : reply.error;
    host.err(`Failed to run event ${event} in ${component}, ret=${number}\n`);
    return FAILED;
  }
  const { result } = reply.value;
  const text = runText(component, event, result);
  if (text !== "") host.out(`${text}\n`);
  else host.facts?.({ component, event });
  return Math.abs(result);
}

function runText(component: string, event: string, result: number): string {
  switch (result) {
    case 0:
      return "";
    case ENOENT:
      return `Event dir for ${component} does not exist`;
    case ETIMEDOUT:
      return `Event ${event} in ${component} timed out`;
    case ECANCELED:
      return `Event ${event} in ${component} got cancelled`;
    case ENOEXEC:
      return `Event ${event} in ${component} failed`;
    default:
      return `Failed to run event ${event} in ${component}, result=${result}`;
  }
}

async function statusCommand(host: EventToolHost, args: readonly string[]): Promise<number> {
  const [component = "", event = ""] = args;
  const reply = await host.ask({ command: "status", component, event });
  if (!reply.ok || reply.value.command !== "status") {
    const number = reply.ok ? 0 : reply.error;
    host.err(`Failed to get status for event ${event} in ${component}, ret=${number}\n`);
    return FAILED;
  }
  const { result, status } = reply.value;
  if (result === 0 && status !== undefined) {
    if (host.facts === undefined) host.out(statusText(status));
    else host.facts({ component, event, ...statusFacts(status) });
    return Math.abs(status.summary);
  }
  if (result === EINVAL) host.facts?.({ component, event, ...NEVER_RAN });
  if (result === ENOENT) host.out(`Event dir for ${component} does not exist\n`);
  else if (result === EINVAL) host.out(`Event ${event} has never run in ${component}\n`);
  else host.out(`Unknown error (${result}) for event ${event} in ${component}\n`);
  return Math.abs(result);
}

/** As atoi(): what is no number is 0, and so is what is negative. */
function secondsOf(text: string): number {
  const value = Number.parseInt(text, 10);
  return Number.isNaN(value) ? 0 : Math.min(Math.max(value, 0), SECONDS_MAX);
}

function usage(): string {
  const width = Math.max(...COMMANDS.map(({ name, args }) => name.length + args.length));
  const lines = COMMANDS.map(
    ({ name, args, help }) => `  ${name} ${args.padEnd(width - name.length)}     ${help}\n`,
  );
  return `Usage: ctdb-event [<options>] <command> [<args>]

Help Options:
  -h, --help                                      Show this help message

Options:
  -d, --debug=ERROR|WARNING|NOTICE|INFO|DEBUG     debug level
  -j, --json                                      documents instead of texts

Commands:
${lines.join("")}`;
}

function commandUsage({ name, args, help }: EventCommand): string {
  return `Usage: ctdb-event [-h] [-h|--help]
        [-d|--debug=ERROR|WARNING|NOTICE|INFO|DEBUG] [-j|--json]
        <command> [<args>]

  ${name} ${args}     ${help}
`;
}
