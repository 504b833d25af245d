// SPDX-License-Identifier: Apache-2.0
/** `<copy-button value>`: puts a digest or a command on the clipboard, and says so. */

const DONE_MS = 1600;

export class CopyButton extends HTMLElement {
  connectedCallback(): void {
    if (this.firstChild !== null) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.title = this.label("copy");
    button.append(icon("copy"), said(this.label("copy")));
    button.addEventListener("click", () => void this.copy(button));
    this.append(button);
  }

  private async copy(button: HTMLButtonElement): Promise<void> {
    await navigator.clipboard.writeText(this.getAttribute("value") ?? "");
    this.show(button, "done");
    setTimeout(() => this.show(button, "copy"), DONE_MS);
  }

  private show(button: HTMLButtonElement, state: "copy" | "done"): void {
    button.toggleAttribute("data-done", state === "done");
    button.replaceChildren(icon(state), said(this.label(state)));
  }

  private label(state: "copy" | "done"): string {
    return this.getAttribute(`label-${state}`) ?? "";
  }
}

function icon(name: string): SVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

function said(words: string): HTMLSpanElement {
  const span = document.createElement("span");
  span.className = "visually-hidden";
  span.setAttribute("role", "status");
  span.textContent = words;
  return span;
}

customElements.define("copy-button", CopyButton);
