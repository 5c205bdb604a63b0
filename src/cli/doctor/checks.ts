/**
 * The table of checks of `ctdb doctor`. docs/operations.md shows it to people. A check only reads the facts that were
 * gathered; what a fact is, and how it is had, stands in facts.ts and the files gather*.ts.
 */
import type { Check } from "./check.ts";
import { ADDRESS_CHECKS } from "./checks/addresses.ts";
import { CERTIFICATE_CHECKS } from "./checks/certificates.ts";
import { CONFIGURATION_CHECKS } from "./checks/configuration.ts";
import { DAEMON_CHECKS } from "./checks/daemon.ts";
import { FILE_CHECKS } from "./checks/files.ts";
import { NODE_CHECKS } from "./checks/nodes.ts";

export const CHECKS: readonly Check[] = [
  ...CONFIGURATION_CHECKS,
  ...FILE_CHECKS,
  ...CERTIFICATE_CHECKS,
  ...DAEMON_CHECKS,
  ...NODE_CHECKS,
  ...ADDRESS_CHECKS,
];
