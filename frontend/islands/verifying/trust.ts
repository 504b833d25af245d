// SPDX-License-Identifier: Apache-2.0
/** Whom a verdict rests on: the registry's own root, until the reader says that it is theirs too. */
import type { Bytes } from "../../verify/canonical";
import { loads } from "../../verify/canonical";
import { MAX_LISTS } from "../../verify/crls";
import { equalBytes, fromBase64 } from "../../verify/digests";
import type { Evidence } from "../../verify/evidence";
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
};

/** What the page's registry says of itself. */
export async function ownTrust(rootUrl: string, listsUrl: string): Promise<Trust> {
  const [root, lists] = await Promise.all([read(rootUrl), newest(listsUrl)]);
  return { root: await parseTrustRoot(loads(root)), source: "own", lists };
}

/** Evidence with the newer lists beside its own, as many as there may be. */
export function withLists(evidence: Evidence, { lists }: Trust): Evidence {
  const own = evidence.lists;
  const more = lists.filter((each) => !own.some((known) => equalBytes(known, each)));
  return { ...evidence, lists: [...own, ...more].slice(0, MAX_LISTS) };
}

/** A fingerprint as people write it down: with `sha256:` or without, in groups, in any case. */
export function isFingerprintOf(written: string, { fingerprint }: TrustRoot): boolean {
  const digits = written
    .toLowerCase()
    .replace(/^\s*sha256:/, "")
    .replace(/[\s:-]/g, "");
  return digits === fingerprint;
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
