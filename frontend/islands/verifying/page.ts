// SPDX-License-Identifier: Apache-2.0
/** The words and the shapes that the server put into a page for what is made in it. */
import type { Shapes } from "./show";

/** Raises for a page that lacks one: it is of another version than this script. */
export function shapesOf(page: HTMLElement): Shapes {
  const words = template(page, "words");
  return {
    registry: page.dataset.registry ?? "",
    link: template(page, "link"),
    result: template(page, "result"),
    words: (key) => {
      const found = words.content.querySelector(`[data-word="${key}"]`)?.textContent;
      if (found === undefined || found === null) throw new Error(`expected words for ${key}`);
      return found.trim();
    },
  };
}

function template(page: HTMLElement, name: string): HTMLTemplateElement {
  const found = page.querySelector<HTMLTemplateElement>(`template[data-template="${name}"]`);
  if (found === null) throw new Error(`expected the template ${name}`);
  return found;
}
