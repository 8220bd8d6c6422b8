/** Nothing of this is needed for the first view: it is loaded when the page has nothing to do. */
import type { Sample } from "../api/client";

const LATER_MS = 2000;
const MORE_MS = 500;
const idle = (what: () => void) => ("requestIdleCallback" in window ? requestIdleCallback(what, { timeout: 10_000 }) : setTimeout(what, MORE_MS));

export function beginOffline(): void {
  if (!("indexedDB" in window)) return;
  setTimeout(() => idle(() => void import("./keeping").then(({ begin }) => begin())), LATER_MS);
}

let seen: Sample[] = [];
/** These were seen: keep them, once there is time. */
export function keepSoon(samples: readonly Sample[]): void {
  if (!("indexedDB" in window) || !samples.length) return;
  if (!seen.length)
    setTimeout(
      () =>
        idle(() => {
          const now = seen;
          seen = [];
          void import("./keeping").then(({ keep }) => keep(now)).catch(() => undefined); // seen again, kept again
        }),
      MORE_MS,
    );
  seen = [...seen, ...samples];
}
