/**
 * When each host had which address on an interface, as its own kernel tells at once (`ip monitor`): nothing is
 * missed between two looks.
 */
import type { Host } from "./host.ts";

interface Held {
  readonly pnn: number;
  readonly address: string;
  readonly fromMs: number;
  /** Infinity: still there. */
  toMs: number;
}

export class AddressWatch {
  readonly #held: Held[] = [];
  readonly #monitors: Bun.Subprocess<"pipe", "pipe", "pipe">[] = [];

  private constructor() {}

  /** `hosts` by pnn. Times are those of Date.now(). */
  static async start(hosts: readonly Host[], interfaceName: string): Promise<AddressWatch> {
    const watch = new AddressWatch();
    for (const [pnn, host] of hosts.entries()) {
      const monitor = ["ip", "-o", "monitor", "address", "dev", interfaceName];
      watch.#follow(pnn, host.namespaces.spawn(monitor));
      // What changes from now on is told; what is there already is not.
      const present = await host.must(["ip", "-o", "address", "show", "dev", interfaceName]);
      for (const line of present.split("\n")) watch.#changed(pnn, line);
    }
    return watch;
  }

  /** Who has the address now. */
  holders(address: string): readonly number[] {
    return this.#held
      .filter((held) => held.address === address && held.toMs === Number.POSITIVE_INFINITY)
      .map(({ pnn }) => pnn);
  }

  /** When a host other than `pnn` first had the address after that time. */
  takenElsewhereMs(address: string, pnn: number, afterMs: number): number | undefined {
    return this.#held.find(
      (held) => held.address === address && held.pnn !== pnn && held.fromMs >= afterMs,
    )?.fromMs;
  }

  /** A host is gone, and its addresses with it. */
  hostEnded(pnn: number): void {
    for (const held of this.#held) {
      if (held.pnn === pnn) held.toMs = Math.min(held.toMs, Date.now());
    }
  }

  /**
   * Times in which an address was on two hosts, in words. `visibleFrom`: the first time from then on at which two hosts could
   * see each other; what they both had before that is not told.
   */
  overlaps(
    visibleFrom: (one: number, other: number, atMs: number) => number = (_one, _other, atMs) =>
      atMs,
    toleratedMs = 0,
  ): readonly string[] {
    const found: string[] = [];
    for (const [i, a] of this.#held.entries()) {
      for (const b of this.#held.slice(i + 1)) {
        if (a.address !== b.address || a.pnn === b.pnn) continue;
        const toMs = Math.min(a.toMs, b.toMs, Date.now());
        const bothMs = Math.max(a.fromMs, b.fromMs);
        const fromMs = bothMs < toMs ? visibleFrom(a.pnn, b.pnn, bothMs) : toMs;
        if (fromMs + toleratedMs >= toMs) continue;
        found.push(`${a.address} on ${a.pnn} and ${b.pnn} for ${toMs - fromMs} ms from ${fromMs}`);
      }
    }
    return found;
  }

  async end(): Promise<void> {
    for (const monitor of this.#monitors) monitor.kill();
    await Promise.all(this.#monitors.map((monitor) => monitor.exited));
  }

  #follow(pnn: number, monitor: Bun.Subprocess<"pipe", "pipe", "pipe">): void {
    this.#monitors.push(monitor);
    void this.#read(pnn, monitor.stdout);
  }

  async #read(pnn: number, output: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of output) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#changed(pnn, line);
    }
    this.hostEnded(pnn);
  }

  #changed(pnn: number, line: string): void {
    const address = /\binet6? ([0-9a-f.:]+)\//.exec(line)?.[1];
    if (address === undefined) return;
    const current = this.#held.find(
      (held) =>
        held.pnn === pnn && held.address === address && held.toMs === Number.POSITIVE_INFINITY,
    );
    const nowMs = Date.now();
    if (/^Deleted/.test(line)) {
      if (current !== undefined) current.toMs = nowMs;
    } else if (current === undefined) {
      this.#held.push({ pnn, address, fromMs: nowMs, toMs: Number.POSITIVE_INFINITY });
    }
  }
}
