// SPDX-License-Identifier: Apache-2.0
/** From files to cases: hashed in workers, put to their evidence, and what has none looked up. */

import { textItem } from "./address";
import { type Case, type Item, pair } from "./case";
import { withExcerpts } from "./excerpted";
import { lookUp } from "./finding";
import { type Placed, type Sorted, unreadable } from "./given";
import { type HashingPool, Unreadable } from "./hashing-pool";

/** Hears how many bytes of how many are hashed. */
export type Told = (doneBytes: number, allBytes: number) => void;
type Hasher = Pick<HashingPool, "hash">;

/** Nothing is asked of the registry about what came with its evidence. */
export async function casesOf(
  { contents, folder, proofs, unread }: Sorted,
  pool: Hasher,
  told: Told,
): Promise<readonly Case[]> {
  const found = await hashed({ contents, folder }, pool, told);
  const items = found.filter((each) => "content" in each);
  const failed = found.filter((each) => "lack" in each);
  const { cases, left } = await withExcerpts(pair({ items, folder, proofs }));
  const looked = left.length > 0 ? await lookUp(left, folder) : [];
  const known = await Promise.all(cases.map(withOwnText));
  return [...known, ...looked, ...failed, ...unread];
}

/** Of a folder no file is looked at for an excerpt (`pair`): the texts of all would be much to keep. */
async function hashed(
  { contents, folder }: Pick<Sorted, "contents" | "folder">,
  pool: Hasher,
  told: Told,
): Promise<readonly (Item | Case)[]> {
  const all = contents.reduce((sum, { file }) => sum + file.size, 0);
  const done = new Map<Placed, number>();
  const hear = (placed: Placed, bytes: number) => {
    done.set(placed, bytes);
    told(
      [...done.values()].reduce((sum, each) => sum + each, 0),
      all,
    );
  };
  return Promise.all(
    contents.map(async (placed): Promise<Item | Case> => {
      const { file, path } = placed;
      try {
        const found = await pool.hash(file, (bytes) => hear(placed, bytes));
        const content = folder === null ? found : { ...found, text: null };
        return { name: path || file.name, size: file.size, content, kind: "file", file };
      } catch (error) {
        if (error instanceof Unreadable) return unreadable(file.name, error.message);
        throw error;
      }
    }),
  );
}

/** An answer brings its text; what else is at hand is compared instead of it. */
async function withOwnText(of: Case): Promise<Case> {
  const text = of.items.length === 0 ? (of.proof?.text ?? null) : null;
  return text === null ? of : { ...of, items: [await textItem(text)] };
}
