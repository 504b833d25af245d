// SPDX-License-Identifier: Apache-2.0
/** Certificates, timestamps and proofs as files, made here of what was judged: nothing is fetched. */
import type { Bundle } from "../../verify/bundle";
import { type Bytes, dumps, type Json } from "../../verify/canonical";
import { pemOf } from "../../verify/certificates";
import type { Proof } from "../../verify/commands/inputs";
import { proofText } from "../../verify/tlog";
import type { Branch } from "./branches";

const JSON_TYPE = "application/json";

type Piece = { readonly name: string; readonly type: string; readonly data: Bytes | string };

/** What a program of others takes of a signed part; the bundle is as it was given, if it was alone. */
export function piecesOf(bundle: Bundle, given: Json): readonly Piece[] {
  const { chain, envelope, proof, timestamp } = bundle;
  const pem = pemOf(chain.leaf) + pemOf(chain.intermediate);
  const whole = { name: "bundle.json", type: JSON_TYPE, data: dumps(given) };
  return [
    { name: "certificates.pem", type: "application/x-pem-file", data: pem },
    { name: "statement.json", type: JSON_TYPE, data: envelope.payload },
    { name: "timestamp.tsr", type: "application/timestamp-reply", data: timestamp },
    { name: "tlog-proof", type: "text/plain;charset=utf-8", data: proofText(proof) },
    ...(given === null ? [] : [whole]),
  ];
}

/** Put a link for each piece where the page has a place for them. */
export function offerPieces(link: HTMLElement, { name, bundle, given }: Branch): void {
  if (bundle === undefined) return;
  const place = link.querySelector("[data-pieces]");
  for (const piece of piecesOf(bundle, given)) {
    const item = document.createElement("li");
    const offer = document.createElement("a");
    offer.textContent = piece.name;
    offerFile(offer, `${name}.${piece.name}`, new Blob([piece.data], { type: piece.type }));
    item.append(offer);
    place?.append(item);
  }
}

/** All that proves it, in one file. */
export function offerEvidence(offer: HTMLAnchorElement, { document: whole }: Proof): void {
  offerFile(offer, "evidence.assay.json", new Blob([dumps(whole)], { type: JSON_TYPE }));
}

/** What a page offered before is given back with it. */
export function takeBack(within: Element): void {
  for (const offer of within.querySelectorAll<HTMLAnchorElement>('a[href^="blob:"]')) {
    URL.revokeObjectURL(offer.href);
  }
}

function offerFile(offer: HTMLAnchorElement, name: string, file: Blob): void {
  offer.download = name;
  offer.href = URL.createObjectURL(file);
}
