// SPDX-License-Identifier: Apache-2.0
/** A checkpoint's or dataset's files as an ordered list; the SHA-256 of its bytes is the id. */
import type { Bytes, Json } from "./canonical";
import {
  asMapping,
  dumps,
  integer,
  items,
  literal,
  only,
  sha256Hex,
  text,
  within,
} from "./canonical";
import { sha256 } from "./digests";
import { InvalidDocument } from "./errors";

export const MANIFEST_V1 = "https://assay/manifest/v1";
export const MAX_FILES = 10_000;
const MAX_NAME_BYTES = 1024;
const MAX_SEGMENT_BYTES = 255;
const RESERVED = new Set(["model.sig", "model.sigstore.json"]);
// Control characters, and the marks that make a name read otherwise than it is stored.
const UNPRINTABLE = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

export type FileEntry = { readonly name: string; readonly sha256: string; readonly size: number };
export type Manifest = { readonly files: readonly FileEntry[] };
/** A file at hand, wherever it is from: what it is called here, and its digest. */
export type SomeFile = Omit<FileEntry, "size">;

/** Read the JSON form. Raises InvalidDocument. */
export function parseManifest(value: Json): Manifest {
  const document = asMapping(value, "manifest");
  only(document, "type", "files");
  literal(document, "type", MANIFEST_V1);
  const files = items(document, "files", MAX_FILES).map((entry, position) =>
    within(`files[${position}]`, () => parseEntry(entry)),
  );
  if (files.length === 0) throw new InvalidDocument("files", `1 to ${MAX_FILES} entries`, "0");
  checkNames(files.map((file) => file.name));
  return { files };
}

/** The bytes whose SHA-256 is the id. */
export function canonicalManifest(manifest: Manifest): Bytes {
  const files = manifest.files.map(({ name, sha256: digest, size }) => ({
    name,
    sha256: digest,
    size,
  }));
  return dumps({ files, type: MANIFEST_V1 });
}

export async function manifestId(manifest: Manifest): Promise<string> {
  return sha256(canonicalManifest(manifest));
}

/** How the files at hand differ from those of a manifest, by name, in words; "" if they do not. */
export function differences(signed: Manifest, observed: Manifest): string {
  const found = new Map(observed.files.map((file) => [file.name, file]));
  const expected = new Map(signed.files.map((file) => [file.name, file]));
  const kinds = {
    changed: signed.files.filter((file) => isAnother(file, found.get(file.name))),
    missing: signed.files.filter(({ name }) => !found.has(name)),
    extra: observed.files.filter(({ name }) => !expected.has(name)),
  };
  return Object.entries(kinds)
    .filter(([, files]) => files.length > 0)
    .map(([kind, files]) => `${kind}: ${files.map(({ name }) => name).join(", ")}`)
    .join("; ");
}

/** Raise InvalidDocument unless `name` is a safe relative path (formats, section 1). */
export function checkName(name: string): void {
  const reason = unsafe(name);
  if (reason !== null) throw new InvalidDocument("name", "a relative path in NFC", reason);
}

function parseEntry(value: Json): FileEntry {
  const entry = asMapping(value, "entry");
  only(entry, "name", "sha256", "size");
  return {
    name: text(entry, "name"),
    sha256: sha256Hex(entry, "sha256"),
    size: integer(entry, "size"),
  };
}

function unsafe(name: string): string | null {
  const segments = name.split("/");
  if (UNPRINTABLE.test(name)) return "a control or bidirectional formatting character";
  if (name.includes("\\")) return "a backslash";
  if (name !== name.normalize("NFC")) return "a name not in NFC";
  if (bytesOf(name) > MAX_NAME_BYTES) return `a name over ${MAX_NAME_BYTES} bytes`;
  if (RESERVED.has(fold(segments[0] ?? ""))) return "the name reserved for the signature";
  return segments.map(unsafeSegment).find((reason) => reason !== null) ?? null;
}

function unsafeSegment(segment: string): string | null {
  if (segment === "" || segment === "." || segment === "..") return "an empty, . or .. segment";
  if (/^[A-Za-z]:/.test(segment)) return "a drive colon";
  return bytesOf(segment) > MAX_SEGMENT_BYTES ? `a segment over ${MAX_SEGMENT_BYTES} bytes` : null;
}

function bytesOf(name: string): number {
  return new TextEncoder().encode(name).length;
}

function checkNames(names: readonly string[]): void {
  for (const name of names) checkName(name);
  if (names.some((name, index) => index > 0 && compare(names[index - 1] ?? "", name) > 0)) {
    throw new InvalidDocument("files", "entries sorted by name", "another order");
  }
  const folded = new Set<string>();
  for (const name of names) {
    if (folded.has(fold(name))) throw new InvalidDocument("files", "no two names alike", name);
    folded.add(fold(name));
  }
  for (const name of names) {
    const file = parents(fold(name)).find((folder) => folded.has(folder));
    if (file !== undefined) throw new InvalidDocument("files", `nothing below file ${file}`, name);
  }
}

function isAnother(signed: FileEntry, found: FileEntry | undefined): boolean {
  return found !== undefined && (found.sha256 !== signed.sha256 || found.size !== signed.size);
}

function parents(name: string): string[] {
  const segments = name.split("/");
  return segments.slice(1).map((_, index) => segments.slice(0, index + 1).join("/"));
}

/** JavaScript has no case folding; upper then lower case joins the same names (ß, ſ, ς). */
function fold(name: string): string {
  return name.toUpperCase().toLowerCase();
}

/** By code point, as Python sorts: UTF-16 units would put U+10000 before U+FFFF. */
export function compare(one: string, other: string): number {
  const [a, b] = [Array.from(one), Array.from(other)];
  for (let index = 0; index < Math.min(a.length, b.length); index += 1) {
    const difference = (a[index]?.codePointAt(0) ?? 0) - (b[index]?.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
