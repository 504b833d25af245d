// SPDX-License-Identifier: Apache-2.0
/** Why a witness does not go on. */
import { AssayError } from "../errors";

/** What a witness remembers is not what it wrote, or cannot be kept. */
export class WitnessStateBroken extends AssayError {
  constructor(message: string) {
    super("witness-state-broken", message);
  }
}
