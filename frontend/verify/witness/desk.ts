// SPDX-License-Identifier: Apache-2.0
/** What a witness decides of a head that its ledger shows; no storage, no network, no clock here. */
import { cosign, parseWitness, type Sign } from "../cosignatures";
import { equalBytes, toHex } from "../digests";
import { VerificationError } from "../errors";
import { verifyConsistency } from "../merkle";
import { type Fetch, Reader } from "../tiles";
import { parseVerifier, type TreeHead, verifyTreeHead, withoutWitnesses } from "../treehead";
import { StaleHead } from "./errors";
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
 * 3. Of the same size it is the one before (contradiction).
 * 4. The tiles make up the root of the larger one (bad-tile, missing-evidence): else nothing is
 *    concluded.
 * 5. The smaller one is its beginning (contradiction); and then, if it is the one shown, it is an
 *    older copy (StaleHead), which proves nothing: a cache or a second server may be behind.
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
  if (now.size === before.size && before.size > 0) {
    return equalBytes(now.root, before.root) ? null : forked({ before, now });
  }
  const [small, large] = now.size < before.size ? [now, before] : [before, now];
  const reader = new Reader(large.size, fetch);
  if (!equalBytes(await reader.root(), large.root)) {
    const expected = `expected tiles of the signed root ${toHex(large.root)}`;
    throw new VerificationError("bad-tile", `${expected}, found others`);
  }
  // From here on the reader vouches for its tiles: what does not fit is the ledger's own doing.
  if (!(await begins(small, large, reader))) return forked({ before, now });
  if (small === now) throw new StaleHead(before.size, now.size);
  return null;
}

/** Whether the one is a beginning of the other, whose tiles are read. */
async function begins(small: TreeHead, large: TreeHead, reader: Reader): Promise<boolean> {
  const proof = await reader.consistencyProof(small.size);
  const sizes = { oldSize: small.size, newSize: large.size, proof };
  try {
    await verifyConsistency(sizes, small.root, large.root);
  } catch (error) {
    if (error instanceof VerificationError && error.code === "bad-tree-head") return false;
    throw error;
  }
  return true;
}

function forked({ before, now }: Heads): Pick<Contradiction, "code" | "message"> {
  const expected = `expected a head of the same history as the ${before.size} entries seen`;
  const found = `found one of ${now.size} entries with another history`;
  return { code: "ledger-forked", message: `${expected}, ${found}` };
}
