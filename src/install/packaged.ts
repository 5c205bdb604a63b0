/** What dpkg knows: whether our own package is there, and the configuration files that Debian's `ctdb` brought. */

/** `status`: the text of dpkg's status file. */
export function hasOwnPackage(status: string): boolean {
  const stanza = stanzaOf(status, "ctdb-appliance") ?? "";
  return /^Status: \S+ \S+ installed$/m.test(stanza);
}

function stanzaOf(status: string, name: string): string | undefined {
  return status.split("\n\n").find((text) => text.split("\n").includes(`Package: ${name}`));
}

/** By path, the md5 of each as the package had it; `status`: the text of dpkg's status file. */
export function packagedDigests(status: string): ReadonlyMap<string, string> {
  const digests = new Map<string, string>();
  const stanza = stanzaOf(status, "ctdb");
  const list = /^Conffiles:\n((?: .*\n?)*)/m.exec(stanza ?? "")?.[1] ?? "";
  for (const line of list.split("\n")) {
    const [, path, digest] = /^ (\/\S+) ([0-9a-f]{32})(?: |$)/.exec(line) ?? [];
    if (path !== undefined && digest !== undefined) digests.set(path, digest);
  }
  return digests;
}
