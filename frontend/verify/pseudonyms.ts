// SPDX-License-Identifier: Apache-2.0
/**
 * People under pseudonyms: the URI that their certificates name, and what says whose it is.
 *
 * A person's certificate names `REGISTRY/people/COMMITMENT`; the person's own URI and the salt
 * together open it. Organisations, nodes and offices are named as they are.
 */
import type { Bytes, Json, JsonObject } from "./canonical";
import { asMapping, dumps, items, only, sha256Hex, text, within } from "./canonical";
import { concat, fromHex, sha256 } from "./digests";
import { VerificationError } from "./errors";

/** More than there are certificates in an evidence file. */
const MAX_OPENINGS = 16;

/** A person's URI and the salt, with which anyone can recompute the pseudonym. */
export type PartyOpening = { readonly party: string; readonly salt: Bytes };

/** Whom a certificate names, and who that is where an opening says so. */
export type Signatory = { readonly uri: string; readonly party: string | null };

/** The party's own URI if it is known, else what the certificate names. */
export function knownAs({ uri, party }: Signatory): string {
  return party ?? uri;
}

/** The openings in a field that may be left out. Raises InvalidDocument. */
export function openingsIn(document: JsonObject, field: string): readonly PartyOpening[] {
  if (!(field in document)) return [];
  return within(field, () => items(document, field, MAX_OPENINGS).map(parseOpening));
}

/** Read `{"party":"…","salt":"…"}`. Raises InvalidDocument. */
export function parseOpening(value: Json): PartyOpening {
  const opening = asMapping(value, "opening");
  only(opening, "party", "salt");
  const salt = sha256Hex(opening, "salt"); // as many bytes as a digest
  return { party: text(opening, "party"), salt: fromHex(salt) };
}

/** Whether a URI is a pseudonym of this registry. */
export function isPseudonym(uri: string, registry: string): boolean {
  return uri.startsWith(registry) && /^\/people\/[0-9a-f]{64}$/.test(uri.slice(registry.length));
}

/** The URI that certificates of this person name, in this registry. */
export async function pseudonymOf(opening: PartyOpening, registry: string): Promise<string> {
  return `${registry}/people/${await partyCommitment(opening)}`;
}

/** The commitment to somebody, which names nobody. */
export async function partyCommitment({ salt, party }: PartyOpening): Promise<string> {
  return sha256(concat(salt, dumps({ party })));
}

/** The party behind each pseudonym that is opened. Raises VerificationError (wrong-opening). */
export async function opened(
  openings: readonly PartyOpening[],
  named: ReadonlySet<string>,
  registry: string,
): Promise<ReadonlyMap<string, string>> {
  const parties = new Map<string, string>();
  for (const opening of openings) {
    const pseudonym = await pseudonymOf(opening, registry);
    if (!named.has(pseudonym)) {
      const found = `found that of ${opening.party}, which with its salt makes ${pseudonym}`;
      const message = `expected an opening of a pseudonym in these certificates, ${found}`;
      throw new VerificationError("wrong-opening", message);
    }
    parties.set(pseudonym, opening.party);
  }
  return parties;
}

/** The name first, for a reader. */
export function inWords({ uri, party }: Signatory): string {
  if (party === null) return uri;
  return `${party.slice(party.lastIndexOf("/") + 1)}, ${party} (pseudonym ${uri})`;
}
