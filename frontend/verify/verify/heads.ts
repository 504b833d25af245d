// SPDX-License-Identifier: Apache-2.0
/**
 * Whether the tree heads of an examination are of one history: equal sizes have equal roots.
 *
 * Two heads of one size with different roots, both signed by the ledger, prove by themselves that
 * it keeps two histories. Heads of different sizes would take a consistency proof, which evidence
 * does not hold.
 */
import { toHex } from "../digests";
import { VerificationError } from "../errors";
import type { Evidence } from "../evidence";
import type { TreeHead } from "../treehead";
import { verifyTreeHead } from "../treehead";
import type { TrustRoot } from "../trust";
import type { Established, Report } from "./report";
import { Finding } from "./report";

/** A note, and what it proves. */
export type Named = readonly [part: string, note: string];

/**
 * Compare the heads that the pinned ledger signed; what it did not sign speaks not for it.
 *
 * `beside` are the notes of what comes with no bundle of its own here.
 */
export async function oneHistory(
  report: Report,
  bundles: Evidence["bundles"],
  trust: TrustRoot,
  beside: readonly Named[] = [],
): Promise<void> {
  const own = Object.entries(bundles).map(([part, { proof }]): Named => [part, proof.note]);
  await report.check("heads", "The ledger's tree heads are of one history", async () =>
    compared(await signedHeads([...own, ...beside], trust)),
  );
}

type Signed = readonly [part: string, head: TreeHead];

async function signedHeads(notes: readonly Named[], trust: TrustRoot): Promise<readonly Signed[]> {
  const found: Signed[] = [];
  for (const [part, note] of notes) {
    try {
      found.push([part, await verifyTreeHead(note, trust.verifier)]);
    } catch (error) {
      if (!(error instanceof VerificationError)) throw error; // else the part's own step says so
    }
  }
  return found;
}

function compared(heads: readonly Signed[]): Established<number> {
  new Finding(heads[0] ?? null).get();
  const first = new Map<number, Signed>();
  for (const [part, head] of heads) {
    const [other, known] = first.get(head.size) ?? [part, head];
    first.set(head.size, [other, known]);
    const [ours, theirs] = [toHex(known.root), toHex(head.root)];
    if (ours !== theirs) {
      const expected = `expected one tree of ${head.size} entries`;
      const found = `found two that the ledger signed: root ${ours} for the ${other}`;
      const message = `${expected}, ${found}, ${theirs} for the ${part}`;
      throw new VerificationError("ledger-forked", message);
    }
  }
  const sizes = [...first.keys()].sort((one, other) => one - other).join(", ");
  return [first.size, `of ${sizes} entries: of each size one root`];
}
