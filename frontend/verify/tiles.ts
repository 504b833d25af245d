// SPDX-License-Identifier: Apache-2.0
/**
 * The ledger as static files: C2SP tlog-tiles, and every proof from such files alone.
 *
 * What a tile says is nobody's word: only a root that a signed tree head names makes it true. How
 * the bytes travel is left to others.
 */
import type { Bytes } from "./canonical";
import { equalBytes } from "./digests";
import { VerificationError } from "./errors";
import { consistencyProof, nodeHash, rootFrom } from "./merkle";

/** The bytes at a path; raises missing-evidence where there are none. */
export type Fetch = (path: string) => Promise<Bytes>;
export type Tile = { readonly level: number; readonly index: number; readonly width: number };

const HEIGHT = 8; // levels of the tree between two levels of tiles
export const WIDTH = 2 ** HEIGHT;
export const ENTRIES = -1; // the level below the leaf hashes: the entries themselves
const HASH_BYTES = 32;

/** Where a tile is, below the ledger's address. */
export function tilePath({ level, index, width }: Tile): string {
  const groups = [digits(index % 1000)];
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    groups.unshift(`x${digits(rest % 1000)}`);
  }
  const partial = width < WIDTH ? `.p/${width}` : "";
  return `tile/${level === ENTRIES ? "entries" : level}/${groups.join("/")}${partial}`;
}

/** The hashes of a tile; raises bad-tile unless it has exactly as many as its path says. */
export function readHashes(tile: Tile, data: Bytes): readonly Bytes[] {
  const expected = tile.width * HASH_BYTES;
  if (data.length !== expected) {
    throw bad(`expected ${expected} bytes at ${tilePath(tile)}, found ${data.length}`);
  }
  const start = (_: unknown, index: number) => index * HASH_BYTES;
  return Array.from({ length: tile.width }, start).map((at) => data.slice(at, at + HASH_BYTES));
}

/**
 * A tree of `size` entries, read from its tiles: each once, and O(log size) for a proof.
 *
 * A full tile is compared with the hash above it, up to the partial ones, which `root` is made of.
 * So all that is read is of one tree; whose it is, is known once its root is the signed one.
 */
export class Reader {
  private readonly tiles = new Map<string, readonly Bytes[]>();

  constructor(
    readonly size: number,
    private readonly fetch: Fetch,
  ) {}

  /** The root of the whole tree. */
  async root(): Promise<Bytes> {
    return rootFrom(this.size, (level, position) => this.subtree(level, position));
  }

  /** That the first `old` entries are a prefix; raises bad-tree-head if the tree is smaller. */
  async consistencyProof(old: number): Promise<readonly Bytes[]> {
    const subtree = (level: number, position: number) => this.subtree(level, position);
    return consistencyProof(old, this.size, subtree);
  }

  /** The hash of a complete subtree; see `merkle`. */
  async subtree(level: number, position: number): Promise<Bytes> {
    const above = level % HEIGHT;
    const first = position * 2 ** above;
    const hashes = await this.hashes((level - above) / HEIGHT, Math.floor(first / WIDTH));
    const start = first % WIDTH;
    return fold(hashes.slice(start, start + 2 ** above));
  }

  /** The hashes of the tile that a tree of this size has in a place. */
  private async hashes(level: number, index: number): Promise<readonly Bytes[]> {
    const count = Math.floor(this.size / WIDTH ** level);
    const tile = { level, index, width: Math.min(WIDTH, count - index * WIDTH) };
    const path = tilePath(tile);
    const known = this.tiles.get(path);
    if (known !== undefined) return known;
    const hashes = await this.read(tile);
    if (tile.width === WIDTH) {
      const above = await this.subtree((level + 1) * HEIGHT, index);
      if (!equalBytes(await fold(hashes), above)) {
        throw bad(`at ${path} expected the hash that stands above it`);
      }
    }
    this.tiles.set(path, hashes);
    return hashes;
  }

  /** What a tile holds; once the full one is there, a ledger may drop the partial ones. */
  private async read(tile: Tile): Promise<readonly Bytes[]> {
    try {
      return readHashes(tile, await this.fetch(tilePath(tile)));
    } catch (error) {
      const isMissing = error instanceof VerificationError && error.code === "missing-evidence";
      if (!isMissing || tile.width === WIDTH) throw error;
      const whole = { ...tile, width: WIDTH };
      return readHashes(whole, await this.fetch(tilePath(whole))).slice(0, tile.width);
    }
  }
}

/** The root over hashes whose number is a power of two. */
async function fold(hashes: readonly Bytes[]): Promise<Bytes> {
  const [first, second] = hashes;
  if (first === undefined) throw bad("expected hashes in the tree's tiles, found none");
  if (second === undefined) return first;
  const middle = hashes.length / 2;
  return nodeHash(await fold(hashes.slice(0, middle)), await fold(hashes.slice(middle)));
}

function digits(value: number): string {
  return value.toString().padStart(3, "0");
}

function bad(message: string): VerificationError {
  return new VerificationError("bad-tile", message);
}
