// SPDX-License-Identifier: Apache-2.0
// sigstore-js alone: `node verify.mjs TRUSTED_ROOT IDENTITY ISSUER FILE BUNDLE…` says of each bundle
// whether it verifies; FILE is what a message signature is over.
import { readFileSync } from "node:fs";
import { bundleFromJSON } from "@sigstore/bundle";
import { TrustedRoot } from "@sigstore/protobuf-specs";
import { toSignedEntity, toTrustMaterial, Verifier } from "@sigstore/verify";

const [root, subjectAlternativeName, issuer, file, ...bundles] = process.argv.slice(2);
const trust = toTrustMaterial(TrustedRoot.fromJSON(JSON.parse(readFileSync(root, "utf8"))));
const policy = { subjectAlternativeName, extensions: { issuer } };
for (const path of bundles) {
  try {
    const bundle = bundleFromJSON(JSON.parse(readFileSync(path, "utf8")));
    const isMessage = bundle.content.$case === "messageSignature";
    const entity = toSignedEntity(bundle, isMessage ? readFileSync(file) : undefined);
    new Verifier(trust).verify(entity, policy);
    console.log("verified");
  } catch (error) {
    console.log("refused");
    console.error(error.message);
  }
}
