import { expect, test } from "vitest";
import { nearest, SPANS } from "./alike";
import type { Direction } from "./shelf";

const row = (id: string, said: Partial<Record<keyof typeof SPANS, number[]>>, space = 2): Direction => {
  const numbers = new Int8Array(128);
  for (const [aspect, values] of Object.entries(said)) numbers.set(values, SPANS[aspect as keyof typeof SPANS][0]);
  return { id, space, row: numbers };
};
const ALL = { timbre: 1, pitch: 1, rhythm: 1, dynamics: 1, spectrum: 1 };

test("the score is the weighted mean of the aspects of which the sound says anything", () => {
  const to = row("to", { timbre: [127, 0], rhythm: [127] });
  const found = nearest(to, [to, row("same", { timbre: [127, 0], rhythm: [127] }), row("other", { timbre: [0, 127], rhythm: [127] }), row("mute", { timbre: [127] }), row("old", { timbre: [127] }, 1)], ALL, 9);
  expect(found.map(({ id, score }) => [id, score])).toEqual([["same", 1], ["other", 0.5], ["mute", 0.5]]);
  expect(found[2]!.aspects).toEqual({ timbre: 1, pitch: null, rhythm: null, dynamics: null, spectrum: null });
  expect(nearest(to, [row("other", { timbre: [0, 127], rhythm: [127] })], { rhythm: 1 }, 9)[0]!.score).toBe(1);
});
