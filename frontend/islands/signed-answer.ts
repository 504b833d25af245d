// SPDX-License-Identifier: Apache-2.0
/** `<signed-answer>`: verifies a tree in this browser; where there is a text, lets it be changed. */
import { asMapping, loads, mapping } from "../verify/canonical";
import { AssayError } from "../verify/errors";
import { type Evidence, parseEvidence } from "../verify/evidence";
import { parseTrustRoot, type TrustRoot } from "../verify/trust";
import { examineCheckpoint, examineOutput } from "../verify/verify/artifacts";
import { contentOf, type Step } from "../verify/verify/report";
import { judge, write } from "./tree-links";

const PAUSE_MS = 120;

type Material = {
  readonly evidence: Evidence;
  readonly trust: TrustRoot;
  /** null where a page has no content to compare: a checkpoint, a digest of the caller's. */
  readonly text: string | null;
};

/** The evidence did not come: nothing was checked, which is neither intact nor broken. */
class Unfetched extends Error {}

export class SignedAnswer extends HTMLElement {
  private pause = 0;
  private rounds = 0;

  async connectedCallback(): Promise<void> {
    if (!isSecureContext) {
      write(this, "[data-status]", this.dataset.insecure ?? "");
      return;
    }
    try {
      const material = await this.load();
      if (material.text !== null) this.makeEditable(material, material.text);
      await this.verify(material, material.text);
    } catch (error) {
      if (error instanceof Unfetched) write(this, "[data-status]", this.dataset.unfetched ?? "");
      else if (error instanceof AssayError) write(this, "[data-status]", error.message);
      else throw error;
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
      evidence: parseEvidence(isOutput ? mapping(document, "evidence") : document),
      trust: await parseTrustRoot(loads(root)),
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
      this.pause = window.setTimeout(() => void this.verify(material, area.value), PAUSE_MS);
    });
    this.querySelector("[data-restore]")?.addEventListener("click", () => {
      area.value = signed;
      area.focus();
      void this.verify(material, signed);
    });
  }

  private async verify(material: Material, shown: string | null): Promise<void> {
    this.rounds += 1;
    const round = this.rounds;
    const steps = await examine(material, shown);
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

async function examine(material: Material, shown: string | null): Promise<readonly Step[]> {
  const { evidence, trust } = material;
  const now = { asOf: new Date() };
  if (evidence.bundles.output === undefined) return examineCheckpoint(evidence, trust, now, null);
  return examineOutput(evidence, trust, now, shown === null ? null : await contentOf(shown));
}

async function read(url: string): Promise<Uint8Array> {
  try {
    const response = await fetch(url, { headers: { Accept: "application/json" } });
    if (!response.ok) throw new Unfetched(response.statusText);
    return new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    throw new Unfetched(url, { cause: error }); // refused, cut off, or no network at all
  }
}

customElements.define("signed-answer", SignedAnswer);
