// SPDX-License-Identifier: Apache-2.0
/** Loads an island only where a page has its tag, so that a plain page loads next to nothing. */

const ISLANDS: Readonly<Record<string, () => Promise<unknown>>> = {
  "copy-button": () => import("./copy-button"),
  "loss-chart": () => import("./loss-chart"),
  "ledger-witness": () => import("./ledger-witness"),
  "live-samples": () => import("./live-samples"),
  "prompt-box": () => import("./prompt-box"),
  "signed-answer": () => import("./signed-answer"),
  "verify-desk": () => import("./verifying/desk"),
};

for (const [tag, load] of Object.entries(ISLANDS)) {
  if (document.querySelector(tag) !== null) void load();
}
