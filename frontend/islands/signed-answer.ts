// SPDX-License-Identifier: Apache-2.0
/** `<signed-answer>`: verifies a tree in this browser; where there is a text, lets it be changed. */
import { asMapping, type JsonObject, loads, mapping } from "../verify/canonical";
import { AssayError } from "../verify/errors";
import { type Evidence, parseEvidence } from "../verify/evidence";
import { parseTrustRoot, type TrustRoot } from "../verify/trust";
import { type Examination, examineCheckpoint, examineOutput } from "../verify/verify/artifacts";
import { contentOf } from "../verify/verify/report";
import { groundsOf } from "../verify/verify/requirements";
import { read, Unfetched } from "./evidence-fetch";
import { savesWhatIsShown } from "./shown-answer";
import { judge, unjudge, write } from "./tree-links";

const PAUSE_MS = 120;

type Material = {
  readonly evidence: Evidence;
  readonly trust: TrustRoot;
  readonly answer: JsonObject;
  /** null where a page has no content to compare: a checkpoint, a digest of the caller's. */
  readonly text: string | null;
};

export class SignedAnswer extends HTMLElement {
  private pause = 0;
  private rounds = 0;

  async connectedCallback(): Promise<void> {
    if (!isSecureContext) {
      write(this, "[data-status]", this.dataset.insecure ?? "");
      return;
    }
    await this.orSaySo(async () => {
      const material = await this.load();
      if (material.text !== null) this.makeEditable(material, material.text);
      await this.verify(material, material.text);
    });
  }

  /** What was not judged is said so, and looks like nothing else: neither intact nor broken. */
  private async orSaySo(run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      this.dataset.state = "unjudged";
      for (const link of this.querySelectorAll<HTMLElement>("[data-part]")) unjudge(link);
      const { unfetched = "", unjudged = "" } = this.dataset;
      if (error instanceof Unfetched) return write(this, "[data-status]", unfetched);
      const isTheirs = error instanceof AssayError;
      write(this, "[data-status]", isTheirs ? `${unjudged} ${error.message}` : unjudged);
      if (!isTheirs) reportError(error); // for whoever reads the console
    }
  }

  private async load(): Promise<Material> {
    const [answer, root] = await Promise.all([
      read(this.dataset.evidence ?? ""),
      read(this.dataset.trust ?? ""),
    ]);
    const document = asMapping(loads(answer), "answer");
    const isOutput = "evidence" in document;
    return {
      evidence: await parseEvidence(isOutput ? mapping(document, "evidence") : document),
      trust: await parseTrustRoot(loads(root)),
      answer: document,
      text: typeof document.text === "string" ? document.text : null,
    };
  }

  /** The text as it is shown becomes one that can be changed. */
  private makeEditable(material: Material, signed: string): void {
    const area = document.createElement("textarea");
    area.value = signed;
    area.spellcheck = false;
    area.autocapitalize = "off";
    area.setAttribute("aria-label", this.dataset.label ?? "");
    this.querySelector("[data-text]")?.replaceWith(area);
    area.addEventListener("input", () => {
      clearTimeout(this.pause);
      this.pause = window.setTimeout(() => this.again(material, area.value), PAUSE_MS);
    });
    const save = this.querySelector<HTMLAnchorElement>("a[data-save]");
    if (save !== null) savesWhatIsShown(save, material.answer, () => area.value);
    this.querySelector("[data-restore]")?.addEventListener("click", () => {
      area.value = signed;
      area.focus();
      this.again(material, signed);
    });
  }

  private again(material: Material, shown: string): void {
    void this.orSaySo(() => this.verify(material, shown));
  }

  private async verify(material: Material, shown: string | null): Promise<void> {
    this.rounds += 1;
    const round = this.rounds;
    const { steps } = await examine(material, shown);
    if (round !== this.rounds) return; // the text has changed meanwhile
    const isBroken = steps.some(({ outcome }) => outcome !== "passed");
    this.dataset.state = isBroken ? "broken" : "intact";
    this.querySelector("[data-restore]")?.toggleAttribute("hidden", shown === material.text);
    for (const link of this.querySelectorAll<HTMLElement>("[data-part]")) {
      judge(link, steps, this.dataset);
    }
    const says = isBroken ? this.dataset.saysBroken : this.dataset.saysIntact;
    write(this, "[data-status]", says ?? "");
  }
}

async function examine(material: Material, shown: string | null): Promise<Examination> {
  const { evidence, trust } = material;
  const grounds = groundsOf(trust, { asOf: new Date() });
  if (evidence.bundles.output === undefined) return examineCheckpoint(evidence, grounds, null);
  return examineOutput(evidence, grounds, shown === null ? null : await contentOf(shown));
}

customElements.define("signed-answer", SignedAnswer);
