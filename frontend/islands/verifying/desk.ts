// SPDX-License-Identifier: Apache-2.0
/** `<verify-desk>`: takes files, a text, a digest or an address, and judges them in this browser. */
import { AssayError } from "../../verify/errors";
import { Unfetched } from "../evidence-fetch";
import { NoSuchThing, textItem, typed } from "./address";
import type { Case } from "./case";
import { listen } from "./events";
import { lookUp } from "./finding";
import { isTrustAlone, type Placed, sorted } from "./given";
import { Cancelled, HashingPool } from "./hashing-pool";
import { judged } from "./judging";
import { NOTHING, type Shown, shown } from "./show";
import { Stage } from "./stage";
import { ownTrust } from "./trust";
import { TrustPanel } from "./trust-panel";
import { casesOf } from "./work";

/** What may end a piece of work that is no fault, and the words for it. */
const WHY = [
  [Cancelled, "stopped"],
  [Unfetched, "unreached-here"],
  [NoSuchThing, "no-such-thing"],
] as const;

export class VerifyDesk extends HTMLElement {
  private readonly stage = new Stage(this);
  private readonly panel = new TrustPanel(this, () => void this.rely());
  private readonly pool = new HashingPool();
  private loaded: Promise<void> = Promise.resolve();
  private cases: readonly Case[] = [];
  private turn = 0;

  async connectedCallback(): Promise<void> {
    if (!isSecureContext) return this.stage.enter("insecure");
    this.stage.enter("loading");
    this.loaded = this.load();
    listen(this, {
      files: (files) => void this.work(() => this.ofFiles(files)),
      text: (text) => void this.work(async () => lookUp([await textItem(text)], null)),
      asked: (asked) => void this.work(() => typed(asked, this.stage.shapes.registry)),
      cancelled: () => this.pool.cancel(),
    });
    await Promise.all([this.loaded, this.pool.ready]);
    // From here on, nothing more is needed of the network.
    if (this.stage.state === "loading") this.stage.enter("ready");
  }

  private async load(): Promise<void> {
    try {
      const { trust = "", lists = "" } = this.dataset;
      this.panel.begin(await ownTrust(trust, lists));
    } catch (error) {
      this.complain(error);
    }
  }

  private async ofFiles(files: readonly Placed[]): Promise<readonly Case[]> {
    const given = await sorted(files);
    this.panel.give(given.roots[0], given.policies[0]);
    if (isTrustAlone(given)) return this.cases; // what is shown, judged again
    return casesOf(given, this.pool, (done, all) => this.stage.progress(done, all));
  }

  private async work(make: () => Promise<readonly Case[]>): Promise<void> {
    this.pool.cancel();
    this.stage.enter("working");
    if (!(await this.begin(make))) return;
    this.stage.enter("ready");
    this.stage.turnToVerdict();
  }

  /** Whoever is trusted now, the same is judged again; unless it is about to be. */
  private async rely(): Promise<void> {
    if (this.stage.state === "ready") await this.begin(async () => this.cases);
  }

  /** What was begun last is what is shown; whether this was it. */
  private async begin(make: () => Promise<readonly Case[]>): Promise<boolean> {
    this.turn += 1;
    const { turn } = this;
    try {
      await this.loaded;
      const cases = await make();
      const made = await this.judge(cases);
      if (turn !== this.turn) return false;
      this.cases = cases;
      this.stage.put(made, made.results.length < cases.length ? "nobody" : "");
    } catch (error) {
      if (turn !== this.turn) return false;
      this.complain(error);
    }
    return true;
  }

  private async judge(cases: readonly Case[]): Promise<Shown> {
    const changes = this.panel.know(cases.flatMap(({ proof }) => proof?.pack?.trust ?? []));
    const found = cases.flatMap((each) => {
      const trust = this.panel.trustIn(each.proof?.pack?.trust ?? null);
      return trust === null ? [] : [judged(each, trust, new Date())];
    });
    const made = await shown(await Promise.all(found), this.stage.shapes);
    // Whom to trust may have changed meanwhile: no verdict is shown under a root that is not meant.
    return changes === this.panel.changes ? made : this.judge(cases);
  }

  /** What goes wrong is said, and is no verdict; nor is one from before left beside it. */
  private complain(error: unknown): void {
    this.cases = [];
    const key = WHY.find(([kind]) => error instanceof kind)?.[1];
    if (key !== undefined) {
      this.stage.put(NOTHING, key);
      return;
    }
    this.stage.put(NOTHING, "fault", error instanceof AssayError ? error.message : "");
    if (!(error instanceof AssayError)) reportError(error); // for whoever reads the console
  }
}

customElements.define("verify-desk", VerifyDesk);
