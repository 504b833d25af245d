// SPDX-License-Identifier: Apache-2.0
/** The root digest of an OpenSSF model signature: what a checkpoint's statement says of `model.sig`. */
import { concat, fromHex, sha256 } from "./digests";
import { InvalidDocument } from "./errors";
import type { Manifest } from "./manifest";

/** What model_signing itself ignores by default, so that a clone of a repository still verifies. */
const IGNORED = new Set(["model.sig", ".git", ".gitattributes", ".github", ".gitignore"]);

/** SHA-256 over the files' digests, in the order of their names; it does not bind the names. */
export async function rootDigest(manifest: Manifest): Promise<string> {
  const listed = manifest.files.filter(({ name }) => !IGNORED.has(name.split("/")[0] ?? ""));
  if (listed.length === 0) {
    throw new InvalidDocument("files", "a file that model signatures cover", "none");
  }
  return sha256(concat(...listed.map((file) => fromHex(file.sha256))));
}
