// SPDX-License-Identifier: Apache-2.0
/**
 * The registry's certificates: root → one intermediate for each purpose → leaves.
 *
 * Read in their one form (forms); whether a chain leads to a root is left to chains.
 */
import type { Bytes } from "./canonical";
import { toBase64 } from "./digests";
import { InvalidDocument, VerificationError } from "./errors";
import type { Certificate } from "./forms";
import { readCertificate } from "./forms";

const PEM_COLUMNS = 64;

/** By purpose, the number of its policy under our arc (docs/spec/formats.md, section 8). */
export const NUMBERS = {
  checkpoint: 1,
  output: 2,
  conduct: 3,
  node: 4,
  timestamp: 5,
  c2pa: 6,
  identity: 7,
} as const;

export type { Certificate };
export type Purpose = keyof typeof NUMBERS;
export type Chain = { readonly leaf: Certificate; readonly intermediate: Certificate };

/** Read one certificate in a registry's form. Raises InvalidDocument. */
export function loadCertificate(field: string, encoded: Bytes): Certificate {
  const certificate = readCertificate(encoded);
  if (certificate === null) {
    throw new InvalidDocument(field, "a certificate in the form of a registry's", "another");
  }
  return certificate;
}

export function parseChain(ders: readonly Bytes[]): Chain {
  const [leaf, intermediate, ...rest] = ders;
  if (leaf === undefined || intermediate === undefined || rest.length > 0) {
    const found = `${ders.length} certificates`;
    throw new InvalidDocument("chain", "a leaf and an intermediate", found);
  }
  return {
    leaf: loadCertificate("leaf", leaf),
    intermediate: loadCertificate("intermediate", intermediate),
  };
}

/** The certificate as the ledger stores it. */
export function pemOf({ encoded }: Certificate): string {
  const lines = toBase64(encoded).match(new RegExp(`.{1,${PEM_COLUMNS}}`, "g")) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

/** The leaf's key, which must be on P-256. */
export async function publicKeyOf(leaf: Certificate): Promise<CryptoKey> {
  const key = leaf.curve.name === "P-256" ? await keyOf(leaf) : null;
  if (key !== null) return key;
  throw new VerificationError(
    "untrusted-chain",
    "expected a leaf with a P-256 key, found another kind",
  );
}

/** A certificate's key, or null where no point of its curve is stated. */
export async function keyOf({ key, curve }: Certificate): Promise<CryptoKey | null> {
  const algorithm = { name: "ECDSA", namedCurve: curve.name };
  try {
    return await crypto.subtle.importKey("spki", key, algorithm, false, ["verify"]);
  } catch {
    return null;
  }
}
