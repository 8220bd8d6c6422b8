/** The doctor's report of a job: what is wrong, how often, what to do, and the worst files. */
import { Link } from "wouter";
import { api, type Job } from "../api/client";
import { Complaint, seconds } from "../ui/parts";
import { useAsked } from "../ui/useAsked";

export function Report({ job }: { job: Job }) {
  const { said, error, again } = useAsked(() => api.report(job.id), [job.id, job.counts.pending]);
  if (!said) return error ? <Complaint error={error} again={again} /> : <p className="soft">…</p>;
  const { files, defects, worst } = said;
  return (
    <div className="report">
      <p>
        {files.clean.toLocaleString()} of {files.analysed.toLocaleString()} analysed {files.analysed === 1 ? "file has" : "files have"} nothing wrong with {files.analysed === 1 ? "it" : "them"}.
      </p>
      {defects.map((defect) => (
        <details key={defect.code}>
          <summary>
            <b>{defect.files.toLocaleString()}</b> {defect.title}
          </summary>
          <p className="soft">{defect.what_to_do}</p>
          <ul>
            {defect.worst.map((found, n) => (
              <li key={n}>
                <Sound path={found.path} id={found.sample_id} /> <span className="soft">{found.message}</span>
                {found.at_s !== null && <span className="soft"> At {seconds(found.at_s)}.</span>}
              </li>
            ))}
          </ul>
        </details>
      ))}
      {worst.length > 0 && (
        <details>
          <summary>The worst files</summary>
          <ul>
            {worst.map((file) => (
              <li key={file.path}>
                <Sound path={file.path} id={file.sample_id} /> <span className="soft">{file.findings.map((finding) => finding.message).join(" ")}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}

function Sound({ path, id }: { path: string; id: string | null }) {
  return id ? <Link href={`/sample/${id}`}>{path}</Link> : <>{path}</>;
}
