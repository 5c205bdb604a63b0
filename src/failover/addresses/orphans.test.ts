import { expect, test } from "bun:test";
import { FakeWorld } from "../../../test/support/fake_world.ts";
import { MemoryFiles } from "../../../test/support/memory_files.ts";
import { silentLogger } from "../../base/log.ts";
import { ok } from "../../base/result.ts";
import type { SpawnOptions } from "../../platform/types/processes.ts";
import { removeOrphanedAddresses } from "./orphans.ts";

const HELD = "/run/held";
const PARENT = 50;
const PROGRAM_MS = 20;

/** A machine whose ctdbd has just died, and a child of it. */
class Scene {
  readonly world = new FakeWorld();
  readonly files = new MemoryFiles({
    [HELD]: `ctdbd ${PARENT}\n10.0.0.1\nfc00::1\n`,
    "/bin/ip": "",
  });
  /** `ADDRESS/BITS dev INTERFACE`. */
  readonly kernel = new Set([
    "10.0.0.1/24 dev eth0",
    "fc00::1/64 dev eth1",
    "10.0.0.9/24 dev eth0",
  ]);
  readonly commands: string[] = [];
  parentGone = true;
  pidFileLocked = false;
  /** The kernel takes secondary addresses along with the primary one. */
  takesAlong: string | undefined;
  overMs: number | undefined;
  locked = 0;

  start(): void {
    const startMs = this.world.nowMs;
    removeOrphanedAddresses(
      {
        log: silentLogger,
        files: this.files,
        network: { interfaces: () => ok(["eth0", "eth1"].map((name) => this.#interface(name))) },
        processes: { spawn: (options) => this.#spawn(options) },
        environment: {},
        timers: this.world.timers,
        clock: this.world.clock,
        heldFile: HELD,
        parentPid: PARENT,
        parentGone: () => this.parentGone,
        lockPidFile: () => this.#lock(),
      },
      () => {
        this.overMs = this.world.nowMs - startMs;
      },
    );
  }

  #lock() {
    if (this.pidFileLocked) return undefined;
    this.locked += 1;
    const release = () => {
      this.locked -= 1;
    };
    return { release };
  }

  #interface(name: string) {
    const addresses = [...this.kernel]
      .filter((place) => place.endsWith(` dev ${name}`))
      .map((place) => {
        const [address = "", bits = ""] = (place.split(" ")[0] ?? "").split("/");
        return { address, prefixLength: Number(bits) };
      });
    return { name, up: true, addresses };
  }

  #spawn({ argv, onExit }: SpawnOptions) {
    expect(argv.slice(0, 3)).toEqual(["/bin/ip", "-force", "-batch"]);
    const batch = this.files.readText(argv[3] ?? "");
    this.world.timers.after(PROGRAM_MS, () => {
      if (batch.ok) for (const line of batch.value.split("\n")) this.#run(line);
      onExit({ code: 0, signal: undefined });
    });
    return ok({ pid: 1, kill: () => undefined, tell: () => undefined });
  }

  #run(line: string): void {
    const [, what, ...place] = line.split(" ");
    if (what === undefined) return;
    this.commands.push(line);
    if (what === "add") this.kernel.add(place.join(" "));
    else {
      this.kernel.delete(place.join(" "));
      if (this.takesAlong !== undefined) this.kernel.delete(this.takesAlong);
    }
  }
}

test("removeOrphanedAddresses() removes what the dead ctdbd had, and nothing else", () => {
  const scene = new Scene();
  scene.start();
  expect(scene.locked).toBe(1);
  scene.world.run(100);
  expect([...scene.kernel]).toEqual(["10.0.0.9/24 dev eth0"]);
  scene.world.run(10_000);
  expect(scene.commands).toHaveLength(2);
  expect([scene.overMs !== undefined, scene.locked]).toEqual([true, 0]);
});

test("removeOrphanedAddresses() lets a child that was stopped meanwhile remove what its scripts did since", () => {
  const scene = new Scene();
  scene.start();
  scene.world.run(10_000);
  scene.kernel.add("10.0.0.1/24 dev eth0");
  scene.start();
  scene.world.run(10_000);
  expect([...scene.kernel]).toEqual(["10.0.0.9/24 dev eth0"]);
  expect([scene.overMs !== undefined, scene.locked]).toEqual([true, 0]);
});

test("removeOrphanedAddresses() waits until the parent is gone, and leaves one alone that stays", () => {
  const scene = new Scene();
  scene.parentGone = false;
  scene.start();
  scene.world.run(500);
  expect(scene.commands).toEqual([]);
  scene.parentGone = true;
  scene.world.run(500);
  expect(scene.commands).toHaveLength(2);
  const other = new Scene();
  other.parentGone = false;
  other.start();
  other.world.run(60_000);
  expect([other.commands, other.overMs !== undefined]).toEqual([[], true]);
});

test("removeOrphanedAddresses() does nothing while another ctdbd has the pid file", () => {
  const scene = new Scene();
  scene.pidFileLocked = true;
  scene.start();
  scene.world.run(60_000);
  expect([scene.commands, scene.overMs]).toEqual([[], 0]);
  expect(scene.files.exists(HELD)).toBe(true);
});

test("removeOrphanedAddresses() believes only what its parent wrote", () => {
  for (const text of [`ctdbd ${PARENT + 1}\n10.0.0.1\n`, "10.0.0.1\n", `ctdbd ${PARENT}\neth0\n`]) {
    const scene = new Scene();
    scene.files.writeText(HELD, text);
    scene.start();
    scene.world.run(60_000);
    expect([text, scene.commands, scene.overMs]).toEqual([text, [], 0]);
  }
});

test("removeOrphanedAddresses() removes an address that a script puts up afterwards", () => {
  const scene = new Scene();
  scene.kernel.delete("10.0.0.1/24 dev eth0");
  scene.start();
  scene.world.run(700);
  scene.kernel.add("10.0.0.1/24 dev eth0");
  scene.world.run(10_000);
  expect([...scene.kernel]).toEqual(["10.0.0.9/24 dev eth0"]);
  expect(scene.overMs).toBeLessThan(2000);
});

test("removeOrphanedAddresses() puts back what the kernel took along", () => {
  const scene = new Scene();
  scene.takesAlong = "10.0.0.9/24 dev eth0";
  scene.start();
  scene.world.run(10_000);
  expect([...scene.kernel]).toEqual(["10.0.0.9/24 dev eth0"]);
  expect(scene.commands.at(-1)).toBe("address add 10.0.0.9/24 dev eth0");
});
