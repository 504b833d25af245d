// SPDX-License-Identifier: Apache-2.0
/** The lines of a text by their digests, by which a part of it verifies without the rest. */
import type { Json } from "./canonical";
import { sha256Hex } from "./canonical";
import { normalisedText, sha256 } from "./digests";

/** Of a list within evidence. */
export const MAX_LINES = 4096;
/** Of which an excerpt is looked for; larger content is compared as a whole alone. */
export const MAX_EXCERPT_BYTES = 1 << 20;

/** The digests of a text's lines, in their order. */
export type LineList = readonly string[];
/** Lines that stand in a text one after the other, counted from 1; empty ones do not count. */
export type Excerpt = {
  readonly first: number;
  readonly last: number;
  /** How many lines the text has. */
  readonly of: number;
};

/** The digests of a text's lines; none of one that is empty when it is normalised. */
export async function linesOf(text: string): Promise<LineList> {
  return digestsOf(linesIn(text));
}

/** Read the JSON form, an array. Raises InvalidDocument. */
export function parseLines(values: readonly Json[]): LineList {
  return values.map((value) => sha256Hex({ lines: value }, "lines"));
}

/** The digest that an output's statement names. */
export async function linesSha256(list: LineList): Promise<string> {
  return sha256(new TextEncoder().encode(list.map((each) => `${each}\n`).join("")));
}

/**
 * Where the lines of a text stand in the one that was signed, all of them, in their order; the
 * first time. One that has more of them than that is no excerpt, and costs no digests.
 */
export async function findExcerpt(signed: LineList, text: string): Promise<Excerpt | null> {
  const lines = linesIn(text);
  if (lines.length === 0 || lines.length > signed.length) return null;
  const wanted = await digestsOf(lines);
  for (let at = 0; at + wanted.length <= signed.length; at++) {
    if (wanted.every((each, next) => each === signed[at + next])) {
      return { first: at + 1, last: at + wanted.length, of: signed.length };
    }
  }
  return null;
}

export function inWords({ first, last, of }: Excerpt): string {
  return first === last ? `line ${first} of ${of}` : `lines ${first} to ${last} of ${of}`;
}

function linesIn(text: string): readonly string[] {
  return normalisedText(text)
    .split("\n")
    .filter((line) => line !== "");
}

async function digestsOf(lines: readonly string[]): Promise<LineList> {
  return Promise.all(lines.map((line) => sha256(new TextEncoder().encode(line))));
}
