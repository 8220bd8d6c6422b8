/** One sound: its waveform with beats over it, what is known of it and why, and what sounds like it. */
import { useEffect, useState } from "preact/compat";
import { Link } from "wouter";
import { api, type Sample, save } from "../api/client";
import { player } from "../player/player";
import { usePlaying } from "../player/usePlaying";
import { Complaint, fileName, folderName, Said, seconds, tempo } from "../ui/parts";
import { useAsked } from "../ui/useAsked";
import { Similar } from "./Similar";
import { Spectrogram } from "./Spectrogram";
import { Waveform } from "./Waveform";
import { Yours } from "./Yours";

export function SamplePage({ id }: { id: string }) {
  const { said, error, again } = useAsked(() => api.sample(id), [id]);
  useEffect(() => {
    player.prefetch([id]);
  }, [id]);
  if (!said) return error ? <Complaint error={error} again={again} /> : <p className="empty">…</p>;
  return <Shown sample={said} key={said.sample_id} />;
}

function Shown({ sample }: { sample: Sample }) {
  return (
    <article className="sample">
      <header>
        <h1>{fileName(sample)}</h1>
        <p className="soft">
          {folderName(sample) || "the library's top folder"}
          {sample.files.length > 1 && `, and in ${sample.files.length - 1} more ${sample.files.length === 2 ? "place" : "places"}`} · {sample.audio.container} {sample.audio.subtype} ·{" "}
          {sample.audio.sample_rate_hz / 1000} kHz · {sample.audio.channels === 1 ? "mono" : sample.audio.channels === 2 ? "stereo" : `${sample.audio.channels} channels`} ·{" "}
          {seconds(sample.audio.duration_s)}
        </p>
      </header>
      <Listen sample={sample} />
      <Waveform sample={sample} />
      <Spectrogram id={sample.sample_id} />
      <div className="cards">
        <TempoCard sample={sample} />
        <KeyCard sample={sample} />
        <NoteCard sample={sample} />
        <LevelCard sample={sample} />
        <Yours sample={sample} />
      </div>
      {sample.defects.length > 0 && (
        <section className="card">
          <h2>Defects</h2>
          <ul>
            {sample.defects.map((defect, n) => (
              <li key={n}>
                {defect.message}
                {defect.at_s !== null && <span className="soft"> at {seconds(defect.at_s)}</span>}
              </li>
            ))}
          </ul>
        </section>
      )}
      <Similar sample={sample} />
    </article>
  );
}

function Listen({ sample }: { sample: Sample }) {
  const playing = usePlaying();
  const [loop, setLoop] = useState(sample.kind.label === "loop");
  const [metronome, setMetronome] = useState(player.metronome);
  const [semitones, setSemitones] = useState(0);
  const here = playing.id === sample.sample_id;
  useEffect(() => {
    player.metronome = metronome;
    player.semitones = semitones;
  }, [metronome, semitones]);
  useEffect(
    () => () => {
      player.semitones = 0;
    },
    [],
  );
  const first = typeof sample.rhythm.first_beat_s === "number" ? sample.rhythm.first_beat_s : 0;
  const play = () => (here ? player.stop() : void player.play({ id: sample.sample_id, loop, bpm: sample.tempo.bpm, firstBeat: first }));
  const [problem, setProblem] = useState("");
  return (
    <div className="listen">
      <button onClick={play}>{here ? "Stop" : playing.loading ? "…" : "Play"}</button>
      <label>
        <input type="checkbox" checked={loop} onChange={(event) => setLoop(event.currentTarget.checked)} /> loop
      </label>
      <label>
        <input type="checkbox" checked={metronome} disabled={sample.tempo.bpm === null} onChange={(event) => setMetronome(event.currentTarget.checked)} /> metronome
      </label>
      <label>
        transpose
        <input type="number" min={-12} max={12} value={semitones} onChange={(event) => setSemitones(Math.max(-12, Math.min(12, Number(event.currentTarget.value))))} />
      </label>
      <button className="quiet" onClick={() => save(`/v1/samples/${sample.sample_id}/audio`, fileName(sample)).catch((error: Error) => setProblem(error.message))}>
        Download
      </button>
      <Complaint error={problem} />
    </div>
  );
}

function TempoCard({ sample }: { sample: Sample }) {
  const { bpm, beats, confidence, evidence, reason } = sample.tempo;
  return (
    <section className="card">
      <h2>Tempo</h2>
      <p className="large">
        <Said value={bpm === null ? null : `${tempo(bpm)} BPM`} confidence={confidence} reason={reason} />
      </p>
      {bpm === null ? <p className="soft">{reason}</p> : <p className="soft">{beats ? `${beats} beats` : ""}</p>}
      {evidence.length > 0 && (
        <table>
          <caption>evidence</caption>
          <tbody>
            {evidence.map((one, n) => (
              <tr key={n}>
                <th scope="row">{one.source}</th>
                <td>{tempo(one.bpm)}</td>
                <td>
                  <meter min={0} max={1} value={one.weight} aria-label={`weight ${Math.round(100 * one.weight)} %`} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function KeyCard({ sample }: { sample: Sample }) {
  const { label, camelot, open_key, confidence, reason, runner_up, tuning_cents } = sample.key;
  return (
    <section className="card">
      <h2>Key</h2>
      <p className="large">
        <Said value={label} confidence={confidence} reason={reason} />
      </p>
      {label === null ? (
        <p className="soft">{reason}</p>
      ) : (
        <p className="soft">
          {camelot} · {open_key}
          {runner_up && ` · else ${runner_up}`}
          {tuning_cents !== null && Math.abs(tuning_cents) >= 5 && ` · tuned ${tuning_cents > 0 ? "+" : ""}${Math.round(tuning_cents)} cents`}
        </p>
      )}
      {label !== null && (
        <p>
          <Link href={`/?key=${encodeURIComponent(label)}`}>Others in this key</Link>
        </p>
      )}
    </section>
  );
}

function NoteCard({ sample }: { sample: Sample }) {
  const { note, hz, cents, confidence, reason } = sample.pitch;
  const { kind, instrument } = sample;
  return (
    <section className="card">
      <h2>Note and kind</h2>
      <p className="large">
        <Said value={note} confidence={confidence} reason={reason} />
      </p>
      <p className="soft">{note === null ? reason : `${hz?.toFixed(1)} Hz, ${cents !== null && cents >= 0 ? "+" : ""}${cents?.toFixed(0)} cents`}</p>
      <p>
        <Said value={kind.label} confidence={kind.confidence} />
        {instrument?.label && instrument.label !== "unknown" && (
          <>
            : <Said value={instrument.label} confidence={instrument.confidence} />
          </>
        )}
      </p>
    </section>
  );
}

function LevelCard({ sample }: { sample: Sample }) {
  const { integrated_lufs, true_peak_dbtp, rms_dbfs, crest_db } = sample.loudness;
  const rows: [string, number | null, string][] = [
    ["integrated", integrated_lufs, "LUFS"],
    ["true peak", true_peak_dbtp, "dBTP"],
    ["RMS", rms_dbfs, "dBFS"],
    ["crest", crest_db, "dB"],
  ];
  return (
    <section className="card">
      <h2>Loudness</h2>
      <table>
        <tbody>
          {rows.map(([name, value, unit]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>
                <Said value={value === null ? null : `${value.toFixed(1)} ${unit}`} reason="too short or silent" />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
