/** Search by a sound: a file that is chosen or dropped, or a few seconds from the microphone. Its own page shows what is like it. */
import { useEffect, useRef, useState } from "preact/compat";
import { useLocation } from "wouter";
import { api, Problem } from "../api/client";
import { Complaint } from "../ui/parts";

const MOST_S = 20;
const POLL_MS = 700;
const PATIENCE_MS = 120_000;

export function BySound() {
  const [, go] = useLocation();
  const [doing, setDoing] = useState("");
  const [error, setError] = useState("");
  const [over, setOver] = useState(false);
  const recorder = useRef<MediaRecorder | null>(null);
  useEffect(() => () => recorder.current?.stop(), []);

  const search = (sound: Blob, name: string) => {
    setDoing("Listening to it …");
    setError("");
    api
      .searchSound(sound, name)
      .then((said) => analysed(said.sample_id))
      .then(
        (id) => go(`/sample/${id}`),
        (problem: Error) => setError(problem.message),
      )
      .finally(() => setDoing(""));
  };
  const record = async () => {
    setError("");
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false } });
      const parts: Blob[] = [];
      const now = new MediaRecorder(stream);
      recorder.current = now;
      now.ondataavailable = (event) => parts.push(event.data);
      const end = setTimeout(() => now.state === "recording" && now.stop(), 1000 * MOST_S);
      now.onstop = () => {
        clearTimeout(end);
        recorder.current = null;
        stream.getTracks().forEach((track) => track.stop());
        search(new Blob(parts, { type: now.mimeType }), now.mimeType.includes("mp4") ? "recording.m4a" : "recording.webm");
      };
      now.start();
      setDoing("recording");
    } catch (problem) {
      setError(refusal(problem));
    }
  };

  const recording = doing === "recording";
  return (
    <div
      className={over ? "bysound over" : "bysound"}
      onDragOver={(event) => (event.preventDefault(), setOver(true))}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        const file = event.dataTransfer?.files[0];
        if (file) search(file, file.name);
      }}
    >
      <span className="soft">Sounds like …</span>
      <label className="button quiet">
        a file
        <input
          type="file"
          className="unseen"
          aria-label="Search by a file"
          accept="audio/*,.aif,.aiff,.flac,.wv"
          disabled={doing !== ""}
          onChange={(event) => {
            const file = event.currentTarget.files?.[0];
            event.currentTarget.value = "";
            if (file) search(file, file.name);
          }}
        />
      </label>
      <button type="button" className="quiet" disabled={doing !== "" && !recording} aria-pressed={recording} onClick={() => (recording ? recorder.current?.stop() : void record())}>
        {recording ? "■ stop and search" : "● a recording"}
      </button>
      <small role="status">{recording ? `Hum, tap or play it; at most ${MOST_S} s.` : doing}</small>
      <Complaint error={error} />
    </div>
  );
}

/** The id, as soon as the sound of that id is analysed. */
async function analysed(id: string): Promise<string> {
  for (const end = Date.now() + PATIENCE_MS; ; ) {
    try {
      await api.sample(id);
      return id;
    } catch (problem) {
      if (!(problem instanceof Problem) || problem.status !== 404 || Date.now() > end) throw problem;
      await new Promise((later) => setTimeout(later, POLL_MS));
    }
  }
}

function refusal(problem: unknown): string {
  const name = problem instanceof DOMException ? problem.name : "";
  if (name === "NotAllowedError") return "The browser does not let this page use the microphone. Allow it beside the address, or choose a file.";
  if (name === "NotFoundError") return "There is no microphone. Choose a file instead.";
  return "This browser records only on a secure page (https, or this machine). Choose a file instead.";
}
