/** ctdb-appliance(1): the one executable. */
import type { ManualPage } from "../page.ts";

/** A name that the executable answers to, or a command of it. */
export interface NamedProgram {
  readonly name: string;
  readonly summary: string;
}

export interface Programs {
  readonly roles: readonly NamedProgram[];
  /** Commands under the executable's own name. */
  readonly applets: readonly NamedProgram[];
}

export function appliancePage({ roles, applets }: Programs): ManualPage {
  const terms = (programs: readonly NamedProgram[]) => ({
    terms: programs.map(({ name, summary }) => [name, `${summary}.`] as const),
  });
  return {
    name: "ctdb-appliance",
    section: 1,
    summary: "the executable that is all programs of CTDB, and installs itself",
    synopsis: [
      "ctdb-appliance COMMAND [ARGUMENT...]",
      "ctdb-appliance ROLE [ARGUMENT...]",
      "ctdb-appliance --list | --help | --version",
    ],
    sections: [
      {
        title: "Description",
        blocks: [
          "All programs of CTDB are one executable. Under the name of a role it is that program; an installation has a link for each. Under its own name the first argument says what it is. `ROLE --help` describes most of them.",
        ],
      },
      {
        title: "Commands",
        blocks: [
          terms(applets),
          "`install` and `uninstall` want to know below which directory: `--root /` for this machine. `--layout upstream` installs at the paths of Samba's own build, below `/usr/local`, not at those of Debian's package. `--links symlink` makes symbolic links where hard ones are not possible; `--dry-run` only says what would be done.",
          "`ca` makes the keys and certificates of a cluster with `transport = tls`; `ca --help` has its commands. docs/tls.md of the release goes through it, step by step.",
          "Configuration that was changed is never lost: what must be replaced is set aside under another name, which is printed.",
        ],
      },
      { title: "Roles", blocks: [terms(roles)] },
      {
        title: "Options",
        blocks: [
          {
            terms: [
              ["--list", "Prints the names of the roles."],
              ["--help", "Prints commands, roles and options."],
              ["--version", "Prints the release."],
            ],
          },
        ],
      },
      {
        title: "Exit status",
        blocks: ["That of the role; 2 for a role or an option that does not exist."],
      },
      {
        title: "Examples",
        blocks: [
          {
            screen:
              "# ctdb-appliance install --root / --dry-run\n# ctdb-appliance install --root /\n# ctdb-appliance ctdb status\n",
          },
        ],
      },
    ],
    seeAlso: ["ctdb(1)", "ctdbd(1)", "ctdb(7)"],
  };
}
