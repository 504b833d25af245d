// SPDX-License-Identifier: Apache-2.0
/** Proofs that an entry is in a ledger, as a file for whoever asks for no certificate (C2SP tlog-proof). */
import type { LedgerProof } from "./bundle";
import { toBase64 } from "./digests";

const PROOF_V1 = "c2sp.org/tlog-proof@v1";

/** The `.tlog-proof` of a bundle's entry. */
export function proofText({ index, hashes, note }: LedgerProof): string {
  const lines = [PROOF_V1, `index ${index}`, ...hashes.map(toBase64)];
  return `${lines.join("\n")}\n\n${note}`;
}
