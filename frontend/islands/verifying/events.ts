// SPDX-License-Identifier: Apache-2.0
/** How things are handed in on the verify page: dropped anywhere, chosen, pasted, typed. */
import { dropped, type Placed } from "./given";

export type Hands = {
  readonly files: (files: readonly Placed[]) => void;
  readonly text: (text: string) => void;
  readonly asked: (asked: string) => void;
  readonly cancelled: () => void;
};

export function listen(page: HTMLElement, hands: Hands): void {
  page.addEventListener("click", ({ target }) => {
    const { act } = (target as Element).closest<HTMLElement>("[data-act]")?.dataset ?? {};
    if (act === "cancel") hands.cancelled();
    // A file field says in the browser's own words what nobody has chosen yet; a button does not.
    else if (act) page.querySelector<HTMLInputElement>(`input[name="${act}"]`)?.click();
  });
  page.addEventListener("change", ({ target }) => {
    if (!(target instanceof HTMLInputElement) || target.type !== "file") return;
    hands.files(chosen(target));
    target.value = ""; // choosing the same file again is another choice
  });
  page.addEventListener("submit", (event) => {
    event.preventDefault();
    const fields = new FormData(event.target as HTMLFormElement);
    const text = fields.get("text");
    if (text !== null) hands.text(String(text));
    else hands.asked(String(fields.get("digest") ?? ""));
  });
  listenForDrops(page, hands);
}

/** Anywhere on the page: a file beside the mark would else take the page's place. */
function listenForDrops(page: HTMLElement, { files }: Hands): void {
  document.addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return; // a text that is dragged into a field
    event.preventDefault();
    page.toggleAttribute("data-over", true);
  });
  document.addEventListener("dragleave", () => page.removeAttribute("data-over"));
  document.addEventListener("drop", (event) => {
    page.removeAttribute("data-over");
    if (!hasFiles(event) || event.dataTransfer === null) return;
    event.preventDefault();
    void dropped(event.dataTransfer).then(files);
  });
}

function hasFiles({ dataTransfer }: DragEvent): boolean {
  return dataTransfer?.types.includes("Files") ?? false;
}

function chosen({ files }: HTMLInputElement): readonly Placed[] {
  return [...(files ?? [])].map((file) => ({ file, path: file.webkitRelativePath }));
}
