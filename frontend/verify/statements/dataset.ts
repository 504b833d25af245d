// SPDX-License-Identifier: Apache-2.0
/** The claim that files are a dataset of a stated origin and licence. */
import { integer, text } from "../canonical";
import { owned } from "./references";
import type { Statement } from "./statement";
import { DATASET_V1, expectSubjects, predicateOf } from "./statement";

export type DatasetClaim = {
  readonly manifestSha256: string;
  /** `owner/name`. */
  readonly name: string;
  readonly title: string;
  readonly source: string;
  /** An SPDX expression. */
  readonly license: string;
  readonly files: number;
  readonly bytes: number;
};

/** Read the claim out of a statement. Raises InvalidDocument. */
export function datasetClaim(statement: Statement): DatasetClaim {
  const fields = ["title", "source", "license", "files", "bytes"];
  const predicate = predicateOf(statement, DATASET_V1, ...fields);
  const [subject] = statement.subjects;
  const name = owned({ name: subject.name }, "name");
  expectSubjects(statement, { name, sha256: subject.sha256 });
  return {
    manifestSha256: subject.sha256,
    name,
    title: text(predicate, "title"),
    source: text(predicate, "source"),
    license: text(predicate, "license"),
    files: integer(predicate, "files"),
    bytes: integer(predicate, "bytes"),
  };
}
