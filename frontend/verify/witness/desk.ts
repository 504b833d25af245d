// SPDX-License-Identifier: Apache-2.0
/** What a witness decides of a head that its ledger shows; no storage, no network, no clock here. */
import { cosign, parseWitness, type Sign } from "../cosignatures";
import { equalBytes, toHex } from "../digests";
import { VerificationError } from "../errors";
import { verifyConsistency } from "../merkle";
import { type Fetch, Reader } from "../tiles";
import { parseVerifier, type TreeHead, verifyTreeHead, withoutWitnesses } from "../treehead";
import { type Account, type Contradiction, newestHead } from "./state";

export type Shown = {
  /** The signed tree head. */
  readonly note: string;
  /** The ledger's tiles. */
  readonly fetch: Fetch;
  /** Seconds since 1970. */
  readonly at: number;
  /** By the witness's key, Ed25519. */
  readonly sign: Sign;
};
type Heads = { readonly before: TreeHead; readonly now: TreeHead };

/**
 * The account after this head: with its cosignature, or with the contradiction that it is.
 *
 * 1. What is remembered is what this witness wrote (WitnessStateBroken).
 * 2. The ledger signed the head that it shows (bad-tree-head).
 * 3. It is not smaller than the one before, and of the same size it is the same (contradiction).
 * 4. The tiles make up its root (bad-tile, missing-evidence): else nothing is concluded.
 * 5. It continues the one before (contradiction).
 *
 * Whoever calls must make the account durable before showing anything of it, and must not call
 * again while that lasts: of two at once the later would forget the other.
 */
export async function see(account: Account, shown: Shown): Promise<Account> {
  if (account.contradiction !== null) return account; // it was caught: nothing is signed any more
  const before = await newestHead(account); // 1
  const ledger = await parseVerifier(account.ledger);
  const now = await verifyTreeHead(shown.note, ledger); // 2
  const note = withoutWitnesses(shown.note, ledger);
  const found = await contradicts({ before, now }, shown.fetch); // 3, 4, 5
  if (found !== null) return { ...account, contradiction: { ...found, note, at: shown.at } };
  if (account.newest !== null && now.size === before.size) return account;
  const line = await cosign(now, await parseWitness(account.witness), shown);
  const since = account.newest === null ? shown.at : account.since;
  return { ...account, heads: account.heads + 1, since, at: shown.at, newest: { note, line } };
}

async function contradicts(
  { before, now }: Heads,
  fetch: Fetch,
): Promise<Pick<Contradiction, "code" | "message"> | null> {
  if (now.size < before.size) {
    const message = `expected at least ${before.size} entries, found ${now.size}`;
    return { code: "ledger-rolled-back", message };
  }
  if (now.size === before.size && before.size > 0) {
    return equalBytes(now.root, before.root) ? null : forked({ before, now });
  }
  const reader = new Reader(now.size, fetch);
  if (!equalBytes(await reader.root(), now.root)) {
    const expected = `expected tiles of the signed root ${toHex(now.root)}`;
    throw new VerificationError("bad-tile", `${expected}, found others`);
  }
  // From here on the reader vouches for its tiles: what does not fit is the ledger's own doing.
  return (await continues({ before, now }, reader)) ? null : forked({ before, now });
}

async function continues({ before, now }: Heads, reader: Reader): Promise<boolean> {
  const proof = await reader.consistencyProof(before.size);
  const sizes = { oldSize: before.size, newSize: now.size, proof };
  try {
    await verifyConsistency(sizes, before.root, now.root);
  } catch (error) {
    if (error instanceof VerificationError && error.code === "bad-tree-head") return false;
    throw error;
  }
  return true;
}

function forked({ before, now }: Heads): Pick<Contradiction, "code" | "message"> {
  const expected = `expected a head that continues the ${before.size} entries seen`;
  const found = `found one of ${now.size} entries with another history`;
  return { code: "ledger-forked", message: `${expected}, ${found}` };
}
