/** What the person says of a sound: a star, tags, and corrections where what was measured is wrong. */
import { useState } from "preact/compat";
import { api, type Mark, type Sample } from "../api/client";
import { connection } from "../api/connection";
import { Complaint, tempo } from "../ui/parts";

const NOTHING: Mark = { tags: [], favourite: false, bpm: null, key: null, kind: null };
const KINDS = ["loop", "one-shot", "track", "long recording", "silence"];

export function Yours({ sample }: { sample: Sample }) {
  const [kept, setKept] = useState(sample.yours ?? NOTHING);
  const [tags, setTags] = useState(kept.tags.join(", "));
  const [bpm, setBpm] = useState(tempo(kept.bpm) ?? "");
  const [key, setKey] = useState(kept.key ?? "");
  const [kind, setKind] = useState(kept.kind ?? "");
  const [problem, setProblem] = useState("");
  const [said, setSaid] = useState("");

  const keep = (mark: Mark) => {
    setSaid("Keeping…");
    return api.mark(sample.sample_id, mark).then(
      (now) => {
        setKept(now);
        setTags(now.tags.join(", "));
        setKey(now.key ?? "");
        setProblem("");
        setSaid(connection.away() ? "Kept in this browser; sent when the gateway answers." : "Kept.");
      },
      (error: Error) => {
        setProblem(error.message);
        setSaid("");
      },
    );
  };
  const written = (): Mark => ({
    ...kept,
    tags: tags
      .split(",")
      .map((tag) => tag.trim())
      .filter(Boolean),
    bpm: bpm.trim() ? Number(bpm) : null,
    key: key.trim() || null,
    kind: kind || null,
  });

  return (
    <section className="card yours">
      <h2>
        Yours{" "}
        <button type="button" className="quiet" aria-pressed={kept.favourite} onClick={() => void keep({ ...written(), favourite: !kept.favourite })}>
          {kept.favourite ? "★ favourite" : "☆ favourite"}
        </button>
      </h2>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void keep(written());
        }}
      >
        <label>
          Tags, with commas between
          <input value={tags} onChange={(event) => setTags(event.currentTarget.value)} placeholder="dusty, for the album" />
        </label>
        <label>
          Its tempo is
          <input type="number" min={10} max={1000} step="any" value={bpm} onChange={(event) => setBpm(event.currentTarget.value)} placeholder={tempo(sample.tempo.bpm) ?? "none"} />
        </label>
        <label>
          Its key is
          <input value={key} onChange={(event) => setKey(event.currentTarget.value)} placeholder={sample.key.label ?? "none"} />
        </label>
        <label>
          It is a
          <select value={kind} onChange={(event) => setKind(event.currentTarget.value)}>
            <option value="">{sample.kind.label}, as measured</option>
            {KINDS.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <button type="submit">Keep</button> <span role="status">{said}</span>
      </form>
      <Complaint error={problem} />
    </section>
  );
}
