/** HTTP of the runtime, as ctdb-admind uses it: what the other side of a connection may do. */
import { expect, test } from "bun:test";
import { existsSync, statSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { serve } from "../../../src/platform/bun/serve.ts";
import type { ServedAt, ServeOptions } from "../../../src/platform/types/http.ts";
import { must } from "../../support/must.ts";
import { TemporaryDirectory } from "../../support/temp_dir.ts";
import { within } from "../../support/until.ts";

const WAIT_MS = 20_000;
const TCP: ServedAt = { kind: "tcp", address: "127.0.0.1", port: 0, tls: undefined };

function begin(handle: ServeOptions["handle"], at: ServedAt = TCP) {
  return must(serve({ at, bodyBytesMax: 1000, idleSeconds: 1, handle }));
}

const answer = async () => new Response("answered");

function closed(socket: Socket): Promise<unknown> {
  socket.on("error", () => {});
  socket.resume();
  return within("the connection is closed", WAIT_MS, new Promise((r) => socket.once("close", r)));
}

test("serve() closes a connection on which a request stops in its middle", async () => {
  const served = begin(answer);
  try {
    const parts = [
      "",
      "GET / HT",
      "GET / HTTP/1.1\r\nHost: x\r\nX-Half: ",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
    ];
    const handleBody = parts.map((part) => {
      const socket = connect(served.port, "127.0.0.1");
      socket.write(part);
      return closed(socket);
    });
    await Promise.all(handleBody);
  } finally {
    served.stop();
  }
}, 120_000);

test("serve() leaves a stream open on which nothing happens for a while", async () => {
  const later = Promise.withResolvers<void>();
  const served = begin(async () => {
    const body = new ReadableStream<Uint8Array>({
      async start(controller) {
        controller.enqueue(new Uint8Array([97]));
        await later.promise;
        controller.enqueue(new Uint8Array([98]));
        controller.close();
      },
    });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  });
  try {
    const response = await fetch(`http://127.0.0.1:${served.port}/`);
    setTimeout(() => later.resolve(), 6000);
    expect(await response.text()).toBe("ab");
  } finally {
    served.stop();
  }
}, 120_000);

test("serve() refuses bodies that are too long, and tells the other side's address", async () => {
  const served = begin(async (request, { address }) => {
    await request.arrayBuffer();
    return new Response(address);
  });
  try {
    const url = `http://127.0.0.1:${served.port}/`;
    expect((await fetch(url, { method: "POST", body: "x".repeat(1001) })).status).toBe(413);
    expect(await (await fetch(url, { method: "POST", body: "x" })).text()).toBe("127.0.0.1");
  } finally {
    served.stop();
  }
});

test("serve() makes a socket that is its owner's alone, in place of what was there", async () => {
  using directory = new TemporaryDirectory("serve");
  const path = directory.file("socket");
  writeFileSync(path, "left over");
  const served = begin(answer, { kind: "unix", path });
  try {
    expect(statSync(path).mode & 0o777).toBe(0o700);
    const response = await fetch("http://x/", { unix: path } as RequestInit);
    expect(await response.text()).toBe("answered");
  } finally {
    served.stop();
  }
});

test("serve() says why it cannot", () => {
  const path = "/nowhere/at/all/socket";
  const options = { bodyBytesMax: 1000, idleSeconds: 1, handle: answer };
  expect(serve({ ...options, at: { kind: "unix", path } }).ok).toBe(false);
  expect(existsSync(path)).toBe(false);
  const other = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const at = { ...TCP, port: other.port } as ServedAt;
  expect(serve({ ...options, at })).toMatchObject({ ok: false });
  other.stop(true);
});
