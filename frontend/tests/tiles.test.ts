// SPDX-License-Identifier: Apache-2.0
/** Tiles: their paths, their bytes, and proofs from nothing but tiles. */
import { describe, expect, test } from "vitest";
import { fromHex, toHex } from "../verify/digests";
import { VerificationError } from "../verify/errors";
import { leafHash, verifyConsistency } from "../verify/merkle";
import { type Fetch, Reader, readHashes, tilePath, WIDTH } from "../verify/tiles";
import { splitNote } from "../verify/treehead";
import { vectors } from "./vectors";

type Place = {
  readonly level: number;
  readonly index: number;
  readonly width: number;
  readonly path: string;
};
type Worked = {
  readonly entries: readonly string[];
  readonly tile: string;
  readonly root: string;
};
type Histories = {
  readonly files: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly heads: { readonly honest: Readonly<Record<string, string>> };
};
const { paths, worked } = vectors<{ paths: readonly Place[]; worked: Worked }>("tiles");
const { files, heads } = vectors<Histories>("witnessing");
const SIZES = Object.keys(heads.honest).map(Number);
const BOTH = SIZES.flatMap((old) => SIZES.filter((size) => size >= old).map((size) => [old, size]));

/** The files of the honest history, some of them changed or (with undefined) not there. */
function fetching(changes: Readonly<Record<string, string | undefined>> = {}): Fetch {
  const held: Readonly<Record<string, string | undefined>> = { ...files.honest, ...changes };
  return async (path) => {
    const data = held[path];
    if (data === undefined) throw new VerificationError("missing-evidence", path);
    return fromHex(data);
  };
}

function rootOf(size: number) {
  return splitNote(heads.honest[String(size)] ?? "").head.root;
}

test.each(paths)("the path $path", ({ path, ...tile }) => {
  expect(tilePath(tile)).toBe(path);
});

test("a tile is the hashes of its leaves", async () => {
  const leaves = await Promise.all(worked.entries.map((entry) => leafHash(fromHex(entry))));
  const tile = { level: 0, index: 0, width: leaves.length };
  expect(readHashes(tile, fromHex(worked.tile))).toEqual(leaves);
  const reader = new Reader(leaves.length, async () => fromHex(worked.tile));
  expect(toHex(await reader.root())).toBe(worked.root);
});

test.each(SIZES)("the root of %i entries is the one that was signed", async (size) => {
  expect(await new Reader(size, fetching()).root()).toEqual(rootOf(size));
});

test.each(BOTH)("the first %i entries begin the %i", async (oldSize = 0, newSize = 0) => {
  const proof = await new Reader(newSize, fetching()).consistencyProof(oldSize);
  await verifyConsistency({ oldSize, newSize, proof }, rootOf(oldSize), rootOf(newSize));
});

test("where a partial tile was dropped, the full one is read", async () => {
  const fetch = fetching({ "tile/0/000.p/200": undefined });
  expect(await new Reader(200, fetch).root()).toEqual(rootOf(200));
});

describe("refused", () => {
  const whole = files.honest?.["tile/0/000"] ?? "";

  test("a tile of another size", async () => {
    const fetch = fetching({ "tile/0/000.p/5": "00".repeat(31) });
    await expect(new Reader(5, fetch).root()).rejects.toThrow("expected 160 bytes at tile/0/000");
  });

  test("a full tile that is not the one above which a hash stands", async () => {
    const fetch = fetching({ "tile/0/000": `${"00".repeat(32)}${whole.slice(64)}` });
    const proof = new Reader(300, fetch).consistencyProof(5);
    await expect(proof).rejects.toMatchObject({ code: "bad-tile" });
  });

  test("a full tile that is not there", async () => {
    const fetch = fetching({ "tile/0/000": undefined });
    const proof = new Reader(300, fetch).consistencyProof(5);
    await expect(proof).rejects.toMatchObject({ code: "missing-evidence" });
  });

  test("a tree that would have to shrink", async () => {
    const proof = new Reader(5, fetching()).consistencyProof(6);
    await expect(proof).rejects.toMatchObject({ code: "bad-tree-head" });
  });
});

test("positions past 32 bits are not cut off", async () => {
  const asked: string[] = [];
  const reader = new Reader(2 ** 41, async (path) => {
    asked.push(path);
    return fromHex("11".repeat(32 * (path.includes(".p/2") ? 2 : WIDTH)));
  });
  await expect(reader.subtree(0, 2 ** 40)).rejects.toThrow(VerificationError);
  expect(asked[0]).toBe("tile/0/x004/x294/x967/296");
});
