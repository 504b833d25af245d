// SPDX-License-Identifier: Apache-2.0
/** From files to cases: hashed in workers, put to their evidence, and what has none looked up. */

import type { AcceptanceEvidence } from "../../verify/acceptance";
import { textItem } from "./address";
import { type Case, type Item, pair } from "./case";
import { withExcerpts } from "./excerpted";
import { lookUp } from "./finding";
import { type Placed, type Sorted, unreadable } from "./given";
import { type HashingPool, Unreadable } from "./hashing-pool";

const NOTHING_SIGNED =
  "expected evidence of something that was signed by it with the acceptance, found none";

/** Hears how many bytes of how many are hashed. */
export type Told = (doneBytes: number, allBytes: number) => void;
type Hasher = Pick<HashingPool, "hash">;

/** Nothing is asked of the registry about what came with its evidence. */
export async function casesOf(
  { contents, folder, proofs, unread, shown }: Sorted,
  pool: Hasher,
  told: Told,
): Promise<readonly Case[]> {
  const found = await hashed({ contents, folder }, pool, told);
  const items = found.filter((each) => "content" in each);
  const failed = found.filter((each) => "lack" in each);
  const { cases, left } = await withExcerpts(pair({ items, folder, proofs }));
  const looked = left.length > 0 ? await lookUp(left, folder) : [];
  const known = await Promise.all(cases.map(withOwnText));
  const judged = [...known, ...looked].map((each) => showing(each, shown));
  const lost = judged.some(({ proof }) => proof !== null) ? [] : shown.map(alone);
  return [...judged, ...failed, ...unread, ...lost];
}

/** With what somebody gave to be of whoever signed it; they are told what of it is of nobody. */
function showing(of: Case, shown: readonly AcceptanceEvidence[]): Case {
  const { proof } = of;
  if (proof === null || shown.length === 0) return of;
  const acceptances = [...shown, ...(proof.beside.acceptances ?? [])];
  return { ...of, proof: { ...proof, shown, beside: { ...proof.beside, acceptances } } };
}

function alone({ opening: { party } }: AcceptanceEvidence): Case {
  return unreadable(party, NOTHING_SIGNED);
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
