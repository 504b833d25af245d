// SPDX-License-Identifier: Apache-2.0
/** Saving an answer as it is shown: changed, so that the command can be seen refusing the change. */
import type { JsonObject } from "../verify/canonical";

/** The link saves the registry's own bytes while the text is the signed one, else what is shown. */
export function savesWhatIsShown(
  link: HTMLAnchorElement,
  answer: JsonObject,
  shown: () => string,
): void {
  const own = link.href;
  let made: string | null = null;
  link.addEventListener("click", () => {
    if (made !== null) URL.revokeObjectURL(made);
    made = null;
    if (shown() !== answer.text) {
      const changed = JSON.stringify({ ...answer, text: shown() });
      made = URL.createObjectURL(new Blob([changed], { type: "application/json" }));
    }
    link.href = made ?? own;
  });
}
