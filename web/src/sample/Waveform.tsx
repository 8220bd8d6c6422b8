/** The waveform, zoomed by the wheel or + and -, with the beats, the downbeats and where it plays over it. */
import { useEffect, useRef, useState } from "preact/compat";
import type { Sample } from "../api/client";
import { draw, peaksOf } from "../library/Thumbnail";
import { player } from "../player/player";
import { usePlaying } from "../player/usePlaying";

const CLOSEST = 0.02;
const MOST_BEATS = 400;

export function Waveform({ sample }: { sample: Sample }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [view, setView] = useState<[number, number]>([0, 1]);
  const [peaks, setPeaks] = useState<[number, number][] | null>(null);
  const playing = usePlaying();
  const here = playing.id === sample.sample_id;
  const [at, setAt] = useState(0);

  useEffect(() => {
    let stale = false;
    peaksOf(sample.sample_id).then((said) => !stale && setPeaks(said), () => undefined);
    return () => void (stale = true);
  }, [sample.sample_id]);

  useEffect(() => {
    if (!peaks) return;
    const place = canvas.current!;
    const again = () => draw(place, peaks, view[0], view[1]);
    again();
    const watch = new ResizeObserver(again);
    watch.observe(place);
    return () => watch.disconnect();
  }, [peaks, view]);

  useEffect(() => {
    if (!here) return;
    let frame = 0;
    const tick = () => {
      setAt(player.position());
      frame = requestAnimationFrame(tick);
    };
    tick();
    return () => cancelAnimationFrame(frame);
  }, [here]);

  const zoom = (factor: number, centre: number) => {
    const [from, to] = view;
    const width = Math.min(1, Math.max(CLOSEST, (to - from) * factor));
    const middle = from + (to - from) * centre;
    const start = Math.max(0, Math.min(1 - width, middle - width * centre));
    setView([start, start + width]);
  };
  useEffect(() => {
    const place = canvas.current!;
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      zoom(event.deltaY > 0 ? 1.2 : 1 / 1.2, event.offsetX / place.clientWidth);
    };
    place.addEventListener("wheel", onWheel, { passive: false });
    return () => place.removeEventListener("wheel", onWheel);
  });
  const onKeyDown = (event: KeyboardEvent) => {
    const width = view[1] - view[0];
    if (event.key === "+" || event.key === "=") zoom(1 / 1.4, 0.5);
    else if (event.key === "-") zoom(1.4, 0.5);
    else if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      const start = Math.max(0, Math.min(1 - width, view[0] + (event.key === "ArrowLeft" ? -width : width) / 5));
      setView([start, start + width]);
    } else return;
    event.preventDefault();
  };

  const seen = (share: number) => (share - view[0]) / (view[1] - view[0]);
  return (
    <div className="waveform" tabIndex={0} role="img" aria-label={`Waveform of ${sample.audio.duration_s.toFixed(2)} seconds; + and - zoom, arrows move`} onKeyDown={onKeyDown}>
      <canvas ref={canvas} />
      <svg viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden="true">
        {beats(sample)
          .map(({ share, first }) => ({ x: seen(share), first }))
          .filter(({ x }) => x >= 0 && x <= 1)
          .map(({ x, first }) => (
            <line key={x} x1={x} x2={x} y1={first ? 0 : 0.85} y2={1} className={first ? "downbeat" : "beat"} />
          ))}
        {here && seen(at) >= 0 && seen(at) <= 1 && <line x1={seen(at)} x2={seen(at)} y1={0} y2={1} className="playhead" />}
      </svg>
    </div>
  );
}

function beats(sample: Sample): { share: number; first: boolean }[] {
  const { bpm } = sample.tempo;
  const { first_beat_s: start, first_downbeat_s: bar, beats_per_bar: metre } = sample.rhythm;
  if (bpm === null || typeof start !== "number") return [];
  const step = 60 / bpm;
  const count = Math.min(MOST_BEATS, Math.floor((sample.audio.duration_s - start) / step) + 1);
  return Array.from({ length: count }, (_, n) => {
    const s = start + n * step;
    const since = typeof bar === "number" ? Math.round((s - bar) / step) : NaN;
    return { share: s / sample.audio.duration_s, first: since % (typeof metre === "number" ? metre : 4) === 0 };
  });
}
