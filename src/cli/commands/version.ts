/** `ctdb version`. */
import type { OfflineCommand } from "../command.ts";

export const showVersion: OfflineCommand = async ({ host, options }) => {
  const { version } = host;
  host.out(options.json ? JSON.stringify({ version }, null, 2) : `${version}\n`);
  return 0;
};
