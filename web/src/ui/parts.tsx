/** Small parts that several pages show. */
import type { ReactNode } from "preact/compat";
import type { Sample } from "../api/client";

const NONE = "–";

/** A value, or a dash that says why there is none. Paler the less sure it is. */
export function Said({ value, confidence, reason }: { value: ReactNode; confidence?: number; reason?: string | null }) {
  if (value === null || value === undefined) {
    return (
      <abbr className="none" title={reason ?? "not known"}>
        {NONE}
      </abbr>
    );
  }
  if (confidence === undefined) return <>{value}</>;
  const sure = confidence >= 0.8 ? "sure" : confidence >= 0.5 ? "likely" : "unsure";
  return (
    <span className={sure} title={`confidence ${Math.round(100 * confidence)} %`}>
      {value}
    </span>
  );
}

export const fileName = (sample: Sample): string => sample.files[0]?.path.split("/").pop() ?? sample.sample_id.slice(0, 12);
export const folderName = (sample: Sample): string => sample.files[0]?.path.split("/").slice(0, -1).join("/") ?? "";
export const seconds = (s: number): string => (s < 10 ? `${s.toFixed(2)} s` : s < 90 ? `${s.toFixed(1)} s` : `${Math.floor(s / 60)}:${String(Math.round(s % 60)).padStart(2, "0")}`);
export const tempo = (bpm: number | null): string | null => (bpm === null ? null : bpm.toFixed(2).replace(/\.?0+$/, ""));

export function Complaint({ error, again }: { error: string; again?: () => void }) {
  if (!error) return null;
  return (
    <p className="problem" role="alert">
      {error} {again && <button className="quiet" onClick={again}>Try again</button>}
    </p>
  );
}
