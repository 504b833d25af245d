// SPDX-License-Identifier: Apache-2.0
/** Fetches what a page judges from the registry that served it. */

const NOT_FOUND = 404;

/** The evidence did not come: nothing was checked, which is neither intact nor broken. */
export class Unfetched extends Error {}

/** The bytes of a JSON document. */
export async function read(url: string): Promise<Uint8Array<ArrayBuffer>> {
  const found = await find(url);
  if (found === null) throw new Unfetched(url);
  return found;
}

/** The same of one that need not be there; null where it is not, or not for this reader. */
export async function find(url: string): Promise<Uint8Array<ArrayBuffer> | null> {
  try {
    const response = await fetch(url, { headers: { Accept: "application/json" } });
    if (response.status === NOT_FOUND) return null;
    if (!response.ok) throw new Unfetched(response.statusText);
    return new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    throw new Unfetched(url, { cause: error }); // refused, cut off, or no network at all
  }
}
