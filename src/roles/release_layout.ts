/** Everything that an installation of this release has, for `install` and for packages: one list. */
import type { InstalledPaths } from "../config/layouts.ts";
import { billOfMaterials } from "../install/bill_of_materials.ts";
import {
  installedFiles,
  type Layout,
  type ShippedScript,
  withDocuments,
} from "../install/layout.ts";
import type { Architecture } from "../install/locked_parts.ts";
import type { shippedParts } from "../install/payload.macro.ts";
import { installedDocuments } from "./install_documents.ts";
import { VERSION } from "./role.ts";
import { ROLE_NAMES, STAND_INS } from "./table.ts";

/** `scripts` and `parts`: what payload.macro.ts reads, when the executable is made or now. */
export function releaseLayout(
  paths: InstalledPaths,
  scripts: readonly ShippedScript[],
  parts: ReturnType<typeof shippedParts>,
  architecture: Architecture,
): Layout {
  const layout = installedFiles(
    paths,
    ROLE_NAMES,
    [...scripts, billOfMaterials(VERSION, parts, architecture)],
    STAND_INS.map(({ name }) => name),
  );
  return withDocuments(layout, installedDocuments(paths));
}
