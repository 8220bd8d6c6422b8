/** What failed in a job, grouped by cause. */
import { useMemo } from "preact/compat";
import { Link } from "wouter";
import { api, type Job, type JobFile } from "../api/client";
import { Complaint } from "../ui/parts";
import { useAsked } from "../ui/useAsked";

const MOST_PAGES = 10;

async function failed(id: string): Promise<{ files: JobFile[]; more: boolean }> {
  const files: JobFile[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MOST_PAGES; page++) {
    const said = await api.files(id, "failed", cursor);
    files.push(...said.items);
    if (!said.next) return { files, more: false };
    cursor = said.next;
  }
  return { files, more: true };
}

export function Failures({ job }: { job: Job }) {
  const { said, error, again } = useAsked(() => failed(job.id), [job.id, job.counts.failed]);
  const causes = useMemo(() => {
    const found = new Map<string, JobFile[]>();
    for (const file of said?.files ?? []) {
      const code = file.reason?.code ?? "unknown";
      found.set(code, [...(found.get(code) ?? []), file]);
    }
    return [...found].sort((a, b) => b[1].length - a[1].length);
  }, [said]);
  return (
    <div className="failures">
      <Complaint error={error} again={again} />
      {causes.map(([code, files]) => (
        <details key={code} open={causes.length === 1}>
          <summary>
            <b>{files.length.toLocaleString()}</b> {files[0]?.reason?.message.split(". ")[0]}
          </summary>
          <ul>
            {files.map((file) => (
              <li key={file.index} title={file.reason?.message}>
                {file.path}
              </li>
            ))}
          </ul>
        </details>
      ))}
      <p>
        <Link href="/failed">Try them again, or see them fail</Link>
      </p>
      {said?.more && <p className="soft">These are the first thousand; the CSV has all.</p>}
    </div>
  );
}
