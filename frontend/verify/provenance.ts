// SPDX-License-Identifier: Apache-2.0
/** What a leaf says beside its name: which conduct its holder accepted. */
import { toHex } from "./digests";
import type { Certificate } from "./forms";

/** In DER, 2.25.55496464810101472194271188265311006923.2.1: an arc from a UUID (ADR 0002). */
const CONDUCT = "061569d3c09dbdeef79a9f978680ec83c49797e14b0201";
const PREFIX = [0x04, 0x20]; // an octet string of 32 bytes (X.690, 8.7)
const DIGEST_BYTES = 32;

/**
 * The digest of the conduct policy that a leaf says its holder accepted; null if of none.
 *
 * An issuer writes 32 bytes there, and nothing else is read: whatever else it is names no policy.
 */
export function acceptedBy({ extensions }: Certificate): string | null {
  const value = extensions.find(({ oid }) => oid === CONDUCT)?.value;
  if (value === undefined || value.length !== PREFIX.length + DIGEST_BYTES) return null;
  const isDigest = PREFIX.every((byte, at) => value[at] === byte);
  return isDigest ? toHex(value.subarray(PREFIX.length)) : null;
}
