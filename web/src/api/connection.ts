/** Whether the gateway answers. While it does not, it is asked every few seconds, and who listens hears when it is back. */
const EACH_MS = 3000;

const tellers = new Set<() => void>();
let away = false;
let waiting = 0;

async function look(): Promise<void> {
  while (away) {
    await new Promise((later) => setTimeout(later, EACH_MS));
    // not below /v1: the service worker must not answer in its place
    const answer = await fetch("/health", { cache: "no-store" }).catch(() => null);
    if (answer?.ok) set(false);
  }
}

function set(now: boolean): void {
  if (away === now) return;
  away = now;
  tellers.forEach((tell) => tell());
  if (away) void look();
}

export const connection = {
  subscribe(tell: () => void): () => void {
    tellers.add(tell);
    return () => void tellers.delete(tell);
  },
  away: () => away,
  lost: () => set(true),
  /** Corrections that are kept here until they can be sent. */
  waiting: () => waiting,
  waits(count: number): void {
    if (count === waiting) return;
    waiting = count;
    tellers.forEach((tell) => tell());
  },
};
