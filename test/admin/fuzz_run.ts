/**
 * Fuzzed requests to the API without sockets: `bun test/admin/fuzz_run.ts [COUNT [SEED]]`. Ends with a message at the first
 * answer that is wrong, and says at the end what memory did.
 */
import { SeededRandom } from "../fuzz/seeded_random.ts";
import { ApiFuzzer, type FuzzedRequest } from "./api_fuzzer.ts";
import { ACTOR, AdminBench, STRANGER, UNIX } from "./bench.ts";

const AT_ONCE = 50;
const STEP_MS = 500;

export interface FuzzEnd {
  readonly byStatus: Readonly<Record<number, number>>;
  /** After a tenth, and at the end; collected before. */
  readonly heapBytes: readonly [number, number];
}

export async function fuzzApi(count: number, seed: number): Promise<FuzzEnd> {
  const bench = new AdminBench({ actions: true });
  for (let i = 0; i < 300; i++) bench.happen({ kind: "link_up", peer: i });
  const openApi = await (await bench.ask("/api/v1/openapi.json")).text();
  const fuzzer = new ApiFuzzer(openApi, new SeededRandom(seed));
  const byStatus: Record<number, number> = {};
  let heapBytes = 0;
  for (let done = 0; done < count; done += AT_ONCE) {
    const batch = Array.from({ length: AT_ONCE }, () => fuzzer.next());
    for (const [request, status, problems] of await askAll(bench, fuzzer, batch)) {
      byStatus[status] = (byStatus[status] ?? 0) + 1;
      if (problems.length === 0) continue;
      throw new Error(`seed ${seed}: ${JSON.stringify(request)}: ${problems.join("; ")}`);
    }
    if (heapBytes === 0 && done >= count / 10) heapBytes = collectedHeap();
    // What they only remember for tests would grow.
    bench.recorded.length = 0;
    bench.logged.length = 0;
    bench.runs.length = 0;
  }
  const { streams, sessions, requestsNow, requestsByStatus } = bench.api.counts();
  if (streams > 0 || requestsNow > 0 || sessions > 256 || requestsByStatus.size > 64) {
    throw new Error(`seed ${seed}: something is left: ${streams} ${requestsNow} ${sessions}`);
  }
  return { byStatus, heapBytes: [heapBytes, collectedHeap()] };
}

async function askAll(
  bench: AdminBench,
  fuzzer: ApiFuzzer,
  batch: readonly FuzzedRequest[],
): Promise<readonly (readonly [FuzzedRequest, number, readonly string[]])[]> {
  const state = { isOver: false };
  const answers = Promise.all(
    batch.map(async (request, i) => {
      const { method, path, headers, body } = request;
      const init = { method, headers, ...(body === undefined ? {} : { body }) };
      const origin = i % 3 === 0 ? STRANGER : UNIX;
      const known = i % 6 === 0 ? { authorization: `Bearer ${ACTOR.token}` } : {};
      const all = { ...init, headers: { ...known, ...headers } };
      const response = await bench.ask(path.slice(0, 9000), all, origin);
      const type = response.headers.get("content-type") ?? "";
      const isStream = type === "text/event-stream";
      if (isStream) await response.body?.cancel();
      const text = isStream ? "" : await response.text();
      return [
        request,
        response.status,
        fuzzer.problems(request, response.status, type, text),
      ] as const;
    }),
  ).finally(() => {
    state.isOver = true;
  });
  while (!state.isOver) await bench.time.advance(STEP_MS);
  return await answers;
}

function collectedHeap(): number {
  Bun.gc(true);
  return process.memoryUsage().heapUsed;
}

if (import.meta.main) {
  const [count = "100000", seed = String(Date.now() % 1e9)] = process.argv.slice(2);
  const startMs = performance.now();
  const { byStatus, heapBytes } = await fuzzApi(Number(count), Number(seed));
  const [before, after] = heapBytes.map((bytes) => (bytes / 1e6).toFixed(1));
  console.log(
    `${count} requests with seed ${seed} in ${((performance.now() - startMs) / 1000).toFixed(0)} s`,
  );
  console.log(
    `statuses: ${JSON.stringify(byStatus)}; heap ${before} MB after a tenth, ${after} MB at the end`,
  );
}
