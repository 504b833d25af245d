// SPDX-License-Identifier: Apache-2.0
/** The worker that reads C2PA manifests: its own policy lets it compile, and reach nobody. */
import init, { WasmReader } from "@contentauth/c2pa-wasm";

/** A file to read, with the library, which a worker that reaches nobody cannot fetch. */
export type Question = {
  readonly file: Blob;
  readonly mediaType: string;
  /** The one root (PEM) to trust. */
  readonly anchor: string;
  readonly library: ArrayBuffer;
};
/** The library's report (JSON), or why there is none; null for a file without a manifest. */
export type Reading = { readonly report: string | null } | { readonly failure: string };

addEventListener("message", ({ data }: MessageEvent<Question>) => {
  void read(data).then(
    (said) => postMessage(said),
    (error) => postMessage(failed(error)),
  );
});

async function read({ file, mediaType, anchor, library }: Question): Promise<Reading> {
  await init({ module_or_path: library });
  // What a stranger's file names is never fetched; the policy would not let it, either.
  const settings = {
    trust: { user_anchors: anchor },
    verify: { verify_trust: true, verify_timestamp_trust: true, remote_manifest_fetch: false },
  };
  const reader = await WasmReader.fromBlob(mediaType, file, JSON.stringify(settings));
  try {
    return { report: reader.json() };
  } finally {
    reader.free();
  }
}

function failed(error: unknown): Reading {
  const failure = error instanceof Error ? error.message : String(error);
  return /no JUMBF data found/i.test(failure) ? { report: null } : { failure };
}
