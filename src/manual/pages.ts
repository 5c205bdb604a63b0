/** All pages of the manual. */
import type { CtdbPaths } from "../config/types.ts";
import type { ManualPage } from "./page.ts";
import { appliancePage, type Programs } from "./pages/appliance.ts";
import { LOCK_PAGES } from "./pages/cluster_locks.ts";
import { configurationPages } from "./pages/configuration.ts";
import { toolPage } from "./pages/ctdb_tool.ts";
import { DAEMON_PAGE } from "./pages/daemon.ts";
import { HELPER_PAGES } from "./pages/helpers.ts";
import { OVERVIEW_PAGE } from "./pages/overview.ts";
import { PROGRAM_PAGES } from "./pages/programs.ts";
import { SCRIPT_PAGES } from "./pages/scripts.ts";
import { SERVICE_PAGE } from "./pages/service.ts";
import { STATISTICS_PAGE } from "./pages/statistics.ts";

/** `paths`: of an installation, for defaults that name one. */
export function manualPages(programs: Programs, paths: CtdbPaths): readonly ManualPage[] {
  return [
    toolPage(),
    DAEMON_PAGE,
    appliancePage(programs),
    ...PROGRAM_PAGES,
    ...SCRIPT_PAGES,
    ...HELPER_PAGES,
    ...configurationPages(paths),
    OVERVIEW_PAGE,
    STATISTICS_PAGE,
    ...LOCK_PAGES,
    SERVICE_PAGE,
  ];
}
