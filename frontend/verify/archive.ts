// SPDX-License-Identifier: Apache-2.0
/**
 * Several files in one, as a ZIP of one form: any program opens it, and no byte of it is free.
 *
 * Nothing is compressed, dated or commented, and the names are in order. A reader makes it again
 * from what it read and compares, so whatever else a ZIP may hold is none of these.
 */
import type { Bytes } from "./canonical";
import { concat, equalBytes } from "./digests";
import { InvalidDocument } from "./errors";

export const MAX_ARCHIVE_BYTES = 64 * 1024 * 1024;
const MAX_FILES = 1024;
const MAX_NAME_CHARACTERS = 128;
const NAME = /^[a-z0-9][a-z0-9.-]*(\/[a-z0-9][a-z0-9.-]*)?$/;
// APPNOTE.TXT 4.3.7, 4.3.12, 4.3.16; the earliest day that it can write, for none is meant.
const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const LOCAL_BYTES = 30;
const VERSION = 10;
const DATE = 0x0021;
const CRC_POLYNOMIAL = 0xedb88320;
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit += 1) rest = (rest >>> 1) ^ (rest & 1 ? CRC_POLYNOMIAL : 0);
  return rest;
});

export type Files = ReadonlyMap<string, Bytes>;

/** Whether bytes that begin so may be one: JSON, PEM and DER never do. */
export function isArchive(head: Uint8Array): boolean {
  return head.length >= 4 && viewOf(head).getUint32(0, true) === LOCAL;
}

/** The archive of these files. Raises InvalidDocument for a name or a size that cannot be. */
export function writeArchive(files: Files): Bytes {
  if (files.size < 1 || files.size > MAX_FILES) {
    throw new InvalidDocument("archive", `1 to ${MAX_FILES} files`, String(files.size));
  }
  const parts: Bytes[] = [];
  const directory: Bytes[] = [];
  let offset = 0;
  for (const [name, data] of [...files].sort(([one], [other]) => (one < other ? -1 : 1))) {
    checkName(name);
    const [fields, written] = [fieldsOf(name, data), bytesOf(name)];
    parts.push(numbers([4, LOCAL]), fields, written, data);
    directory.push(numbers([4, CENTRAL], [2, VERSION]), fields);
    directory.push(numbers([2, 0], [2, 0], [2, 0], [4, 0], [4, offset]), written);
    offset += LOCAL_BYTES + written.length + data.length;
  }
  const listed = concat(...directory);
  const count = files.size;
  parts.push(listed, numbers([4, END], [2, 0], [2, 0], [2, count], [2, count]));
  parts.push(numbers([4, listed.length], [4, offset], [2, 0]));
  const whole = concat(...parts);
  if (whole.length > MAX_ARCHIVE_BYTES) {
    const expected = `at most ${MAX_ARCHIVE_BYTES} bytes`;
    throw new InvalidDocument("archive", expected, String(whole.length));
  }
  return whole;
}

/** The files of an archive, which is exactly the one that they make. Raises InvalidDocument. */
export function readArchive(data: Bytes): Files {
  if (data.length > MAX_ARCHIVE_BYTES) {
    throw new InvalidDocument("archive", `at most ${MAX_ARCHIVE_BYTES} bytes`, "more");
  }
  const files = new Map<string, Bytes>();
  let place = 0;
  for (
    let count = 0;
    isArchive(data.subarray(place, place + 4)) && count <= MAX_FILES;
    count += 1
  ) {
    const { name, content, end } = stored(data, place);
    if (files.has(name)) throw new InvalidDocument("archive", "each name once", `${name} twice`);
    files.set(name, content);
    place = end;
  }
  if (!equalBytes(writeArchive(files), data)) {
    throw new InvalidDocument("archive", "the one form that these files have", "another");
  }
  return files;
}

/** A file as its own header says. */
function stored(data: Bytes, place: number): { name: string; content: Bytes; end: number } {
  if (data.length < place + LOCAL_BYTES) throw cut();
  const view = viewOf(data.subarray(place, place + LOCAL_BYTES));
  const [flags, method] = [view.getUint16(6, true), view.getUint16(8, true)];
  const [size, unpacked] = [view.getUint32(18, true), view.getUint32(22, true)];
  const [nameLength, extra] = [view.getUint16(26, true), view.getUint16(28, true)];
  if (flags !== 0 || method !== 0 || extra !== 0 || size !== unpacked) {
    throw new InvalidDocument("archive", "files that are stored as they are", "another form");
  }
  const start = place + LOCAL_BYTES;
  const name = String.fromCharCode(...data.subarray(start, start + nameLength));
  checkName(name);
  const end = start + nameLength + size;
  if (end > data.length) throw cut();
  return { name, content: data.slice(start + nameLength, end), end };
}

function fieldsOf(name: string, data: Bytes): Bytes {
  const moment = [
    [2, VERSION],
    [2, 0],
    [2, 0],
    [2, 0],
    [2, DATE],
  ] as const; // stored, undated
  const sizes = [
    [4, crc32(data)],
    [4, data.length],
    [4, data.length],
  ] as const;
  return numbers(...moment, ...sizes, [2, name.length], [2, 0]);
}

/** Numbers as a ZIP has them: how many bytes, and the value, the lowest byte first. */
function numbers(...fields: readonly (readonly [bytes: 2 | 4, value: number])[]): Bytes {
  const found = new Uint8Array(fields.reduce((sum, [bytes]) => sum + bytes, 0));
  const view = viewOf(found);
  let at = 0;
  for (const [bytes, value] of fields) {
    if (bytes === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += bytes;
  }
  return found;
}

function crc32(data: Bytes): number {
  let found = 0xffffffff;
  for (const byte of data) found = (found >>> 8) ^ (CRC_TABLE[(found ^ byte) & 0xff] ?? 0);
  return (found ^ 0xffffffff) >>> 0;
}

function checkName(name: string): void {
  if (name.length <= MAX_NAME_CHARACTERS && NAME.test(name)) return;
  const expected = `at most ${MAX_NAME_CHARACTERS} of a-z, 0-9, \`.\` and \`-\`, in at most one folder`;
  throw new InvalidDocument("archive", `a name of ${expected}`, JSON.stringify(name.slice(0, 80)));
}

function bytesOf(name: string): Bytes {
  return new TextEncoder().encode(name);
}

function viewOf(data: Uint8Array): DataView {
  return new DataView(data.buffer, data.byteOffset, data.byteLength);
}

function cut(): InvalidDocument {
  return new InvalidDocument("archive", "whole files", "one that is cut off");
}
