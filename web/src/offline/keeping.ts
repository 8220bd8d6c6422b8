/** Keeps what is seen, and the newest sounds, while there is nothing better to do. */
import { api, type Sample } from "../api/client";
import { connection } from "../api/connection";
import { flush } from "./here";
import * as shelf from "./shelf";

const FILLED = "samplemind.filled";
const EACH_MS = 10 * 60_000;
const PAGE = 200;
const NEWEST = 2000;
const ASKED_AT_ONCE = 500;

/** Keep these with what they are compared by. */
export async function keep(seen: readonly Sample[]): Promise<void> {
  const lacking = await shelf.keep(seen);
  for (let n = 0; n < lacking.length; n += ASKED_AT_ONCE) {
    const said = await api.directions(lacking.slice(n, n + ASKED_AT_ONCE));
    const bytes = Uint8Array.from(atob(said.directions), (letter) => letter.charCodeAt(0));
    const wide = bytes.length / Math.max(1, said.ids.length);
    await shelf.keepDirections(said.ids.map((id, at) => ({ id, space: said.spaces[at] ?? null, row: new Int8Array(bytes.slice(at * wide, (at + 1) * wide).buffer) })));
  }
}

/** The newest sounds of the library, at most every ten minutes. */
async function fill(): Promise<void> {
  if (Date.now() - Number(localStorage.getItem(FILLED) ?? 0) < EACH_MS) return;
  localStorage.setItem(FILLED, String(Date.now()));
  const asked = new URLSearchParams({ sort: "-added", limit: String(PAGE) });
  for (let n = 0; n < NEWEST && !connection.away(); n += PAGE) {
    const page = await api.samples(asked);
    await keep(page.items);
    if (!page.next) return;
    asked.set("cursor", page.next);
  }
}

/** From now on: what waits is sent when the gateway answers, and its newest sounds are kept. */
export function begin(): void {
  const go = async () => {
    if (connection.away()) return;
    await flush(api.markThere);
    await fill();
  };
  const quietly = () => void go().catch(() => undefined); // no database here, or the gateway is away: asked again
  connection.subscribe(quietly);
  quietly();
}
