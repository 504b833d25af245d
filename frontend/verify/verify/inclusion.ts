// SPDX-License-Identifier: Apache-2.0
/** That a signature is in the ledger, and that its tree head is the ledger's. */
import type { Bundle } from "../bundle";
import { ledgerLeaf } from "../bundle";
import { verifyEvery } from "../cosignatures";
import { equalBytes } from "../digests";
import { VerificationError } from "../errors";
import { leafHash, verifyInclusion } from "../merkle";
import { verifyTreeHead } from "../treehead";
import type { Established } from "./report";
import type { Basis } from "./requirements";

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

/**
 * The pinned ledger signed a head of that tree. Who has seen it is not asked here; but where the
 * evidence names its witnesses, no line may be another's, or changed (ADR 0035).
 */
export async function treeHead(
  { proof }: Bundle,
  { trust, witnesses }: Basis,
): Promise<Established<string>> {
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
  if (witnesses.length > 0) await verifyEvery(proof.note, trust.verifier, witnesses);
  return [head.origin, `${head.origin}, ${head.size} entries; no witnesses were asked for`];
}
