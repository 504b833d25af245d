// SPDX-License-Identifier: Apache-2.0
/** `<prompt-box>`: asks through the API and puts the signed answer beside the form, on this page. */
import { subscribe } from "./events";

const POLL_MS = 1000;
const POLLS = 120;

type Problem = { readonly detail?: string };
type Answer = { readonly id: string; readonly state: string; readonly failure?: Failure };
type Failure = { readonly reason: string };
type Published = { readonly id: string; readonly name: string; readonly state: string };

export class PromptBox extends HTMLElement {
  private stop: () => void = () => undefined;

  connectedCallback(): void {
    const handlers = { checkpoint: (data: unknown) => this.follow(data as Published) };
    this.stop = subscribe(this.dataset.topic ?? "", handlers, () => undefined);
    this.querySelector("form")?.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.ask(event.target as HTMLFormElement);
    });
  }

  disconnectedCallback(): void {
    this.stop();
  }

  /** The newest checkpoint answers. */
  private follow({ id, name, state }: Published): void {
    const field = this.querySelector<HTMLInputElement>("[name=checkpoint]");
    if (field === null || state !== "published") return;
    field.value = id;
    const shown = this.querySelector("[data-checkpoint]");
    if (shown !== null) shown.textContent = name;
  }

  private async ask(form: HTMLFormElement): Promise<void> {
    const button = form.querySelector("button");
    button?.setAttribute("disabled", "");
    this.say(this.dataset.working ?? "");
    try {
      await show((await this.settled(await send(form))).id);
      this.say(this.dataset.done ?? "");
    } catch (error) {
      // A fetch that reaches nobody is a TypeError, in the browser's words, not ours.
      const said = error instanceof TypeError ? this.dataset.unreached : (error as Error).message;
      this.say(said ?? "");
    } finally {
      button?.removeAttribute("disabled");
    }
  }

  /** An answer that takes longer than the server waits is asked for again until it is signed. */
  private async settled(first: Answer): Promise<Answer> {
    let answer = first;
    for (let poll = 0; answer.state !== "signed"; poll += 1) {
      if (answer.failure) throw new Error(answer.failure.reason);
      if (poll === POLLS) throw new Error(this.dataset.late ?? "");
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      answer = await answerOf(await fetch(`/api/v1/outputs/${answer.id}`));
    }
    return answer;
  }

  private say(words: string): void {
    const place = this.querySelector("[data-progress]");
    if (place !== null) place.textContent = words;
  }
}

async function send(form: HTMLFormElement): Promise<Answer> {
  const fields = new FormData(form);
  const value = (name: string) => String(fields.get(name) ?? "");
  const response = await fetch("/api/v1/outputs", {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": value("csrfmiddlewaretoken") },
    body: JSON.stringify({
      checkpoint: value("checkpoint"),
      prompt: value("prompt"),
      max_new_bytes: Number(value("max_new_bytes")),
      temperature: value("temperature"),
    }),
  });
  return answerOf(response);
}

/** What the API answered; a refusal is thrown in its own words, or in those of its status. */
async function answerOf(response: Response): Promise<Answer> {
  const body: unknown = await response.json().catch(() => null);
  if (response.ok && body !== null) return body as Answer;
  throw new Error((body as Problem | null)?.detail ?? `${response.status} ${response.statusText}`);
}

/** The answer, and the commands that keep it: each part takes the place of the one with its id. */
async function show(id: string): Promise<void> {
  const response = await fetch(`/site/answers/${id}`);
  if (!response.ok) throw new Error(response.statusText);
  const parts = document.createElement("template");
  parts.innerHTML = await response.text();
  for (const part of [...parts.content.children]) {
    document.getElementById(part.id)?.replaceWith(part);
  }
  await Promise.all([import("./signed-answer"), import("./copy-button")]);
  const answer = document.getElementById("answer");
  answer?.scrollIntoView({ block: "nearest", behavior: "smooth" });
}

customElements.define("prompt-box", PromptBox);
