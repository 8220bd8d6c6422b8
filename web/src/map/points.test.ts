import { expect, test } from "vitest";
import { enclosed, NO_POINTS, nearest, type Points, whole, zoomed } from "./points";

const FOUR: Points = { ...NO_POINTS, ids: ["a", "b", "c", "d"], x: [-1, 1, 0, 0.01], y: [-1, 1, 0, 0] };
const view = whole(200, 100);
const [right, bottom] = [100 + view.scale, 50 + view.scale]; // where the point at (1, 1) is drawn

test("the nearest point within reach is found, and none beyond it", () => {
  expect(nearest(FOUR, view, 200, 100, 100, 50, 5)).toBe(2);
  expect(nearest(FOUR, view, 200, 100, right, bottom, 3)).toBe(1);
  expect(nearest(FOUR, view, 200, 100, 10, 10, 5)).toBe(-1);
});

test("what is under the pointer stays there when one comes nearer", () => {
  const near = zoomed(view, 4, right, bottom, 200, 100, view.scale);
  expect(near.scale).toBe(4 * view.scale);
  expect(nearest(FOUR, near, 200, 100, right, bottom, 3)).toBe(1);
  expect(zoomed(view, 0.1, 0, 0, 200, 100, view.scale).scale).toBe(view.scale);
});

test("a line around points encloses them and no others", () => {
  expect(enclosed(FOUR, view, 200, 100, [[90, 40], [110, 40], [110, 60], [90, 60]])).toEqual([2, 3]);
  expect(enclosed(FOUR, view, 200, 100, [])).toEqual([]);
});
