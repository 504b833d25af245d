// SPDX-License-Identifier: Apache-2.0
/** Why a witness does not go on. */
import { AssayError } from "../errors";

/** The ledger showed a head from before one that was seen, of the same history. */
export class StaleHead extends AssayError {
  constructor(seen: number, shown: number) {
    super("stale-head", `expected at least ${seen} entries, found an older head of ${shown}`);
  }
}

/** What a witness remembers is not what it wrote, or cannot be kept. */
export class WitnessStateBroken extends AssayError {
  constructor(message: string) {
    super("witness-state-broken", message);
  }
}
