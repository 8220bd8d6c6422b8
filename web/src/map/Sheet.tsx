/** The sheet on which the points are drawn: wheel and drag move it, a point under the pointer is heard, shift draws a line around. */
import { useEffect, useMemo, useRef, useState } from "preact/compat";
import { player } from "../player/player";
import { type By, colours } from "./colours";
import { enclosed, nearest, type Points, type View, whole, zoomed } from "./points";

const WITHIN = 8;
const STEP = 1.35;

interface Props {
  points: Points;
  by: By;
  chosen: readonly number[];
  onChosen: (found: number[]) => void;
  onOpen: (index: number) => void;
}

export function Sheet({ points, by, chosen, onChosen, onOpen }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [size, setSize] = useState<readonly [number, number]>([0, 0]);
  const [view, setView] = useState<View>({ x: 0, y: 0, scale: 0 });
  const [under, setUnder] = useState(-1);
  const [line, setLine] = useState<[number, number][]>([]);
  const [loud, setLoud] = useState(true);
  const held = useRef<{ x: number; y: number; moved: boolean; around: boolean } | null>(null);
  const paints = useMemo(() => colours(points, by), [points, by]);
  const [width, height] = size;
  const least = whole(width, height).scale;

  useEffect(() => {
    const watch = new ResizeObserver(([seen]) => {
      if (!seen) return;
      const now = [Math.round(seen.contentRect.width), Math.round(seen.contentRect.height)] as const;
      setSize(now);
      setView((old) => (old.scale ? old : whole(...now)));
    });
    if (canvas.current) watch.observe(canvas.current);
    return () => watch.disconnect();
  }, []);

  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context || !width || !height) return;
    const frame = requestAnimationFrame(() => draw(context, points, paints, view, width, height, chosen, under, line));
    return () => cancelAnimationFrame(frame);
  }, [points, paints, view, width, height, chosen, under, line]);

  const at = (event: PointerEvent | WheelEvent): [number, number] => {
    const box = canvas.current!.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const zoom = (by: number, px = width / 2, py = height / 2) => setView((old) => zoomed(old, by, px, py, width, height, least));
  const hear = (index: number) => {
    setUnder(index);
    if (index < 0) return;
    const near = points.ids[index]!;
    if (loud) void player.play({ id: near, loop: false, bpm: null, firstBeat: 0 });
  };

  // A wheel listener of React's kind is passive, and the page would scroll.
  useEffect(() => {
    const sheet = canvas.current;
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      zoom(Math.exp(-event.deltaY / 400), ...at(event));
    };
    sheet?.addEventListener("wheel", onWheel, { passive: false });
    return () => sheet?.removeEventListener("wheel", onWheel);
  });

  const onPointerDown = (event: PointerEvent) => {
    const [x, y] = at(event);
    canvas.current?.setPointerCapture(event.pointerId);
    held.current = { x, y, moved: false, around: event.shiftKey };
    if (event.shiftKey) setLine([[x, y]]);
  };
  const onPointerMove = (event: PointerEvent) => {
    const [x, y] = at(event);
    const from = held.current;
    if (!from) {
      const index = nearest(points, view, width, height, x, y, WITHIN);
      if (index !== under) hear(index);
    } else if (from.around) {
      setLine((old) => [...old, [x, y]]);
    } else if (from.moved || Math.hypot(x - from.x, y - from.y) > 3) {
      setView((old) => ({ ...old, x: old.x - (x - from.x) / old.scale, y: old.y - (y - from.y) / old.scale }));
      held.current = { ...from, x, y, moved: true };
    }
  };
  const onPointerUp = (event: PointerEvent) => {
    const from = held.current;
    held.current = null;
    if (from?.around) {
      onChosen(enclosed(points, view, width, height, line));
      setLine([]);
    } else if (from && !from.moved) {
      const index = nearest(points, view, width, height, ...at(event), 2 * WITHIN);
      if (index >= 0) onOpen(index);
    }
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = 60 / view.scale;
    const move = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
    if (move) setView((old) => ({ ...old, x: old.x + move[0]!, y: old.y + move[1]! }));
    else if (event.key === "+" || event.key === "=") zoom(STEP);
    else if (event.key === "-") zoom(1 / STEP);
    else if (event.key === "0") setView(whole(width, height));
    else if (event.key === "Enter") onChosen(enclosed(points, view, width, height, [[0, 0], [width, 0], [width, height], [0, height]]));
    else if (event.key === "Escape") player.stop();
    else return;
    event.preventDefault();
  };

  return (
    <div className="sheet">
      <canvas
        ref={canvas}
        width={width}
        height={height}
        tabIndex={0}
        role="application"
        aria-label={`A map of ${points.ids.length.toLocaleString()} sounds. Arrow keys move it, plus and minus zoom, Enter lists what is in sight.`}
        onPointerDown={onPointerDown}
        onPointerMove={onPointerMove}
        onPointerUp={onPointerUp}
        onPointerLeave={() => setUnder(-1)}
        onKeyDown={onKeyDown}
      />
      {under >= 0 && (
        <p className="under" role="status">
          {points.names[under]}
          <small>
            {[points.kinds[under], points.bpm[under] && `${points.bpm[under]} BPM`, points.keys[under]].filter(Boolean).join(" · ")}
          </small>
        </p>
      )}
      <p className="zoom">
        <button type="button" className="quiet" aria-label="Nearer" onClick={() => zoom(STEP)}>
          +
        </button>
        <button type="button" className="quiet" aria-label="Farther" onClick={() => zoom(1 / STEP)}>
          −
        </button>
        <button type="button" className="quiet" aria-pressed={loud} onClick={() => (setLoud(!loud), player.stop())}>
          {loud ? "sound on" : "sound off"}
        </button>
      </p>
    </div>
  );
}

/** Points as squares written into the picture itself: a hundred thousand strokes of a pen would take too long. */
function draw(context: CanvasRenderingContext2D, points: Points, paints: Uint8ClampedArray, view: View, width: number, height: number, chosen: readonly number[], under: number, line: readonly [number, number][]): void {
  const picture = context.createImageData(width, height);
  const bytes = new Uint32Array(picture.data.buffer);
  const side = points.ids.length > 20_000 ? 2 : points.ids.length > 3000 ? 3 : 5;
  for (let n = 0; n < points.ids.length; n++) {
    const left = Math.round((points.x[n]! - view.x) * view.scale + width / 2) - (side >> 1);
    const top = Math.round((points.y[n]! - view.y) * view.scale + height / 2) - (side >> 1);
    if (left < 0 || top < 0 || left + side > width || top + side > height) continue;
    const colour = 0xff000000 | (paints[3 * n + 2]! << 16) | (paints[3 * n + 1]! << 8) | paints[3 * n]!;
    for (let y = top; y < top + side; y++) for (let x = left; x < left + side; x++) bytes[y * width + x] = colour;
  }
  context.putImageData(picture, 0, 0);
  context.strokeStyle = "#fff";
  for (const n of under >= 0 ? [...chosen.slice(0, 2000), under] : chosen.slice(0, 2000)) {
    context.strokeRect((points.x[n]! - view.x) * view.scale + width / 2 - 4.5, (points.y[n]! - view.y) * view.scale + height / 2 - 4.5, 9, 9);
  }
  if (line.length > 1) {
    context.beginPath();
    line.forEach(([x, y]) => context.lineTo(x, y));
    context.closePath();
    context.stroke();
  }
}
