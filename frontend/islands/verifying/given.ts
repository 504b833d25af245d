// SPDX-License-Identifier: Apache-2.0
/** What a reader drops, chooses or types, as things to be judged: read here, and sent nowhere. */
import type { Bytes } from "../../verify/canonical";
import { MAX_BYTES } from "../../verify/canonical";
import { inputOf, type Proof } from "../../verify/commands/inputs";
import { AssayError } from "../../verify/errors";
import type { TrustRoot } from "../../verify/trust";
import type { Case } from "./case";

const EVIDENCE_SUFFIX = ".assay.json";

/** A file with its name below the folder that it was given in, if it was given in one. */
export type Placed = { readonly file: File; readonly path: string };
export type Sorted = {
  readonly contents: readonly Placed[];
  readonly folder: string | null;
  readonly proofs: readonly Proof[];
  readonly roots: readonly TrustRoot[];
  /** Files that say what they are and are not that. */
  readonly unread: readonly Case[];
};

/** Tell evidence and trust roots from what they are about. */
export async function sorted(files: readonly Placed[]): Promise<Sorted> {
  const folder = folderOf(files);
  const contents: Placed[] = [];
  const proofs: Proof[] = [];
  const roots: TrustRoot[] = [];
  const unread: Case[] = [];
  for (const placed of files) {
    try {
      const input = await inputIn(placed);
      if (input.kind === "evidence") proofs.push(input);
      else if (input.kind === "trust") roots.push(input.trust);
      else contents.push(placed);
    } catch (error) {
      if (!(error instanceof AssayError)) throw error;
      unread.push(unreadable(placed.file.name, error.message));
    }
  }
  const inside = contents.map(({ file, path }) => ({ file, path: below(path, folder) }));
  return { contents: inside, folder, proofs, roots, unread };
}

export function unreadable(name: string, reason: string): Case {
  return { items: [], folder: null, proof: null, lack: { kind: "unread", name, reason } };
}

/** In a folder only what is called so is evidence: everything else may be one of its files. */
async function inputIn({ file, path }: Placed): ReturnType<typeof inputOf> {
  const mayBe = path === "" || file.name.endsWith(EVIDENCE_SUFFIX);
  if (!mayBe || file.size > MAX_BYTES) return { kind: "content" };
  return inputOf(new Uint8Array(await file.arrayBuffer()) as Bytes);
}

/** The one folder that everything but evidence was given in; null where there is none, or several. */
function folderOf(files: readonly Placed[]): string | null {
  const named = files.map(({ path }) => path.split("/")[0] ?? "").filter((name) => name !== "");
  const [first, ...more] = new Set(named);
  return first !== undefined && more.length === 0 ? first : null;
}

function below(path: string, folder: string | null): string {
  return folder === null ? path : path.slice(folder.length + 1);
}

/** The files of a drop, those in folders too. */
export async function dropped(data: DataTransfer): Promise<readonly Placed[]> {
  // To be asked for at once: after the first wait a drop holds nothing any more.
  const given = [...data.items].map((item) => item.webkitGetAsEntry() ?? item.getAsFile());
  const found = await Promise.all(given.map((each) => (each === null ? [] : walk(each, ""))));
  return found.flat();
}

async function walk(entry: FileSystemEntry | File, above: string): Promise<readonly Placed[]> {
  if (entry instanceof File) return [{ file: entry, path: above }];
  const path = `${above}${entry.name}`;
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => {
      (entry as FileSystemFileEntry).file(resolve, reject);
    });
    return [{ file, path: above === "" ? "" : path }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: Placed[] = [];
  for (;;) {
    // It gives a hundred at a time, and none when there are no more.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => {
      reader.readEntries(resolve, reject);
    });
    if (some.length === 0) return found;
    for (const each of some) found.push(...(await walk(each, `${path}/`)));
  }
}
