/**
 * Loopback addresses for a local cluster: 127.A.B.1 upwards. A and B follow from the directory's path, so
 * that clusters in several directories do not meet; a pair whose port is taken is passed over.
 */
import { createServer } from "node:net";
import { textBytes } from "../base/byte_text.ts";
import { jenkinsHash } from "../base/jenkins_hash.ts";
import { err, ok, type Result } from "../base/result.ts";
import { CTDB_PORT } from "../wire/constants.ts";

const ATTEMPTS_MAX = 100;

/** `count` addresses that nobody listens on now, in one /24. */
export async function chooseAddresses(
  directory: string,
  count: number,
): Promise<Result<readonly string[]>> {
  const start = jenkinsHash(textBytes(directory));
  let last = "";
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const value = (start + attempt * 0x101) >>> 0;
    // 127.0.x.y and 127.1.x.y are left to others.
    const network = `127.${2 + (value % 252)}.${(value >>> 8) % 256}`;
    last = `${network}.1`;
    if (await isFree(last)) {
      return ok(Array.from({ length: count }, (_, i) => `${network}.${i + 1}`));
    }
  }
  return err(
    `Cannot find loopback addresses: after ${ATTEMPTS_MAX} attempts port ${CTDB_PORT} of "${last}" ` +
      "cannot be bound, expected an interface lo that is up",
  );
}

function isFree(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ host: address, port: CTDB_PORT, exclusive: true }, () => {
      server.close(() => resolve(true));
    });
  });
}
