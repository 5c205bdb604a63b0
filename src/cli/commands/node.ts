/** Commands that ask or tell one node something small. */
import { LOG_LEVELS, logLevelOfNumber, parseLogLevel } from "../../base/log.ts";
import { U64_ZERO, u64Equal, u64Hex } from "../../base/u64.ts";
import type { Timeval } from "../../platform/types/time.ts";
import { bytesText, encode } from "../../wire/codec.ts";
import { CAPABILITIES, RUNSTATES, SRVID } from "../../wire/constants.ts";
import type { ControlReplyOf } from "../../wire/controls.ts";
import { srvidMessage } from "../../wire/structs/cluster.ts";
import type { Command, CommandContext } from "../command.ts";
import { CommandFailure, expectArguments, WrongArguments } from "../failure.ts";
import { calendarTime, elapsedTime, machineRow, sixDecimals } from "../format.ts";
import { answerFacts } from "../json.ts";
import { parseLeadingInteger, parseUnsigned64 } from "../numbers.ts";
import type { Facts } from "../schemas/facts.ts";
import type {
  getcapabilitiesFacts,
  getdebugFacts,
  getpidFacts,
  memoryFacts,
  pingFacts,
  pnnFacts,
  processExistsFacts,
  runstateFacts,
  uptimeFacts,
} from "../schemas/node.ts";
import { connectionLost, okOrThrow } from "../session.ts";

export const pnn: Command = async ({ session, host, options }) => {
  if (options.json) answerFacts(host, { pnn: session.pnn } satisfies Facts<typeof pnnFacts>);
  else host.out(`${session.pnn}\n`);
  return 0;
};

export const uptime: Command = async ({ session, host, options }) => {
  const times = await session.ask("UPTIME", undefined);
  if (options.json) {
    answerFacts(host, uptimeFactsOf(session.target, times));
    return 0;
  }
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

function uptimeFactsOf(node: number, times: ControlReplyOf<"UPTIME">): Facts<typeof uptimeFacts> {
  const whole = ({ sec, usec }: Timeval) => sec + usec * 1e-6;
  const orNull = (at: Timeval) => (at.sec === 0 ? null : whole(at));
  const start = orNull(times.last_recovery_started);
  const end = orNull(times.last_recovery_finished);
  const ended = start !== null && end !== null && end >= start;
  return {
    node,
    current_time: whole(times.current_time),
    start_time: whole(times.ctdbd_start_time),
    last_recovery_start_time: start,
    last_recovery_end_time: end,
    last_recovery_seconds: ended ? end - start : null,
  };
}

export const ping: Command = async ({ session, host, options }) => {
  const startMs = host.clock.monotonicMs();
  const clients = (await session.answer("PING", undefined)).status;
  const seconds = (host.clock.monotonicMs() - startMs) / 1000;
  const node = session.target;
  if (options.json) {
    const facts: Facts<typeof pingFacts> = { node, response_seconds: seconds, clients };
    answerFacts(host, facts);
  } else {
    host.out(`response from ${node} time=${sixDecimals(seconds)} sec  (${clients} clients)\n`);
  }
  return 0;
};

export const getpid: Command = async ({ session, host, options }) => {
  const pid = (await session.answer("GET_PID", undefined)).status;
  const facts: Facts<typeof getpidFacts> = { node: session.target, pid };
  if (options.json) answerFacts(host, facts);
  else host.out(`${pid}\n`);
  return 0;
};

export const runstate: Command = async ({ session, host, options }, args) => {
  const state = RUNSTATES[await session.ask("GET_RUNSTATE", undefined)] ?? "UNKNOWN";
  const answer = (expected: boolean | null) => {
    const facts: Facts<typeof runstateFacts> = {
      node: session.target,
      runstate: state,
      expected,
    };
    if (options.json) answerFacts(host, facts);
    else if (expected === false) host.out(`CTDB not in required run state (got ${state})\n`);
    else host.out(`${state}\n`);
    return expected === false ? 1 : 0;
  };
  for (const wanted of args) {
    const known = RUNSTATES.find((name) => name === wanted.toUpperCase());
    if (known === undefined || known === "UNKNOWN") {
      host.out(`Invalid run state (${wanted})\n`);
      return 1;
    }
    if (known === state) break;
    if (wanted === args[args.length - 1]) return answer(false);
  }
  return answer(args.length === 0 ? null : true);
};

export const processExists: Command = async ({ session, host, options }, args) => {
  expectArguments(args, 1, 2);
  const pid = parseLeadingInteger(args[0] as string);
  const srvid = args[1] === undefined ? parseUnsigned64("0") : parseUnsigned64(args[1]);
  if (!srvid.ok) return srvid.error;
  const any = u64Equal(srvid.value, U64_ZERO);
  const outcome = any
    ? await session.attempt("PROCESS_EXISTS", pid)
    : await session.attempt("CHECK_PID_SRVID", { pid, srvid: srvid.value });
  if (!outcome.ok && outcome.error.kind !== "refused") okOrThrow(outcome);
  if (options.json) {
    answerFacts(host, {
      node: session.target,
      pid,
      srvid: any ? null : u64Hex(srvid.value),
      exists: outcome.ok,
    } satisfies Facts<typeof processExistsFacts>);
    return outcome.ok ? 0 : outcome.error.status;
  }
  const what = any ? `PID ${pid}` : `PID ${pid} with SRVID ${u64Hex(srvid.value, true)}`;
  host.out(`${what} ${outcome.ok ? "exists" : "does not exist"}\n`);
  return outcome.ok ? 0 : outcome.error.status;
};

export const getcapabilities: Command = async ({ session, host, options }, args) => {
  expectArguments(args, 0);
  const capabilities = await session.ask("GET_CAPABILITIES", undefined);
  const leader = (capabilities & CAPABILITIES.RECMASTER) !== 0;
  const lmaster = (capabilities & CAPABILITIES.LMASTER) !== 0;
  if (options.json) {
    const facts: Facts<typeof getcapabilitiesFacts> = { node: session.target, leader, lmaster };
    answerFacts(host, facts);
  } else if (options.machine) {
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

export const getdebug: Command = async ({ session, host, options }, args) => {
  expectArguments(args, 0);
  const number = await session.ask("GET_DEBUG", undefined);
  const level = logLevelOfNumber(number);
  if (options.json) {
    answerFacts(host, {
      node: session.target,
      level: level ?? null,
      level_raw: number,
    } satisfies Facts<typeof getdebugFacts>);
  } else {
    host.out(`${level ?? "UNKNOWN"}\n`);
  }
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

function showReport({ host, session, options }: CommandContext, bytes: Uint8Array): void {
  const end = bytes.indexOf(0);
  const report = bytesText(end < 0 ? bytes : bytes.subarray(0, end));
  const facts: Facts<typeof memoryFacts> = { node: session.target, report };
  if (options.json) answerFacts(host, facts);
  else host.out(report);
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
