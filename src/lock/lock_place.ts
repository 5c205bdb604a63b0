/**
 * Where the file of a cluster lock is: on which file system, and whether other nodes can see locks there at all. People
 * have taken the lock out of the configuration because a mount was missing and nothing said so.
 */

export interface LockPlace {
  readonly mountPoint: string;
  /** As /proc/self/mountinfo names it: "ext4", "fuse.glusterfs". */
  readonly type: string;
}

/** File systems of one machine: a lock on them excludes nobody elsewhere. */
const LOCAL_TYPES: ReadonlySet<string> = new Set(
  "bcachefs btrfs exfat ext2 ext3 ext4 f2fs jfs overlay ramfs rootfs squashfs tmpfs vfat xfs zfs".split(
    " ",
  ),
);

/** The mount that a path is on: the longest one of those in `mountinfo`, of equal ones the last. */
export function lockPlace(path: string, mountinfo: string): LockPlace | undefined {
  let found: LockPlace | undefined;
  for (const line of mountinfo.split("\n")) {
    const [left = "", right = ""] = line.split(" - ");
    const mountPoint = unescaped(left.split(" ")[4] ?? "");
    const type = right.split(" ")[0] ?? "";
    if (mountPoint === "" || type === "" || !isUnder(path, mountPoint)) continue;
    if (found === undefined || mountPoint.length >= found.mountPoint.length) {
      found = { mountPoint, type };
    }
  }
  return found;
}

/** A sentence for the log. */
export function lockPlaceText(path: string, place: LockPlace | undefined): string {
  if (place === undefined)
    return `The cluster lock "${path}" is on a file system that is not known`;
  const text = `The cluster lock "${path}" is on ${place.type}, mounted at "${place.mountPoint}"`;
  if (!LOCAL_TYPES.has(place.type)) return text;
  return `${text}: not a cluster file system, so that no other machine sees this lock. Is a mount missing?`;
}

function isUnder(path: string, mountPoint: string): boolean {
  return mountPoint === "/" || path === mountPoint || path.startsWith(`${mountPoint}/`);
}

/** Blanks and the like are written as "\040". */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}
