// SPDX-License-Identifier: Apache-2.0
/** The tensors in a checkpoint's safetensors files, each with the digest of its bytes; one list. */
import type { Json, JsonObject } from "./canonical";
import {
  asMapping,
  dumps,
  integer,
  items,
  loads,
  only,
  sha256Hex,
  text,
  within,
} from "./canonical";
import { sha256 } from "./digests";
import { InvalidDocument } from "./errors";
import { compare } from "./manifest";

/** Of a list within evidence, which is one document of 8 MiB. */
export const MAX_STATED = 4096;
const ENDING = ".safetensors";
const LENGTH_BYTES = 8;
const MAX_HEADER_BYTES = 8 << 20; // a document's; whoever has a longer header asks Python
const MAX_TENSORS = 100_000;
const MAX_DIMENSIONS = 16;
const MAX_TYPE_CHARACTERS = 20;
const MAX_SHOWN = 5;
const METADATA = "__metadata__";

export type TensorEntry = {
  readonly file: string;
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly sha256: string;
};
/** In the order of their files' names, then their own. */
export type TensorList = readonly TensorEntry[];
type Span = Omit<TensorEntry, "file" | "sha256"> & { readonly start: number; readonly end: number };

/** Read the JSON form, an array. Raises InvalidDocument. */
export function parseTensors(values: readonly Json[]): TensorList {
  const entries = values.map((value, at) => within(`tensors[${at}]`, () => entryOf(value)));
  const isInOrder = entries.every((entry, at) => at === 0 || inOrder(entries[at - 1], entry) < 0);
  if (!isInOrder) {
    throw new InvalidDocument("tensors", "tensors sorted by file and name", "another order");
  }
  return entries;
}

/** The digest that a checkpoint's statement names. */
export async function tensorsSha256(list: TensorList): Promise<string> {
  const lines = list.map((entry) => dumps({ ...entry, shape: [...entry.shape] }));
  const content = new Uint8Array(lines.reduce((sum, line) => sum + line.length + 1, 0));
  let at = 0;
  for (const line of lines) {
    content.set(line, at);
    at += line.length;
    content[at++] = 0x0a;
  }
  return sha256(content);
}

/** Hash the tensors of a file. Raises InvalidDocument for what is no file of safetensors. */
export async function tensorsOf(name: string, file: Blob): Promise<TensorList> {
  const found: TensorEntry[] = [];
  for (const { start, end, ...span } of await spans(file)) {
    const content = new Uint8Array(await file.slice(start, end).arrayBuffer());
    found.push({ ...span, file: name, sha256: await sha256(content) });
  }
  return found;
}

/** Whether the tensors of a file of this name are listed. */
export function isListed(name: string): boolean {
  return name.toLowerCase().endsWith(ENDING);
}

/** How the tensors at hand differ from those of a list, in words; "" if they do not. */
export function tensorDifferences(signed: TensorList, observed: TensorList): string {
  const found = new Map(observed.map((entry) => [placeOf(entry), entry]));
  const expected = new Map(signed.map((entry) => [placeOf(entry), entry]));
  const kinds = {
    changed: signed.filter((entry) => isAnother(entry, found.get(placeOf(entry)))),
    missing: signed.filter((entry) => !found.has(placeOf(entry))),
    extra: observed.filter((entry) => !expected.has(placeOf(entry))),
  };
  return Object.entries(kinds)
    .filter(([, entries]) => entries.length > 0)
    .map(([kind, entries]) => `${kind}: ${named(entries)}`)
    .join("; ");
}

/** Where each tensor is, by name; they lie end to end up to the file's last byte. */
async function spans(file: Blob): Promise<readonly Span[]> {
  const prefix = new DataView(await file.slice(0, LENGTH_BYTES).arrayBuffer());
  const length = prefix.byteLength < LENGTH_BYTES ? 0n : prefix.getBigUint64(0, true);
  const most = BigInt(Math.min(MAX_HEADER_BYTES, file.size - LENGTH_BYTES));
  if (length <= 0n || length > most) {
    throw new InvalidDocument("header", "a length within the file and the limit", `${length}`);
  }
  const start = LENGTH_BYTES + Number(length);
  const content = new Uint8Array(await file.slice(LENGTH_BYTES, start).arrayBuffer());
  const header = Object.entries(asMapping(loads(content), "header"));
  const tensors = header.filter(([name]) => name !== METADATA);
  if (tensors.length > MAX_TENSORS) {
    throw new InvalidDocument("header", `at most ${MAX_TENSORS} tensors`, `${tensors.length}`);
  }
  const found = tensors.map(([name, value]) => within(name, () => spanOf(name, value, start)));
  checkEndToEnd(found, start, file.size);
  return found.sort((one, other) => compare(one.name, other.name));
}

function spanOf(name: string, value: Json, start: number): Span {
  const tensor = asMapping(value, "tensor");
  only(tensor, "dtype", "shape", "data_offsets");
  const [begin, end, ...more] = numbers(tensor, "data_offsets", 2);
  if (begin === undefined || end === undefined || more.length > 0) {
    throw new InvalidDocument("data_offsets", "2 numbers", "fewer");
  }
  return {
    name: text({ name }, "name"),
    dtype: text(tensor, "dtype", MAX_TYPE_CHARACTERS),
    shape: numbers(tensor, "shape", MAX_DIMENSIONS),
    start: start + begin,
    end: start + end,
  };
}

function checkEndToEnd(found: readonly Span[], start: number, size: number): void {
  let at = start;
  for (const span of [...found].sort(
    (one, other) => one.start - other.start || one.end - other.end,
  )) {
    if (span.start !== at || span.end < at) {
      throw new InvalidDocument(span.name, `a tensor from ${at} on`, `${span.start}`);
    }
    at = span.end;
  }
  if (at !== size) throw new InvalidDocument("tensors", `tensors up to ${size}`, `${at}`);
}

function entryOf(value: Json): TensorEntry {
  const tensor = asMapping(value, "tensor");
  only(tensor, "file", "name", "dtype", "shape", "sha256");
  return {
    file: text(tensor, "file"),
    name: text(tensor, "name"),
    dtype: text(tensor, "dtype", MAX_TYPE_CHARACTERS),
    shape: numbers(tensor, "shape", MAX_DIMENSIONS),
    sha256: sha256Hex(tensor, "sha256"),
  };
}

function numbers(from: JsonObject, field: string, maximum: number): readonly number[] {
  return items(from, field, maximum).map((value) => integer({ [field]: value }, field));
}

function inOrder(one: TensorEntry | undefined, other: TensorEntry): number {
  return compare(one?.file ?? "", other.file) || compare(one?.name ?? "", other.name);
}

/** No name of a file holds a line feed (manifest.ts, `checkName`). */
function placeOf({ file, name }: TensorEntry): string {
  return `${file}\n${name}`;
}

function isAnother(signed: TensorEntry, found: TensorEntry | undefined): boolean {
  if (found === undefined) return false;
  const isSame = signed.sha256 === found.sha256 && signed.dtype === found.dtype;
  return !isSame || signed.shape.join() !== found.shape.join();
}

function named(entries: TensorList): string {
  const shown = entries.slice(0, MAX_SHOWN).map(({ file, name }) => `'${name}' of ${file}`);
  const more = entries.length - MAX_SHOWN;
  return `${shown.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
