// SPDX-License-Identifier: Apache-2.0
/** `<loss-chart>`: the loss of a run as it falls; the table inside it holds the same numbers. */
import type uPlot from "uplot";
import { subscribe } from "./events";
import { columns, type Point, plotIn } from "./loss-plot";

export class LossChart extends HTMLElement {
  private points: Point[] = [];
  private plot: uPlot | null = null;
  private stop: () => void = () => undefined;

  connectedCallback(): void {
    this.points = JSON.parse(this.dataset.points ?? "[]") as Point[];
    const handlers = {
      loss: (data: unknown) => this.add(data as Point),
      run: (data: unknown) => this.tell(data as { readonly state: string }),
    };
    this.stop = subscribe(this.dataset.topic ?? "", handlers, () => void this.reload());
    const target = this.querySelector<HTMLElement>("[data-plot]");
    if (target === null) return;
    target.setAttribute("aria-hidden", "true");
    this.plot = plotIn(target, this.points, Number(this.dataset.steps ?? 0));
  }

  disconnectedCallback(): void {
    this.stop();
    this.plot?.destroy();
  }

  private add(point: Point): void {
    // A resumed run tells steps again: what was heard of them before gives way.
    this.show([...this.points.filter(({ step }) => step < point.step), point]);
  }

  private show(points: Point[]): void {
    this.points = points;
    this.plot?.setData(columns(points));
    const last = points.at(-1);
    if (last !== undefined) this.say("[data-step]", String(last.step));
    const loss = points.findLast(({ validation }) => validation)?.validation;
    if (loss) this.say("[data-loss]", Number(loss).toFixed(2));
  }

  /** The words of each state come from the server: `data-running`, `data-completed`, … */
  private tell({ state }: { readonly state: string }): void {
    this.say("[data-state]", this.dataset[state] ?? state);
    this.querySelector("[data-state]")?.classList.toggle("live", state === "running");
  }

  private async reload(): Promise<void> {
    const answer = await fetch(this.dataset.source ?? "");
    if (!answer.ok) return;
    const told = (await answer.json()) as Point[];
    const last = told.at(-1)?.step ?? -1;
    // What the stream told while the answer was on its way is newer than the answer.
    this.show([...told, ...this.points.filter(({ step }) => step > last)]);
  }

  private say(selector: string, words: string): void {
    const place = this.querySelector(selector);
    if (place !== null) place.textContent = words;
  }
}

customElements.define("loss-chart", LossChart);
