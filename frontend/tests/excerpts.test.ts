// SPDX-License-Identifier: Apache-2.0
/** A part of a generated text verifies by the lines that were signed: over the shared vectors. */
import { expect, test, vi } from "vitest";
import type { Json } from "../verify/canonical";
import { verdictOf } from "../verify/commands/verdict";
import { InvalidDocument } from "../verify/errors";
import { parseEvidence } from "../verify/evidence";
import { findExcerpt, linesOf } from "../verify/excerpts";
import { parseTrustRoot } from "../verify/trust";
import { examineOutput } from "../verify/verify/artifacts";
import { contentOf } from "../verify/verify/report";
import { groundsOf } from "../verify/verify/requirements";
import { changed, type Place, vectors } from "./vectors";

type Part = {
  readonly name: string;
  readonly text: string;
  readonly match?: string;
  readonly excerpt?: readonly number[];
  readonly failed?: readonly string[];
};
type Change = {
  readonly name: string;
  readonly path?: Place;
  readonly value?: Json;
  readonly failed: readonly string[];
};
type Vectors = {
  readonly trust_root: Json;
  readonly as_of: string;
  readonly text: string;
  readonly lines: readonly string[];
  readonly evidence: Json;
  readonly parts: readonly Part[];
  readonly changed: readonly Change[];
  readonly refused: readonly { readonly why: string; readonly lines: Json }[];
};

const given = vectors<Vectors>("excerpts");
const PART = "    if side < 0:\n        return None";

async function examined(text: string, document: Json, acceptsExcerpt: boolean) {
  const trust = await parseTrustRoot(given.trust_root);
  const required = { asOf: new Date(given.as_of), acceptsExcerpt };
  const evidence = await parseEvidence(document);
  const grounds = groundsOf(trust, required);
  const found = await examineOutput(evidence, grounds, await contentOf(text));
  const failures = found.steps.filter(({ outcome }) => outcome === "failed");
  return { ...found, failures, verdict: verdictOf(found, evidence, trust) };
}

test("the list is of the lines as they are", async () => {
  expect(await linesOf(given.text)).toEqual(given.lines);
  expect((await parseEvidence(given.evidence)).lines).toEqual(given.lines);
});

test.each(given.parts)("a part: $name", async ({ text, match, excerpt, failed = [] }) => {
  const found = await examined(text, given.evidence, true);
  expect(found.failures.map(({ code }) => code)).toEqual(failed);
  if (failed.length > 0) return;
  expect(found.match).toBe(match);
  const place = found.excerpt;
  expect(place && [place.first, place.last, place.of]).toEqual(excerpt ?? null);
  expect(found.verdict === "excerpt").toBe(excerpt !== undefined);
});

test("nobody gets a part for the whole unasked", async () => {
  const found = await examined(PART, given.evidence, false);
  expect(found.failures.map(({ code }) => code)).toEqual(["text"]);
  expect(found.failures[0]?.detail).toContain(
    "an excerpt, lines 2 to 3 of 6, which nobody asked for",
  );
  expect(found.verdict).toBe("changed");
});

test.each(given.changed)("changed: $name", async ({ path, value, failed }) => {
  const document = path === undefined ? given.evidence : changed(given.evidence, path, value);
  const found = await examined(PART, document, true);
  expect(found.failures.map(({ code }) => code)).toEqual(failed);
});

test.each(given.refused)("what is no list is refused: $why", async ({ lines }) => {
  const document = changed(given.evidence, ["lines"], lines);
  await expect(parseEvidence(document)).rejects.toThrow(InvalidDocument);
});

test("of more lines than were signed none is hashed, however many they are", async () => {
  const digest = vi.spyOn(crypto.subtle, "digest");
  expect(await findExcerpt(given.lines, "a\n".repeat(1 << 19))).toBeNull();
  expect(digest).not.toHaveBeenCalled();
});
