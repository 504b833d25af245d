// SPDX-License-Identifier: Apache-2.0
/**
 * What a witness remembers of a ledger: the newest head that it cosigned, and what contradicts it.
 *
 * Where that is kept, durably, is left to others; what comes back is checked before it is believed.
 */
import { parseWitness, verifyCosignature } from "../cosignatures";
import { AssayError } from "../errors";
import { emptyRoot } from "../merkle";
import { parseVerifier, type TreeHead, verifyTreeHead } from "../treehead";
import { WitnessStateBroken } from "./errors";

export const SEEN_V1 = "https://assay/browser-witness/v1";

/** A head of the ledger's as it signed it, and the witness's line below it. */
export type Seen = { readonly note: string; readonly line: string };
/** A head that the ledger signed, and that cannot be of the same history. */
export type Contradiction = {
  readonly code: "ledger-forked";
  readonly message: string;
  readonly note: string;
  readonly at: number;
};
export type Account = {
  readonly type: typeof SEEN_V1;
  /** The ledger's key, as pinned at the beginning. */
  readonly ledger: string;
  /** The witness's own. */
  readonly witness: string;
  /** How many heads were cosigned, and when the first and the newest were (seconds since 1970). */
  readonly heads: number;
  readonly since: number;
  readonly at: number;
  readonly newest: Seen | null;
  readonly contradiction: Contradiction | null;
};

/** Of a witness that has seen nothing yet. */
export function begun(ledger: string, witness: string): Account {
  const nothing = { heads: 0, since: 0, at: 0, newest: null, contradiction: null };
  return { type: SEEN_V1, ledger, witness, ...nothing };
}

/** The newest head that was cosigned, an empty tree before the first; raises WitnessStateBroken. */
export async function newestHead(account: Account): Promise<TreeHead> {
  try {
    const ledger = await parseVerifier(account.ledger);
    const witness = await parseWitness(account.witness);
    const { newest } = account;
    if (newest === null && account.heads === 0) {
      return { origin: ledger.origin, size: 0, root: await emptyRoot() };
    }
    const note = `${newest?.note}${newest?.line}`;
    const head = await verifyTreeHead(note, ledger);
    if ((await verifyCosignature(note, witness)) !== null) return head;
  } catch (error) {
    if (!(error instanceof AssayError)) throw error;
    throw new WitnessStateBroken(`expected what this witness wrote, found: ${error.message}`);
  }
  throw new WitnessStateBroken("expected a head that this witness cosigned, found another");
}
