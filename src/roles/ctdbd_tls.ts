/** Node links over TLS, where ctdb-appliance.conf wants them. */
import { err, ok, type Result } from "../base/result.ts";
import type { ApplianceConfig } from "../config/appliance_conf.ts";
import { readTexts, runtimeTls } from "../platform/node/tls_engine.ts";
import type { FileSystem } from "../platform/types/files.ts";
import { TlsLinks, type TlsLinksParts } from "../transport/tls/tls_links.ts";

type Parts = Pick<TlsLinksParts, "network" | "clock" | "timers" | "log"> & {
  readonly appliance: ApplianceConfig;
  readonly files: FileSystem;
};

export function buildTlsLinks({ appliance, files, ...parts }: Parts): Result<TlsLinks | undefined> {
  if (appliance.nodeTransport !== "tls") return ok(undefined);
  const directory = appliance.tlsDirectory;
  const links = new TlsLinks({ ...parts, engine: runtimeTls, readTexts, directory });
  const texts: string[] = [];
  for (const path of links.paths) {
    const text = files.readText(path);
    if (!text.ok) return err(`Cannot use "transport = tls": ${text.error.message}`);
    texts.push(text.value);
  }
  const taken = links.take(texts);
  return taken.ok ? ok(links) : err(`Cannot use "transport = tls": ${taken.error}`);
}
