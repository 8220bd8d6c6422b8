/** The map of the library: what sounds alike lies close together. */
import { useEffect, useState } from "preact/compat";
import { Link, useLocation } from "wouter";
import { player } from "../player/player";
import { Complaint } from "../ui/parts";
import { type By, legend } from "./colours";
import { fetchPoints, NO_POINTS, type Points } from "./points";
import { Sheet } from "./Sheet";

const KINDS = ["loop", "one-shot", "track", "long recording"];
const SHOWN = 200;
const PATIENCE_MS = 250;

export function MapPage() {
  const [points, setPoints] = useState<Points>(NO_POINTS);
  const [loading, setLoading] = useState(true);
  const [error, setError] = useState("");
  const [turn, setTurn] = useState(0);
  const [text, setText] = useState("");
  const [kind, setKind] = useState("");
  const [by, setBy] = useState<By>("kind");
  const [chosen, setChosen] = useState<number[]>([]);
  const [, go] = useLocation();

  useEffect(() => {
    const abort = new AbortController();
    const later = setTimeout(() => {
      setLoading(true);
      setError("");
      setChosen([]);
      const filters = new URLSearchParams({ ...(text.trim() && { text: text.trim() }), ...(kind && { kind }) });
      fetchPoints(filters, setPoints, abort.signal)
        .catch((problem: Error) => abort.signal.aborted || setError(problem.message))
        .finally(() => abort.signal.aborted || setLoading(false));
    }, PATIENCE_MS);
    return () => {
      clearTimeout(later);
      abort.abort();
    };
  }, [text, kind, turn]);
  useEffect(() => () => player.stop(), []);

  const count = points.ids.length;
  return (
    <div className="map">
      <h1 className="unseen">Map</h1>
      <form className="dials" onSubmit={(event) => event.preventDefault()}>
        <label>
          Words of the name <input type="search" value={text} onChange={(event) => setText(event.currentTarget.value)} placeholder="kick, pad …" />
        </label>
        <label>
          Kind
          <select value={kind} onChange={(event) => setKind(event.currentTarget.value)}>
            <option value="">any</option>
            {KINDS.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <label>
          Colour
          <select value={by} onChange={(event) => setBy(event.currentTarget.value as By)}>
            <option>kind</option>
            <option>key</option>
            <option>tempo</option>
          </select>
        </label>
        <span className="legend">
          {legend(by).map(([name, colour]) => (
            <span key={name}>
              <svg viewBox="0 0 8 8" aria-hidden="true">
                <rect width="8" height="8" fill={colour} />
              </svg>
              {name}
            </span>
          ))}
        </span>
        <span role="status">
          {count.toLocaleString()} {count === 1 ? "sound" : "sounds"}
          {loading ? " …" : ""}
          {points.unplaced > 0 && `; ${points.unplaced.toLocaleString()} without a place: silent, or not yet seen by the present analyser`}
        </span>
      </form>
      <Complaint error={error} again={() => setTurn(turn + 1)} />
      {!count && !loading && !error ? (
        <p className="empty">
          {text || kind ? "Nothing passes these filters." : "Nothing is analysed yet."} <Link href="/jobs">Drop files or choose a folder</Link>
        </p>
      ) : (
        <div className="spread">
          <Sheet points={points} by={by} chosen={chosen} onChosen={setChosen} onOpen={(index) => go(`/sample/${points.ids[index]}`)} />
          <aside aria-label="Chosen sounds">
            {chosen.length ? (
              <>
                <p>
                  <b>{chosen.length.toLocaleString()}</b> chosen{" "}
                  <button type="button" className="quiet" onClick={() => setChosen([])}>
                    None
                  </button>
                </p>
                <ul>
                  {chosen.slice(0, SHOWN).map((n) => (
                    <li key={points.ids[n]}>
                      <button type="button" className="quiet" aria-label={`Play ${points.names[n]}`} onClick={() => void player.play({ id: points.ids[n]!, loop: false, bpm: null, firstBeat: 0 })}>
                        ▶
                      </button>{" "}
                      <Link href={`/sample/${points.ids[n]}`}>{points.names[n]}</Link>
                    </li>
                  ))}
                </ul>
                {chosen.length > SHOWN && <p className="soft">and {(chosen.length - SHOWN).toLocaleString()} more</p>}
              </>
            ) : (
              <p className="hint">
                Sounds that are alike lie close together, and each lies where it lies in every library. Move over one to hear it, click to open it. Drag and wheel move the map; <kbd>shift</kbd> and drag draws a line around
                sounds to list them.
              </p>
            )}
          </aside>
        </div>
      )}
    </div>
  );
}
