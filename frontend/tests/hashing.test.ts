// SPDX-License-Identifier: Apache-2.0
/** Files are hashed as WebCrypto hashes what it is given whole, however large they are. */
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { sha256 } from "../verify/digests";
import { contentOfFile, MAX_TEXT_BYTES, PIECE_BYTES, prepare, streamed } from "../verify/hashing";
import { vectors } from "./vectors";

type Text = { readonly text: string; readonly normalised: string };

const silent = () => undefined;
const encode = (text: string) => new TextEncoder().encode(text);

/** Bytes of which no two pieces are alike. */
function filled(length: number): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(length);
  for (let at = 0; at < length; at += 1) data[at] = at * 31 + (at >> 13);
  return data;
}

test.each([0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 2 * PIECE_BYTES + 7])(
  "%i bytes in pieces have the digest that they have at once",
  async (length) => {
    await prepare();
    const data = filled(length);
    const seen: number[] = [];
    const found = await streamed(new Blob([data]), (bytes) => seen.push(bytes));
    expect(found).toBe(createHash("sha256").update(data).digest("hex"));
    expect(seen.at(-1) ?? 0).toBe(length);
    expect(seen).toEqual([...seen].sort((one, other) => one - other));
  },
);

test.each(vectors<readonly Text[]>("texts"))(
  "$text has both digests",
  async ({ text, normalised }) => {
    const found = await contentOfFile(new Blob([text]), silent);
    expect(found).toEqual({
      sha256: await sha256(encode(text)),
      normalisedSha256: await sha256(encode(normalised)),
      text,
    });
  },
);

test("what is no text is not normalised", async () => {
  const data = Uint8Array.of(0xff, 0xfe, 0x00);
  const found = await contentOfFile(new Blob([data]), silent);
  expect(found).toEqual({ sha256: await sha256(data), normalisedSha256: null });
});

test("what is too large for a text is not normalised, and its digest is the same", async () => {
  const text = new Uint8Array(MAX_TEXT_BYTES + 1).fill(0x20);
  const found = await contentOfFile(new Blob([text]), silent);
  expect(found.sha256).toBe(createHash("sha256").update(text).digest("hex"));
  expect(found.normalisedSha256).toBeNull();
});

test("where memory cannot be given to be filled, the digest is the same", async () => {
  const data = filled(PIECE_BYTES + 5);
  const file = new Blob([data]);
  const stream = () =>
    new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(data.subarray(0, 7));
        controller.enqueue(data.subarray(7));
        controller.close();
      },
    });
  const found = await streamed(Object.assign(file, { stream }), silent);
  expect(found).toBe(createHash("sha256").update(data).digest("hex"));
});

test("whoever is told of progress may end it", async () => {
  const stop = () => {
    throw new Error("not wanted any more");
  };
  const file = new Blob([filled(3 * PIECE_BYTES)]);
  await expect(streamed(file, stop)).rejects.toThrow("not wanted any more");
});

test("millions of line feeds before a letter take one pass", async () => {
  const text = `${" ".repeat(1 << 20)}${"\n".repeat(1 << 22)}a`;
  const found = await contentOfFile(new Blob([text]), silent);
  expect(found.normalisedSha256).toBe(await sha256(encode(text.replace(/^ +/, ""))));
});
