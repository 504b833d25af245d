// SPDX-License-Identifier: Apache-2.0
/** `<live-samples>`: fetches the list anew when a checkpoint is published or a sample is signed. */
import { subscribe } from "./events";

export class LiveSamples extends HTMLElement {
  private stop: () => void = () => undefined;

  connectedCallback(): void {
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
    const at = this.firstElementChild?.scrollLeft ?? 0;
    this.innerHTML = await answer.text();
    this.firstElementChild?.scrollTo({ left: at });
  }
}

customElements.define("live-samples", LiveSamples);
