// SPDX-License-Identifier: Apache-2.0
/** The tree of what was judged: a link for each part, with its checks and its pieces to keep. */
import type { Bundle } from "../../verify/bundle";
import { asId, sha256 } from "../../verify/digests";
import { knownAs, type Signatory } from "../../verify/pseudonyms";
import { judge, write } from "../tree-links";
import { type Branch, branchesOf } from "./branches";
import type { Judged, Judgement } from "./judging";
import { offerPieces } from "./pieces";
import { filled, moment, type Words } from "./values";

/** Of those that have no mark of their own. */
const MARKS: Readonly<Partial<Record<Branch["kind"], string>>> = {
  acceptance: "conduct",
  base: "checkpoint",
  batch: "output",
  evaluation: "checkpoint",
  withdrawal: "checkpoint",
};
const LONG = /([0-9a-f]{8})(?:[0-9a-f]{56}|-[0-9a-f-]{27})$/;

/** What a tree on a page needs of it. */
export type Page = {
  readonly words: Words;
  /** The registry that served it, whose own pages are linked to as such. */
  readonly registry: string;
  readonly link: HTMLTemplateElement;
};

/** Fill a list with a link for each part. */
export async function grow(tree: Element, of: Judged, by: Judgement, page: Page): Promise<void> {
  const { words } = page;
  const linkWords = {
    intact: words("intact"),
    broken: words("broken-link"),
    otherText: words("other-content"),
  };
  for (const branch of branchesOf(of, by)) {
    const link = page.link.content.querySelector("li")?.cloneNode(true) as HTMLElement;
    link.dataset.part = branch.name;
    link.toggleAttribute("data-base", branch.kind === "base" || branch.kind === "acceptance");
    await tell(link, branch, of, page);
    judge(link, by.examination.steps, linkWords);
    offerPieces(link, branch);
    tree.append(link);
  }
}

async function tell(
  link: HTMLElement,
  { kind, told, examined, bundle }: Branch,
  { trust }: Judged,
  { words, registry }: Page,
): Promise<void> {
  const base = trust.root.registry === registry ? "" : trust.root.registry;
  link.querySelector(".mark use")?.setAttribute("href", `#mark-${MARKS[kind] ?? kind}`);
  const title = filled(words(`title-${kind}`), told?.values ?? {});
  write(link, told?.path ? "h3 a" : "h3 span", title);
  point(link, "h3 a", told?.path ? `${base}${told.path}` : "");
  write(link, ".says", told === null ? "" : filled(words(`says-${told.key}`), told.values));
  show(link, "signer", signerOf(examined?.signer.value ?? null));
  show(
    link,
    "at",
    momentOf(examined?.standing.value?.signedBefore ?? examined?.signedAt.value ?? null),
  );
  await tellWhere(link, bundle, { words, base, digest: told?.digest ?? "" });
}

/** Its entry in the ledger, and the digest of the thing or else of what was said. */
async function tellWhere(
  link: HTMLElement,
  bundle: Bundle | undefined,
  { words, base, digest }: { words: Words; base: string; digest: string },
): Promise<void> {
  const index = bundle === undefined ? "" : String(bundle.proof.index);
  const shown = index === "" ? "" : filled(words("entry"), { index });
  show(link, "entry", { shown, whole: "" });
  point(link, '[data-field="entry"]', index === "" ? "" : `${base}/ledger/entries/${index}`);
  const whole = digest || (bundle ? await sha256(bundle.envelope.payload) : "");
  const short = whole === "" ? "" : asId(`${whole.slice(0, 6)}…${whole.slice(-6)}`);
  show(link, "digest", { shown: short, whole: asId(whole) });
  link.querySelector("copy-button")?.setAttribute("value", asId(whole));
}

type Shown = { readonly shown: string; readonly whole: string };

function signerOf(signer: Signatory | null): Shown {
  if (signer === null) return { shown: "", whole: "" };
  const shown = knownAs(signer)
    .replace(/^https?:\/\//, "")
    .replace(LONG, "$1…");
  return { shown, whole: signer.uri };
}

function momentOf(at: Date | null): Shown {
  if (at === null) return { shown: "", whole: "" };
  const shown = moment(at);
  return { shown, whole: `${shown} UTC` };
}

function show(link: HTMLElement, field: string, { shown, whole }: Shown): void {
  const place = link.querySelector<HTMLElement>(`[data-field="${field}"]`);
  if (place === null) return;
  place.textContent = shown;
  place.title = whole;
  place.closest(".trail > div")?.toggleAttribute("hidden", shown === "");
}

function point(link: HTMLElement, selector: string, to: string): void {
  const place = link.querySelector<HTMLAnchorElement>(selector);
  if (place === null) return;
  if (to === "") place.removeAttribute("href");
  else place.href = to;
}
