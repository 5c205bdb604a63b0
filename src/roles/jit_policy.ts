/**
 * When the engine compiles. The executable starts with one that is slow to (build/executable.ts): what only
 * runs at a start never pays for being compiled, and the tool's commands are hardly more than that. Who runs
 * longer calls this first.
 */
export function compileAsUsual(): void {
  Bun.unsafe.setJITPolicy(1);
}
