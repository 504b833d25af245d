// SPDX-License-Identifier: Apache-2.0
/** The root digest of an OpenSSF model signature: what a checkpoint's statement says of `model.sig`. */
import type { Json } from "./canonical";
import { asMapping, dumps, items, literal, mapping, only, sha256Hex, text } from "./canonical";
import { concat, equalBytes, fromHex, sha256 } from "./digests";
import { InvalidDocument } from "./errors";
import type { Manifest } from "./manifest";
import { checkName } from "./manifest";
import type { Statement } from "./statements/statement";
import { OMS_V1 } from "./statements/statement";

/** What model_signing itself ignores by default, so that a clone of a repository still verifies. */
const DEFAULTS = [".git", ".gitattributes", ".github", ".gitignore"];
const IGNORED_PATHS = ["model.sig", "model.sigstore.json", ...DEFAULTS];
const IGNORED_BEFORE = ["model.sig", ...DEFAULTS];
const IGNORED = new Set(IGNORED_PATHS);

/** How the registry has it written: files by SHA-256, and only these left out. */
const SERIALIZATIONS = [IGNORED_PATHS, IGNORED_BEFORE].map((paths) =>
  dumps({ allow_symlinks: false, hash_type: "sha256", ignore_paths: paths, method: "files" }),
);

export type Resource = { readonly name: string; readonly sha256: string };
export type ModelSignature = {
  readonly name: string;
  readonly rootSha256: string;
  readonly resources: readonly Resource[];
};

/** What a model signature lists of a manifest's files. Raises InvalidDocument if that is none. */
export function resourcesOf(manifest: Manifest): readonly Resource[] {
  const listed = manifest.files.filter(({ name }) => !IGNORED.has(name.split("/")[0] ?? ""));
  if (listed.length === 0) {
    throw new InvalidDocument("files", "a file that model signatures cover", "none");
  }
  return listed;
}

/** SHA-256 over the files' digests, in the order of their names; it does not bind the names. */
export async function rootDigest(manifest: Manifest): Promise<string> {
  return sha256(concat(...resourcesOf(manifest).map((file) => fromHex(file.sha256))));
}

/** Read an OMS statement of the kind that the registry writes. Raises InvalidDocument. */
export async function modelSignature(statement: Statement): Promise<ModelSignature> {
  const [subject, ...others] = statement.subjects;
  only(statement.predicate, "resources", "serialization");
  const resources = items(statement.predicate, "resources").map(resourceOf);
  const root = await sha256(concat(...resources.map((each) => fromHex(each.sha256))));
  const stated = dumps(mapping(statement.predicate, "serialization"));
  const isKnown = SERIALIZATIONS.some((each) => equalBytes(stated, each));
  const isOurs = isKnown && statement.predicateType === OMS_V1;
  if (!isOurs || subject.sha256 !== root || others.length > 0) {
    const expected = "an OMS statement over files by SHA-256 whose root is right";
    throw new InvalidDocument("statement", expected, "another");
  }
  return { name: subject.name, rootSha256: root, resources };
}

function resourceOf(value: Json): Resource {
  const from = asMapping(value, "resource");
  only(from, "algorithm", "digest", "name");
  literal(from, "algorithm", "sha256");
  const name = text(from, "name");
  checkName(name);
  return { name, sha256: sha256Hex(from, "digest") };
}
