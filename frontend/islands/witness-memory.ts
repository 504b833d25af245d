// SPDX-License-Identifier: Apache-2.0
/** What this browser's witness keeps: its key, which no script can read, and what it has seen. */
import { WitnessStateBroken } from "../verify/witness/errors";
import type { Account } from "../verify/witness/state";

export type Kept = { readonly account: Account; readonly key: CryptoKey };

const DATABASE = "assay-witness";
const STORE = "witnesses";
const OURS = "of this ledger"; // an address has one registry, and a registry one ledger

/** What was kept; null where nothing ever was. Raises WitnessStateBroken. */
export async function recall(): Promise<Kept | null> {
  return within("readonly", (store) => store.get(OURS) as IDBRequest<Kept | undefined>).then(
    (kept) => kept ?? null,
  );
}

/** Keep it in the place of what was kept; once this resolves, it is on the disk. */
export async function keep(kept: Kept): Promise<void> {
  await within("readwrite", (store) => store.put(kept, OURS));
}

/** Forget the key and all that was seen, for ever. */
export async function forget(): Promise<void> {
  await within("readwrite", (store) => store.delete(OURS));
}

async function within<T>(
  mode: IDBTransactionMode,
  ask: (store: IDBObjectStore) => IDBRequest<T>,
): Promise<T> {
  try {
    const database = await opened();
    try {
      // Strict: the browser must not answer before the system has written it down.
      const transaction = database.transaction(STORE, mode, { durability: "strict" });
      const request = ask(transaction.objectStore(STORE));
      await settled(transaction);
      return request.result;
    } finally {
      database.close();
    }
  } catch (error) {
    throw new WitnessStateBroken(`this browser's storage cannot be used: ${error}`);
  }
}

function opened(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.addEventListener("upgradeneeded", () => request.result.createObjectStore(STORE));
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error));
  });
}

function settled(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.addEventListener("complete", () => resolve());
    transaction.addEventListener("abort", () => reject(transaction.error));
  });
}
