/** What every `FileSystem` must do (platform/types/files.ts). */
import { expect, test } from "bun:test";
import type { FileSystem } from "../../src/platform/types/files.ts";

export function fileSystemContract(
  name: string,
  makeWorld: () => { files: FileSystem; directory: string; dispose(): void },
): void {
  test(`${name} FileSystem writes, reads, lists, renames and removes`, () => {
    const { files, directory, dispose } = makeWorld();
    expect(files.writeText(`${directory}/b`, "one\n").ok).toBe(true);
    expect(files.writeText(`${directory}/a`, "x").ok).toBe(true);
    expect(files.writeText(`${directory}/b`, "ä\n").ok).toBe(true);
    expect(files.readText(`${directory}/b`)).toEqual({ ok: true, value: "ä\n" });
    expect(files.list(directory)).toEqual({ ok: true, value: ["a", "b"] });
    expect(files.rename(`${directory}/b`, `${directory}/c`).ok).toBe(true);
    expect(files.exists(`${directory}/b`)).toBe(false);
    expect(files.exists(`${directory}/c`)).toBe(true);
    expect(files.remove(`${directory}/c`).ok).toBe(true);
    expect(files.makeDirectory(`${directory}/d`).ok).toBe(true);
    expect(files.isWritableDirectory(`${directory}/d`)).toBe(true);
    expect(files.isWritableDirectory(`${directory}/a`)).toBe(false);
    expect(files.isWritableDirectory(`${directory}/none`)).toBe(false);
    dispose();
  });

  test(`${name} FileSystem keeps bytes that are no UTF-8, in names and in text`, () => {
    const { files, directory, dispose } = makeWorld();
    const [odd, other] = ["a\udce9", "a\udce8"];
    files.writeText(`${directory}/${odd}`, "\ufeffone \udcff\n");
    files.writeText(`${directory}/${other}`, "two\n");
    expect(files.list(directory)).toEqual({ ok: true, value: [other, odd] });
    expect(files.readText(`${directory}/${odd}`)).toEqual({
      ok: true,
      value: "\ufeffone \udcff\n",
    });
    files.makeDirectory(`${directory}/${odd}d`);
    expect(files.isWritableDirectory(`${directory}/${odd}d`)).toBe(true);
    files.rename(`${directory}/${other}`, `${directory}/x`);
    expect(files.exists(`${directory}/${other}`)).toBe(false);
    expect(files.remove(`${directory}/${odd}`).ok).toBe(true);
    expect(files.list(directory)).toEqual({ ok: true, value: [`${odd}d`, "x"] });
    dispose();
  });

  test(`${name} FileSystem reads no more than it may, and tells files from directories`, () => {
    const { files, directory, dispose } = makeWorld();
    files.writeText(`${directory}/a`, "äbc", 0o644);
    expect(files.readText(`${directory}/a`, 4)).toEqual({ ok: true, value: "äbc" });
    const tooLong = files.readText(`${directory}/a`, 3);
    expect(tooLong.ok ? "" : tooLong.error.code).toBe("EFBIG");
    files.writeText(`${directory}/empty`, "");
    expect(files.readText(`${directory}/empty`, 1)).toEqual({ ok: true, value: "" });
    files.writeText(`${directory}/script`, "", 0o755);
    const kinds = ["script", ".", "none"].map((one) => files.kindOf(`${directory}/${one}`));
    expect(kinds.map((kind) => kind ?? "nothing")).toEqual(["executable", "directory", "nothing"]);
    dispose();
  });

  test(`${name} FileSystem failures carry errno name, call and path`, () => {
    const { files, directory, dispose } = makeWorld();
    const path = `${directory}/none/x`;
    const failures = [
      files.readText(path),
      files.writeText(path, ""),
      files.list(path),
      files.remove(path),
      files.rename(path, `${directory}/y`),
      files.makeDirectory(path),
    ];
    for (const failure of failures) {
      if (failure.ok) throw new Error("expected a failure");
      expect(failure.error.code).toBe("ENOENT");
      expect(failure.error.path).toBe(path);
      expect(failure.error.call).not.toBe("");
    }
    files.makeDirectory(`${directory}/d`);
    const again = files.makeDirectory(`${directory}/d`);
    expect(again.ok ? "made" : again.error.code).toBe("EEXIST");
    dispose();
  });
}
