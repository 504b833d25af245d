// SPDX-License-Identifier: Apache-2.0
/** What a reader drops, chooses or types, as things to be judged: read here, and sent nowhere. */
import type { AcceptanceEvidence } from "../../verify/acceptance";
import { MAX_ARCHIVE_BYTES } from "../../verify/archive";
import { MAX_BYTES } from "../../verify/canonical";
import {
  type Input,
  inputOf,
  type NamedPolicy,
  type Proof,
  proofsIn,
} from "../../verify/commands/inputs";
import { AssayError } from "../../verify/errors";
import { type Pack, parsePack, SUFFIX, saysThatItIsAPack } from "../../verify/pack";
import type { Proof as TlogProof } from "../../verify/tlog";
import type { TrustRoot } from "../../verify/trust";
import type { Case } from "./case";

const EVIDENCE_SUFFIX = ".assay.json";
const HEAD_BYTES = 64;
const UNPLACED = "expected a proof with the evidence of a batch of outputs, found none";
const UNSAID = "expected the evidence of the batch that this is a proof for, found none";

/** A file with its name below the folder that it was given in, if it was given in one. */
export type Placed = { readonly file: File; readonly path: string };
export type Sorted = {
  /** Acceptances, given to be of somebody who signed the rest. */
  readonly shown: readonly AcceptanceEvidence[];
  readonly contents: readonly Placed[];
  readonly folder: string | null;
  readonly proofs: readonly Proof[];
  readonly roots: readonly TrustRoot[];
  /** Of witnesses that the reader believes. */
  readonly policies: readonly NamedPolicy[];
  /** Files that say what they are and are not that. */
  readonly unread: readonly Case[];
};

/** Tell evidence, trust roots and policies from what they are about. */
export async function sorted(files: readonly Placed[]): Promise<Sorted> {
  const folder = folderOf(files);
  const read: Read[] = [];
  for (const placed of files) read.push(await inputIn(placed));
  const of = <K extends Read["kind"]>(kind: K) =>
    read.filter((each): each is Extract<Read, { kind: K }> => each.kind === kind);
  const [alone, trusted] = [of("evidence"), of("trust")];
  const places = of("proof");
  const shown = of("acceptance").map(({ acceptance }) => acceptance);
  const proofs = [
    ...alone.flatMap((proof) => inPlaces(withBases(proof, alone), places)),
    ...of("pack").flatMap(({ proofs: packed }) => packed),
  ];
  const lost = proofs.filter(lacksItsPlace);
  const isUsed = alone.some(({ evidence }) => evidence.bundles.batch !== undefined);
  return {
    shown,
    contents: of("content").map(({ placed: { file, path } }) => {
      return { file, path: below(path, folder) };
    }),
    folder,
    proofs: proofs.filter((proof) => !lost.includes(proof)),
    roots: trusted.map(({ trust }) => trust),
    policies: [...trusted, ...of("policy")].flatMap(({ policy }) => policy ?? []),
    unread: [
      ...of("unread").map(({ name, reason }) => unreadable(name, reason)),
      ...lost.map(({ name }) => unreadable(name, UNPLACED)),
      ...(isUsed ? [] : places.map(({ name }) => unreadable(name, UNSAID))),
    ],
  };
}

/** Each output of a batch by its own proof. */
function inPlaces(proof: Named, places: readonly Place[]): readonly Named[] {
  if (proof.evidence.bundles.batch === undefined || places.length === 0) return [proof];
  return places.map(({ placed }) => ({ ...proof, placed }));
}

/** What else was given may be about what its run continued from; what is not, nothing names. */
function withBases(proof: Named, all: readonly Named[]): Named {
  const bases = all.filter((each) => each !== proof).map(({ evidence }) => evidence);
  return { ...proof, beside: { ...proof.beside, bases } };
}

/** The evidence of a batch speaks of none of its outputs before a proof says which. */
function lacksItsPlace({ evidence, placed }: Proof): boolean {
  return evidence.bundles.batch !== undefined && placed === null;
}

export function unreadable(name: string, reason: string): Case {
  return { items: [], folder: null, proof: null, lack: { kind: "unread", name, reason } };
}

/** With the name of the file that it is from. */
type Named = Proof & { readonly name: string };
type Place = { readonly name: string; readonly placed: TlogProof };
type Read =
  | Exclude<Input, { readonly kind: "content" | "evidence" | "proof" }>
  | ({ readonly kind: "evidence" } & Named)
  | ({ readonly kind: "proof" } & Place)
  | { readonly kind: "content"; readonly placed: Placed }
  | { readonly kind: "pack"; readonly proofs: readonly Named[] }
  | { readonly kind: "unread"; readonly name: string; readonly reason: string };

async function inputIn(placed: Placed): Promise<Read> {
  const { name } = placed.file;
  try {
    const pack = await packIn(placed);
    if (pack !== null) {
      return { kind: "pack", proofs: proofsIn(pack).map((proof) => ({ ...proof, name })) };
    }
    const input = await documentIn(placed);
    if (input.kind === "evidence" || input.kind === "proof") return { ...input, name };
    return input.kind === "content" ? { ...input, placed } : input;
  } catch (error) {
    if (!(error instanceof AssayError)) throw error;
    return { kind: "unread", name, reason: error.message };
  }
}

/** In a folder only what is called so is evidence: everything else may be one of its files. */
async function documentIn({ file, path }: Placed): Promise<Input> {
  const mayBe = path === "" || file.name.endsWith(EVIDENCE_SUFFIX);
  if (!mayBe || file.size > MAX_BYTES) return { kind: "content" };
  return inputOf(new Uint8Array(await file.arrayBuffer()));
}

/** null for what does not say that it is one: any other archive is content, as a picture is. */
async function packIn({ file, path }: Placed): Promise<Pack | null> {
  const isLarge = file.size > MAX_ARCHIVE_BYTES && !file.name.endsWith(SUFFIX);
  if (path !== "" || isLarge) return null;
  const head = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
  if (!saysThatItIsAPack(head, file.name)) return null;
  // One byte more than it may have is enough to refuse it.
  return parsePack(new Uint8Array(await file.slice(0, MAX_ARCHIVE_BYTES + 1).arrayBuffer()));
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

/** Whether a reader said whom they trust, and gave nothing to be judged. */
export function isTrustAlone({
  contents,
  proofs,
  unread,
  roots,
  policies,
  shown,
}: Sorted): boolean {
  const given = contents.length + proofs.length + unread.length + shown.length;
  return given === 0 && roots.length + policies.length > 0;
}
