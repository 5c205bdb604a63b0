import { expect, test } from "bun:test";
import { createSocket, type Socket } from "node:dgram";
import { withSyslog } from "../../../test/support/syslog_daemon.ts";
import { TemporaryDirectory } from "../../../test/support/temp_dir.ts";
import { until, when } from "../../../test/support/until.ts";
import { socketAddress, unixAddress } from "../libc/socket_address.ts";
import { DatagramSocket } from "./datagram_socket.ts";

const WAIT_MS = 10_000;

async function udpListener(port: number, got: string[]): Promise<Socket> {
  const socket = createSocket("udp4", (bytes) => got.push(bytes.toString()));
  await new Promise<void>((resolve) => socket.bind(port, "127.0.0.1", resolve));
  return socket;
}

async function closed(socket: Socket): Promise<void> {
  await new Promise<void>((resolve) => socket.close(() => resolve()));
}

test("DatagramSocket over UDP counts what nobody had, and tells it when somebody listens again", async () => {
  const got: string[] = [];
  const first = await udpListener(0, got);
  const { port } = first.address();
  const socket = new DatagramSocket({
    address: socketAddress("127.0.0.1", port),
    bytesMax: 100,
    waits: false,
    droppedNotice: (count) => `lost ${count}`,
  });
  socket.send("a");
  await until("the first comes", WAIT_MS, () => when(got.length === 1));
  await closed(first);
  for (const text of ["b", "c", "d"]) socket.send(text);
  const second = await udpListener(port, got);
  socket.send("e");
  socket.send("f");
  await until("the last comes", WAIT_MS, () => when(got.includes("f")));
  expect(got).toEqual(["a", "e", "lost 3", "f"]);
  await closed(second);
});

for (const waits of [true, false]) {
  test(`DatagramSocket that ${waits ? "waits" : "drops"} tells a unix daemon that comes what it missed`, async () => {
    using directory = new TemporaryDirectory("log");
    const path = directory.file("log");
    const socket = new DatagramSocket({
      address: unixAddress(path),
      bytesMax: 100,
      waits,
      droppedNotice: (count) => `lost ${count}`,
    });
    for (const text of ["a", "b"]) socket.send(text);
    const lines = await withSyslog("unix", () => socket.send("c"), 2, { path });
    expect(lines).toEqual(["'lost 2'", "'c'"]);
  });
}

test("DatagramSocket that waits tells what did not fit into its queue as soon as that is sent", async () => {
  using directory = new TemporaryDirectory("log");
  const path = directory.file("log");
  const total = 3000;
  const lines = await withSyslog(
    "unix",
    (daemon) => {
      const socket = new DatagramSocket({
        address: unixAddress(path),
        bytesMax: 100,
        waits: true,
        droppedNotice: (count) => `lost ${count}`,
      });
      for (let i = 0; i < total; i++) socket.send(`${i}`);
      daemon.release();
    },
    total,
    { path, held: true, last: "lost" },
  );
  expect(lines.at(-1)).toBe(`'lost ${total - (lines.length - 1)}'`);
  expect(lines.length).toBeGreaterThan(1000);
});
