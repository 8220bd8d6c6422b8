/** What colour a point has. */
import type { Points } from "./points";

export type By = "kind" | "key" | "tempo";
type Colour = readonly [number, number, number];

const NONE: Colour = [120, 130, 150];
const KINDS: Record<string, Colour> = { "one-shot": [251, 191, 119], loop: [94, 234, 212], track: [96, 165, 250], "long recording": [167, 139, 250] };
const FIFTHS = ["C", "G", "D", "A", "E", "B", "F#", "C#", "G#", "D#", "A#", "F"];
const SLOW = 60;
const FAST = 190;

/** The colour of each point, three bytes each. */
export function colours(points: Points, by: By): Uint8ClampedArray {
  const made = new Uint8ClampedArray(3 * points.ids.length);
  for (let n = 0; n < points.ids.length; n++) made.set(one(points, n, by), 3 * n);
  return made;
}

function one(points: Points, n: number, by: By): Colour {
  if (by === "kind") return KINDS[points.kinds[n]!] ?? NONE;
  if (by === "tempo") {
    const bpm = points.bpm[n];
    return bpm == null ? NONE : hue(260 - 260 * Math.min(1, Math.max(0, (bpm - SLOW) / (FAST - SLOW))), 0.62);
  }
  const [tonic, mode] = points.keys[n]?.split(" ") ?? [];
  const at = FIFTHS.indexOf(tonic ?? "");
  // relative keys, which mix, have one hue: A minor lies where C major does
  return at < 0 ? NONE : hue((((at + (mode === "minor" ? 9 : 0)) % 12) * 360) / 12, mode === "minor" ? 0.5 : 0.68);
}

function hue(h: number, lightness: number): Colour {
  const reach = 0.75 * Math.min(lightness, 1 - lightness);
  const part = (n: number) => {
    const k = (n + h / 30) % 12;
    return Math.round(255 * (lightness - reach * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return [part(0), part(8), part(4)];
}

/** What the colours mean, for the legend. */
export function legend(by: By): [string, string][] {
  const css = ([r, g, b]: Colour) => `rgb(${r} ${g} ${b})`;
  if (by === "kind") return Object.entries(KINDS).map(([name, colour]) => [name, css(colour)]);
  if (by === "tempo") return [60, 90, 120, 150, 180].map((bpm) => [`${bpm} BPM`, css(hue(260 - (260 * (bpm - SLOW)) / (FAST - SLOW), 0.62))]);
  return FIFTHS.map((tonic, n) => [tonic, css(hue((n * 360) / 12, 0.68))]);
}
