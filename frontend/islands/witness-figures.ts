// SPDX-License-Identifier: Apache-2.0
/** What a page shows of a witness's account: words by the name of their place, and files. */
import { toHex } from "../verify/digests";
import { type Account, newestHead } from "../verify/witness/state";

export type Figures = {
  readonly words: Readonly<Record<string, string>>;
  /** Signed notes, by the name of the link that offers them. */
  readonly notes: Readonly<Record<string, string>>;
};

/** Raises WitnessStateBroken: what is shown is what the account's own signature is under. */
export async function figuresOf(account: Account, language: string): Promise<Figures> {
  const head = await newestHead(account);
  const { newest, contradiction } = account;
  const moment = (seconds: number) => new Date(seconds * 1000).toLocaleString(language);
  const seen = newest === null ? "—" : moment(account.at);
  return {
    words: {
      size: head.size.toLocaleString(language),
      root: toHex(head.root),
      heads: account.heads.toLocaleString(language),
      since: newest === null ? "—" : moment(account.since),
      at: seen,
      witness: account.witness,
      ledger: account.ledger,
      reason: contradiction?.message ?? "",
      caught: contradiction === null ? "" : moment(contradiction.at),
    },
    notes: {
      ...(newest === null ? {} : { cosigned: newest.note + newest.line }),
      ...(contradiction === null ? {} : { contradiction: contradiction.note }),
    },
  };
}
