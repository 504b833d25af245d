// SPDX-License-Identifier: Apache-2.0
/** What is to be judged together: things at hand, and the evidence that speaks of them. */
import type { Proof } from "../../verify/commands/inputs";
import { parsePlaced } from "../../verify/statements/batch";
import { outputClaim } from "../../verify/statements/output";
import { parseStatement } from "../../verify/statements/statement";
import type { Content } from "../../verify/verify/report";

/** A file, a text or a digest; of a digest nothing is known besides. */
export type Item = {
  /** A file's name, below the folder that it was given in; empty for what has none. */
  readonly name: string;
  readonly size: number | null;
  readonly content: Content;
  readonly kind: "file" | "text" | "digest";
  /** The bytes, where they are at hand in a file. */
  readonly file?: Blob;
};
/** All that was given at one time. */
export type Given = {
  readonly items: readonly Item[];
  /** The name of a folder that the items are all files of; null for single ones. */
  readonly folder: string | null;
  readonly proofs: readonly Proof[];
};
export type Case = {
  readonly items: readonly Item[];
  readonly folder: string | null;
  readonly proof: Proof | null;
  /** Where there is no proof: whether nothing is known, or why that is not known. */
  readonly lack: Lack | null;
};
export type Lack =
  | { readonly kind: "unknown" }
  | { readonly kind: "unreached" }
  | { readonly kind: "listed"; readonly within: string }
  | { readonly kind: "unread"; readonly name: string; readonly reason: string };

/** Put things at hand to the evidence that speaks of them; `left` is what none of it speaks of. */
export function pair({ items, folder, proofs }: Given): { cases: Case[]; left: readonly Item[] } {
  const cases: Case[] = [];
  let left = items;
  for (const proof of proofs) {
    const own = ownOf(proof, { items: left, folder, proofs });
    left = left.filter((item) => !own.includes(item));
    cases.push(...casesOf(own, folder, proof));
  }
  return { cases, left };
}

/** What was given with one piece of evidence was meant for it: it may be what was changed. */
function ownOf(proof: Proof, { items, folder, proofs }: Given): readonly Item[] {
  const fitting = items.filter((item) => fits(item, proof));
  const isOnly = proofs.length === 1;
  if (isOutput(proof)) return fitting.length > 0 || folder !== null || !isOnly ? fitting : items;
  return folder !== null || isOnly ? items : fitting;
}

/** An output is about one content, so each is a case; files of a checkpoint are one together. */
function casesOf(own: readonly Item[], folder: string | null, proof: Proof): readonly Case[] {
  if (!isOutput(proof)) return [{ items: own, folder, proof, lack: null }];
  const groups = own.length > 0 ? own.map((item) => [item]) : [[]];
  return groups.map((items) => ({ items, folder: null, proof, lack: null }));
}

function isOutput({ evidence, placed }: Proof): boolean {
  return evidence.bundles.output !== undefined || placed !== null;
}

/** Whether evidence speaks of just this thing. */
export function fits({ content }: Item, proof: Proof): boolean {
  const { evidence } = proof;
  if (!isOutput(proof)) {
    return evidence.manifest.files.some(({ sha256 }) => sha256 === content.sha256);
  }
  const { sha256, normalisedSha256 } = content;
  return subjectsOf(proof).some((each) => each === sha256 || each === normalisedSha256);
}

function subjectsOf({ evidence, placed }: Proof): readonly (string | null)[] {
  const { output } = evidence.bundles;
  try {
    const { exactSha256, normalisedSha256 } =
      output === undefined
        ? parsePlaced(placed?.extra ?? new Uint8Array())
        : outputClaim(parseStatement(output.envelope.payload));
    return [exactSha256, normalisedSha256];
  } catch {
    return []; // no statement of an output: its own step says so
  }
}
