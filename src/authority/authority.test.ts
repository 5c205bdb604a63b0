import { expect, test } from "bun:test";
import { mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { runCommand } from "../../test/support/command.ts";
import { must } from "../../test/support/must.ts";
import { TemporaryDirectory } from "../../test/support/temp_dir.ts";
import { SystemFiles } from "../platform/node/file_system.ts";
import { systemKeys } from "../platform/node/keys.ts";
import { runtimeTls } from "../platform/node/tls_engine.ts";
import { NODE_URI } from "../transport/tls/files.ts";
import { Authority } from "./authority.ts";
import { sequence, time } from "./der.ts";

const DAY_SEC = 86_400;

class Scene {
  readonly directory = new TemporaryDirectory("ca");
  /** Now, in seconds since 1970. */
  nowSec = Math.floor(Date.now() / 1000);
  readonly authority = new Authority({
    files: new SystemFiles(),
    keys: systemKeys,
    certificates: runtimeTls.certificates,
    clock: { monotonicMs: () => 0, wallTime: () => ({ sec: this.nowSec, usec: 0 }) },
    directory: this.directory.file("ca"),
  });

  [Symbol.dispose](): void {
    this.directory.remove();
  }

  path(name: string): string {
    return this.directory.file(`ca/${name}`);
  }

  text(name: string): string {
    return must(new SystemFiles().readText(this.path(name)));
  }

  states(): readonly string[] {
    return must(this.authority.list()).map(({ address, isCurrent, isRevoked }) => {
      if (isRevoked) return `${address} revoked`;
      return `${address} ${isCurrent ? "current" : "replaced"}`;
    });
  }

  async verify(address: string, purpose: "sslserver" | "sslclient"): Promise<string> {
    const { stdout, stderr } = await runCommand([
      ...["openssl", "verify", "-x509_strict", "-purpose", purpose],
      ...["-CAfile", this.path("ca.crt"), this.path(`nodes/${address}/node.crt`)],
    ]);
    return stdout.replace(/^.*: /, "").trim() || stderr;
  }
}

test("Authority makes certificates that OpenSSL takes, for servers and clients, of IPv4 and IPv6 nodes", async () => {
  using scene = new Scene();
  must(scene.authority.init(3650));
  must(scene.authority.issue(["10.0.0.1", "fd00::0:3"], 90));
  for (const address of ["10.0.0.1", "fd00::3"]) {
    expect(await scene.verify(address, "sslserver")).toBe("OK");
    expect(await scene.verify(address, "sslclient")).toBe("OK");
  }
  const [facts] = must(runtimeTls.certificates(scene.text("nodes/fd00::3/node.crt")));
  expect(facts).toMatchObject({
    subject: "CN=ctdb node fd00::3",
    addresses: ["fd00::3"],
    uris: [NODE_URI],
    notAfterMs: (scene.nowSec + 90 * DAY_SEC) * 1000,
    isAuthority: false,
  });
  const shown = await runCommand([
    ...["openssl", "x509", "-noout", "-text", "-in", scene.path("nodes/10.0.0.1/node.crt")],
  ]);
  for (const line of [
    "Signature Algorithm: ecdsa-with-SHA256",
    "NIST CURVE: P-256",
    "X509v3 Basic Constraints: critical\n                CA:FALSE",
    "X509v3 Key Usage: critical\n                Digital Signature",
    `IP Address:10.0.0.1, URI:${NODE_URI}`,
  ]) {
    expect(shown.stdout).toContain(line);
  }
});

test("Authority keeps keys to their owner", () => {
  using scene = new Scene();
  must(scene.authority.init(10));
  must(scene.authority.issue(["10.0.0.1"], 10));
  const modes = ["ca.key", "nodes/10.0.0.1/node.key", "nodes", "nodes/10.0.0.1"].map(
    (name) => statSync(scene.path(name)).mode & 0o777,
  );
  expect(modes).toEqual([0o600, 0o600, 0o700, 0o700]);
  const again = scene.authority.init(10);
  expect(again.ok ? "" : again.error).toContain("has an authority already");
});

test("Authority.revoke() takes back all certificates of an address, and tells every node", () => {
  using scene = new Scene();
  must(scene.authority.init(10));
  must(scene.authority.issue(["10.0.0.1", "10.0.0.2"], 10));
  must(scene.authority.issue(["10.0.0.2"], 10));
  expect(scene.states()).toEqual(["10.0.0.1 current", "10.0.0.2 replaced", "10.0.0.2 current"]);
  const revoked = must(scene.authority.revoke("10.0.0.2"));
  expect(revoked.length).toBe(2);
  expect(scene.states()).toEqual(["10.0.0.1 current", "10.0.0.2 revoked", "10.0.0.2 revoked"]);
  for (const serial of revoked) expect(scene.text("nodes/10.0.0.1/revoked")).toContain(serial);
  expect(scene.authority.revoke("10.0.0.2").ok).toBe(false);
  expect(scene.authority.revoke("10.0.0.9").ok).toBe(false);
});

test("Authority.endingWithin() names nodes whose certificates of now end", () => {
  using scene = new Scene();
  must(scene.authority.init(100));
  must(scene.authority.issue(["10.0.0.1"], 20));
  must(scene.authority.issue(["10.0.0.2"], 40));
  expect(must(scene.authority.endingWithin(30))).toEqual(["10.0.0.1"]);
  must(scene.authority.issue(["10.0.0.1"], 40));
  expect(must(scene.authority.endingWithin(30))).toEqual([]);
  scene.nowSec += 15 * DAY_SEC;
  expect(must(scene.authority.endingWithin(30))).toEqual(["10.0.0.2", "10.0.0.1"]);
});

test("Authority.rotate() leaves what was signed before valid until retire()", async () => {
  using scene = new Scene();
  must(scene.authority.init(100));
  must(scene.authority.issue(["10.0.0.1", "10.0.0.2"], 20));
  must(scene.authority.rotate(100));
  must(scene.authority.issue(["10.0.0.2"], 20));
  expect(await scene.verify("10.0.0.1", "sslserver")).toBe("OK");
  expect(await scene.verify("10.0.0.2", "sslserver")).toBe("OK");
  expect(scene.text("nodes/10.0.0.1/ca.crt")).toBe(scene.text("ca.crt"));
  must(scene.authority.retire());
  expect(await scene.verify("10.0.0.1", "sslserver")).toContain("unable to get local issuer");
  expect(await scene.verify("10.0.0.2", "sslserver")).toBe("OK");
  expect(must(scene.authority.authorities()).length).toBe(1);
});

test("Authority.rotate() that was interrupted behind the new key has a new authority, and the old one is trusted", async () => {
  using scene = new Scene();
  must(scene.authority.init(100));
  must(scene.authority.issue(["10.0.0.1"], 20));
  const before = scene.text("ca.crt");
  must(scene.authority.rotate(100));
  writeFileSync(scene.path("ca.crt"), before);
  must(scene.authority.issue(["10.0.0.2"], 20));
  expect(must(scene.authority.authorities()).length).toBe(2);
  writeFileSync(scene.path("ca.crt"), scene.text("nodes/10.0.0.2/ca.crt"));
  for (const address of ["10.0.0.1", "10.0.0.2"]) {
    expect(await scene.verify(address, "sslserver")).toBe("OK");
  }
});

test("Authority tells no node of fewer revoked certificates because it cannot read its list", () => {
  using scene = new Scene();
  must(scene.authority.init(10));
  must(scene.authority.issue(["10.0.0.1", "10.0.0.2"], 10));
  must(scene.authority.revoke("10.0.0.2"));
  const told = scene.text("nodes/10.0.0.1/revoked");
  rmSync(scene.path("revoked"));
  mkdirSync(scene.path("revoked"));
  for (const outcome of [scene.authority.issue(["10.0.0.1"], 10), scene.authority.rotate(10)]) {
    expect(outcome.ok ? "" : outcome.error).toContain("EISDIR");
  }
  expect(scene.text("nodes/10.0.0.1/revoked")).toBe(told);
});

test("time() and sequence() are DER", () => {
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");
  expect(text(time(Date.UTC(2049, 11, 31, 23, 59, 59)))).toBe("\x17\x0d491231235959Z");
  expect(text(time(Date.UTC(2050, 0, 1)))).toBe("\x18\x0f20500101000000Z");
  expect([...sequence(new Uint8Array(300)).subarray(0, 4)]).toEqual([0x30, 0x82, 1, 44]);
});
