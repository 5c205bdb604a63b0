/**
 * The bill of materials (SBOM) of an executable, as CycloneDX 1.5: our release, and what package-lock.json pins. It has
 * no time and no random number in it: the same release has the same one.
 */

import { bytesHex } from "../base/bytes_hex.ts";
import type { ShippedScript } from "./layout.ts";
import type { Architecture, LockedPart } from "./locked_parts.ts";

const BILL_OF_MATERIALS = "ctdb-appliance.cdx.json";
const NAME = "ctdb-appliance";
const LICENSE = "GPL-3.0-or-later";

/** As one more file of an installation. */
export function billOfMaterials(
  release: string,
  parts: readonly LockedPart[],
  architecture: Architecture,
): ShippedScript {
  const inside = parts.filter((part) => (part.architecture ?? architecture) === architecture);
  const own = `pkg:generic/${NAME}@${release}?arch=${architecture}`;
  const value = {
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    version: 1,
    metadata: {
      component: {
        type: "application",
        "bom-ref": own,
        name: NAME,
        version: release,
        purl: own,
        licenses: [{ license: { id: LICENSE } }],
      },
    },
    components: inside.map(component),
    dependencies: [{ ref: own, dependsOn: inside.map(packageUrl) }],
  };
  return [`documents/${BILL_OF_MATERIALS}`, 0o644, `${JSON.stringify(value, undefined, 2)}\n`];
}

function component(part: LockedPart): object {
  const digest = part.integrity.replace(/^sha512-/, "");
  return {
    type: part.architecture === undefined ? "library" : "platform",
    "bom-ref": packageUrl(part),
    name: part.name,
    version: part.version,
    purl: packageUrl(part),
    licenses: [{ license: { id: part.license } }],
    hashes: [{ alg: "SHA-512", content: hexadecimal(digest) }],
  };
}

function packageUrl({ name, version }: LockedPart): string {
  return `pkg:npm/${name.replace("@", "%40")}@${version}`;
}

function hexadecimal(base64: string): string {
  return bytesHex(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)));
}
