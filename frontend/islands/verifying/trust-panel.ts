// SPDX-License-Identifier: Apache-2.0
/** Where the reader says whom they trust: by a fingerprint from elsewhere, or by a root of theirs. */
import type { NamedPolicy } from "../../verify/commands/inputs";
import { asId } from "../../verify/digests";
import type { TrustRoot } from "../../verify/trust";
import { write } from "../tree-links";
import { isDigest, NO_WITNESSES, type Trust, type Witnesses } from "./trust";

export class TrustPanel {
  private readonly place: HTMLElement;
  /** How often it was said otherwise. */
  changes = 0;
  private own: Trust | null = null;
  private given: TrustRoot | null = null;
  private policy: NamedPolicy | null = null;
  /** Roots that came in packs: none is believed before the reader has its fingerprint. */
  private packed: readonly TrustRoot[] = [];

  constructor(
    page: HTMLElement,
    private readonly changed: () => void,
  ) {
    const place = page.querySelector<HTMLElement>("[data-trust-panel]");
    if (place === null) throw new Error("expected a place to say whom to trust");
    this.place = place;
    place.addEventListener("input", () => this.turn());
    this.on("[data-own]", () => {
      this.given = null;
    });
    this.on("[data-no-policy]", () => {
      this.policy = null;
    });
  }

  /** Whom a verdict rests on now; null where nobody said so, and the registry could not be asked. */
  trustIn(packed: TrustRoot | null): Trust | null {
    const { witnesses } = this;
    if (this.given !== null) {
      return { root: this.given, source: "given", lists: this.own?.lists ?? [], witnesses };
    }
    const written = this.value("fingerprint");
    if (written !== "" && packed !== null && isDigest(written, packed.fingerprint)) {
      return { root: packed, source: "compared", lists: this.own?.lists ?? [], witnesses };
    }
    if (this.own === null || (written !== "" && !isDigest(written, this.own.root.fingerprint))) {
      return null;
    }
    return { ...this.own, source: written === "" ? "own" : "compared", witnesses };
  }

  /** What the registry says of itself. */
  begin(own: Trust): void {
    this.own = own;
    this.show();
  }

  /** A root of the reader's takes the place of the registry's own; a policy, that of none. */
  give(root: TrustRoot | undefined, policy: NamedPolicy | undefined): void {
    if (root !== undefined) this.given = root;
    if (policy !== undefined) this.policy = policy;
    this.show();
  }

  /** These came in what is to be judged now; how often whom to trust was said otherwise so far. */
  know(packed: readonly TrustRoot[]): number {
    this.packed = packed;
    this.show();
    return this.changes;
  }

  private get witnesses(): Witnesses {
    const isNow = this.place.querySelector<HTMLInputElement>('input[name="now"]')?.checked ?? false;
    return { ...NO_WITNESSES, given: this.policy, digest: this.value("policy"), isNow };
  }

  /** The one that the panel speaks of: the reader's, or the first whose fingerprint they have. */
  private get shown(): Trust | null {
    const found = [null, ...this.packed].map((root) => this.trustIn(root));
    return found.find((trust) => trust !== null) ?? null;
  }

  private on(selector: string, act: () => void): void {
    this.place.querySelector(selector)?.addEventListener("click", () => {
      act();
      this.turn();
    });
  }

  private value(name: string): string {
    return this.place.querySelector<HTMLInputElement>(`input[name="${name}"]`)?.value.trim() ?? "";
  }

  private turn(): void {
    this.show();
    this.changed();
  }

  private show(): void {
    this.changes += 1;
    const trust = this.shown;
    const root = trust?.root ?? this.own?.root ?? null;
    const source = trust?.source ?? (this.own === null ? "none" : "another");
    this.place.dataset.source = source;
    for (const part of this.place.querySelectorAll<HTMLElement>("[data-for]")) {
      part.hidden = !part.dataset.for?.split(" ").includes(source);
    }
    const given = this.place.querySelector<HTMLElement>("[data-policy-given]");
    given?.toggleAttribute("hidden", this.policy === null);
    write(this.place, "[data-policy]", this.policy === null ? "" : asId(this.policy.sha256));
    if (root === null) return;
    write(this.place, "[data-registry]", root.registry);
    write(this.place, "[data-fingerprint]", asId(root.fingerprint));
    this.place.querySelector("copy-button")?.setAttribute("value", asId(root.fingerprint));
  }
}
