// SPDX-License-Identifier: Apache-2.0
/** Hash files of any size in little memory: WebCrypto digests only what it is given whole. */
import { createSHA256 } from "hash-wasm";
import { utf8 } from "./canonical";
import { normalisedText, sha256 } from "./digests";
import { InvalidDocument } from "./errors";
import type { Content } from "./verify/report";

/** Larger content is not normalised: it is no text that was pasted. As `assay verify` has it. */
export const MAX_TEXT_BYTES = 64 * 1024 * 1024;
/** Two of them are in memory at a time; smaller ones are asked for too often. */
export const SLICE_BYTES = 8 * 1024 * 1024;

/** The digests of a file; `told` hears how many bytes are done, and may throw to end it. */
export async function contentOfFile(file: Blob, told: (bytes: number) => void): Promise<Content> {
  if (file.size > MAX_TEXT_BYTES) {
    return { sha256: await streamed(file, told), normalisedSha256: null };
  }
  const data = new Uint8Array(await file.arrayBuffer());
  const content = { sha256: await sha256(data), normalisedSha256: await normalised(data) };
  told(file.size);
  return content;
}

/** Compile the hash: later there may be no time for it, or no network. */
export async function prepare(): Promise<void> {
  await createSHA256();
}

/** SHA-256, slice by slice; the next one is read while this one is hashed. */
export async function streamed(file: Blob, told: (bytes: number) => void): Promise<string> {
  const hasher = await createSHA256();
  hasher.init();
  let next = slice(file, 0);
  for (let at = 0; at < file.size; at += SLICE_BYTES) {
    const data = await next;
    next = slice(file, at + SLICE_BYTES);
    next.catch(() => undefined); // said when its turn comes, if this one does not end it before
    hasher.update(data);
    told(Math.min(at + SLICE_BYTES, file.size));
  }
  return hasher.digest("hex");
}

async function slice(file: Blob, start: number): Promise<Uint8Array> {
  return new Uint8Array(await file.slice(start, start + SLICE_BYTES).arrayBuffer());
}

/** Only UTF-8 text can be normalised. */
async function normalised(data: Uint8Array): Promise<string | null> {
  try {
    return await sha256(new TextEncoder().encode(normalisedText(utf8(data))));
  } catch (error) {
    if (error instanceof InvalidDocument) return null;
    throw error;
  }
}
