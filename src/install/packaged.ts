/** What dpkg knows of the configuration files that Debian's package `ctdb` brought. */

/** By path, the md5 of each as the package had it; `status`: the text of dpkg's status file. */
export function packagedDigests(status: string): ReadonlyMap<string, string> {
  const digests = new Map<string, string>();
  const stanza = status.split("\n\n").find((text) => /^Package: ctdb$/m.test(text));
  const list = /^Conffiles:\n((?: .*\n?)*)/m.exec(stanza ?? "")?.[1] ?? "";
  for (const line of list.split("\n")) {
    const [, path, digest] = /^ (\/\S+) ([0-9a-f]{32})(?: |$)/.exec(line) ?? [];
    if (path !== undefined && digest !== undefined) digests.set(path, digest);
  }
  return digests;
}
