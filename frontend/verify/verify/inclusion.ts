// SPDX-License-Identifier: Apache-2.0
/** That a signature is in the ledger, that its tree head is the ledger's, and who has seen it. */
import type { Bundle } from "../bundle";
import { ledgerLeaf } from "../bundle";
import { verifyEvery } from "../cosignatures";
import { equalBytes } from "../digests";
import { VerificationError } from "../errors";
import { leafHash, verifyInclusion } from "../merkle";
import { seconds } from "../revocation";
import { checkPolicy } from "../tlog";
import { verifyTreeHead } from "../treehead";
import type { Established } from "./report";
import type { Basis, Seen } from "./requirements";
import { seenOf } from "./requirements";

/** The entry is this envelope's and certificate's, and the proof leads to the stated root. */
export async function entry(bundle: Bundle): Promise<Established<Bundle>> {
  const { proof, envelope, chain } = bundle;
  if (!equalBytes(bundle.entry, await ledgerLeaf(envelope, chain.leaf, bundle.kind))) {
    const message = "expected the entry of this envelope and certificate, found another";
    throw new VerificationError("not-in-ledger", message);
  }
  const inclusion = { index: proof.index, size: proof.size, proof: proof.hashes };
  await verifyInclusion(await leafHash(bundle.entry), inclusion, proof.root);
  return [bundle, `entry ${proof.index} of ${proof.size}`];
}

/** Who has seen a head; null where no policy asks. */
export type Sighting = { readonly seen: Seen | null };

/** The pinned ledger signed a head of that tree, and whoever the policy names has seen it. */
export async function treeHead({ proof }: Bundle, basis: Basis): Promise<Established<Sighting>> {
  const { trust, requirements } = basis;
  const head = await verifyTreeHead(proof.note, trust.verifier);
  if (head.size !== proof.size || !equalBytes(head.root, proof.root)) {
    throw new VerificationError(
      "bad-tree-head",
      `expected a head of the tree of ${proof.size} entries that the proof leads to, ` +
        `found one of ${head.size} entries with another root`,
    );
  }
  if (!equalBytes(proof.logId, trust.verifier.logId)) {
    const message = "expected the id of the pinned ledger, found another";
    throw new VerificationError("bad-tree-head", message);
  }
  await checkLines(proof.note, basis);
  const detail = `${head.origin}, ${head.size} entries`;
  const policy = requirements.policy ?? null;
  if (policy === null) return [{ seen: null }, detail];
  const seen = seenOf(await checkPolicy(policy, proof.note));
  return [{ seen }, `${detail}, ${by(seen)}`];
}

/**
 * By when the signature is proven to have been made; null without witnesses to say so.
 *
 * 1. The entry is this signature's, and under a head of the pinned ledger.
 * 2. The policy's quorum had seen that head, and says since when.
 * 3. That is not before the certificate that the entry holds was made: such a time proves nothing.
 */
export async function provenAt(bundle: Bundle, basis: Basis): Promise<Date | null> {
  try {
    await entry(bundle); // 1
    const [{ seen }] = await treeHead(bundle, basis); // 2
    const since = seen?.since ?? null;
    return since !== null && since >= bundle.chain.leaf.startsAt ? since : null; // 3
  } catch (error) {
    if (error instanceof VerificationError) return null;
    throw error;
  }
}

/** Where the evidence names its witnesses, no line may be another's, or changed (ADR 0035). */
async function checkLines(note: string, { trust, requirements, witnesses }: Basis): Promise<void> {
  if (witnesses.length === 0) return;
  const asked = requirements.policy?.witnesses.values() ?? [];
  await verifyEvery(note, trust.verifier, [...witnesses, ...asked]);
}

function by({ witnesses, since }: Seen): string {
  const names = witnesses.map(([name]) => name).join(", ") || "nobody";
  return `seen by ${names}${since === null ? "" : ` by ${seconds(since)}`}`;
}
