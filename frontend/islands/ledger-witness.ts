// SPDX-License-Identifier: Apache-2.0
/** `<ledger-witness>`: while this tab is open, it cosigns each tree head that continues the last. */
import { AssayError } from "../verify/errors";
import { StaleHead, WitnessStateBroken } from "../verify/witness/errors";
import type { Account } from "../verify/witness/state";
import { write } from "./tree-links";
import { figuresOf } from "./witness-figures";
import { forget, recall } from "./witness-memory";
import { begin, look, NoSuchKeys, Unreached } from "./witness-rounds";

/** Each part of the page says in `data-when` in which of these it is seen. */
type State = "unable" | "ready" | "watching" | "stopped" | "caught";

export class LedgerWitness extends HTMLElement {
  private timer = 0;

  async connectedCallback(): Promise<void> {
    this.addEventListener("click", (event) => void this.act(event));
    if (!isSecureContext || !("locks" in navigator)) return this.enter("unable");
    await this.guarded(async () => {
      const kept = await recall();
      if (kept === null) return this.enter("ready");
      await this.show(kept.account);
      await this.round();
    });
  }

  disconnectedCallback(): void {
    clearTimeout(this.timer);
  }

  private async act(event: Event): Promise<void> {
    const action = (event.target as Element).closest<HTMLElement>("[data-act]")?.dataset.act;
    await this.guarded(async () => {
      if (action === "look") return this.round();
      if (action === "begin") {
        // Whether it asks, and what it answers, is the browser's to decide.
        void navigator.storage.persist().catch(() => false);
        await begin(this.dataset.trust ?? "");
        return this.round();
      }
      if (action === "forget") await forget();
      if (action === "forget") return location.reload();
      if (action === "stop") this.enter("stopped");
    });
  }

  /** Look, show, and look again after a while; whoever was caught is looked at no more. */
  private async round(): Promise<void> {
    if (this.dataset.state === "caught") return;
    this.enter("watching");
    await this.guarded(async () => {
      const account = await look(this.dataset.ledger ?? "");
      if (account === null) return this.enter("ready"); // forgotten in another tab
      this.say(this.dataset.saysSound);
      await this.show(account);
    });
    clearTimeout(this.timer);
    if (this.dataset.state !== "watching" || !this.isConnected) return;
    this.timer = window.setTimeout(() => void this.round(), Number(this.dataset.every) * 1000);
  }

  private async show(account: Account): Promise<void> {
    const { words, notes } = await figuresOf(account, document.documentElement.lang);
    for (const [name, value] of Object.entries(words)) {
      write(this, `[data-field="${name}"]`, value);
      this.querySelector(`[data-copies="${name}"]`)?.setAttribute("value", value);
    }
    for (const [name, note] of Object.entries(notes)) this.offer(name, note);
    if (account.contradiction === null) return;
    document.title = this.dataset.caughtTitle ?? document.title;
    this.enter("caught");
    this.say("");
  }

  private offer(name: string, note: string): void {
    for (const link of this.querySelectorAll<HTMLAnchorElement>(`[data-download="${name}"]`)) {
      URL.revokeObjectURL(link.href);
      link.href = URL.createObjectURL(new Blob([note], { type: "text/plain;charset=utf-8" }));
    }
  }

  private enter(state: State): void {
    clearTimeout(this.timer);
    this.dataset.state = state;
    for (const part of this.querySelectorAll<HTMLElement>("[data-when]")) {
      part.hidden = !part.dataset.when?.split(" ").includes(state);
    }
  }

  /** What goes wrong is said; none of it is a verdict on the ledger's history. */
  private async guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (error instanceof NoSuchKeys) this.enter("unable");
      else if (error instanceof Unreached) this.say(this.dataset.saysUnreached, "waiting");
      else if (error instanceof StaleHead) this.say(this.dataset.saysStale, "waiting");
      else this.complain(error);
    }
  }

  /** Also of what nobody thought of: a round that ended unsaid would be the last. */
  private complain(error: unknown): void {
    if (error instanceof WitnessStateBroken) this.enter("stopped");
    const message = error instanceof Error ? error.message : String(error);
    this.say(`${this.dataset.saysUnsound} ${message}`, "unsound");
    if (!(error instanceof AssayError)) reportError(error);
  }

  private say(words = "", mood = "sound"): void {
    this.dataset.mood = mood;
    write(this, "[data-status]", words);
  }
}

customElements.define("ledger-witness", LedgerWitness);
