/**
 * A small deterministic world for unit tests of event-driven code: virtual time, and streams in memory
 * that can be cut into chunks of any size. No failures, no randomness: that is what test/sim is for.
 */
import { SystemError } from "../../src/base/errors.ts";
import { err, ok, type Result } from "../../src/base/result.ts";
import type {
  Acceptor,
  ConnectCallback,
  Network,
  Stream,
  StreamHandlers,
  StreamServer,
} from "../../src/platform/types/network.ts";
import type { Clock, Timer, Timers } from "../../src/platform/types/time.ts";

interface Planned {
  readonly atMs: number;
  readonly order: number;
  readonly action: () => void;
  cancelled: boolean;
}

const STEPS_MAX = 1_000_000;

export class FakeWorld {
  nowMs = 1000;
  /** Bytes per delivered chunk. */
  chunkBytes = Number.POSITIVE_INFINITY;
  /** Bytes that a stream takes before the reader must read. */
  streamBytesMax = 1 << 20;
  readonly listeners = new Map<string, Acceptor>();
  readonly #planned: Planned[] = [];
  #order = 0;

  readonly clock: Clock = {
    monotonicMs: () => this.nowMs,
    wallTime: () => ({
      sec: 1_700_000_000 + Math.floor(this.nowMs / 1000),
      usec: Math.floor((this.nowMs % 1000) * 1000),
    }),
  };

  readonly timers: Timers = {
    after: (delayMs, action) => this.#plan(delayMs, action),
    every: (intervalMs, action) => {
      let current: Timer;
      const again = (): Timer =>
        this.#plan(intervalMs, () => {
          current = again();
          action();
        });
      current = again();
      return { cancel: () => current.cancel() };
    },
    soon: (action) => void this.#plan(0, action),
    nextTurn: (action) => void this.#plan(0, action),
  };

  /** Runs everything that is due until `ms` have passed. */
  run(ms: number): void {
    const endMs = this.nowMs + ms;
    for (let steps = 0; ; steps++) {
      if (steps > STEPS_MAX) throw new Error("the world does not come to rest");
      const next = this.#next();
      if (next === undefined || next.atMs > endMs) break;
      this.#planned.splice(this.#planned.indexOf(next), 1);
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.action();
    }
    this.nowMs = endMs;
  }

  /** Runs until nothing is due now. */
  settle(): void {
    this.run(0);
  }

  /** A network as the process `pid` at `address` sees it. */
  network(address: string, pid: number): Network {
    return {
      listenUnix: (path, _mode, accept) => this.#listen(`unix:${path}`, path, accept),
      listenTcp: (to, port, accept) => this.#listen(`tcp:${to}:${port}`, to, accept),
      connectUnix: (path, connected) =>
        this.#connect(`unix:${path}`, path, { pid, address: undefined }, connected),
      connectTcp: (to, connected) =>
        this.#connect(`tcp:${to.address}:${to.port}`, to.address, { pid, address }, connected),
      interfaces: () => ok([{ name: "lo", up: true, addresses: [{ address, prefixLength: 8 }] }]),
      hasInterface: () => false,
    };
  }

  #next(): Planned | undefined {
    let best: Planned | undefined;
    for (const planned of this.#planned) {
      if (planned.cancelled) continue;
      if (
        best === undefined ||
        planned.atMs < best.atMs ||
        (planned.atMs === best.atMs && planned.order < best.order)
      ) {
        best = planned;
      }
    }
    return best;
  }

  #plan(delayMs: number, action: () => void): Timer {
    const planned: Planned = {
      atMs: this.nowMs + delayMs,
      order: this.#order++,
      action,
      cancelled: false,
    };
    this.#planned.push(planned);
    return {
      cancel: () => {
        planned.cancelled = true;
        const at = this.#planned.indexOf(planned);
        if (at >= 0) this.#planned.splice(at, 1);
      },
    };
  }

  #listen(key: string, path: string, accept: Acceptor): Result<StreamServer, SystemError> {
    if (this.listeners.has(key)) return err(new SystemError("EADDRINUSE", "bind", path));
    this.listeners.set(key, accept);
    return ok({ close: () => void this.listeners.delete(key) });
  }

  #connect(
    key: string,
    path: string,
    from: { pid: number; address: string | undefined },
    connected: ConnectCallback,
  ): Timer {
    return this.#plan(0, () => {
      const accept = this.listeners.get(key);
      if (accept === undefined) {
        connected(err(new SystemError("ECONNREFUSED", "connect", path)));
        return;
      }
      const near = new FakeStream(this, undefined, undefined);
      const far = new FakeStream(
        this,
        from.address === undefined ? { pid: from.pid, uid: 0 } : undefined,
        from.address,
      );
      near.other = far;
      far.other = near;
      far.handlers = accept(far);
      near.handlers = connected(ok(near));
    });
  }
}

export class FakeStream implements Stream {
  readonly peer: Stream["peer"];
  readonly remoteAddress: string | undefined;
  handlers: StreamHandlers | undefined;
  other: FakeStream | undefined;
  readonly #world: FakeWorld;
  #open = true;
  #paused = false;
  #arrived: (Uint8Array | "end")[] = [];
  #arrivedBytes = 0;
  #delivering = false;
  #wantsDrain = false;

  constructor(world: FakeWorld, peer: Stream["peer"], remoteAddress: string | undefined) {
    this.#world = world;
    this.peer = peer;
    this.remoteAddress = remoteAddress;
  }

  get paused(): boolean {
    return this.#paused;
  }

  write(bytes: Uint8Array): number {
    const { other } = this;
    if (!this.#open || other === undefined) return bytes.length;
    const taken = Math.min(bytes.length, this.#world.streamBytesMax - other.#arrivedBytes);
    if (taken > 0) other.#arrive(bytes.slice(0, taken));
    if (taken < bytes.length) other.#wantsDrain = true;
    return taken;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#deliverSoon();
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    if (this.other !== undefined) this.other.#arrive("end");
  }

  #arrive(item: Uint8Array | "end"): void {
    this.#arrived.push(item);
    if (item !== "end") this.#arrivedBytes += item.length;
    this.#deliverSoon();
  }

  #deliverSoon(): void {
    if (this.#delivering || this.#arrived.length === 0) return;
    this.#delivering = true;
    this.#world.timers.soon(() => {
      this.#delivering = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    const item = this.#arrived[0];
    if (item === undefined || !this.#open || this.#paused) return;
    if (item === "end") {
      this.#open = false;
      this.handlers?.onClose(undefined);
      return;
    }
    const chunk = item.subarray(0, Math.min(item.length, this.#world.chunkBytes));
    if (chunk.length === item.length) this.#arrived.shift();
    else this.#arrived[0] = item.subarray(chunk.length);
    this.#arrivedBytes -= chunk.length;
    // A copy that is spoilt afterwards: chunks are valid during the callback only.
    const lent = chunk.slice();
    this.handlers?.onData(lent);
    lent.fill(0xdb);
    if (this.#wantsDrain) {
      this.#wantsDrain = false;
      this.other?.handlers?.onDrain();
    }
    this.#deliverSoon();
  }
}
