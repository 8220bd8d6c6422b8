/** What failed and was not tried again: by cause, with a way to try it again and to see it fail. */
import { useEffect, useState } from "preact/compat";
import { Link } from "wouter";
import { api, type Failed, type Retry } from "../api/client";
import { Complaint } from "../ui/parts";
import { useAsked } from "../ui/useAsked";

export function FailedPage() {
  const { said, error, again } = useAsked(() => api.quarantine(), []);
  const [problem, setProblem] = useState("");
  const [told, setTold] = useState("");
  const causes = said?.causes ?? [];
  const all = causes.reduce((sum, cause) => sum + cause.count, 0);

  const retry = (asked: Retry) =>
    api.retry(asked).then(
      (job) => {
        setTold(`${job.counts.submitted.toLocaleString()} ${job.counts.submitted === 1 ? "file is" : "files are"} tried again.`);
        setProblem("");
        again();
      },
      (refused: Error) => setProblem(refused.message),
    );

  return (
    <div className="quarantine">
      <h1>What failed</h1>
      <p role="status">
        {!said ? "…" : all ? `${all.toLocaleString()} ${all === 1 ? "file" : "files"} failed and ${all === 1 ? "was" : "were"} not tried again since.` : "Nothing failed that was not tried again since."} {told}{" "}
        {told && <Link href="/jobs">Watch it</Link>}
      </p>
      <Complaint error={error || problem} again={error ? again : undefined} />
      {causes.map((cause) => (
        <section className="card" key={cause.code} aria-label={cause.message}>
          <p className="head">
            <b>{cause.count.toLocaleString()}</b> {cause.message}
            <button className="quiet" onClick={() => void retry({ cause: cause.code, priority: "normal" })}>
              {cause.count === 1 ? "Try it again" : "Try all of these again"}
            </button>
          </p>
          <Files cause={cause.code} turn={cause.count} onRetry={retry} />
        </section>
      ))}
    </div>
  );
}

function Files({ cause, turn, onRetry }: { cause: string; turn: number; onRetry: (asked: Retry) => Promise<void> }) {
  const [files, setFiles] = useState<Failed[]>([]);
  const [next, setNext] = useState<string | null>(null);
  const [open, setOpen] = useState(false);
  const [error, setError] = useState("");
  const load = (cursor?: string) =>
    api.quarantine(cause, cursor).then(
      (page) => {
        setFiles((old) => (cursor ? [...old, ...page.items] : page.items));
        setNext(page.next);
        setError("");
      },
      (problem: Error) => setError(problem.message),
    );
  useEffect(() => {
    if (open) void load();
  }, [open, turn]);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Which files</summary>
      <Complaint error={error} again={() => void load()} />
      <ul>
        {files.map((file) => (
          <li key={file.id}>
            <span>
              {file.root}/{file.path}
            </span>{" "}
            <button className="quiet" onClick={() => void onRetry({ files: [file.id], priority: "normal" })}>
              Try again
            </button>
            <small>{file.reason.message}</small>
            {file.died_of.length > 0 && <small>Workers died at it: {file.died_of.join(", ")}.</small>}
            <code>{file.reproduce}</code>
          </li>
        ))}
      </ul>
      {next && (
        <button className="quiet" onClick={() => void load(next)}>
          More
        </button>
      )}
    </details>
  );
}
