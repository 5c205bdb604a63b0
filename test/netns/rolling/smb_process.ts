/**
 * A program for the client host: an SMB2 client of one public address that writes line after line into a file, each under
 * a byte-range lock that all such clients contend for, reads each back, and connects anew whenever its connection
 * breaks. What is asked for is repeated until it is acknowledged, and the wait is from the first attempt.
 *
 *     smb_process.ts ADDRESS SHARE FILE NUMBER JOURNAL
 */
import { appendFileSync } from "node:fs";
import { Smb2Connection, STATUS } from "../smb2/connection.ts";
import { LOCK_FLAGS } from "../smb2/messages.ts";
import { acknowledge, workUntilInputEnds } from "./worker_protocol.ts";

const OPEN_TIMEOUT_MS = 2_000;
/** A request without an answer for so long is one to a host that has gone: a broken connection says so sooner. */
const ANSWER_TIMEOUT_MS = 20_000;
const RETRY_MS = 50;
/** Every line is read again at the end, through each node. */
const PAUSE_MS = 100;
const LINE_BYTES = 32;
const REGION_BYTES = 1024 * 1024;
const READ_WRITE = 0x12019f;
const SHARE_ALL = 7;
const OPEN_IF = 3;

interface Session {
  readonly connection: Smb2Connection;
  readonly file: Uint8Array;
}

async function main(args: readonly string[]): Promise<void> {
  const [address, share, name, number, journal] = args;
  if (
    address === undefined ||
    share === undefined ||
    name === undefined ||
    number === undefined ||
    journal === undefined
  ) {
    throw new Error("usage: ADDRESS SHARE FILE NUMBER JOURNAL");
  }
  const { stopping } = workUntilInputEnds();
  let session: Session | undefined;
  for (let count = 0; !stopping(); count += 1) {
    const offset = (Number(number) + 1) * REGION_BYTES + count * LINE_BYTES;
    const line = `client${number}/${count}`.padEnd(LINE_BYTES, ".");
    const sinceMs = performance.now();
    for (let done = false; !done; ) {
      try {
        session ??= await within(OPEN_TIMEOUT_MS, open(address, share, name));
        await within(ANSWER_TIMEOUT_MS, writeAndRead(session, offset, line));
        done = true;
      } catch (error) {
        process.stderr.write(`line ${count}: ${String(error)}\n`);
        session = undefined;
        await pause(RETRY_MS);
      }
    }
    appendFileSync(journal, `${offset} ${line}\n`);
    acknowledge("smb", sinceMs);
    await pause(PAUSE_MS);
  }
  process.exit(0);
}

async function open(address: string, share: string, name: string): Promise<Session> {
  const connection = await Smb2Connection.open(address, share);
  const options = { access: READ_WRITE, share: SHARE_ALL, disposition: OPEN_IF };
  const { status, file } = await connection.create(name, options);
  demand("create", status);
  return { connection, file };
}

async function writeAndRead(
  { connection, file }: Session,
  offset: number,
  line: string,
): Promise<void> {
  const exclusive = LOCK_FLAGS.exclusive | LOCK_FLAGS.failImmediately;
  for (;;) {
    const locked = await connection.lock(file, 0, 1, exclusive);
    if (locked === STATUS.ok) break;
    if (locked !== STATUS.lockNotGranted) demand("lock", locked);
    await pause(1);
  }
  demand("write", await connection.write(file, offset, new TextEncoder().encode(line)));
  demand("flush", await connection.flush(file));
  demand("unlock", await connection.lock(file, 0, 1, LOCK_FLAGS.unlock));
  const { status, data } = await connection.read(file, offset, LINE_BYTES);
  demand("read", status);
  const found = new TextDecoder().decode(data);
  // Not to be repeated: what was acknowledged is not there.
  if (found !== line) stop(`wrote "${line}" at ${offset}, read "${found}"`);
}

function demand(what: string, status: number): void {
  if (status !== STATUS.ok) throw new Error(`${what}: status 0x${status.toString(16)}`);
}

function stop(reason: string): never {
  process.stderr.write(`${reason}\n`);
  process.exit(1);
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}

async function within<T>(timeoutMs: number, action: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${timeoutMs} ms`)), timeoutMs);
  });
  // What comes too late is nobody's error.
  action.catch(() => {});
  try {
    return await Promise.race([action, late]);
  } finally {
    clearTimeout(timer);
  }
}

if (import.meta.main) await main(process.argv.slice(2));
