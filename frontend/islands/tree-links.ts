// SPDX-License-Identifier: Apache-2.0
/** What a verification's steps mean for the links of a tree on the page. */
import type { Step } from "../verify/verify/report";

const AT_CHECKPOINT = new Set(["model", "files", "tensors", "heads", "openings"]);
const DIGEST = /(sha256:[0-9a-f]{6})[0-9a-f]{52}([0-9a-f]{6})/g;

/** The words come from the server, translated. */
export type Words = {
  readonly intact?: string;
  readonly broken?: string;
  readonly otherText?: string;
};

/** One link: what is known of its part, and for the output, of the text above it. */
export function judge(link: HTMLElement, steps: readonly Step[], words: Words): void {
  const own = steps.filter((step) => linkOf(step) === link.dataset.part);
  const failed = own.find(({ outcome }) => outcome === "failed");
  const passed = own.filter(({ outcome }) => outcome === "passed");
  const isIntact = own.length > 0 && passed.length === own.length;
  link.dataset.state = failed ? "broken" : isIntact ? "intact" : "recorded";
  write(link, "[data-verdict]", (failed ? words.broken : isIntact ? words.intact : "") ?? "");
  write(link, "[data-reason]", failed ? reason(failed, words) : "");
  write(link, "[data-count]", `${passed.length}/${own.length}`);
  link.querySelector("[data-steps] ol")?.replaceChildren(...own.map(line));
  link.querySelector("[data-steps]")?.removeAttribute("hidden");
}

/** One link of a verification that came to no end: nothing is said of it. */
export function unjudge(link: HTMLElement): void {
  link.dataset.state = "recorded";
  write(link, "[data-verdict]", "");
  write(link, "[data-reason]", "");
  link.querySelector("[data-steps]")?.setAttribute("hidden", "");
}

export function write(within: Element, selector: string, words: string): void {
  const place = within.querySelector<HTMLElement>(selector);
  if (place === null) return;
  place.textContent = words;
  place.hidden = words === "";
}

/** Every tree has a checkpoint: what is beside its files, or about the whole tree, stands there. */
function linkOf({ part }: Step): string {
  if (part === "text") return "output";
  return AT_CHECKPOINT.has(part) ? "checkpoint" : part;
}

/** What failed, in a sentence or two; the digests whole stand in the list of checks. */
function reason(failed: Step, words: Words): string {
  const detail = failed.detail.replace(DIGEST, "$1…$2");
  const sentence = `${detail.slice(0, 1).toUpperCase()}${detail.slice(1)}.`;
  return failed.part === "text" ? `${words.otherText ?? ""} ${sentence}` : sentence;
}

function line(step: Step): HTMLLIElement {
  const item = document.createElement("li");
  item.dataset.outcome = step.outcome;
  const [detail, code] = [document.createElement("span"), document.createElement("code")];
  detail.className = "quiet";
  detail.textContent = step.detail;
  code.className = "quiet";
  code.textContent = step.code;
  item.append(`${step.number}. ${step.title}: `, detail, " ", code);
  return item;
}
