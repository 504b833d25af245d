// SPDX-License-Identifier: Apache-2.0
/** Hash files of any size in little memory: WebCrypto digests only what it is given whole. */
import { createSHA256 } from "hash-wasm";
import { utf8 } from "./canonical";
import { sha256 } from "./digests";
import { InvalidDocument } from "./errors";
import { type Content, contentOf } from "./verify/report";

/** Larger content is not normalised: it is no text that was pasted. As `assay verify` has it. */
export const MAX_TEXT_BYTES = 64 * 1024 * 1024;
/** What is read at most at once, all of it into the same memory. */
export const PIECE_BYTES = 4 * 1024 * 1024;
/** How often progress is told: often enough for a bar, and seldom enough to cost nothing. */
const STEP_BYTES = 8 * 1024 * 1024;

/** The digests of a file; `told` hears how many bytes are done, and may throw to end it. */
export async function contentOfFile(file: Blob, told: (bytes: number) => void): Promise<Content> {
  if (file.size > MAX_TEXT_BYTES) {
    return { sha256: await streamed(file, told), normalisedSha256: null };
  }
  const data = new Uint8Array(await file.arrayBuffer());
  const text = textIn(data);
  const content = text === null ? { normalisedSha256: null } : await contentOf(text);
  told(file.size);
  return { ...content, sha256: await sha256(data) };
}

/** Compile the hash: later there may be no time for it, or no network. */
export async function prepare(): Promise<void> {
  await createSHA256();
}

/** SHA-256, piece by piece; the browser reads on while one is hashed. */
export async function streamed(file: Blob, told: (bytes: number) => void): Promise<string> {
  const hasher = await createSHA256();
  hasher.init();
  let done = 0;
  let said = 0;
  for await (const piece of pieces(file)) {
    hasher.update(piece);
    done += piece.length;
    if (done < said + STEP_BYTES && done < file.size) continue;
    told(done);
    said = done;
    await messages();
  }
  return hasher.digest("hex");
}

/** Let what was sent meanwhile arrive: pieces that are there already would be read without a pause. */
function messages(): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/** A file's bytes in order. Each piece is good until the next: they may share their memory. */
async function* pieces(file: Blob): AsyncGenerator<Uint8Array, void> {
  const stream = file.stream();
  const reader = reusing(stream);
  yield* reader === null ? anew(stream.getReader()) : reused(reader);
}

/** A reader that fills memory of ours, or none where a browser's files are read in no such way. */
function reusing(stream: ReadableStream<Uint8Array>): ReadableStreamBYOBReader | null {
  try {
    return stream.getReader({ mode: "byob" });
  } catch {
    return null;
  }
}

async function* reused(reader: ReadableStreamBYOBReader): AsyncGenerator<Uint8Array, void> {
  let memory = new ArrayBuffer(PIECE_BYTES);
  try {
    for (;;) {
      const { done, value } = await reader.read(new Uint8Array(memory));
      if (done || value === undefined) return;
      yield value;
      memory = value.buffer;
    }
  } finally {
    await reader.cancel();
  }
}

async function* anew(
  reader: ReadableStreamDefaultReader<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel();
  }
}

/** Only UTF-8 text can be normalised. */
function textIn(data: Uint8Array): string | null {
  try {
    return utf8(data);
  } catch (error) {
    if (error instanceof InvalidDocument) return null;
    throw error;
  }
}
