// SPDX-License-Identifier: Apache-2.0
/** The worker that hashes what a page is given; it is told of by messages, and sends nothing else. */
import { contentOfFile, prepare } from "../../verify/hashing";
import type { Content } from "../../verify/verify/report";

/** A file to hash, or none: the one at hand is not wanted any more. */
export type Order = { readonly turn: number; readonly file: Blob | null };
/** What is said of it, and of which order: bytes that are done, its digests, or why there are none. */
export type Report = { readonly turn: number } & (
  | { readonly bytes: number }
  | { readonly content: Content }
  | { readonly failure: string }
);

export const READY = 0; // the turn of the first report, before there is any order

let current = READY;

addEventListener("message", ({ data }: MessageEvent<Order>) => {
  current = data.turn;
  if (data.file !== null) void hash(data.file, data.turn);
});

async function hash(file: Blob, turn: number): Promise<void> {
  const told = (bytes: number) => {
    if (turn !== current) throw new Error("not wanted any more");
    say({ turn, bytes });
  };
  try {
    say({ turn, content: await contentOfFile(file, told) });
  } catch (error) {
    say({ turn, failure: error instanceof Error ? error.message : String(error) });
  }
}

function say(report: Report): void {
  postMessage(report);
}

// The hash is compiled before anybody needs it. Where it cannot be, small files need none.
void prepare()
  .catch(() => undefined)
  .then(() => say({ turn: READY, bytes: 0 }));
