// SPDX-License-Identifier: Apache-2.0
/** Whom a reader trusts: a registry's root certificate and its ledger's keys. Nobody by default. */
import type { Bytes, Json } from "./canonical";
import { asMapping, base64Bytes, dumps, literal, mapping, only, text, within } from "./canonical";
import type { Certificate } from "./certificates";
import { loadCertificate } from "./certificates";
import { isIssuedBy, isRoot } from "./chains";
import { equalBytes, sha256, sha256Bytes } from "./digests";
import { InvalidDocument } from "./errors";
import type { CertificateLog } from "./scts";
import type { Verifier } from "./treehead";
import { parseVerifier } from "./treehead";

export const TRUST_ROOT_V1 = "https://assay/trust-root/v1";
const EARLY = "none: it was made before certificates were logged, and has to be made again";
const URL_FORM = /^https?:\/\/[^\s/?#]+(\/[^\s/?#]+)*$/;

export type TrustRoot = {
  readonly registry: string;
  readonly root: Certificate;
  readonly verifier: Verifier;
  /** Which says that the ledger holds a certificate. */
  readonly certificateLog: CertificateLog;
  /** By which people compare trust roots; shown as `sha256:…`. */
  readonly fingerprint: string;
};

/** Read the JSON form (docs/spec/formats.md, section 7). Raises InvalidDocument. */
export async function parseTrustRoot(value: Json): Promise<TrustRoot> {
  const document = asMapping(value, "trust root");
  literal(document, "type", TRUST_ROOT_V1);
  if (!("certificate_log" in document)) {
    throw new InvalidDocument("certificate_log", "the key of certificate timestamps", EARLY);
  }
  only(document, "type", "registry", "root", "ledger", "certificate_log");
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
  const certificateLog = await logOf(base64Bytes(document, "certificate_log"));
  return { registry, root, verifier, certificateLog, fingerprint: await sha256(dumps(document)) };
}

async function rootOf(der: Bytes): Promise<Certificate> {
  const root = loadCertificate("root", der);
  if (!(await isIssuedBy(root, root)) || !isRoot(root)) {
    throw new InvalidDocument("root", "a self-signed root over one level", "another");
  }
  return root;
}

async function logOf(spki: Bytes): Promise<CertificateLog> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  try {
    const key = await crypto.subtle.importKey("spki", spki, algorithm, true, ["verify"]);
    const written = new Uint8Array(await crypto.subtle.exportKey("spki", key));
    if (equalBytes(written, spki)) return { key, id: await sha256Bytes(spki) };
  } catch {
    // not a key; said below, as of one that is written in another way
  }
  throw new InvalidDocument("certificate_log", "a P-256 key in DER", "another");
}
