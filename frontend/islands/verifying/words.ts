// SPDX-License-Identifier: Apache-2.0
/** The words of a verdict, which the server translated: which sentence it is, and what stands in it. */
import type { Verdict } from "../../verify/commands/verdict";
import { asId } from "../../verify/digests";
import type { Excerpt } from "../../verify/excerpts";
import type { Parts } from "../../verify/verify/artifacts";
import type { Item } from "./case";
import { furtherOf, unusedOf } from "./further";
import type { Judged, Judgement } from "./judging";
import { capitalised, filled, valuesOf, type Words } from "./values";

/** How the page shows it: what holds, what to beware of, what does not hold, what is not known. */
export type Mood = "sound" | "caution" | "broken" | "none";
export type Said = {
  readonly mood: Mood;
  readonly headline: string;
  readonly sentences: readonly string[];
};

const MOODS: Readonly<Record<string, Mood>> = {
  verified: "sound",
  normalised: "sound",
  excerpt: "caution",
  "taken-down": "caution",
  withdrawn: "caution",
  revoked: "caution",
  stale: "caution",
  "other-policy": "broken",
  changed: "broken",
  broken: "broken",
  unread: "broken",
  manifest: "broken",
};
const MATCHES = {
  identical: "identical",
  "same after normalising": "normalised",
  excerpt: "excerpt",
  "not compared": "none",
} as const;
const HOLDS = new Set(["verified", "normalised", "excerpt", "taken-down", "withdrawn"]);
/** And where nothing but revocation is in its way: what is at hand was signed all the same. */
const SIGNED = new Set([...HOLDS, "revoked", "stale"]);

/** The verdict first, in one plain sentence; then what must be known with it. */
export function saidOf(judged: Judged, words: Words): Said {
  const { judgement } = judged;
  const verdict = verdictIn(judged);
  const what = whatOf(judged, words);
  const excerpt = excerptOf(judgement);
  const place = excerpt === null ? "" : placeOf(excerpt, words);
  const values = { what, What: capitalised(what), place, ...valuesOf(judged) };
  const keys = judgement === null ? lackOf(verdict, judged) : keysOf(judged, judgement);
  const holds = judgement !== null && HOLDS.has(judgement.verdict);
  const isInVain = holds && unusedOf(judged, judgement).length > 0;
  const further = holds ? furtherOf(judged, judgement, words) : [];
  return {
    mood: isInVain ? "caution" : (MOODS[verdict] ?? "none"),
    headline: headlineOf(verdict, excerpt, words),
    sentences: [...keys.map((key) => filled(words(key), values)), ...further],
  };
}

/** Why there is nothing to judge it by; of a text that nothing has, where parts of texts are found. */
function lackOf(verdict: string, { items: [item] }: Judged): readonly string[] {
  return verdict === "unknown" && item?.kind === "text" ? [verdict, "unknown-part"] : [verdict];
}

/** What it came to, in one word: judged, refused, or lacking what it takes. */
export function verdictIn({ judgement, refusal, lack, credentials }: Judged): string {
  const found = judgement?.verdict ?? refusal?.kind ?? lack?.kind ?? "unknown";
  return HOLDS.has(found) && credentials?.kind === "refused" ? "manifest" : found;
}

/** Whatever else is to be said: before all of it, that a part is one. */
function headlineOf(verdict: string, excerpt: Excerpt | null, words: Words): string {
  const headline = words(`headline-${verdict}`);
  const isSaid = excerpt === null || verdict === "excerpt";
  return isSaid ? headline : `${words("headline-excerpt")} ${headline}`;
}

/** The lines that a part is; null for what is none, or is not known to be of what was signed. */
function excerptOf(judgement: Judgement | null): Excerpt | null {
  return judgement !== null && SIGNED.has(judgement.verdict) ? judgement.examination.excerpt : null;
}

function keysOf({ items, folder }: Judged, judgement: Judgement): readonly string[] {
  const { examination, verdict } = judgement;
  const { parts, match } = examination;
  if (!HOLDS.has(verdict)) {
    const part = excerptOf(judgement) === null ? [] : ["part"];
    return [...part, keyOf(judgement)];
  }
  const since = sinceOf(verdict, parts);
  if (parts.output?.claim.value) {
    return [`output-${parts.output.claim.value.claim}-${MATCHES[match]}`, ...since];
  }
  if (parts.evaluation) return ["evaluation", ...since];
  const extent = items.length === 0 ? "none" : folder === null ? "some" : "whole";
  return [`checkpoint-${extent}`, ...since];
}

/** Of what does not hold: by which sentence. */
function keyOf({ examination: { parts }, verdict, requirements }: Judgement): string {
  if (verdict === "revoked" && requirements.policy) return "revoked-before";
  if (verdict !== "changed") return verdict;
  return parts.output === undefined ? "changed-files" : "changed-content";
}

/** What became of it since; of a breach of conduct also whether it was signed before that. */
function sinceOf(verdict: Verdict, parts: Parts): readonly string[] {
  if (verdict === "withdrawn") return ["since-withdrawn"];
  if (verdict !== "taken-down") return [];
  const takedown = parts.takedown?.claim.value ?? null;
  const { standing } = parts.output ?? parts.evaluation ?? parts.checkpoint;
  const signed = standing.value?.signedBefore ?? null;
  if (takedown === null || takedown.breach === null || signed === null) return ["since-taken-down"];
  return [signed <= takedown.takenDownAt ? "since-breach-standing" : "since-breach-after"];
}

function placeOf({ first, last, of }: Excerpt, words: Words): string {
  const numbers = { first: String(first), last: String(last), count: String(of) };
  return filled(words(first === last ? "place-line" : "place-lines"), numbers);
}

function whatOf({ items, folder }: Judged, words: Words): string {
  const [first, ...more] = items;
  if (folder !== null) return filled(words("what-folder"), { name: folder });
  if (first === undefined) return words("what-none");
  if (more.length > 0) return filled(words("what-files"), { count: String(items.length) });
  return filled(words(`what-${first.kind}`), { name: nameOf(first) });
}

export function nameOf({ name, content }: Item): string {
  return name === "" ? asId(content.sha256) : name;
}
