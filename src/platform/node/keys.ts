/** Keys by node:crypto (platform/types/keys.ts). */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from "node:crypto";
import { err, ok } from "../../base/result.ts";
import type { Keys, SigningKey } from "../types/keys.ts";

const CURVE = "prime256v1";

export const systemKeys: Keys = {
  make: () => signingKey(generateKeyPairSync("ec", { namedCurve: CURVE }).privateKey),
  read(pem) {
    try {
      const key = createPrivateKey(pem);
      const curve = key.asymmetricKeyDetails?.namedCurve;
      if (curve === CURVE) return ok(signingKey(key));
      return err(`expected a key on the curve ${CURVE}, got ${curve ?? key.asymmetricKeyType}`);
    } catch (error) {
      return err(`expected a private key in PEM: ${(error as Error).message}`);
    }
  },
  digest: (bytes) => createHash("sha256").update(bytes).digest(),
  random: (count) => randomBytes(count),
};

function signingKey(key: KeyObject): SigningKey {
  return {
    publicKeyInfo: createPublicKey(key).export({ type: "spki", format: "der" }),
    pem: String(key.export({ type: "pkcs8", format: "pem" })),
    sign: (bytes) => sign("sha256", bytes, key),
  };
}
