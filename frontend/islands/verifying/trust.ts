// SPDX-License-Identifier: Apache-2.0
/** Whom a verdict rests on: the registry's own root, until the reader says that it is theirs too. */
import type { Bytes } from "../../verify/canonical";
import { loads } from "../../verify/canonical";
import type { NamedPolicy } from "../../verify/commands/inputs";
import { fromBase64 } from "../../verify/digests";
import { parseTrustRoot, type TrustRoot } from "../../verify/trust";
import { read, Unfetched } from "../evidence-fetch";

const LIST = /-----BEGIN X509 CRL-----([A-Za-z0-9+/=\s]+)-----END X509 CRL-----/g;

/** How the root came to be trusted: by nobody yet, by its fingerprint, or as a file of the reader's. */
export type Source = "own" | "compared" | "given";
export type Trust = {
  readonly root: TrustRoot;
  readonly source: Source;
  /** The newest revocation lists, which say worse than what evidence brought, if anything. */
  readonly lists: readonly Bytes[];
  readonly witnesses: Witnesses;
};

/** Whose sight of the ledger proves when something was signed: nobody's, until the reader says. */
export type Witnesses = {
  /** A policy of the reader's own. */
  readonly given: NamedPolicy | null;
  /** As the reader wrote it: the digest of the policy that counts of those in packs; or empty. */
  readonly digest: string;
  /** Packs are judged for now, and not for when witnesses saw them. */
  readonly isNow: boolean;
};
export const NO_WITNESSES: Witnesses = { given: null, digest: "", isNow: false };

/** What the page's registry says of itself. */
export async function ownTrust(rootUrl: string, listsUrl: string): Promise<Trust> {
  const [root, lists] = await Promise.all([read(rootUrl), newest(listsUrl)]);
  const found = await parseTrustRoot(loads(root));
  return { root: found, source: "own", lists, witnesses: NO_WITNESSES };
}

/** A fingerprint as people write it down: with `sha256:` or without, in groups, in any case. */
export function isDigest(written: string, digest: string): boolean {
  const digits = written
    .toLowerCase()
    .replace(/^\s*sha256:/, "")
    .replace(/[\s:-]/g, "");
  return digits === digest;
}

async function newest(url: string): Promise<readonly Bytes[]> {
  try {
    const pem = new TextDecoder().decode(await read(url));
    const found = [...pem.matchAll(LIST)].map(([, body = ""]) =>
      fromBase64(body.replace(/\s/g, "")),
    );
    return found.filter((each) => each !== null);
  } catch (error) {
    if (error instanceof Unfetched) return []; // what evidence brings is judged by its own date
    throw error;
  }
}
