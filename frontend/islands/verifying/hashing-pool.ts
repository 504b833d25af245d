// SPDX-License-Identifier: Apache-2.0
/** Workers that hash files, started with the page: later there may be no network to fetch them by. */
import type { Content } from "../../verify/verify/report";
import type { Order, Report } from "./hashing-worker";

const MOST_WORKERS = 4; // more would wait for the disk

/** A file cannot be hashed: it changed, it is gone, or there is nothing to hash it with. */
export class Unreadable extends Error {}
/** Whoever asked does not want to know any more. */
export class Cancelled extends Error {}

type Job = {
  readonly file: Blob;
  readonly told: (bytes: number) => void;
  readonly resolve: (content: Content) => void;
  readonly reject: (error: Error) => void;
};
/** What a worker does: the number of its order, so that no late word passes for another's. */
type Turn = { readonly number: number; readonly job: Job | null };

export class HashingPool {
  private readonly turns = new Map<Worker, Turn>();
  private waiting: Job[] = [];
  private failure = "";
  /** Resolves once each worker can hash without anything more from the network. */
  readonly ready: Promise<unknown>;

  constructor(cores = navigator.hardwareConcurrency || 2) {
    const count = Math.max(1, Math.min(MOST_WORKERS, cores - 1)); // one is the page's own
    this.ready = Promise.all(Array.from({ length: count }, () => this.start()));
  }

  /** The digests of a file; `told` hears how many of its bytes are done. */
  hash(file: Blob, told: (bytes: number) => void): Promise<Content> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ file, told, resolve, reject });
      this.assign();
    });
  }

  /** Nothing that was asked for is wanted any more. */
  cancel(): void {
    const dropped = this.waiting;
    this.waiting = [];
    for (const [worker, { number, job }] of this.turns) {
      if (job === null) continue;
      dropped.push(job);
      this.order(worker, number + 1, null);
    }
    for (const { reject } of dropped) reject(new Cancelled("cancelled"));
  }

  private start(): Promise<void> {
    const worker = new Worker(new URL("./hashing-worker.ts", import.meta.url), { type: "module" });
    return new Promise((resolve) => {
      worker.addEventListener("message", ({ data }: MessageEvent<Report>) => {
        if (!this.turns.has(worker)) this.turns.set(worker, { number: 0, job: null });
        this.hear(worker, data);
        resolve();
      });
      worker.addEventListener("error", ({ message }) => {
        this.lose(worker, message);
        resolve();
      });
    });
  }

  private assign(): void {
    for (const [worker, { number, job }] of this.turns) {
      const next = job === null ? this.waiting.shift() : undefined;
      if (next !== undefined) this.order(worker, number + 1, next);
    }
    if (this.failure === "" || this.turns.size > 0) return;
    for (const { reject } of this.waiting.splice(0)) reject(new Unreadable(this.failure));
  }

  private order(worker: Worker, number: number, job: Job | null): void {
    this.turns.set(worker, { number, job });
    worker.postMessage({ turn: number, file: job?.file ?? null } satisfies Order);
  }

  private hear(worker: Worker, said: Report): void {
    const { number, job } = this.turns.get(worker) ?? { number: -1, job: null };
    if (said.turn === number && job !== null) {
      if ("bytes" in said) job.told(said.bytes);
      else this.turns.set(worker, { number, job: null });
      if ("content" in said) job.resolve(said.content);
      if ("failure" in said) job.reject(new Unreadable(said.failure));
    }
    this.assign();
  }

  /** One that cannot work hashes nothing more; with the last one goes what waits. */
  private lose(worker: Worker, message: string): void {
    this.failure = message || "this browser starts no workers here";
    this.turns.get(worker)?.job?.reject(new Unreadable(this.failure));
    this.turns.delete(worker);
    worker.terminate();
    this.assign();
  }
}
