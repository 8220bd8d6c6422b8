/** What sounds like this. The dials re-rank what is there while they turn, and ask for more when they rest. */
import { useEffect, useMemo, useState } from "preact/compat";
import { Link } from "wouter";
import { api, ASPECTS, type Aspect, type Hit, type Sample } from "../api/client";
import { player } from "../player/player";
import { usePlaying } from "../player/usePlaying";
import { Complaint, fileName, Said, tempo } from "../ui/parts";
import { Thumbnail } from "../library/Thumbnail";

type Weights = Record<Aspect, number>;
const ALIKE: Weights = { timbre: 1, pitch: 1, rhythm: 1, dynamics: 1, spectrum: 1 };
const REST_MS = 250;
const ASKED = 60;
const SHOWN = 20;

/** The weighted mean of the aspects that can be compared: as the gateway has it. */
function score(hit: Hit, weights: Weights): number {
  let sum = 0;
  let all = 0;
  for (const aspect of ASPECTS) {
    const one = hit.aspects[aspect];
    if (one === null || one === undefined) continue;
    sum += one * weights[aspect];
    all += weights[aspect];
  }
  return all ? sum / all : 0;
}

const MODES = { alike: "sounds like this", different: "like this, but unlike each other", fits: "goes with this" } as const;
type Mode = keyof typeof MODES;

export function Similar({ sample }: { sample: Sample }) {
  const [weights, setWeights] = useState(ALIKE);
  const [mode, setMode] = useState<Mode>("alike");
  const [sameKind, setSameKind] = useState(false);
  const [hits, setHits] = useState<Hit[]>([]);
  const [error, setError] = useState("");
  const none = ASPECTS.every((aspect) => weights[aspect] === 0);
  const kind = sameKind ? sample.kind.label : null;

  useEffect(() => {
    if (none) return;
    const abort = new AbortController();
    const later = setTimeout(() => {
      const where = kind ? { kind } : {};
      const asked = { like: { sample: sample.sample_id }, where, limit: SHOWN, include_self: false };
      const found = {
        alike: () => api.alike(sample.sample_id, weights, kind, ASKED, abort.signal),
        different: () => api.search({ ...asked, aspects: weights, different: true }, abort.signal),
        fits: () => api.search({ ...asked, fits: { stretch_percent: 8, transpose: 2 }, different: false }, abort.signal),
      }[mode]();
      found.then(
        ({ items }) => {
          setHits(items.filter((hit) => hit.sample.sample_id !== sample.sample_id));
          setError("");
        },
        (problem: Error) => !abort.signal.aborted && setError(problem.message),
      );
    }, REST_MS);
    return () => {
      clearTimeout(later);
      abort.abort();
    };
  }, [sample.sample_id, weights, kind, none, mode]);

  // Only likeness can be worked out again here; what fits, and what differs, the gateway says.
  const ranked = useMemo(() => (mode === "alike" ? [...hits].sort((a, b) => score(b, weights) - score(a, weights)).slice(0, SHOWN) : hits), [hits, weights, mode]);
  return (
    <section className="similar">
      <h2>Sounds like this</h2>
      <div className="dials">
        <label>
          Find what
          <select value={mode} onChange={(event) => (setHits([]), setMode(event.currentTarget.value as Mode))}>
            {Object.entries(MODES).map(([name, words]) => (
              <option key={name} value={name}>
                {words}
              </option>
            ))}
          </select>
        </label>
        {mode !== "fits" && ASPECTS.map((aspect) => (
          <label key={aspect}>
            {aspect}
            <input type="range" min={0} max={1} step={0.05} value={weights[aspect]} onChange={(event) => setWeights({ ...weights, [aspect]: Number(event.currentTarget.value) })} />
          </label>
        ))}
        <label>
          <input type="checkbox" checked={sameKind} onChange={(event) => setSameKind(event.currentTarget.checked)} /> only {sample.kind.label}s
        </label>
      </div>
      <Complaint error={error} />
      {none && <p className="empty">Turn up at least one of the dials.</p>}
      {!none && !error && !ranked.length && <p className="empty">Nothing to compare it with yet.</p>}
      <ol>
        {ranked.map((hit) => (
          <Neighbour key={hit.sample.sample_id} hit={hit} score={mode === "fits" ? hit.score : score(hit, weights)} />
        ))}
      </ol>
    </section>
  );
}

function Neighbour({ hit, score }: { hit: Hit; score: number }) {
  const playing = usePlaying();
  const sample = hit.sample as unknown as Sample;
  const here = playing.id === sample.sample_id;
  const play = () => (here ? player.stop() : void player.play({ id: sample.sample_id, loop: sample.kind.label === "loop", bpm: sample.tempo.bpm, firstBeat: 0 }));
  return (
    <li>
      <button className="quiet round" onClick={play} aria-label={`${here ? "stop" : "play"} ${fileName(sample)}`}>
        {here ? "■" : "▶"}
      </button>
      <b className="score">{Math.round(100 * score)} %</b>
      <Thumbnail id={sample.sample_id} />
      <Link href={`/sample/${sample.sample_id}`}>{fileName(sample)}</Link>
      <span className="soft">
        <Said value={tempo(sample.tempo.bpm)} reason={sample.tempo.reason} /> · <Said value={sample.key.label} reason={sample.key.reason} />
        {hit.fits && <small> {hit.fits.why}</small>}
      </span>
      <span className="shares">
        {ASPECTS.map((aspect) => (
          <meter key={aspect} min={0} max={1} value={hit.aspects[aspect] ?? 0} title={`${aspect}: ${hit.aspects[aspect] == null ? "not comparable" : `${Math.round(100 * hit.aspects[aspect]!)} %`}`} aria-label={aspect} />
        ))}
      </span>
    </li>
  );
}
