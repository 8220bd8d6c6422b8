/** The points of the map: fetched page by page into plain columns, so that a hundred thousand are quick to walk over. */
import { api, type MapPage } from "../api/client";

export interface Points {
  ids: string[];
  names: string[];
  kinds: string[];
  keys: (string | null)[];
  bpm: (number | null)[];
  x: number[];
  y: number[];
  unplaced: number;
}

export const NO_POINTS: Points = { ids: [], names: [], kinds: [], keys: [], bpm: [], x: [], y: [], unplaced: 0 };

/** Windows are wider than high, and so is the sheet. */
const WIDE = 1.6;

/** Every page in turn; `told` hears of each as it comes. */
export async function fetchPoints(filters: URLSearchParams, told: (points: Points) => void, signal: AbortSignal): Promise<void> {
  let points = NO_POINTS;
  let cursor: string | null = null;
  do {
    const asked = new URLSearchParams(filters);
    if (cursor) asked.set("cursor", cursor);
    const page: MapPage = await api.map(asked, signal);
    points = both(points, page);
    told(points);
    cursor = page.next;
  } while (cursor);
}

function both(old: Points, page: MapPage): Points {
  const { ids, names, kinds, keys, bpm, x, y } = page;
  return {
    ids: [...old.ids, ...ids],
    names: [...old.names, ...names],
    kinds: [...old.kinds, ...kinds],
    keys: [...old.keys, ...keys],
    bpm: [...old.bpm, ...bpm],
    x: [...old.x, ...x.map((each) => WIDE * each)],
    y: [...old.y, ...y],
    unplaced: old.unplaced + page.unplaced,
  };
}

/** What part of the sheet, -1 to 1 high and `WIDE` times as wide, is in sight: its middle, and pixels to one unit. */
export interface View {
  x: number;
  y: number;
  scale: number;
}

/** The whole sheet in a window so large, in pixels. */
export const whole = (width: number, height: number): View => ({ x: 0, y: 0, scale: 0.47 * Math.min(width / WIDE, height) });

/** The same view, nearer by a factor, with what is under a pixel staying there. */
export function zoomed(view: View, by: number, px: number, py: number, width: number, height: number, least: number): View {
  const scale = Math.min(least * 200, Math.max(least, view.scale * by));
  const dx = px - width / 2;
  const dy = py - height / 2;
  return { scale, x: view.x + dx / view.scale - dx / scale, y: view.y + dy / view.scale - dy / scale };
}

/** The point nearest a pixel, no farther than `within` pixels; -1 where there is none. */
export function nearest(points: Points, view: View, width: number, height: number, px: number, py: number, within: number): number {
  const at = { x: view.x + (px - width / 2) / view.scale, y: view.y + (py - height / 2) / view.scale };
  let found = -1;
  let least = (within / view.scale) ** 2;
  for (let n = 0; n < points.x.length; n++) {
    const apart = (points.x[n]! - at.x) ** 2 + (points.y[n]! - at.y) ** 2;
    if (apart <= least) [found, least] = [n, apart];
  }
  return found;
}

/** The points inside a line that was drawn around them, corners in pixels. */
export function enclosed(points: Points, view: View, width: number, height: number, corners: readonly [number, number][]): number[] {
  const line = corners.map(([px, py]) => [view.x + (px - width / 2) / view.scale, view.y + (py - height / 2) / view.scale] as const);
  const found: number[] = [];
  for (let n = 0; n < points.x.length; n++) if (inside(line, points.x[n]!, points.y[n]!)) found.push(n);
  return found;
}

function inside(line: readonly (readonly [number, number])[], x: number, y: number): boolean {
  let crossed = false;
  for (let a = 0, b = line.length - 1; a < line.length; b = a++) {
    const [ax, ay] = line[a]!;
    const [bx, by] = line[b]!;
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) crossed = !crossed;
  }
  return crossed;
}
