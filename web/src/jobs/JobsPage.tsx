/** Jobs: send a folder or drop files, watch them, see what failed and why. */
import { useEffect, useState } from "preact/compat";
import { api, type Job, save } from "../api/client";
import { follow, type Progress } from "../api/events";
import { Complaint } from "../ui/parts";
import { Failures } from "./Failures";
import { Report } from "./Report";
import { Submit } from "./Submit";

const OVER = ["complete", "cancelled", "failed"];
const FORMATS: Record<string, [string, string]> = {
  csv: ["CSV, for a spreadsheet", "csv"],
  ndjson: ["NDJSON, with everything", "ndjson"],
  parquet: ["Parquet, typed columns", "parquet"],
  rekordbox: ["Rekordbox XML", "xml"],
};
const STATES = ["done", "reused", "duplicate", "skipped", "failed"] as const;

export function JobsPage() {
  const [jobs, setJobs] = useState<Job[]>([]);
  const [next, setNext] = useState<string | null>(null);
  const [error, setError] = useState("");

  const load = (cursor?: string) =>
    api.jobs(cursor).then(
      (page) => {
        setJobs((old) => (cursor ? [...old, ...page.items] : page.items));
        setNext(page.next);
        setError("");
      },
      (problem: Error) => setError(problem.message),
    );
  useEffect(() => void load(), []);

  return (
    <div className="jobs">
      <h1 className="unseen">Jobs</h1>
      <Submit onJob={(job) => setJobs((old) => [job, ...old.filter((one) => one.id !== job.id)])} />
      <h2>Submitted</h2>
      <Complaint error={error} again={() => void load()} />
      {!jobs.length && !error && <p className="empty">Nothing was submitted yet.</p>}
      {jobs.map((job) => (
        <JobCard key={job.id} first={job} />
      ))}
      {next && (
        <button className="quiet" onClick={() => void load(next)}>
          Older jobs
        </button>
      )}
    </div>
  );
}

function JobCard({ first }: { first: Job }) {
  const [job, setJob] = useState<Progress>({ ...first, files_per_s: null, eta_s: null });
  const [error, setError] = useState("");
  const [open, setOpen] = useState(false);
  const [reported, setReported] = useState(false);
  const over = OVER.includes(job.state);
  useEffect(() => {
    if (OVER.includes(first.state)) return;
    const abort = new AbortController();
    follow(first.id, setJob, abort.signal).catch((problem: Error) => setError(problem.message));
    return () => abort.abort();
  }, [first.id, first.state]);

  const { counts } = job;
  const share = (count: number) => `${counts.submitted ? (100 * count) / counts.submitted : 0}%`;
  return (
    <section className="card job" aria-label={`Job ${job.label}`}>
      <p className="head">
        <b title={job.id}>{job.label || job.id}</b>
        <small className="soft">{new Date(job.created_at).toLocaleString()}</small>
        <span className="state" role="status">
          {job.cancel_requested && !over ? "being cancelled" : job.state}
          {!over && job.files_per_s ? `, ${job.files_per_s.toFixed(job.files_per_s < 10 ? 1 : 0)} files/s` : ""}
          {!over && job.eta_s ? `, ${left(job.eta_s)} left` : ""}
        </span>
        {!over && !job.cancel_requested && (
          <button className="quiet" onClick={() => (job.state === "paused" ? api.resume(job.id) : api.pause(job.id)).then((now) => setJob({ ...job, ...now }), (problem: Error) => setError(problem.message))}>
            {job.state === "paused" ? "Resume" : "Pause"}
          </button>
        )}
        {!over && !job.cancel_requested && (
          <button className="quiet" onClick={() => api.cancel(job.id).then((now) => setJob({ ...job, ...now }), (problem: Error) => setError(problem.message))}>
            Cancel
          </button>
        )}
      </p>
      <div className="bar" role="progressbar" aria-label="Files that have ended" aria-valuemin={0} aria-valuemax={counts.submitted} aria-valuenow={counts.submitted - counts.pending}>
        {STATES.map((state) => (
          <i key={state} className={state} style={{ width: share(counts[state]) }} />
        ))}
      </div>
      <p className="counts">
        {counts.submitted.toLocaleString()} {counts.submitted === 1 ? "file" : "files"}:
        {STATES.filter((state) => counts[state]).map((state) => (
          <span key={state} className={`n ${state}`}>
            {counts[state].toLocaleString()} {state}
          </span>
        ))}
        {counts.pending > 0 && <span>{counts.pending.toLocaleString()} pending</span>}
        {counts.failed > 0 && (
          <button className="quiet" aria-expanded={open} onClick={() => setOpen(!open)}>
            {open ? "Hide" : "What failed?"}
          </button>
        )}
        {over && counts.submitted > counts.failed && (
          <button className="quiet" aria-expanded={reported} onClick={() => setReported(!reported)}>
            {reported ? "Hide the report" : "What is wrong?"}
          </button>
        )}
        {over && counts.submitted > 0 && (
          <select
            aria-label={`Save what was found in ${job.label}`}
            value=""
            onChange={(event) => {
              const format = event.currentTarget.value;
              event.currentTarget.value = "";
              if (format) save(`/v1/exports/${job.id}?format=${format}`, `job-${job.id}.${FORMATS[format]![1]}`).catch((problem: Error) => setError(problem.message));
            }}
          >
            <option value="">Save as …</option>
            {Object.entries(FORMATS).map(([format, [name]]) => (
              <option key={format} value={format}>
                {name}
              </option>
            ))}
          </select>
        )}
      </p>
      {job.reason && <p className="problem">{job.reason.message}</p>}
      <Complaint error={error} />
      {open && <Failures job={job} />}
      {reported && <Report job={job} />}
    </section>
  );
}

function left(s: number): string {
  if (s < 90) return `${Math.ceil(s)} s`;
  return s < 5400 ? `${Math.round(s / 60)} min` : `${(s / 3600).toFixed(1)} h`;
}
