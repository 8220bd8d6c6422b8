/** A folder of a library root, chosen; or files and folders, dropped. */
import { useEffect, useRef, useState } from "preact/compat";
import { api, type Job, type Priority } from "../api/client";
import { analyse, looksLikeSound, type Sending, upload } from "../api/uploading";
import { Complaint } from "../ui/parts";
import { useAsked } from "../ui/useAsked";
import { dropped } from "./dropped";

export function Submit({ onJob }: { onJob: (job: Job) => void }) {
  return (
    <div className="submit">
      <Folder onJob={onJob} />
      <Drop onJob={onJob} />
    </div>
  );
}

function Folder({ onJob }: { onJob: (job: Job) => void }) {
  const roots = useAsked(() => api.roots(), []);
  const [root, setRoot] = useState("");
  const [path, setPath] = useState("");
  const [pattern, setPattern] = useState("**/*");
  const [priority, setPriority] = useState<Priority>("normal");
  const [error, setError] = useState("");
  const names = roots.said?.items.filter((one) => one.name !== "uploads") ?? [];
  const own = names.find((one) => one.available && one.name !== "demo") ?? names[0];
  const chosen = root || own?.name || "";
  const folders = useAsked(async () => (chosen ? await api.folders(chosen, path) : null), [chosen, path]);

  const send = () => api.submit(chosen, path, pattern || "**/*", priority).then((job) => (setError(""), onJob(job)), (problem: Error) => setError(problem.message));
  return (
    <section className="card">
      <h2>A folder of the library</h2>
      <Complaint error={roots.error} again={roots.again} />
      {roots.said && !names.length && <p className="empty">No library root is set. Start with ./samplemind up --root library=/path/to/samples.</p>}
      {names.length > 0 && (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void send();
          }}
        >
          <label>
            Library
            <select
              value={chosen}
              onChange={(event) => {
                setRoot(event.currentTarget.value);
                setPath("");
              }}
            >
              {names.map((one) => (
                <option key={one.name} value={one.name} disabled={!one.available}>
                  {one.name}
                  {one.available ? "" : " (not there now)"}
                </option>
              ))}
            </select>
          </label>
          <nav className="folders" aria-label="Folders">
            <p>
              <button type="button" className="quiet" onClick={() => setPath("")}>
                {chosen}
              </button>
              {path
                .split("/")
                .filter(Boolean)
                .map((part, n, parts) => (
                  <span key={n}>
                    {" / "}
                    <button type="button" className="quiet" onClick={() => setPath(parts.slice(0, n + 1).join("/"))}>
                      {part}
                    </button>
                  </span>
                ))}
            </p>
            <ul>
              {folders.said?.items.map((one) => (
                <li key={one.path}>
                  <button type="button" className="quiet" onClick={() => setPath(one.path)}>
                    {one.name}
                  </button>
                </li>
              ))}
            </ul>
            {folders.said?.truncated && <p className="soft">There are more folders than are shown.</p>}
          </nav>
          <label>
            Pattern
            <input value={pattern} onChange={(event) => setPattern(event.currentTarget.value)} />
          </label>
          <label>
            Priority
            <select value={priority} onChange={(event) => setPriority(event.currentTarget.value as Priority)}>
              <option value="normal">normal</option>
              <option value="interactive">interactive: before all others</option>
              <option value="bulk">bulk: when there is nothing else</option>
            </select>
          </label>
          <button>Analyse {path ? path.split("/").pop() : "everything"}</button>
        </form>
      )}
      <Complaint error={error || folders.error} />
    </section>
  );
}

function Drop({ onJob }: { onJob: (job: Job) => void }) {
  const [over, setOver] = useState(false);
  const [sending, setSending] = useState<Sending | null>(null);
  const [error, setError] = useState("");
  const abort = useRef<AbortController | null>(null);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => () => abort.current?.abort(), []);

  const take = async (files: File[]) => {
    const sounds = files.filter((file) => looksLikeSound(file.name));
    setError(sounds.length ? "" : "None of these is a sound file.");
    if (!sounds.length) return;
    const stop = (abort.current = new AbortController());
    setSending({ total: sounds.length, done: 0, known: 0, failed: [] });
    try {
      const sent = await upload(sounds, setSending, stop.signal);
      if (sent.length) onJob(await analyse(sent));
    } catch (problem) {
      setError(problem instanceof Error ? problem.message : String(problem));
    } finally {
      abort.current = null;
    }
  };
  const onDrop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    void dropped(event.dataTransfer!).then(take);
  };
  const busy = sending !== null && sending.done < sending.total && abort.current !== null;
  return (
    <section
      className={over ? "card drop over" : "card drop"}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={onDrop}
    >
      <h2>Files from this computer</h2>
      <p>Drop files or folders here, or</p>
      <button type="button" onClick={() => input.current?.click()} disabled={busy}>
        Choose files
      </button>
      <input ref={input} type="file" multiple hidden accept="audio/*,.wav,.aif,.aiff,.flac,.ogg,.opus,.mp3,.m4a,.caf" onChange={(event) => void take([...(event.currentTarget.files ?? [])])} />
      {sending && (
        <p role="status">
          {sending.done.toLocaleString()} of {sending.total.toLocaleString()} sent
          {sending.known ? `, ${sending.known.toLocaleString()} were there already` : ""}
          {sending.failed.length ? `, ${sending.failed.length} failed: ${sending.failed[0]!.name}: ${sending.failed[0]!.why}` : ""}
          <progress value={sending.done} max={sending.total} aria-label="Files sent" />
          {busy && (
            <button className="quiet" type="button" onClick={() => abort.current?.abort()}>
              Stop
            </button>
          )}
        </p>
      )}
      <Complaint error={error} />
    </section>
  );
}
