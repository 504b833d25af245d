// SPDX-License-Identifier: Apache-2.0
/** OCSP answers, against the vectors that Python's reader is held to. */
import { expect, test } from "vitest";
import { loadCertificate } from "../verify/certificates";
import { sha256Bytes } from "../verify/digests";
import { statusOf } from "../verify/ocspstatus";
import { type Status, seconds } from "../verify/revocation";
import { bytes, vectors } from "./vectors";

type Case = { readonly name: string; readonly response: string; readonly at?: string };
type Vectors = {
  readonly certificate: string;
  readonly issuer: string;
  readonly log: string;
  readonly at: string;
  readonly accepted: readonly (Case & { readonly status: Readonly<Record<string, string>> })[];
  readonly refused: readonly (Case & { readonly error: string; readonly says: string })[];
};

const given = vectors<Vectors>("answers");

async function statusIn({ response, at = given.at }: Case): Promise<Status> {
  const spki = bytes(given.log);
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  const key = await crypto.subtle.importKey("spki", spki, algorithm, false, ["verify"]);
  const log = { key, id: await sha256Bytes(spki) };
  const [certificate, issuer] = [given.certificate, given.issuer].map((each) =>
    loadCertificate("certificate", bytes(each)),
  );
  if (certificate === undefined || issuer === undefined) throw new Error("expected two");
  return statusOf(certificate, issuer, bytes(response), { log, at: new Date(at) });
}

function written(status: Status): Readonly<Record<string, string>> {
  switch (status.kind) {
    case "missing":
      return { kind: "missing" };
    case "not-revoked":
      return { kind: status.kind, said_at: seconds(status.saidAt) };
    case "stale": {
      const { kind, thisUpdate, nextUpdate } = status;
      return { kind, this_update: seconds(thisUpdate), next_update: seconds(nextUpdate) };
    }
    case "revoked": {
      const { kind, reason, revokedAt, invalidFrom } = status;
      const since = invalidFrom === null ? {} : { invalid_from: seconds(invalidFrom) };
      return { kind, reason, revoked_at: seconds(revokedAt), ...since };
    }
  }
}

test.each(given.accepted)("$name", async (answer) => {
  expect(written(await statusIn(answer))).toEqual(answer.status);
});

test.each(given.refused)("$name is refused", async (answer) => {
  const refused = await statusIn(answer).then(
    () => null,
    (error: unknown) => error,
  );
  expect(refused).toMatchObject({ code: answer.error });
  expect(String(refused)).toContain(answer.says);
});

test("no changed byte of an answer clears anybody", async () => {
  const good = bytes(given.accepted[0]?.response ?? "");
  for (let at = 0; at < good.length; at += 7) {
    const changed = good.slice();
    changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
    const response = Buffer.from(changed).toString("base64");
    const found = await statusIn({ name: "", response }).catch(() => null);
    expect(found?.kind ?? "missing").toBe("missing");
  }
});
