/** What the manual says of the tool's options, by the names in their table. */
export const OPTION_TEXTS: Readonly<Record<string, string>> = {
  debug:
    "How much the tool itself says: `ERROR`, `WARNING`, `NOTICE` (the default), `INFO`, `DEBUG`. It is taken for the sake of scripts; the tool says what it has to say at each level.",
  timelimit: "How many seconds each request to a daemon may take. The default is 10.",
  node: "The number (PNN) of the node that is asked or changed, instead of the own one. With `all` it is each connected node, one after the other; what only works on the node itself (`scriptstatus`, `doctor`) is then asked of its ctdb-admind, and needs `--json`.",
  Y: "The same as `-X`.",
  json: "Prints a document in JSON instead of lines. Errors are documents then, too, on standard error, where the original tool has no such document.",
  separator: "The character between fields, for `-X` and `-Y`. By itself it asks for neither.",
  X: "Prints lines for programs: fields with `|` between them, and in front and behind. The first line names the fields.",
  verbose: "Prints more, where a command has more to say.",
  maxruntime:
    "How many seconds the whole command may take. Without it the environment variable `CTDB_TIMEOUT` says so, and without that it is 120. A command that takes longer ends with status 1. `ctdb wait`, `ctdb top` and `ctdb journal` have no limit without it.",
  simulate:
    "Shows where public addresses would go if the node with this number left. Nothing moves.",
  write: "Changes the file of public addresses, too, so that the change outlasts the daemon.",
  all: "Every connected node, one after the other in what is shown, and where they differ.",
  why: "Says of everything that is not as it should be why it is so, since when, and what to do.",
  yes: "A terminal is not asked before something is taken away. Scripts and pipes never are.",
  timeout:
    "How many seconds `ctdb wait` waits. The default is 60; with 0 only `-T` and `CTDB_TIMEOUT` limit it.",
  once: "Shows one round and ends.",
  iterations: "Shows so many rounds and ends.",
  directory:
    "Where snapshots are, a folder each. Without it that is `snapshots` in the directory of the daemon's files, `/var/lib/ctdb`.",
  keep: "So many of the newest snapshots stay.",
  "keep-days": "Snapshots of so many days stay.",
  "dry-run": "Shows what would change, and changes nothing.",
  at: "The moment that is asked about: `2026-11-29T10:15:00Z`, `2026/11/29 10:15:00` or `10:15` in local time, seconds since 1970, or how long ago, as `-10min`. Without it: now.",
  since: "Only events from this moment on; written as for `--at`.",
  until: "Only events up to this moment; written as for `--at`.",
  kind: "Only events of this kind, or of several with commas between them. `ctdb -v journal` shows the kind of each.",
  limit: "So many events, the newest, up to 100000. The default is 100, with `--since` 1000.",
  follow: "Goes on with the events that come, once a second, until it is ended.",
  help: "Prints the options; behind a command, what there is to know of the command.",
  usage: "Prints the options in short.",
};
