// SPDX-License-Identifier: Apache-2.0
/** Chains of certificates: each is good for its own purpose, and for no other. */
import { expect, test } from "vitest";
import type { Purpose } from "../verify/certificates";
import { loadCertificate, parseChain, verifyChain } from "../verify/certificates";
import { bytes, vectors } from "./vectors";

type Vectors = {
  readonly root: string;
  readonly at: string;
  readonly subject: string;
  readonly chains: Readonly<Record<Purpose, readonly string[]>>;
};

const given = vectors<Vectors>("chains");
const purposes = Object.keys(given.chains) as Purpose[];

function verify(chain: Purpose, purpose: Purpose): Promise<string> {
  const root = loadCertificate("root", bytes(given.root));
  const ders = given.chains[chain].map(bytes);
  return verifyChain(parseChain(ders), { root, purpose, at: new Date(given.at) });
}

test.each(purposes)("for %s and for nothing else", async (purpose) => {
  expect(await verify(purpose, purpose)).toBe(given.subject);
  for (const other of purposes.filter((each) => each !== purpose)) {
    await expect(verify(purpose, other)).rejects.toThrow(`for ${other}, found one for ${purpose}`);
  }
});
