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
      await show((await send(form)).id);
      this.say(this.dataset.done ?? "");
    } catch (error) {
      this.say(error instanceof Error ? error.message : String(error));
    } finally {
      button?.removeAttribute("disabled");
    }
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
  const body: unknown = await response.json();
  if (!response.ok) throw new Error((body as Problem).detail ?? response.statusText);
  return settled(body as Answer);
}

/** An answer that takes longer than the server waits is asked for again until it is signed. */
async function settled(first: Answer): Promise<Answer> {
  let answer = first;
  for (let poll = 0; answer.state !== "signed" && poll < POLLS; poll += 1) {
    if (answer.failure) throw new Error(answer.failure.reason);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    const response = await fetch(`/api/v1/outputs/${answer.id}`);
    answer = (await response.json()) as Answer;
  }
  return answer;
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
