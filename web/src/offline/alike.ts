/** How alike sounds are, aspect by aspect, from the directions that are kept here: as the gateway has it, to about 0.01. */
import { ASPECTS, type Aspect } from "../api/client";
import type { Direction } from "./shelf";

export type Spans = Record<Aspect, readonly [number, number]>;
/** Which of the 128 belong to which aspect; what the gateway says takes its place. */
export const SPANS: Spans = { timbre: [0, 40], pitch: [40, 64], rhythm: [64, 88], dynamics: [88, 104], spectrum: [104, 128] };

export interface Likeness {
  id: string;
  score: number;
  aspects: Record<Aspect, number | null>;
}

/** Nearest first, itself left out. An aspect of which either says nothing is null, and counts nothing. */
export function nearest(to: Direction, among: readonly Direction[], weights: Partial<Record<Aspect, number>>, most: number): Likeness[] {
  const said = ASPECTS.filter((aspect) => length(to.row, aspect) && (weights[aspect] ?? 0) > 0);
  const total = said.reduce((sum, aspect) => sum + weights[aspect]!, 0);
  const found: Likeness[] = [];
  for (const other of among) {
    if (other.id === to.id || other.space !== to.space) continue;
    const aspects = Object.fromEntries(ASPECTS.map((aspect) => [aspect, cosine(to.row, other.row, aspect)])) as Likeness["aspects"];
    const score = total ? said.reduce((sum, aspect) => sum + weights[aspect]! * (aspects[aspect] ?? 0), 0) / total : 0;
    found.push({ id: other.id, score, aspects });
  }
  return found.sort((a, b) => b.score - a.score).slice(0, most);
}

function cosine(a: Int8Array, b: Int8Array, aspect: Aspect): number | null {
  const both = length(a, aspect) * length(b, aspect);
  if (!both) return null;
  const [from, to] = SPANS[aspect];
  let product = 0;
  for (let n = from; n < to; n++) product += a[n]! * b[n]!;
  return product / both;
}

function length(row: Int8Array, aspect: Aspect): number {
  const [from, to] = SPANS[aspect];
  let sum = 0;
  for (let n = from; n < to; n++) sum += row[n]! ** 2;
  return Math.sqrt(sum);
}
