// SPDX-License-Identifier: Apache-2.0
/** One event stream for the whole page: a browser allows six connections to a host across its tabs. */

export type Handlers = Readonly<Record<string, (data: unknown) => void>>;
type Subscription = { readonly topic: string; readonly handlers: Handlers };

const RESUMED = "assay:resumed";
const subscriptions = new Set<Subscription>();
let source: EventSource | null = null;
let isScheduled = false;

/** Listen to a topic's kinds; `resumed` is called when events may have been missed. */
export function subscribe(topic: string, handlers: Handlers, resumed: () => void): () => void {
  if (topic === "") return () => undefined; // a page before there is anything to follow
  const subscription = { topic, handlers };
  subscriptions.add(subscription);
  document.addEventListener(RESUMED, resumed);
  schedule();
  return () => {
    subscriptions.delete(subscription);
    document.removeEventListener(RESUMED, resumed);
    schedule();
  };
}

/** Islands connect one after another; the stream opens once for all of them. */
function schedule(): void {
  if (isScheduled) return;
  isScheduled = true;
  queueMicrotask(() => {
    isScheduled = false;
    open();
  });
}

function open(): void {
  source?.close();
  source = null;
  if (subscriptions.size === 0 || document.hidden) return;
  const topics = [...new Set([...subscriptions].map(({ topic }) => topic))];
  source = new EventSource(`/events?topics=${encodeURIComponent(topics.join(","))}`);
  // What happened between the page's making and this moment is in no event that will come.
  source.addEventListener("open", () => document.dispatchEvent(new Event(RESUMED)));
  const kinds = new Set([...subscriptions].flatMap(({ handlers }) => Object.keys(handlers)));
  for (const kind of kinds) source.addEventListener(kind, (event) => deliver(kind, event));
}

function deliver(kind: string, event: MessageEvent<string>): void {
  const data: unknown = JSON.parse(event.data);
  for (const { handlers } of subscriptions) handlers[kind]?.(data);
}

document.addEventListener("visibilitychange", () => {
  open();
  if (!document.hidden) document.dispatchEvent(new Event(RESUMED));
});
