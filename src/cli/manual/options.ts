/** What the manual says of the tool's options, by the names in their table. */
export const OPTION_TEXTS: Readonly<Record<string, string>> = {
  debug:
    "How much the tool itself says: `ERROR`, `WARNING`, `NOTICE` (the default), `INFO`, `DEBUG`. It is taken for the sake of scripts; the tool says what it has to say at each level.",
  timelimit: "How many seconds each request to a daemon may take. The default is 10.",
  node: "The number (PNN) of the node that is asked or changed, instead of the own one.",
  Y: "The same as `-X`.",
  json: "Prints a document in JSON instead of lines. Errors are documents then, too, on standard error, where the original tool has no such document.",
  separator: "The character between fields, for `-X` and `-Y`. By itself it asks for neither.",
  X: "Prints lines for programs: fields with `|` between them, and in front and behind. The first line names the fields.",
  verbose: "Prints more, where a command has more to say.",
  maxruntime:
    "How many seconds the whole command may take. Without it the environment variable `CTDB_TIMEOUT` says so, and without that it is 120. A command that takes longer ends with status 1.",
  simulate:
    "Shows where public addresses would go if the node with this number left. Nothing moves.",
  write: "Changes the file of public addresses, too, so that the change outlasts the daemon.",
  help: "Prints the options; behind a command, what there is to know of the command.",
  usage: "Prints the options in short.",
};
