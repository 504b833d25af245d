// SPDX-License-Identifier: Apache-2.0
/** `<live-samples>`: fetches the list anew when a checkpoint is published or a sample is signed. */
import { subscribe } from "./events";

const NEAR_PX = 40;

export class LiveSamples extends HTMLElement {
  private stop: () => void = () => undefined;

  connectedCallback(): void {
    this.showNewest();
    const refresh = () => void this.refresh();
    const handlers = { sample: () => this.first() || refresh(), checkpoint: refresh };
    this.stop = subscribe(this.dataset.topic ?? "", handlers, refresh);
  }

  disconnectedCallback(): void {
    this.stop();
  }

  /** With the first sample there is an answer to show, and a checkpoint to ask. */
  private first(): boolean {
    const isFirst = document.querySelector("[data-answer] > .empty") !== null;
    if (isFirst) location.reload();
    return isFirst;
  }

  private async refresh(): Promise<void> {
    const answer = await fetch(this.dataset.source ?? "");
    if (!answer.ok) return;
    const strip = this.firstElementChild;
    const at = strip?.scrollLeft ?? 0;
    const isAtEnd = strip === null || at + strip.clientWidth > strip.scrollWidth - NEAR_PX;
    this.innerHTML = await answer.text();
    if (isAtEnd) this.showNewest();
    else this.firstElementChild?.scrollTo({ left: at }); // whoever reads older ones goes on
  }

  /** The strip alone scrolls; the page stays where it is. */
  private showNewest(): void {
    const strip = this.firstElementChild;
    strip?.scrollTo({ left: strip.scrollWidth });
  }
}

customElements.define("live-samples", LiveSamples);
