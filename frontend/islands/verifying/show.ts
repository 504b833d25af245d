// SPDX-License-Identifier: Apache-2.0
/** Shows what was judged, each with its verdict first; the words and the shapes are the server's. */
import { asId } from "../../verify/digests";
import { inWords } from "../sizes";
import { write } from "../tree-links";
import type { Item } from "./case";
import { knownOf } from "./further";
import type { Judged, Judgement } from "./judging";
import { offerEvidence } from "./pieces";
import { grow, type Page } from "./tree";
import { filled } from "./values";
import { nameOf, type Said, saidOf, verdictIn } from "./words";

const SHOWN_ITEMS = 12; // the rest of a folder is in the check of its files

export type Shapes = Page & { readonly result: HTMLTemplateElement };

/** What there is to be seen, and the verdicts alone, to be read out. */
export type Shown = { readonly results: readonly Element[]; readonly spoken: string };
export const NOTHING: Shown = { results: [], spoken: "" };

/** Make what is shown of this. */
export async function shown(found: readonly Judged[], shapes: Shapes): Promise<Shown> {
  const spoken: string[] = [];
  const results: Element[] = [];
  for (const judged of found) {
    const said = saidOf(judged, shapes.words);
    results.push(await resultOf(judged, said, shapes, found.length === 1));
    spoken.push([said.headline, ...said.sentences, manifestIn(judged, shapes)].join(" ").trim());
  }
  return { results, spoken: spoken.join(" ") };
}

async function resultOf(
  judged: Judged,
  said: Said,
  shapes: Shapes,
  isOnly: boolean,
): Promise<Element> {
  const result = shapes.result.content.querySelector("article")?.cloneNode(true) as HTMLElement;
  result.dataset.verdict = verdictIn(judged);
  result.dataset.mood = moodOf(judged, said);
  result.dataset.manifest = judged.credentials?.kind ?? "none";
  write(result, "[data-headline]", said.headline);
  result.querySelector("[data-sentences]")?.replaceChildren(...said.sentences.map(paragraph));
  result.querySelector("[data-items]")?.replaceChildren(...itemsOf(judged.items, shapes));
  write(result, "[data-credentials]", manifestIn(judged, shapes));
  const { judgement, proof, trust } = judged;
  const behind = result.querySelector<HTMLElement>("[data-behind]");
  behind?.toggleAttribute("hidden", judgement === null);
  if (judgement === null || proof === null) return result;
  write(result, "[data-rests]", restsOn(judged, shapes));
  write(result, "[data-known]", knownOf(judged, judgement, shapes.words));
  write(result, "[data-root]", asId(trust.root.fingerprint));
  write(result, "[data-counted]", countedOf(judgement, shapes));
  const offer = result.querySelector<HTMLAnchorElement>("[data-evidence]");
  if (offer !== null) offerEvidence(offer, proof);
  const tree = result.querySelector(".tree");
  if (tree !== null) await grow(tree, judged, judgement, shapes);
  result.querySelector("details[data-tree]")?.toggleAttribute("open", isOnly);
  return result;
}

/** A manifest that does not hold breaks it; one by nobody knows whom is no reason for green. */
function moodOf({ credentials }: Judged, { mood }: Said): Said["mood"] {
  if (credentials?.kind === "refused") return "broken";
  return credentials?.kind === "unknown" && mood === "sound" ? "caution" : mood;
}

/** What came of a C2PA manifest, in a sentence of its own; empty where there is none. */
function manifestIn({ credentials, judgement }: Judged, { words }: Page): string {
  switch (credentials?.kind) {
    case undefined:
      return "";
    case "sound": {
      const checkpoint = asId(credentials.said.checkpointSha256);
      const key = judgement === null ? "credentials-alone" : "credentials-sound";
      return filled(words(key), { checkpoint, claim: words(`claim-${credentials.said.claim}`) });
    }
    case "unknown": {
      const checkpoint = asId(credentials.said.checkpointSha256);
      return filled(words("credentials-unknown"), { checkpoint });
    }
    case "foreign":
      return words("credentials-foreign");
    case "refused":
    case "unread":
      return filled(words(`credentials-${credentials.kind}`), { reason: credentials.reason });
  }
}

function restsOn({ trust }: Judged, { words }: Page): string {
  return filled(words(`rests-${trust.source}`), { registry: trust.root.registry });
}

function countedOf({ examination: { steps } }: Judgement, { words }: Page): string {
  const passed = steps.filter(({ outcome }) => outcome === "passed").length;
  return filled(words("counted"), { passed: String(passed), all: String(steps.length) });
}

function itemsOf(items: readonly Item[], { words }: Page): readonly Element[] {
  const shown = items.slice(0, SHOWN_ITEMS).map((item) => {
    const size = item.size === null ? "" : ` · ${inWords(item.size)}`;
    const name = item.kind === "text" ? words("what-text") : nameOf(item);
    return row(`${name}${size}`, asId(item.content.sha256));
  });
  const more = items.length - SHOWN_ITEMS;
  return more > 0 ? [...shown, paragraph(filled(words("more"), { count: String(more) }))] : shown;
}

function row(name: string, digest: string): Element {
  const [item, code] = [document.createElement("p"), document.createElement("code")];
  code.textContent = digest;
  item.append(name, document.createElement("br"), code);
  return item;
}

function paragraph(text: string): Element {
  const element = document.createElement("p");
  element.textContent = text;
  return element;
}
