// SPDX-License-Identifier: Apache-2.0
/** The ledger's tree: every proof of the vectors holds, and every bad one is refused. */
import { describe, expect, test } from "vitest";
import { fromHex } from "../verify/digests";
import { VerificationError } from "../verify/errors";
import { leafHash, verifyConsistency, verifyInclusion } from "../verify/merkle";
import { vectors } from "./vectors";

type Tree = {
  readonly leaves: readonly string[];
  readonly roots: readonly string[];
  readonly inclusion: readonly Path[];
  readonly consistency: readonly (Growth & { readonly proof: readonly string[] })[];
};
type Path = { readonly index: number; readonly size: number; readonly proof: readonly string[] };
type Growth = { readonly old: number; readonly new: number };
type BadPath = Path & { readonly why: string; readonly leaf: string; readonly root: string };
type BadGrowth = Growth & {
  readonly why: string;
  readonly proof: readonly string[];
  readonly old_root: string;
  readonly new_root: string;
};

const { trees, refused } = vectors<{
  trees: readonly Tree[];
  refused: readonly (BadPath | BadGrowth)[];
}>("merkle");
const hashes = (proof: readonly string[]) => proof.map(fromHex);

describe.each(trees)(
  "a tree of $leaves.length leaves",
  ({ leaves, roots, inclusion, consistency }) => {
    const root = (size: number) => fromHex(roots[size] ?? "");

    test.each(inclusion)("holds entry $index of $size", async ({ index, size, proof }) => {
      const leaf = await leafHash(fromHex(leaves[index] ?? ""));
      await verifyInclusion(leaf, { index, size, proof: hashes(proof) }, root(size));
    });

    test.each(consistency)("of $old begins the one of $new", async (growth) => {
      const sizes = { oldSize: growth.old, newSize: growth.new, proof: hashes(growth.proof) };
      await verifyConsistency(sizes, root(growth.old), root(growth.new));
    });
  },
);

test.each(refused)("refused: $why", async (bad) => {
  const verdict =
    "leaf" in bad
      ? verifyInclusion(
          fromHex(bad.leaf),
          { index: bad.index, size: bad.size, proof: hashes(bad.proof) },
          fromHex(bad.root),
        )
      : verifyConsistency(
          { oldSize: bad.old, newSize: bad.new, proof: hashes(bad.proof) },
          fromHex(bad.old_root),
          fromHex(bad.new_root),
        );
  await expect(verdict).rejects.toThrow(VerificationError);
});

test("positions past 32 bits are not cut off", async () => {
  const leaf = await leafHash(Uint8Array.of(1));
  const size = 2 ** 40 + 1;
  const proof = { index: size - 1, size, proof: [] };
  await expect(verifyInclusion(leaf, proof, leaf)).rejects.toThrow("expected a proof of 1 hashes");
});
