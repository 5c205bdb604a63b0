/** One process of the torture test: random changes through our code, until the count is reached. */
import { SystemSharedFiles } from "../../src/platform/libc/shared_file.ts";
import { EventLoop } from "../../src/platform/loop/event_loop.ts";
import { ThreadLockWaiter } from "../../src/platform/node/lock_waiter.ts";
import type { TdbResult } from "../../src/tdb/types.ts";
import { SeededRandom } from "../fuzz/seeded_random.ts";
import { must } from "../support/must.ts";
import { bytes, eventually, fileOpener, finish, openTdb } from "../tdb/support.ts";

const [path = "", flags = "0", seed = "1", count = "1000"] = process.argv.slice(2);
const random = new SeededRandom(Number(seed));
const tdb = await openTdb(fileOpener(), { path, flags: Number(flags), hashSize: 0, create: false });
tdb.setMaxDead(random.below(2) * 5);
const waiter = new ThreadLockWaiter(new SystemSharedFiles(), new EventLoop());

async function change(): Promise<void> {
  const key = bytes(`key-${random.below(300)}`);
  if (random.chance(0.3)) {
    await eventually(() => {
      const deleted = tdb.delete(key);
      return deleted.ok || deleted.error.code === "missing"
        ? { ok: true, value: undefined }
        : deleted;
    });
    return;
  }
  const value = new Uint8Array(random.below(600)).fill(random.below(256));
  await eventually(() => tdb.store(key, value));
}

async function changeInTransaction(): Promise<void> {
  await eventually(() => tdb.startTransaction());
  for (let i = random.below(20); i >= 0; i--) await change();
  if (random.chance(0.7)) must(await finish(tdb.commit()));
  else tdb.cancelTransaction();
}

/** As ctdbd does: a thread waits, the loop works under the marked lock. */
function changeUnderWait(): Promise<void> {
  return new Promise((resolve, reject) => {
    const key = bytes(`key-${random.below(300)}`);
    const chain = tdb.chainOf(key);
    const wait = waiter.waitChain(tdb, chain, (outcome: TdbResult<void>) => {
      if (!outcome.ok) {
        reject(new Error(outcome.error.reason));
        return;
      }
      tdb.markChain(chain);
      // The freelist may be busy: then this one is not stored.
      const stored = tdb.store(key, new Uint8Array(random.below(600)));
      tdb.unmarkChain(chain);
      wait.release();
      if (stored.ok || stored.error.code === "busy") resolve();
      else reject(new Error(stored.error.reason));
    });
  });
}

console.log("ready");
for (let step = 0; step < Number(count); step++) {
  const choice = random.below(100);
  if (choice < 4) await changeInTransaction();
  else if (choice < 10) await changeUnderWait();
  else await change();
}
tdb.close();
console.log("done");
process.exit(0);
