// SPDX-License-Identifier: Apache-2.0
// sigstore-js alone: `node sign.mjs REGISTRY TOKEN message|dsse FILE BUNDLE` signs a file.
import { readFileSync, writeFileSync } from "node:fs";
import { bundleToJSON } from "@sigstore/bundle";
import {
  DSSEBundleBuilder,
  FulcioSigner,
  MessageSignatureBundleBuilder,
  RekorWitness,
  TSAWitness,
} from "@sigstore/sign";

const [registry, token, kind, file, bundle] = process.argv.slice(2);
const options = {
  signer: new FulcioSigner({
    fulcioBaseURL: registry,
    identityProvider: { getToken: async () => token },
  }),
  witnesses: [
    new RekorWitness({ rekorBaseURL: registry, majorApiVersion: 2 }),
    new TSAWitness({ tsaBaseURL: registry }),
  ],
};
const artifact = { data: readFileSync(file), type: "application/vnd.in-toto+json" };
const builder =
  kind === "dsse" ? new DSSEBundleBuilder(options) : new MessageSignatureBundleBuilder(options);
try {
  writeFileSync(bundle, JSON.stringify(bundleToJSON(await builder.create(artifact))));
} catch (error) {
  console.error(error.cause?.message ?? error.message);
  process.exit(1);
}
