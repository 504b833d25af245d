// SPDX-License-Identifier: Apache-2.0
/** What an examination of evidence rests on, once its openings say who the people in it are. */

import type { Bytes } from "../canonical";
import { equalBytes } from "../digests";
import { VerificationError } from "../errors";
import type { Evidence } from "../evidence";
import { urisOf } from "../forms";
import { opened } from "../pseudonyms";
import type { TrustRoot } from "../trust";
import type { Established, Report } from "./report";
import type { Basis, Grounds } from "./requirements";

/** The basis with all that the evidence brings; of openings, after the step that checks them. */
export async function opening(
  report: Report,
  evidence: Evidence,
  grounds: Grounds,
): Promise<Basis> {
  const { openings, witnesses } = evidence;
  const lists = withLists([...evidence.lists, ...grounds.lists]);
  const basis = { ...grounds, lists, witnesses };
  if (openings.length === 0) return { ...basis, parties: new Map() };
  const title = "The openings say whose the pseudonyms in the certificates are";
  const found = await report.check("openings", title, () => partiesOf(evidence, grounds.trust));
  return { ...basis, parties: found.value };
}

/** Each once. */
export function withLists(lists: readonly Bytes[]): readonly Bytes[] {
  const found: Bytes[] = [];
  for (const each of lists) {
    if (!found.some((known) => equalBytes(known, each))) found.push(each);
  }
  return found;
}

async function partiesOf(
  { bundles, openings }: Evidence,
  { registry }: TrustRoot,
): Promise<Established<ReadonlyMap<string, string>>> {
  // Whoever issued the certificates: their own steps judge that.
  const uris = Object.values(bundles).map(({ chain }) => urisOf(chain.leaf));
  const found = new Set(uris.flatMap((each) => (each.length === 1 ? each : [])));
  const [first] = [...found].sort();
  if (first !== undefined && ![...found].some((uri) => uri.startsWith(`${registry}/`))) {
    const message = `expected certificates of ${registry}, found those of '${first}'`;
    throw new VerificationError("untrusted-chain", message); // no opening could fit
  }
  const parties = await opened(openings, found, registry);
  return [parties, [...new Set(parties.values())].sort().join(", ")];
}
