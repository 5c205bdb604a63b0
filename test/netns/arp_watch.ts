/** Gratuitous ARP that a host sees on an interface, and when (tcpdump). */
import type { Host } from "./host.ts";

export class ArpWatch {
  readonly #seen: { readonly address: string; readonly atMs: number }[] = [];
  readonly #tcpdump: Bun.Subprocess<"pipe", "pipe", "pipe">;

  private constructor(tcpdump: Bun.Subprocess<"pipe", "pipe", "pipe">) {
    this.#tcpdump = tcpdump;
  }

  static async start(host: Host, interfaceName: string): Promise<ArpWatch> {
    // Only what goes to everybody: a host also answers who asks for it.
    const filter = ["-l", "-n", "-i", interfaceName, "arp and ether broadcast"];
    const watch = new ArpWatch(host.namespaces.spawn(["tcpdump", ...filter]));
    // It says "listening on" when it captures.
    await watch.#tcpdump.stderr.getReader().read();
    void watch.#follow();
    return watch;
  }

  /** When the address was first announced after that time. */
  announcedMs(address: string, afterMs: number): number | undefined {
    return this.#seen.find((seen) => seen.address === address && seen.atMs >= afterMs)?.atMs;
  }

  async end(): Promise<void> {
    this.#tcpdump.kill();
    await this.#tcpdump.exited;
  }

  async #follow(): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of this.#tcpdump.stdout) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        // "Request who-has A (…) tell A" and "Reply A is-at MAC": who asks for itself announces itself.
        const [, asked, asker] = /who-has ([0-9.]+).* tell ([0-9.]+)/.exec(line) ?? [];
        const replied = /Reply ([0-9.]+) is-at/.exec(line)?.[1];
        const address = asked !== undefined && asked === asker ? asked : replied;
        if (address !== undefined) this.#seen.push({ address, atMs: Date.now() });
      }
    }
  }
}
