/** A stand-in for ctdb as far as scripts ask it about nodes: this one is node 0. */

/** Columns of `ctdb -X nodestatus` behind number and address. */
const COLUMNS = [
  "disconnected",
  "unknown",
  "banned",
  "disabled",
  "unhealthy",
  "stopped",
  "inactive",
];
const INACTIVE = ["disconnected", "banned", "stopped"];

/** Body of the stand-in: nodes by number, the state of those that are not well. */
export function nodestatus(
  addresses: readonly string[],
  states: Readonly<Record<number, string>>,
): string {
  const machine = addresses.map((address, pnn) => {
    const state = states[pnn] ?? "";
    const flags = COLUMNS.map((column) => {
      const set = column === state || (column === "inactive" && INACTIVE.includes(state));
      return set ? "1" : "0";
    });
    return `|${pnn}|${address}|${flags.join("|")}|0|${pnn === 0 ? "Y" : "N"}|`;
  });
  const human = addresses.map(
    (address, pnn) => `pnn:${pnn} ${address} ${(states[pnn] ?? "ok").toUpperCase()}`,
  );
  const header =
    "|Node|IP|Disconnected|Unknown|Banned|Disabled|Unhealthy|Stopped|Inactive|PartiallyOnline|ThisNode|";
  const heredoc = (lines: readonly string[]) => `cat <<'END'\n${lines.join("\n")}\nEND\n`;
  // The exit status is that of the nodes, not of the question.
  return [
    'case "$*" in',
    `"-X nodestatus all") ${heredoc([header, ...machine])} exit 1 ;;`,
    `"-X nodestatus") ${heredoc([header, machine[0] ?? ""])} ;;`,
    `"nodestatus all") ${heredoc([`Number of nodes:${addresses.length}`, ...human])} exit 1 ;;`,
    "pnn) echo 0 ;;",
    "esac",
  ].join("\n");
}
