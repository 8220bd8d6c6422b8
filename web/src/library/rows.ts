/** Rows of the table: a few fields of each sample, so that a hundred thousand fit into a page's memory. */
import { useCallback, useEffect, useRef, useState } from "preact/compat";
import { api, type Sample } from "../api/client";
import { keepSoon } from "../offline/begin";

export interface Row {
  id: string;
  name: string;
  folder: string;
  kind: string;
  kindSure: number;
  what: string | null;
  bpm: number | null;
  bpmSure: number;
  bpmWhy: string | null;
  key: string | null;
  camelot: string | null;
  keySure: number;
  keyWhy: string | null;
  note: string | null;
  noteSure: number;
  noteWhy: string | null;
  length: number;
  lufs: number | null;
  defects: string[];
  loop: boolean;
  firstBeat: number;
  favourite: boolean;
  tags: string[];
}

export function row(sample: Sample): Row {
  const path = sample.files[0]?.path ?? sample.sample_id.slice(0, 12);
  const cut = path.lastIndexOf("/");
  const { yours } = sample;
  return {
    id: sample.sample_id,
    name: path.slice(cut + 1),
    folder: path.slice(0, Math.max(cut, 0)),
    kind: yours?.kind ?? sample.kind.label,
    kindSure: yours?.kind ? 1 : sample.kind.confidence,
    what: sample.instrument?.label ?? null,
    bpm: yours?.bpm ?? sample.tempo.bpm,
    bpmSure: yours?.bpm ? 1 : sample.tempo.confidence,
    bpmWhy: sample.tempo.reason,
    key: yours?.key ?? sample.key.label,
    camelot: yours?.key ? null : sample.key.camelot,
    keySure: yours?.key ? 1 : sample.key.confidence,
    keyWhy: sample.key.reason,
    note: sample.pitch.note,
    noteSure: sample.pitch.confidence,
    noteWhy: sample.pitch.reason,
    length: sample.audio.duration_s,
    lufs: sample.loudness.integrated_lufs,
    defects: sample.defects.map((defect) => defect.message),
    loop: sample.kind.label === "loop",
    firstBeat: typeof sample.rhythm.first_beat_s === "number" ? sample.rhythm.first_beat_s : 0,
    favourite: yours?.favourite ?? false,
    tags: yours?.tags ?? [],
  };
}

export interface Filters {
  text: string;
  bpm: string;
  key: string;
  kind: string;
  note: string;
  duration: string;
  defect: string;
  bpm_octaves: string;
  key_relation: string;
  tag: string;
  favourite: string;
  sort: string;
}
export const NO_FILTERS: Filters = {
  text: "",
  bpm: "",
  key: "",
  kind: "",
  note: "",
  duration: "",
  defect: "",
  bpm_octaves: "",
  key_relation: "",
  tag: "",
  favourite: "",
  sort: "",
};

/** The order after a click on a column: first the one way, then the other, then as it was. */
export function nextSort(sort: string, by: string): string {
  if (sort === by) return `-${by}`;
  return sort === `-${by}` ? "" : by;
}

/** What the gateway is asked: a bare tempo means one around it, a key may be a Camelot number. */
export function query(filters: Filters): URLSearchParams {
  const asked = new URLSearchParams();
  for (const [name, value] of Object.entries(filters)) {
    const text = value.trim();
    if (!text) continue;
    if (name === "bpm" && /^\d+(\.\d+)?$/.test(text)) asked.set("bpm", `${Number(text) - 1}..${Number(text) + 1}`);
    else if (name === "key" && /^\d/.test(text)) asked.set("camelot", text);
    else asked.set(name, text);
  }
  return asked;
}

const PAGE = 100;

export interface Found {
  rows: Row[];
  more: boolean;
  loading: boolean;
  error: string;
  load: () => void;
}

/** The samples that pass the filters, a page at a time as the table asks for them; all anew with each `turn`. */
export function useRows(filters: Filters, turn: string): Found {
  const [found, setFound] = useState<Omit<Found, "load">>({ rows: [], more: true, loading: false, error: "" });
  const cursor = useRef<string | null>(null);
  const asking = useRef<AbortController | null>(null);
  const asked = query(filters).toString();

  const load = useCallback(() => {
    if (asking.current) return;
    const abort = new AbortController();
    asking.current = abort;
    setFound((old) => ({ ...old, loading: true }));
    const wanted = new URLSearchParams(asked);
    wanted.set("limit", String(PAGE));
    const from = cursor.current;
    if (from) wanted.set("cursor", from);
    api.samples(wanted, abort.signal).then(
      (page) => {
        if (abort.signal.aborted) return;
        asking.current = null;
        cursor.current = page.next;
        const rows = page.items.map(row);
        keepSoon(page.items);
        setFound((old) => ({ rows: from ? [...old.rows, ...rows] : rows, more: page.next !== null, loading: false, error: "" }));
      },
      (error: Error) => {
        if (abort.signal.aborted) return;
        asking.current = null;
        setFound((old) => ({ ...old, loading: false, more: false, error: error.message }));
      },
    );
  }, [asked]);

  useEffect(() => {
    asking.current?.abort();
    asking.current = null;
    cursor.current = null;
    load();
    return () => {
      asking.current?.abort();
      asking.current = null;
    };
  }, [load, turn]);

  return { ...found, load };
}
