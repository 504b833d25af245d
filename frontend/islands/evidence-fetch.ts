// SPDX-License-Identifier: Apache-2.0
/** Fetches what a page judges from the registry that served it. */

/** The evidence did not come: nothing was checked, which is neither intact nor broken. */
export class Unfetched extends Error {}

/** The bytes of a JSON document. */
export async function read(url: string): Promise<Uint8Array> {
  try {
    const response = await fetch(url, { headers: { Accept: "application/json" } });
    if (!response.ok) throw new Unfetched(response.statusText);
    return new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    throw new Unfetched(url, { cause: error }); // refused, cut off, or no network at all
  }
}
