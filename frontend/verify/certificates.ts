// SPDX-License-Identifier: Apache-2.0
/**
 * The registry's certificates: root → one intermediate for each purpose → leaves.
 *
 * A purpose is a policy OID in the leaf and in its intermediate (docs/spec/formats.md, section 8).
 */
import "reflect-metadata"; // @peculiar/x509 needs it, and needs it first
import {
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509Certificate,
} from "@peculiar/x509";
import type { Bytes } from "./canonical";
import * as der from "./der";
import { equalBytes, toBase64 } from "./digests";
import { InvalidDocument, VerificationError } from "./errors";

const ARC = "2.25.55496464810101472194271188265311006923";
const NUMBERS = {
  checkpoint: 1,
  output: 2,
  conduct: 3,
  node: 4,
  timestamp: 5,
  c2pa: 6,
  identity: 7,
} as const;
const PURPOSES = Object.keys(NUMBERS) as (keyof typeof NUMBERS)[];
const CODE_SIGNING = "1.3.6.1.5.5.7.3.3";
const TIME_STAMPING = "1.3.6.1.5.5.7.3.8";
const EMAIL_PROTECTION = "1.3.6.1.5.5.7.3.4";
const CLAIM_SIGNING = "1.3.6.1.4.1.62558.2.1";
const BASIC_CONSTRAINTS = "2.5.29.19";
const POLICIES = "2.5.29.32";
/** Key usage, alternative name, basic constraints, policies, extended key usage. */
const UNDERSTOOD = new Set(["2.5.29.15", "2.5.29.17", BASIC_CONSTRAINTS, POLICIES, "2.5.29.37"]);
const PEM_COLUMNS = 64;

export type Certificate = X509Certificate;
export type Purpose = keyof typeof NUMBERS;
export type Chain = { readonly leaf: Certificate; readonly intermediate: Certificate };
export type ChainDemands = {
  readonly root: Certificate;
  readonly purpose: Purpose;
  readonly at: Date;
};

/** Read one certificate, which must be exactly these bytes. Raises InvalidDocument. */
export function loadCertificate(field: string, encoded: Bytes): Certificate {
  const certificate = parse(encoded);
  if (certificate === null || !equalBytes(derOf(certificate), encoded)) {
    throw new InvalidDocument(field, "a DER certificate", "other bytes");
  }
  if (unusedBits(encoded) !== 0) {
    throw new InvalidDocument(field, "a signature of whole bytes", "unused bits in it");
  }
  return certificate;
}

/** How many bits of the signature are declared unused; any but 0 could be rewritten unseen. */
function unusedBits(encoded: Bytes): number | undefined {
  const parts = der.elements(der.element(encoded)?.content ?? new Uint8Array());
  return parts?.[2]?.content[0];
}

export function parseChain(ders: readonly Bytes[]): Chain {
  const [leaf, intermediate, ...rest] = ders;
  if (leaf === undefined || intermediate === undefined || rest.length > 0) {
    const found = `${ders.length} certificates`;
    throw new InvalidDocument("chain", "a leaf and an intermediate", found);
  }
  return {
    leaf: loadCertificate("leaf", leaf),
    intermediate: loadCertificate("intermediate", intermediate),
  };
}

export function derOf(certificate: Certificate): Bytes {
  return new Uint8Array(certificate.rawData);
}

/** The certificate as the ledger stores it. */
export function pemOf(certificate: Certificate): string {
  const encoded = toBase64(derOf(certificate));
  const lines = encoded.match(new RegExp(`.{1,${PEM_COLUMNS}}`, "g")) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

/** The leaf's key, which must be on P-256. */
export async function publicKeyOf(leaf: Certificate): Promise<CryptoKey> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  try {
    const spki = leaf.publicKey.rawData;
    return await crypto.subtle.importKey("spki", spki, algorithm, true, ["verify"]);
  } catch {
    throw untrusted("expected a leaf with a P-256 key, found another kind");
  }
}

/**
 * Check a chain and return the URI that its leaf is about.
 *
 * 1. Every certificate, the root too, is valid at `at`.
 * 2. The path leaf → intermediate → root holds, with no other anchor in sight.
 * 3. Leaf and intermediate carry the purpose, and no other.
 * 4. The leaf's key is for signing, on P-256, used as the purpose demands, and issues nothing.
 * 5. The leaf names exactly one subject, a URI.
 */
export async function verifyChain(chain: Chain, demands: ChainDemands): Promise<string> {
  const { leaf, intermediate } = chain;
  checkValidity("leaf", leaf, demands.at); // 1
  checkValidity("intermediate", intermediate, demands.at);
  checkValidity("root", demands.root, demands.at);
  await checkPath(chain, demands.root); // 2
  checkPurpose("leaf", leaf, demands.purpose); // 3
  checkPurpose("intermediate", intermediate, demands.purpose);
  await publicKeyOf(leaf); // 4
  checkLeaf(leaf, demands.purpose);
  return subjectUri(leaf); // 5
}

/** The one URI that a certificate is about, whoever issued it; null if that cannot be read. */
export function named(certificate: Certificate): string | null {
  try {
    return subjectUri(certificate);
  } catch {
    return null;
  }
}

/** That a certificate's key signed it, or another's. */
export async function isIssuedBy(certificate: Certificate, issuer: Certificate): Promise<boolean> {
  const sameName = equalBytes(
    new Uint8Array(certificate.issuerName.toArrayBuffer()),
    new Uint8Array(issuer.subjectName.toArrayBuffer()),
  );
  return sameName && certificate.verify({ publicKey: issuer.publicKey, signatureOnly: true });
}

/** That a certificate is an authority over exactly one level of others. */
export function isRoot(certificate: Certificate): boolean {
  const constraints = certificate.getExtension(BasicConstraintsExtension);
  return constraints?.ca === true && constraints.pathLength === 1;
}

function parse(encoded: Bytes): Certificate | null {
  try {
    return new X509Certificate(encoded);
  } catch {
    return null;
  }
}

function checkValidity(role: string, { notBefore, notAfter }: Certificate, at: Date): void {
  if (at < notBefore || at > notAfter) {
    throw untrusted(
      `expected a ${role} certificate valid at ${at.toISOString()}, ` +
        `found one valid from ${notBefore.toISOString()} to ${notAfter.toISOString()}`,
    );
  }
}

async function checkPath({ leaf, intermediate }: Chain, root: Certificate): Promise<void> {
  const isPath =
    isAuthority(intermediate, 0) &&
    isAuthority(root, 1) &&
    [leaf, intermediate, root].every(isUnderstood) &&
    (await isIssuedBy(leaf, intermediate)) &&
    (await isIssuedBy(intermediate, root));
  if (!isPath) throw untrusted("expected a chain to the pinned root, found another");
}

function isAuthority(certificate: Certificate, below: number): boolean {
  const constraints = certificate.getExtension(BasicConstraintsExtension);
  const usage = certificate.getExtension(KeyUsagesExtension);
  return (
    constraints?.ca === true &&
    constraints.critical &&
    (constraints.pathLength ?? below) >= below &&
    usage !== null &&
    (usage.usages & KeyUsageFlags.keyCertSign) !== 0
  );
}

/** RFC 5280, 4.2: a critical extension that is not understood makes a certificate unusable. */
function isUnderstood(certificate: Certificate): boolean {
  const types = certificate.extensions.map(({ type }) => type);
  const isKnown = certificate.extensions.every((e) => !e.critical || UNDERSTOOD.has(e.type));
  return isKnown && new Set(types).size === types.length;
}

function checkPurpose(role: string, certificate: Certificate, purpose: Purpose): void {
  const policies = present(certificate.extensions.find(({ type }) => type === POLICIES));
  const found = new Uint8Array(policies.value);
  if (equalBytes(found, policiesOf(purpose))) return;
  const named = PURPOSES.find((other) => equalBytes(found, policiesOf(other)));
  const expected = `expected a ${role} certificate for ${purpose}`;
  throw wrongPurpose(`${expected}, found one for ${named ?? "something else"}`);
}

function present<T>(extension: T | null | undefined): T {
  if (extension === null || extension === undefined) {
    throw untrusted("expected an extension that such certificates have, found none");
  }
  return extension;
}

/** CertificatePolicies with one policy and no qualifiers; the library cannot read arcs this large. */
function policiesOf(purpose: Purpose): Bytes {
  const oid = der.objectIdentifier(`${ARC}.1.${NUMBERS[purpose]}`);
  return der.encode(der.SEQUENCE, der.encode(der.SEQUENCE, oid));
}

function checkLeaf(leaf: Certificate, purpose: Purpose): void {
  const key = present(leaf.getExtension(KeyUsagesExtension));
  if (key.usages !== KeyUsageFlags.digitalSignature || !key.critical) {
    throw wrongPurpose("expected the key usage digitalSignature, critical and alone");
  }
  const extended = present(leaf.getExtension(ExtendedKeyUsageExtension));
  if (extended.usages.join(" ") !== usagesOf(purpose).join(" ")) {
    throw wrongPurpose(`expected the extended key usage that ${purpose} demands, alone`);
  }
  if (purpose === "timestamp" && !extended.critical) {
    throw wrongPurpose("expected the extended key usage timeStamping to be critical");
  }
  if (leaf.extensions.some(({ type }) => type === BASIC_CONSTRAINTS)) {
    throw wrongPurpose("expected a leaf without basic constraints, found one that has them");
  }
}

function usagesOf(purpose: Purpose): readonly string[] {
  if (purpose === "timestamp") return [TIME_STAMPING];
  return purpose === "c2pa" ? [EMAIL_PROTECTION, CLAIM_SIGNING] : [CODE_SIGNING];
}

function subjectUri(leaf: Certificate): string {
  const [name, ...rest] = leaf.getExtension(SubjectAlternativeNameExtension)?.names.items ?? [];
  if (name?.type !== "url" || rest.length > 0) {
    throw untrusted("expected a leaf that names one URI, found other names");
  }
  return name.value;
}

function untrusted(message: string): VerificationError {
  return new VerificationError("untrusted-chain", message);
}

function wrongPurpose(message: string): VerificationError {
  return new VerificationError("wrong-purpose", message);
}
