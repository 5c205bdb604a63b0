/** Checks of what `transport = tls` needs on this node. */
import { type Check, local } from "../check.ts";
import type { LocalFacts } from "../facts.ts";
import { CERTIFICATE_DAYS_MIN } from "../limits.ts";

const OTHERS_ANY = 0o077;

type TlsFile = LocalFacts["tlsFiles"][number];

export const CERTIFICATE_CHECKS: readonly Check[] = [
  local(
    {
      id: "tls-files-unusable",
      severity: "error",
      examines: "that the files of transport = tls are there and can be read",
      why: "ctdbd does not start without them, and takes no new ones",
      remedy: 'copy the folder of this node that "ctdb-appliance ca" has made to "tls directory"',
    },
    ({ tlsFiles }) =>
      tlsFiles.flatMap(({ path, problem }) =>
        problem === undefined ? [] : [`${path}: ${problem}`],
      ),
  ),
  local(
    {
      id: "tls-key-open-to-others",
      severity: "error",
      examines: "that only its owner can read the key of the node's certificate",
      why: "who has the key is this node for all others",
      remedy: "chmod 0600 the key, and revoke the certificate if somebody may have read it",
    },
    ({ tlsFiles }) =>
      tlsFiles.flatMap(({ path, isKey, mode }) =>
        isKey && mode !== undefined && (mode & OTHERS_ANY) !== 0
          ? [`${path} has the mode 0${mode.toString(8)}`]
          : [],
      ),
  ),
  local(
    {
      id: "certificate-ended",
      severity: "error",
      examines: "that the certificates of the node links are valid",
      why: "no node lets this one in, and this one no other",
      remedy: 'run "ctdb-appliance ca renew" and copy the folder of this node',
    },
    ({ tlsFiles }) => ending(tlsFiles, (days) => days < 0),
  ),
  local(
    {
      id: "certificate-ends-soon",
      severity: "warning",
      examines: `that they are valid for ${CERTIFICATE_DAYS_MIN} more days`,
      why: "when they have ended, no node lets this one in",
      remedy: 'run "ctdb-appliance ca renew" and copy the folder of this node',
    },
    ({ tlsFiles }) => ending(tlsFiles, (days) => days >= 0 && days < CERTIFICATE_DAYS_MIN),
  ),
];

function ending(files: readonly TlsFile[], isFound: (days: number) => boolean): readonly string[] {
  return files.flatMap(({ path, certificates }) =>
    certificates
      .filter(({ daysLeft }) => isFound(daysLeft))
      .map(({ serial, daysLeft }) => {
        const days = Math.floor(Math.abs(daysLeft));
        const when = daysLeft < 0 ? `ended ${days} days ago` : `ends in ${days} days`;
        return `${path}: certificate ${serial} ${when}`;
      }),
  );
}
