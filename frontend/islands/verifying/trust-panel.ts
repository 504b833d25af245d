// SPDX-License-Identifier: Apache-2.0
/** Where the reader says whom they trust: by a fingerprint from elsewhere, or by a root of theirs. */
import { asId } from "../../verify/digests";
import type { TrustRoot } from "../../verify/trust";
import { write } from "../tree-links";
import { isFingerprintOf, type Trust } from "./trust";

export class TrustPanel {
  private readonly place: HTMLElement;
  /** How often it was said otherwise. */
  changes = 0;
  private own: Trust | null = null;
  private given: TrustRoot | null = null;

  constructor(
    page: HTMLElement,
    private readonly changed: () => void,
  ) {
    const place = page.querySelector<HTMLElement>("[data-trust-panel]");
    if (place === null) throw new Error("expected a place to say whom to trust");
    this.place = place;
    this.field?.addEventListener("input", () => this.turn());
    place.querySelector("[data-own]")?.addEventListener("click", () => {
      this.given = null;
      this.turn();
    });
  }

  /** Whom a verdict rests on now; null where nobody said so, and the registry could not be asked. */
  get trust(): Trust | null {
    if (this.given !== null) {
      return { root: this.given, source: "given", lists: this.own?.lists ?? [] };
    }
    if (this.own === null || this.isAnother) return null;
    return { ...this.own, source: this.written === "" ? "own" : "compared" };
  }

  /** What the registry says of itself. */
  begin(own: Trust): void {
    this.own = own;
    this.show();
  }

  /** A root of the reader's takes the place of the registry's own. */
  give(root: TrustRoot): void {
    this.given = root;
    this.show();
  }

  private get field(): HTMLInputElement | null {
    return this.place.querySelector('input[name="fingerprint"]');
  }

  private get written(): string {
    return this.field?.value.trim() ?? "";
  }

  /** The reader has another fingerprint than this registry's root. */
  private get isAnother(): boolean {
    return (
      this.own !== null && this.written !== "" && !isFingerprintOf(this.written, this.own.root)
    );
  }

  private turn(): void {
    this.show();
    this.changed();
  }

  private show(): void {
    this.changes += 1;
    const root = this.given ?? this.own?.root ?? null;
    const source = this.given ? "given" : this.isAnother ? "another" : this.trust?.source;
    this.place.dataset.source = source ?? "none";
    for (const part of this.place.querySelectorAll<HTMLElement>("[data-for]")) {
      part.hidden = !part.dataset.for?.split(" ").includes(this.place.dataset.source);
    }
    if (root === null) return;
    write(this.place, "[data-registry]", root.registry);
    write(this.place, "[data-fingerprint]", asId(root.fingerprint));
    this.place.querySelector("copy-button")?.setAttribute("value", asId(root.fingerprint));
  }
}
