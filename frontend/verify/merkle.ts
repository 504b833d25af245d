// SPDX-License-Identifier: Apache-2.0
/**
 * RFC 9162's Merkle tree: does a leaf lie under a root, is a tree the beginning of another?
 *
 * A `Subtree` reads the hash of the complete subtree over 2^level leaves that is the `position`-th
 * of its level; such hashes never change, so a tree of any size is read from them alone.
 */
import type { Bytes } from "./canonical";
import { concat, equalBytes, sha256Bytes, toHex } from "./digests";
import type { VerificationCode } from "./errors";
import { VerificationError } from "./errors";

const LEAF = Uint8Array.of(0x00);
const NODE = Uint8Array.of(0x01);

export type Subtree = (level: number, position: number) => Promise<Bytes>;
export type Inclusion = {
  readonly index: number;
  readonly size: number;
  readonly proof: readonly Bytes[];
};
export type Consistency = {
  readonly oldSize: number;
  readonly newSize: number;
  readonly proof: readonly Bytes[];
};

/** RFC 9162, 2.1.1: the hash of an entry. */
export async function leafHash(entry: Bytes): Promise<Bytes> {
  return sha256Bytes(concat(LEAF, entry));
}

/** RFC 9162, 2.1.1: the hash of an inner node. */
export async function nodeHash(left: Bytes, right: Bytes): Promise<Bytes> {
  return sha256Bytes(concat(NODE, left, right));
}

/** The root of a tree without leaves. */
export async function emptyRoot(): Promise<Bytes> {
  return sha256Bytes(new Uint8Array());
}

/** The root of the first `size` leaves. */
export async function rootFrom(size: number, subtree: Subtree): Promise<Bytes> {
  return size === 0 ? emptyRoot() : rangeRoot(0, size, subtree);
}

/** RFC 9162, 2.1.4.1: the hashes that show the first `old` leaves to be a prefix of `size`. */
export async function consistencyProof(
  old: number,
  size: number,
  subtree: Subtree,
): Promise<readonly Bytes[]> {
  if (old < 0 || old > size) {
    throw refuse("bad-tree-head", `expected an old size of at most ${size}, found ${old}`);
  }
  if (old === 0 || old === size) return [];
  const proof: Bytes[] = [];
  let [start, end] = [0, size];
  while (end !== old) {
    const middle = start + 2 ** levelOf(end - start - 1);
    if (old <= middle) {
      proof.push(await rangeRoot(middle, end, subtree));
      end = middle;
    } else {
      proof.push(await rangeRoot(start, middle, subtree));
      start = middle;
    }
  }
  // Where nothing stands to the left, the verifier knows this hash: it is the old root.
  if (start > 0) proof.push(await rangeRoot(start, end, subtree));
  return proof.reverse();
}

/** RFC 9162, 2.1.3.2: raise not-in-ledger unless the leaf hash is the `index`-th of `size`. */
export async function verifyInclusion(
  leaf: Bytes,
  { index, size, proof }: Inclusion,
  root: Bytes,
): Promise<void> {
  if (index < 0 || index >= size) {
    throw refuse("not-in-ledger", `expected an index below the size ${size}, found ${index}`);
  }
  const { inner, border } = pathLengths(index, size);
  if (proof.length !== inner + border) {
    const found = `found ${proof.length}`;
    throw refuse("not-in-ledger", `expected a proof of ${inner + border} hashes, ${found}`);
  }
  const below = await climbInner(leaf, index, proof.slice(0, inner));
  const found = await climbBorder(below, proof.slice(inner));
  if (!equalBytes(found, root)) {
    const expected = `expected the root ${toHex(root)}`;
    throw refuse("not-in-ledger", `${expected}, the proof leads to ${toHex(found)}`);
  }
}

/** RFC 9162, 2.1.4.2: raise bad-tree-head unless the old tree is a prefix of the new one. */
export async function verifyConsistency(
  consistency: Consistency,
  oldRoot: Bytes,
  newRoot: Bytes,
): Promise<void> {
  const { oldSize, newSize, proof } = consistency;
  if (oldSize < 0 || oldSize > newSize) throw otherHistory();
  if (oldSize > 0 && oldSize < newSize) {
    await climbToBoth(consistency, oldRoot, newRoot);
    return;
  }
  // An empty tree is a prefix of each, and each tree of itself.
  const shared = oldSize === 0 ? await emptyRoot() : newRoot;
  if (proof.length > 0 || !equalBytes(oldRoot, shared)) throw otherHistory();
}

/** Both roots are climbed to from the last complete subtree that the old tree ends in. */
async function climbToBoth(
  { oldSize, newSize, proof }: Consistency,
  oldRoot: Bytes,
  newRoot: Bytes,
): Promise<void> {
  const level = trailingZeros(oldSize);
  const lengths = pathLengths(oldSize - 1, newSize);
  const inner = lengths.inner - level;
  const isComplete = oldSize === 2 ** level; // then that subtree is the old tree itself
  if (proof.length !== inner + lengths.border + (isComplete ? 0 : 1)) throw otherHistory();
  const [seed = oldRoot, ...path] = isComplete ? [oldRoot, ...proof] : proof;
  const index = shifted(oldSize - 1, level);
  const leftOnly = path.slice(0, inner).filter((_, height) => bit(index, height));
  const old = await climbBorder(seed, [...leftOnly, ...path.slice(inner)]);
  const below = await climbInner(seed, index, path.slice(0, inner));
  const grown = await climbBorder(below, path.slice(inner));
  if (!equalBytes(old, oldRoot) || !equalBytes(grown, newRoot)) throw otherHistory();
}

/** The root over leaves start..end of a tree, where start is aligned as the tree splits it. */
async function rangeRoot(start: number, end: number, subtree: Subtree): Promise<Bytes> {
  const pieces: Bytes[] = [];
  for (let at = start; at < end; ) {
    const level = levelOf(end - at);
    pieces.push(await subtree(level, shifted(at, level)));
    at += 2 ** level;
  }
  let [digest = await emptyRoot(), ...rest] = pieces.reverse();
  for (const left of rest) digest = await nodeHash(left, digest);
  return digest;
}

/** How many hashes lead up from a leaf: below where the tree's right border starts, and on it. */
function pathLengths(index: number, size: number): { inner: number; border: number } {
  let inner = 0;
  // Arithmetic and not bit operators: those see 32 bits only.
  while (shifted(index, inner) !== shifted(size - 1, inner)) inner += 1;
  let border = 0;
  for (let rest = shifted(index, inner); rest > 0; rest = Math.floor(rest / 2)) border += rest % 2;
  return { inner, border };
}

/** Go up one level a hash; the bits of the index say on which side each stands. */
async function climbInner(digest: Bytes, index: number, path: readonly Bytes[]): Promise<Bytes> {
  let climbed = digest;
  for (const [height, sibling] of path.entries()) {
    climbed = bit(index, height)
      ? await nodeHash(sibling, climbed)
      : await nodeHash(climbed, sibling);
  }
  return climbed;
}

/** Go up along the right border, where every sibling stands to the left. */
async function climbBorder(digest: Bytes, path: readonly Bytes[]): Promise<Bytes> {
  let climbed = digest;
  for (const sibling of path) climbed = await nodeHash(sibling, climbed);
  return climbed;
}

function bit(value: number, height: number): boolean {
  return shifted(value, height) % 2 === 1;
}

function shifted(value: number, by: number): number {
  return Math.floor(value / 2 ** by);
}

/** The level of the largest complete subtree over at most `count` leaves. */
function levelOf(count: number): number {
  let level = 0;
  while (2 ** (level + 1) <= count) level += 1;
  return level;
}

function trailingZeros(value: number): number {
  let zeros = 0;
  while (!bit(value, zeros)) zeros += 1;
  return zeros;
}

function otherHistory(): VerificationError {
  const message = "expected a proof that one tree extends the other, found another history";
  return refuse("bad-tree-head", message);
}

function refuse(code: VerificationCode, message: string): VerificationError {
  return new VerificationError(code, message);
}
