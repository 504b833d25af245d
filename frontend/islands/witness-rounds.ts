// SPDX-License-Identifier: Apache-2.0
/** The rounds of this browser's witness: it begins once, and then looks, decides, keeps, again. */
import { loads } from "../verify/canonical";
import { witnessText } from "../verify/cosignatures";
import { sha256 } from "../verify/digests";
import { VerificationError } from "../verify/errors";
import { verifierText } from "../verify/treehead";
import { see } from "../verify/witness/desk";
import { type Account, begun } from "../verify/witness/state";
import { keep, recall } from "./witness-memory";

/** The ledger did not answer, which says nothing about its history. */
export class Unreached extends Error {}
/** This browser makes no keys of the kind that witnesses sign with. */
export class NoSuchKeys extends Error {}

const LOCK = "assay-witness";
const PATIENCE_MS = 20_000;
const NAME_DIGITS = 16;

/** Make a key that never leaves this browser, and pin the ledger's that the trust root names. */
export async function begin(trustUrl: string): Promise<Account> {
  return alone(async () => {
    const known = await recall(); // another tab was first
    if (known !== null) return known.account;
    const { parseTrustRoot } = await import("../verify/trust"); // once; it brings X.509 with it
    const trust = await parseTrustRoot(loads(await bytes(trustUrl)));
    const { privateKey, publicKey } = await newKey();
    const raw = new Uint8Array(await crypto.subtle.exportKey("raw", publicKey));
    const name = `browser/${(await sha256(raw)).slice(0, NAME_DIGITS)}`;
    const account = begun(verifierText(trust.verifier), await witnessText({ name, key: raw }));
    await keep({ account, key: privateKey });
    return account;
  });
}

/** One look at the ledger; null if there is no witness here any more. */
export async function look(ledgerUrl: string): Promise<Account | null> {
  return alone(async () => {
    const kept = await recall();
    if (kept === null) return null;
    const account = await see(kept.account, {
      note: new TextDecoder().decode(await bytes(`${ledgerUrl}checkpoint`)),
      fetch: (path) => bytes(`${ledgerUrl}${path}`),
      at: Math.floor(Date.now() / 1000),
      sign: async (message) =>
        new Uint8Array(await crypto.subtle.sign("Ed25519", kept.key, message)),
    });
    // Only what is on the disk is ever shown: else a crash could make this witness sign two histories.
    if (account !== kept.account) await keep({ ...kept, account });
    return account;
  });
}

/** From the look at what was seen to the write, no other tab of this browser's comes between. */
async function alone<T>(round: () => Promise<T>): Promise<T> {
  return navigator.locks.request(LOCK, round);
}

async function newKey(): Promise<CryptoKeyPair> {
  try {
    const made = await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]);
    return made as CryptoKeyPair;
  } catch (error) {
    throw new NoSuchKeys("Ed25519", { cause: error });
  }
}

/** Never from the browser's cache: what matters is what the ledger shows now. */
async function bytes(url: string): Promise<Uint8Array<ArrayBuffer>> {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  let response: Response;
  try {
    response = await fetch(url, { cache: "no-store", signal });
    if (response.ok) return new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    throw new Unreached(url, { cause: error });
  }
  if (response.status !== 404) throw new Unreached(`${url}: ${response.status}`);
  throw new VerificationError("missing-evidence", `expected a file at ${url}, found none`);
}
