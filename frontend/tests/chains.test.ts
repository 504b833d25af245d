// SPDX-License-Identifier: Apache-2.0
/** Chains of certificates: each is good for its own purpose and no other, and as it was issued. */
import { expect, test } from "vitest";
import type { Purpose } from "../verify/certificates";
import { loadCertificate, parseChain } from "../verify/certificates";
import { verifyChain } from "../verify/chains";
import { AssayError } from "../verify/errors";
import { bytes, vectors } from "./vectors";

type Vectors = {
  readonly root: string;
  readonly at: string;
  readonly subject: string;
  readonly chains: Readonly<Record<Purpose, readonly string[]>>;
  readonly outputs: readonly Fault[];
};
type Fault = {
  readonly name: string;
  readonly chain: readonly string[];
  readonly root: string;
  readonly error: string;
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
    await expect(verify(purpose, other)).rejects.toThrow(`for ${other}, found it for ${purpose}`);
  }
});

async function codeOf({ chain, root }: Fault): Promise<string> {
  const parsed = parseChain(chain.map(bytes));
  const demands = { root: loadCertificate("root", bytes(root)), at: new Date(given.at) };
  const verdict = verifyChain(parsed, { ...demands, purpose: "output" });
  return verdict.then(
    () => "",
    (error: unknown) => (error instanceof AssayError ? error.code : String(error)),
  );
}

test.each(given.outputs)("$name", async (fault) => {
  expect(await codeOf(fault)).toBe(fault.error);
});

test("there are chains that are used before, inside and after each validity", () => {
  expect(given.outputs.filter(({ name }) => name.startsWith("used ")).length).toBe(27);
});
