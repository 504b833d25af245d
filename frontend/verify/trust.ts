// SPDX-License-Identifier: Apache-2.0
/** Whom a reader trusts: a registry's root certificate and ledger key. Nothing is trusted by default. */
import type { Bytes, Json } from "./canonical";
import { asMapping, base64Bytes, dumps, literal, mapping, only, text, within } from "./canonical";
import type { Certificate } from "./certificates";
import { isIssuedBy, isRoot, loadCertificate } from "./certificates";
import { sha256 } from "./digests";
import { InvalidDocument } from "./errors";
import type { Verifier } from "./treehead";
import { parseVerifier } from "./treehead";

const TRUST_ROOT_V1 = "https://assay/trust-root/v1";
const URL_FORM = /^https?:\/\/[^\s/?#]+(\/[^\s/?#]+)*$/;

export type TrustRoot = {
  readonly registry: string;
  readonly root: Certificate;
  readonly verifier: Verifier;
  /** By which people compare trust roots; shown as `sha256:…`. */
  readonly fingerprint: string;
};

/** Read the JSON form (docs/spec/formats.md, section 7). Raises InvalidDocument. */
export async function parseTrustRoot(value: Json): Promise<TrustRoot> {
  const document = asMapping(value, "trust root");
  only(document, "type", "registry", "root", "ledger");
  literal(document, "type", TRUST_ROOT_V1);
  const ledger = mapping(document, "ledger");
  const vkey = within("ledger", () => {
    only(ledger, "origin", "verifier");
    return text(ledger, "verifier");
  });
  const verifier = await parseVerifier(vkey);
  literal(ledger, "origin", verifier.origin);
  const registry = text(document, "registry");
  if (!URL_FORM.test(registry)) {
    throw new InvalidDocument(
      "registry",
      "an http or https URL without a slash at its end",
      registry,
    );
  }
  const root = await rootOf(base64Bytes(document, "root"));
  return { registry, root, verifier, fingerprint: await sha256(dumps(document)) };
}

async function rootOf(der: Bytes): Promise<Certificate> {
  const root = loadCertificate("root", der);
  if (!(await isIssuedBy(root, root)) || !isRoot(root)) {
    throw new InvalidDocument("root", "a self-signed root over one level", "another");
  }
  return root;
}
