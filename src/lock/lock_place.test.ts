import { expect, test } from "bun:test";
import { lockPlace, lockPlaceText } from "./lock_place.ts";

const MOUNTS = `21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 21 0:40 / /clusterfs rw shared:5 - fuse.glusterfs host:/volume rw
31 30 0:41 / /clusterfs/with\\040blank rw - tmpfs none rw
32 21 0:42 / /clusterfs2 rw - xfs /dev/sdb rw
`;

test("lockPlace() finds the innermost mount that a path is on", () => {
  expect(lockPlace("/clusterfs/lock", MOUNTS)?.type).toBe("fuse.glusterfs");
  expect(lockPlace("/clusterfs/with blank/lock", MOUNTS)?.type).toBe("tmpfs");
  expect(lockPlace("/clusterfs2/lock", MOUNTS)?.mountPoint).toBe("/clusterfs2");
  expect(lockPlace("/clusterf", MOUNTS)).toEqual({ mountPoint: "/", type: "ext4" });
  expect(lockPlace("/lock", "")).toBeUndefined();
});

test("lockPlaceText() says when no other machine can see the lock", () => {
  const text = (path: string) => lockPlaceText(path, lockPlace(path, MOUNTS));
  expect(text("/var/lock")).toContain("not a cluster file system");
  expect(text("/clusterfs/lock")).toBe(
    'The cluster lock "/clusterfs/lock" is on fuse.glusterfs, mounted at "/clusterfs"',
  );
});
