// SPDX-License-Identifier: Apache-2.0
/** What is seen of the page that verifies: its state, how far it is, what is said, the verdicts. */
import { inWords } from "../sizes";
import { write } from "../tree-links";
import { shapesOf } from "./page";
import { takeBack } from "./pieces";
import type { Shapes, Shown } from "./show";
import { filled } from "./values";

export type State = "insecure" | "loading" | "ready" | "working";

export class Stage {
  readonly shapes: Shapes;

  constructor(private readonly page: HTMLElement) {
    this.shapes = shapesOf(page);
  }

  get state(): State {
    return (this.page.dataset.state ?? "loading") as State;
  }

  /** Each part of the page says in `data-when` in which of these it is seen. */
  enter(state: State): void {
    this.page.dataset.state = state;
    if (state === "working") this.progress(0, 0);
    for (const part of this.page.querySelectorAll<HTMLElement>("[data-when]")) {
      part.hidden = !part.dataset.when?.split(" ").includes(state);
    }
  }

  progress(done: number, all: number): void {
    const bar = this.page.querySelector("progress");
    if (bar !== null) bar.value = all === 0 ? 0 : done / all;
    const sizes = { done: inWords(done), all: inWords(all) };
    write(
      this.page,
      "[data-hashed]",
      all === 0 ? "" : filled(this.shapes.words("progress"), sizes),
    );
  }

  /** The verdicts, in place of those before; and a word beside them, if there is one. */
  put({ results, spoken }: Shown, key = "", more = ""): void {
    const place = this.page.querySelector("[data-results]");
    if (place !== null) takeBack(place);
    place?.replaceChildren(...results);
    const aloud = this.page.querySelector("[data-spoken]");
    if (aloud !== null) aloud.textContent = spoken;
    const said = key === "" ? "" : `${this.shapes.words(key)} ${more}`.trim();
    write(this.page, "[data-status]", said);
  }

  /** The verdict stands above what it was asked by. */
  turnToVerdict(): void {
    this.page.scrollIntoView();
  }
}
