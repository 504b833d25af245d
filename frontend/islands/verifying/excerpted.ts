// SPDX-License-Identifier: Apache-2.0
/** Puts a text to each output that it is an excerpt of, where several pieces of evidence were given. */
import type { Proof } from "../../verify/commands/inputs";
import { findExcerpt } from "../../verify/excerpts";
import type { Case, Item } from "./case";

type Paired = { readonly cases: readonly Case[]; readonly left: readonly Item[] };

/**
 * Cases of what is left, too, by the lines that came with the evidence. Lines that several outputs
 * have are a case of each: which one was meant is not for the page to say.
 */
export async function withExcerpts({ cases, left }: Paired): Promise<Paired> {
  const found: Case[] = [];
  const placed = new Set<Item>();
  for (const proof of new Set(cases.map((each) => each.proof))) {
    const parts = proof === null ? [] : await excerptsIn(left, proof);
    for (const item of parts) placed.add(item);
    const own = cases.filter((each) => each.proof === proof);
    // Evidence alone says nothing that its excerpt does not say as well.
    found.push(...own.filter(({ items }) => parts.length === 0 || items.length > 0));
    found.push(...parts.map((item) => ({ items: [item], folder: null, proof, lack: null })));
  }
  return { cases: found, left: left.filter((item) => !placed.has(item)) };
}

/** Those things that are lines of an output's text. */
async function excerptsIn(left: readonly Item[], { evidence }: Proof): Promise<readonly Item[]> {
  const { lines, bundles } = evidence;
  if (lines === null || bundles.output === undefined) return [];
  const places = await Promise.all(
    left.map(({ content: { text } }) => (text ? findExcerpt(lines, text) : null)),
  );
  return left.filter((_, at) => places[at] !== null);
}
