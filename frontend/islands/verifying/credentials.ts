// SPDX-License-Identifier: Apache-2.0
/** A file's C2PA manifest: read in a worker by the C2PA's own library, judged by ours. */
import libraryUrl from "@contentauth/c2pa-wasm/c2pa.wasm?url";
import { loads } from "../../verify/canonical";
import type { Credentials } from "../../verify/credentials";
import { checkSame, isWholeByStranger, judge, ofStranger } from "../../verify/credentials";
import { toBase64 } from "../../verify/digests";
import { AssayError } from "../../verify/errors";
import type { OutputClaim } from "../../verify/statements/output";
import type { TrustRoot } from "../../verify/trust";
import { read } from "../evidence-fetch";
import type { Question, Reading } from "./manifest-worker";

/** Of these the registry makes manifests; the library, of 8 MB, is loaded for no others. */
const TYPES = new Set([
  "image/png",
  "image/jpeg",
  "image/webp",
  "image/gif",
  "audio/wav",
  "audio/x-wav",
  "audio/mpeg",
  "video/mp4",
  "application/pdf",
]);
const SECONDS = 60; // for reading: a file that keeps a library busy for longer is not read

export type Found =
  | { readonly kind: "sound"; readonly said: Credentials }
  | { readonly kind: "unknown"; readonly said: Credentials }
  | { readonly kind: "foreign" }
  | { readonly kind: "refused"; readonly reason: string }
  | { readonly kind: "unread"; readonly reason: string };

/** null for what has no manifest, or is no kind of media that has any. */
export async function credentialsOf(
  file: Blob,
  root: TrustRoot,
  claim: OutputClaim | null,
): Promise<Found | null> {
  const mediaType = mediaTypeOf(file, claim);
  if (mediaType === null) return null;
  const reading = await ask(file, mediaType, root).catch((error) => ({ failure: String(error) }));
  if ("failure" in reading) return { kind: "unread", reason: reading.failure };
  if (reading.report === null) return null;
  try {
    const report = loads(new TextEncoder().encode(reading.report));
    const stranger = ofStranger(report, root.registry);
    // Beside evidence it is held to what the registry signed; alone it claims nothing of that.
    const isAlone = claim === null && stranger === null;
    if (isAlone && isWholeByStranger(report)) return { kind: "foreign" };
    const said = stranger ?? judge(report, root.registry);
    if (claim !== null) checkSame(said, claim);
    return { kind: stranger === null ? "sound" : "unknown", said };
  } catch (error) {
    if (!(error instanceof AssayError)) throw error;
    return { kind: "refused", reason: error.message };
  }
}

/**
 * What the file is read as: what its statement says, or else what its name does.
 *
 * The first is a caller's word: one that says of a picture that it is something else hides nothing.
 */
function mediaTypeOf(file: Blob, claim: OutputClaim | null): string | null {
  const stated = [claim?.mediaType ?? "", file.type].map((type) => type.replace(/ *;.*/, ""));
  return stated.find((type) => TYPES.has(type)) ?? null;
}

/** A worker for each file: it ends with the reading, and all that it held. */
async function ask(file: Blob, mediaType: string, root: TrustRoot): Promise<Reading> {
  const library = (await read(libraryUrl)).buffer;
  const worker = new Worker(new URL("./manifest-worker.ts", import.meta.url), { type: "module" });
  const question: Question = { file, mediaType, anchor: pem(root), library };
  try {
    return await new Promise<Reading>((resolve, reject) => {
      setTimeout(() => reject(new Error(`it took longer than ${SECONDS} s`)), SECONDS * 1000);
      worker.addEventListener("message", ({ data }: MessageEvent<Reading>) => resolve(data));
      worker.addEventListener("error", ({ message }) => {
        reject(new Error(message || "this browser starts no workers here"));
      });
      worker.postMessage(question, [library]);
    });
  } finally {
    worker.terminate();
  }
}

function pem({ root }: TrustRoot): string {
  const lines = toBase64(root.encoded).match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}
