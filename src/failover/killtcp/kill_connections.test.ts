import { expect, test } from "bun:test";
import { ManualTime } from "../../../test/support/manual_time.ts";
import { must } from "../../../test/support/must.ts";
import { SystemError } from "../../base/errors.ts";
import { done, err, ok, type Result } from "../../base/result.ts";
import type {
  RawNetwork,
  SegmentFilter,
  TcpCapture,
  TcpEnd,
  TcpSegment,
} from "../../platform/types/raw_network.ts";
import type { TcpPath } from "../packets/tickle.ts";
import { KillConnections, type KillReport } from "./kill_connections.ts";
import { ASKED_MAX, ATTEMPTS_MAX, RETRIES_MS_MAX } from "./limits.ts";

const EXPECTED = 5000;
const ACK = { ack: true, rst: false, syn: false };
const RST = { ack: true, rst: true, syn: false };

const end = (address: string, port: number): TcpEnd => ({ family: "ipv4", address, port });
const path = (port: number): TcpPath => ({ src: end("10.0.0.9", port), dst: end("10.0.0.1", 445) });

/** What an end sends back for a segment; undefined: nothing. */
type Behaviour = (sent: TcpSegment) => Partial<TcpSegment> | undefined;

/** A network of ends by their peers' ports, which answer in the next turn. */
class FakeNetwork implements RawNetwork {
  readonly sent: TcpSegment[] = [];
  readonly ends = new Map<number, Behaviour>();
  filter: SegmentFilter | undefined;
  closed = false;
  failure: (segment: TcpSegment) => string | undefined = () => undefined;
  #onSegment: (segment: TcpSegment) => void = () => {};
  readonly #time: ManualTime;

  constructor(time: ManualTime) {
    this.#time = time;
  }

  announceAddress(): Result<void, SystemError> {
    return done;
  }

  sendSegment(segment: TcpSegment): Result<void, SystemError> {
    const code = this.failure(segment);
    if (code !== undefined) return err(new SystemError(code, "sendto", segment.dst.address));
    this.sent.push(segment);
    // A capture shows it too.
    this.#time.nextTurn(() => this.show(segment));
    const answer = this.ends.get(segment.src.port)?.(segment);
    if (answer !== undefined) this.#time.nextTurn(() => this.showFrom(segment, answer));
    return done;
  }

  captureSegments(
    filter: SegmentFilter,
    onSegment: (segment: TcpSegment) => void,
  ): Result<TcpCapture, SystemError> {
    this.filter = filter;
    this.#onSegment = onSegment;
    const close = () => {
      this.closed = true;
    };
    return ok({ dropped: 0, close });
  }

  show(segment: TcpSegment): void {
    if (!this.closed) this.#onSegment(segment);
  }

  showFrom({ src, dst }: TcpPath, fields: Partial<TcpSegment>): void {
    this.show({ src: dst, dst: src, seq: 77, ack: EXPECTED, flags: ACK, window: 500, ...fields });
  }

  resets(): readonly TcpSegment[] {
    return this.sent.filter(({ flags }) => flags.rst);
  }
}

/** An end with a connection that expects `number` and is gone after a reset with that. */
function living(number = EXPECTED): Behaviour {
  let gone = false;
  return ({ flags, seq }) => {
    if (gone) return flags.rst ? undefined : { flags: RST, seq: 0, ack: 0, window: 0 };
    if (!flags.rst) return { ack: number };
    gone = seq === number;
    return undefined;
  };
}

const absent: Behaviour = ({ flags }) =>
  flags.rst ? undefined : { flags: RST, seq: 0, window: 0 };

function scene() {
  const time = new ManualTime();
  const network = new FakeNetwork(time);
  const reports: KillReport[] = [];
  const host = { network, timers: time, clock: time };
  const killing = new KillConnections(host, (report) => reports.push(report));
  return { time, network, reports, killing };
}

test("KillConnections resets each end with the number that it expects, and asks again", async () => {
  const { time, network, reports, killing } = scene();
  network.ends.set(1, living());
  network.ends.set(2, living(9));
  must(killing.start([path(1), path(2), path(1)]));
  await time.advance(20);
  expect(network.resets().map(({ src, seq, ack }) => [src.port, seq, ack])).toEqual([
    [1, EXPECTED, 77],
    [2, 9, 77],
  ]);
  expect(reports).toEqual([{ reset: 2, absent: 0, left: 0, dropped: 0, sendError: undefined }]);
  expect(network.closed).toBe(true);
  expect(network.filter).toEqual({ from: ["10.0.0.1"], to: [] });
  expect(time.waiting).toBe(0);
});

test("KillConnections leaves connections alone that are not in the list", async () => {
  const { time, network, killing } = scene();
  network.ends.set(1, living());
  must(killing.start([path(1)]));
  network.showFrom(path(2), {});
  network.show({ ...path(1), seq: 1, ack: 1, flags: ACK, window: 500 });
  await time.advance(20);
  expect(network.sent.map(({ src }) => src.port)).not.toContain(2);
  expect(network.resets().length).toBe(1);
});

test("KillConnections does not take its own segments for those of the other end", async () => {
  const { time, network, reports, killing } = scene();
  network.ends.set(1, living());
  network.ends.set(445, living(9));
  must(killing.start([path(1), { src: path(1).dst, dst: path(1).src }]));
  await time.advance(20);
  expect(network.resets().map(({ src, seq }) => [src.port, seq])).toEqual([
    [1, EXPECTED],
    [445, 9],
  ]);
  expect(reports[0]?.reset).toBe(2);
});

test("KillConnections resets an end again that had received more meanwhile", async () => {
  const { time, network, reports, killing } = scene();
  const end = living(EXPECTED + 10);
  // Its answer was sent before it received ten bytes, which it acknowledges later.
  network.ends.set(1, (segment) => (network.sent.length === 1 ? { ack: EXPECTED } : end(segment)));
  must(killing.start([path(1)]));
  await time.advance(500);
  expect(network.resets().map(({ seq }) => seq)).toEqual([EXPECTED, EXPECTED + 10]);
  expect(reports[0]?.reset).toBe(1);
});

test("KillConnections listens after a reset for as long as an acknowledgement may take", async () => {
  const { time, network, reports, killing } = scene();
  must(killing.start([path(1)]));
  network.showFrom(path(1), {});
  await time.advance(190);
  network.showFrom(path(1), { ack: EXPECTED + 10 });
  await time.advance(1000);
  expect(network.resets().map(({ seq }) => seq)).toEqual([EXPECTED, EXPECTED + 10]);
  expect(reports[0]?.reset).toBe(1);
});

test("KillConnections resets a busy end once in a turn, for the last that it sent", async () => {
  const { time, network, killing } = scene();
  must(killing.start([path(1)]));
  for (const ack of [10, 20, 30]) network.showFrom(path(1), { ack });
  await time.advance(1);
  expect(network.resets().map(({ seq }) => seq)).toEqual([30]);
});

test("KillConnections believes that who is silent after a reset is gone", async () => {
  const { time, network, reports, killing } = scene();
  let answered = false;
  network.ends.set(1, () => {
    if (answered) return undefined;
    answered = true;
    return {};
  });
  must(killing.start([path(1)]));
  await time.advance(1000);
  expect(reports).toEqual([{ reset: 1, absent: 0, left: 0, dropped: 0, sendError: undefined }]);
});

test("KillConnections leaves a connection alone that begins anew between the same ends", async () => {
  const { time, network, reports, killing } = scene();
  must(killing.start([path(1)]));
  network.showFrom(path(1), {});
  await time.advance(1);
  network.showFrom(path(1), { flags: { ack: true, rst: false, syn: true }, ack: 1 });
  network.showFrom(path(1), { ack: 2 });
  await time.advance(1000);
  expect(network.resets().length).toBe(1);
  expect(reports[0]?.reset).toBe(1);
});

test("KillConnections counts ends that know no such connection, and asks them once", async () => {
  const { time, network, reports, killing } = scene();
  const ports = Array.from({ length: 300 }, (_, i) => i + 1);
  for (const port of ports) network.ends.set(port, absent);
  must(killing.start(ports.map(path)));
  await time.advance(50);
  expect(reports[0]).toMatchObject({ reset: 0, absent: 300, left: 0 });
  expect(network.sent.length).toBe(300);
});

test("KillConnections asks a silent end so often and no more, by two numbers in turn", async () => {
  const { time, network, reports, killing } = scene();
  must(killing.start([path(1)]));
  await time.advance(2 * RETRIES_MS_MAX);
  expect(reports[0]).toMatchObject({ reset: 0, left: 1 });
  expect(network.sent.length).toBeLessThanOrEqual(ATTEMPTS_MAX);
  expect(network.sent.length).toBeGreaterThan(ATTEMPTS_MAX / 2);
  expect(new Set(network.sent.map(({ seq }) => seq)).size).toBe(2);
  expect(time.waiting).toBe(0);
});

test("KillConnections asks each of many silent ends before any again, and ends in time", async () => {
  const { time, network, reports, killing } = scene();
  const ports = Array.from({ length: ASKED_MAX + 100 }, (_, i) => i + 1);
  const last = ports.length;
  network.ends.set(last, living());
  must(killing.start(ports.map(path)));
  await time.advance(300);
  expect(network.sent.slice(0, last).map(({ src }) => src.port)).toEqual(ports);
  expect(network.resets().map(({ src }) => src.port)).toEqual([last]);
  await time.advance(RETRIES_MS_MAX + 1000);
  expect(reports[0]).toMatchObject({ reset: 1, left: last - 1 });
}, 120_000);

test("KillConnections goes on when the network has room again, and past what stays full", async () => {
  const { time, network, reports, killing } = scene();
  for (const port of [1, 2]) network.ends.set(port, living());
  network.failure = ({ src }) => (src.port === 1 || time.nowMs < 5 ? "EAGAIN" : undefined);
  must(killing.start([path(1), path(2)]));
  await time.advance(300);
  expect(network.resets().map(({ src }) => src.port)).toEqual([2]);
  network.failure = () => undefined;
  await time.advance(200);
  expect(reports[0]).toMatchObject({ reset: 2, left: 0 });
});

test("KillConnections reports why nothing could be sent", async () => {
  const { time, network, reports, killing } = scene();
  network.failure = () => "ENETUNREACH";
  must(killing.start([path(1)]));
  await time.advance(2 * RETRIES_MS_MAX);
  expect(reports[0]).toMatchObject({ left: 1, sendError: { code: "ENETUNREACH" } });
});

test("KillConnections with an empty list ends at once", async () => {
  const { time, network, reports, killing } = scene();
  must(killing.start([]));
  await time.advance(1);
  expect(reports.length).toBe(1);
  expect(network.filter).toBeUndefined();
});

test("KillConnections.start() says why nothing can be captured", async () => {
  const { time, network, reports, killing } = scene();
  const denied = err(new SystemError("EPERM", "socket", "capture"));
  network.captureSegments = () => denied;
  expect(killing.start([path(1)])).toEqual(denied);
  await time.advance(1000);
  expect([network.sent, reports]).toEqual([[], []]);
});
