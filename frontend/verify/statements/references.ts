// SPDX-License-Identifier: Apache-2.0
/** How a claim names another thing: by digest, and a person only by a salted commitment. */
import type { JsonObject } from "../canonical";
import { integer, mapping, only, sha256Hex, text, within } from "../canonical";
import { InvalidDocument } from "../errors";
import type { Subject } from "./statement";

export type ConductReference = {
  readonly id: string;
  readonly version: string;
  readonly sha256: string;
};

/** Read the reference to a conduct policy's version in one field. */
export function conductReference(from: JsonObject, field: string): ConductReference {
  const inner = mapping(from, field);
  return within(field, () => {
    only(inner, "id", "version", "sha256");
    return {
      id: text(inner, "id"),
      version: text(inner, "version"),
      sha256: sha256Hex(inner, "sha256"),
    };
  });
}

/** How many entries a list has, and its digest: the list may be somewhere else, or nowhere. */
export type ListReference = { readonly count: number; readonly sha256: string };

/** Read the reference to a list in one field. */
export function listReference(from: JsonObject, field: string): ListReference {
  const inner = mapping(from, field);
  return within(field, () => {
    only(inner, "count", "sha256");
    return { count: integer(inner, "count"), sha256: sha256Hex(inner, "sha256") };
  });
}

/** The subject of statements about a conduct policy's version. */
export function conductSubject({ id, version, sha256 }: ConductReference): Subject {
  return { name: `conduct/${id}/${version}`, sha256 };
}

/** The digest in a reference, `{"sha256":"…"}`. */
export function reference(from: JsonObject, field: string): string {
  return onlyDigest(from, field, "sha256");
}

/** The digest in a commitment, `{"commitment":"…"}`. */
export function commitment(from: JsonObject, field: string): string {
  return onlyDigest(from, field, "commitment");
}

/** A name of the form `owner/name`. */
export function owned(from: JsonObject, field: string): string {
  const value = text(from, field);
  if (!/^[^/@]+\/[^/@]+$/.test(value)) throw new InvalidDocument(field, "owner/name", value);
  return value;
}

/** A quantity that is not an integer, as a decimal string. */
export function decimal(from: JsonObject, field: string): string {
  const value = text(from, field);
  if (!/^-?(0|[1-9][0-9]{0,19})(\.[0-9]{1,20})?$/.test(value)) {
    throw new InvalidDocument(field, "a decimal number such as 1.41", value);
  }
  return value;
}

function onlyDigest(from: JsonObject, field: string, innerField: string): string {
  const inner = mapping(from, field);
  return within(field, () => {
    only(inner, innerField);
    return sha256Hex(inner, innerField);
  });
}
