/** Commands that ask or tell one node something small. */
import { LOG_LEVELS, logLevelOfNumber, parseLogLevel } from "../../base/log.ts";
import { U64_ZERO, u64Equal, u64Hex } from "../../base/u64.ts";
import { bytesText, encode } from "../../wire/codec.ts";
import { CAPABILITIES, RUNSTATES, SRVID } from "../../wire/constants.ts";
import { srvidMessage } from "../../wire/structs/cluster.ts";
import type { Command, CommandContext } from "../command.ts";
import { CommandFailure, expectArguments, WrongArguments } from "../failure.ts";
import { calendarTime, elapsedTime, machineRow, sixDecimals } from "../format.ts";
import { answerFacts } from "../json.ts";
import { parseLeadingInteger, parseUnsigned64 } from "../numbers.ts";
import type { Facts } from "../schemas/facts.ts";
import type { pnnFacts } from "../schemas/node.ts";
import { connectionLost, okOrThrow } from "../session.ts";

export const pnn: Command = async ({ session, host, options }) => {
  if (options.json) answerFacts(host, { pnn: session.pnn } satisfies Facts<typeof pnnFacts>);
  else host.out(`${session.pnn}\n`);
  return 0;
};

export const uptime: Command = async ({ session, host }) => {
  const times = await session.ask("UPTIME", undefined);
  const now = times.current_time.sec;
  const ago = (sec: number) => `${elapsedTime(now - sec)} ${calendarTime(sec)}`;
  const started = times.last_recovery_started;
  const finished = times.last_recovery_finished;
  const duration = finished.sec - started.sec + (finished.usec - started.usec) * 1e-6;
  const target = String(session.target).padEnd(4);
  host.out(
    `Current time of node ${target}     :                ${calendarTime(now)}\n` +
      `Ctdbd start time              : ${ago(times.ctdbd_start_time.sec)}\n` +
      `Time of last recovery/failover: ${ago(finished.sec)}\n` +
      `Duration of last recovery/failover: ${sixDecimals(duration)} seconds\n`,
  );
  return 0;
};

export const ping: Command = async ({ session, host }) => {
  const startMs = host.clock.monotonicMs();
  const clients = (await session.answer("PING", undefined)).status;
  const seconds = sixDecimals((host.clock.monotonicMs() - startMs) / 1000);
  host.out(`response from ${session.target} time=${seconds} sec  (${clients} clients)\n`);
  return 0;
};

export const getpid: Command = async ({ session, host }) => {
  host.out(`${(await session.answer("GET_PID", undefined)).status}\n`);
  return 0;
};

export const runstate: Command = async ({ session, host }, args) => {
  const state = RUNSTATES[await session.ask("GET_RUNSTATE", undefined)] ?? "UNKNOWN";
  for (const wanted of args) {
    const known = RUNSTATES.find((name) => name === wanted.toUpperCase());
    if (known === undefined || known === "UNKNOWN") {
      host.out(`Invalid run state (${wanted})\n`);
      return 1;
    }
    if (known === state) break;
    if (wanted === args[args.length - 1]) {
      host.out(`CTDB not in required run state (got ${state})\n`);
      return 1;
    }
  }
  host.out(`${state}\n`);
  return 0;
};

export const processExists: Command = async ({ session, host }, args) => {
  expectArguments(args, 1, 2);
  const pid = parseLeadingInteger(args[0] as string);
  const srvid = args[1] === undefined ? parseUnsigned64("0") : parseUnsigned64(args[1]);
  if (!srvid.ok) return srvid.error;
  const any = u64Equal(srvid.value, U64_ZERO);
  const outcome = any
    ? await session.attempt("PROCESS_EXISTS", pid)
    : await session.attempt("CHECK_PID_SRVID", { pid, srvid: srvid.value });
  if (!outcome.ok && outcome.error.kind !== "refused") okOrThrow(outcome);
  const what = any ? `PID ${pid}` : `PID ${pid} with SRVID ${u64Hex(srvid.value, true)}`;
  host.out(`${what} ${outcome.ok ? "exists" : "does not exist"}\n`);
  return outcome.ok ? 0 : outcome.error.status;
};

export const getcapabilities: Command = async ({ session, host, options }, args) => {
  expectArguments(args, 0);
  const capabilities = await session.ask("GET_CAPABILITIES", undefined);
  const leader = (capabilities & CAPABILITIES.RECMASTER) !== 0;
  const lmaster = (capabilities & CAPABILITIES.LMASTER) !== 0;
  if (options.machine) {
    const rows = [
      ["LEADER", "LMASTER"],
      [leader ? 1 : 0, lmaster ? 1 : 0],
    ];
    host.out(rows.map((row) => `${machineRow(options.separator, row)}\n`).join(""));
  } else {
    host.out(`LEADER: ${leader ? "YES" : "NO"}\nLMASTER: ${lmaster ? "YES" : "NO"}\n`);
  }
  return 0;
};

export const setdebug: Command = async ({ session, host }, args) => {
  expectArguments(args, 1);
  const level = parseLogLevel(args[0] as string);
  const text = args[0] as string;
  if (level === undefined) {
    host.err(`Invalid debug level '${text}'. Valid levels are:\n`);
    host.err("\tERROR | WARNING | NOTICE | INFO | DEBUG\n");
    return 1;
  }
  await session.ask("SET_DEBUG", /^[0-9]+$/.test(text) ? Number(text) : LOG_LEVELS[level]);
  return 0;
};

export const getdebug: Command = async ({ session, host }, args) => {
  expectArguments(args, 0);
  const level = await session.ask("GET_DEBUG", undefined);
  host.out(`${logLevelOfNumber(level) ?? "UNKNOWN"}\n`);
  return 0;
};

/** `on` or `off`, for the capability controls. */
function onOrOff(args: readonly string[]): number {
  expectArguments(args, 1);
  if (args[0] === "on") return 1;
  if (args[0] === "off") return 0;
  throw new WrongArguments();
}

export const setlmasterrole: Command = async ({ session }, args) => {
  await session.ask("SET_LMASTERROLE", onOrOff(args));
  return 0;
};

export const setleaderrole: Command = async ({ session }, args) => {
  await session.ask("SET_RECMASTERROLE", onOrOff(args));
  return 0;
};

function showReport(context: CommandContext, report: Uint8Array): void {
  const end = report.indexOf(0);
  context.host.out(bytesText(end < 0 ? report : report.subarray(0, end)));
}

export const dumpmemory: Command = async (context) => {
  showReport(context, await context.session.ask("DUMP_MEMORY", undefined));
  return 0;
};

export const rddumpmemory: Command = async (context) => {
  const { client, target } = context.session;
  const srvid = context.session.nextSrvid();
  const report = Promise.withResolvers<Uint8Array>();
  client.onDisconnect((reason) => report.reject(connectionLost({ reason })));
  const handler = (data: Uint8Array) => report.resolve(data.slice());
  if (!(await client.registerSrvid(srvid, handler)).ok) throw new CommandFailure(1);
  client.sendMessage(target, SRVID.MEM_DUMP, encode(srvidMessage, { pnn: client.pnn, srvid }));
  showReport(context, await report.promise);
  return 0;
};
