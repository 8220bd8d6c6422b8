/** A sound's waveform, small. Fetched when its row is seen, a few at a time, and kept. */
import { useEffect, useRef } from "preact/compat";
import { api } from "../api/client";

type Peaks = [number, number][];
const KEPT = 3000;
const AT_ONCE = 6;
const known = new Map<string, Peaks>();
const waiting: { id: string; tell: (peaks: Peaks) => void }[] = [];
let running = 0;

function next(): void {
  while (running < AT_ONCE && waiting.length) {
    const { id, tell } = waiting.pop()!; // what was scrolled to last is looked at now
    running++;
    peaksOf(id)
      .then(tell, () => undefined)
      .finally(() => {
        running--;
        next();
      });
  }
}

export async function peaksOf(id: string): Promise<Peaks> {
  const there = known.get(id);
  if (there) return there;
  const { peaks } = await api.waveform(id);
  known.set(id, peaks);
  if (known.size > KEPT) known.delete(known.keys().next().value!);
  return peaks;
}

export function draw(canvas: HTMLCanvasElement, peaks: Peaks, from = 0, to = 1): void {
  const scale = window.devicePixelRatio || 1;
  const width = (canvas.width = Math.max(1, Math.round(canvas.clientWidth * scale)));
  const height = (canvas.height = Math.max(1, Math.round(canvas.clientHeight * scale)));
  const pen = canvas.getContext("2d")!;
  pen.fillStyle = getComputedStyle(canvas).color;
  for (let x = 0; x < width; x++) {
    const at = from + ((to - from) * x) / width;
    const [low, high] = peaks[Math.min(peaks.length - 1, Math.floor(at * peaks.length))] ?? [0, 0];
    const top = ((1 - high) * height) / 2;
    pen.fillRect(x, top, 1, Math.max(scale, ((high - low) * height) / 2));
  }
}

export function Thumbnail({ id }: { id: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const place = canvas.current!;
    const there = known.get(id);
    if (there) {
      draw(place, there);
      return;
    }
    place.getContext("2d")!.clearRect(0, 0, place.width, place.height);
    const asked = { id, tell: (peaks: Peaks) => draw(place, peaks) };
    waiting.push(asked);
    next();
    return () => {
      const at = waiting.indexOf(asked);
      if (at >= 0) waiting.splice(at, 1);
    };
  }, [id]);
  return <canvas ref={canvas} className="thumbnail" aria-hidden="true" />;
}
