/** The gateway, typed by its own description: a change of the API breaks the build. */
import { connection } from "./connection";
import type { components } from "./schema";

type Shapes = components["schemas"];
export type Job = Shapes["JobShape"];
export type JobFile = Shapes["FileShape"];
export type Hit = Shapes["HitShape"];
export type Ready = Shapes["ReadyShape"];
export type Folders = Shapes["FoldersShape"];
export type Roots = Shapes["RootsShape"];
export type Mark = Shapes["MarkShape"];
export type Upload = Shapes["UploadShape"];
export type MapPage = Shapes["MapShape"];
export type Failed = Shapes["FailedShape"];
export type Retry = Shapes["RetryRequest"];
export type Report = Shapes["ReportShape"];
export type Key = Shapes["KeyShape"];
export type KeyRequest = Shapes["KeyRequest"];
export type Priority = Job["priority"];
export type Aspect = "timbre" | "pitch" | "rhythm" | "dynamics" | "spectrum";
export const ASPECTS: readonly Aspect[] = ["timbre", "pitch", "rhythm", "dynamics", "spectrum"];

interface Known {
  confidence: number;
  reason: string | null;
}
export interface Evidence {
  source: string;
  bpm: number;
  weight: number;
}
export interface Defect {
  code: string;
  message: string;
  at_s: number | null;
  amount: number | null;
}
/** What is said of one sound; see docs/descriptors.md. Unknown is null with a reason. */
export interface Sample {
  sample_id: string;
  analyzer: string;
  audio: { duration_s: number; sample_rate_hz: number; channels: number; container: string; subtype: string };
  kind: { label: string; confidence: number };
  instrument?: { label: string | null; confidence: number; reason: string | null };
  tempo: Known & { bpm: number | null; beats: number | null; evidence: Evidence[] };
  key: Known & { tonic: string | null; mode: string | null; label: string | null; camelot: string | null; open_key?: string | null; runner_up?: string | null; margin?: number | null; tuning_cents: number | null };
  pitch: Known & { note: string | null; midi: number | null; hz: number | null; cents: number | null };
  loudness: { integrated_lufs: number | null; true_peak_dbtp: number | null; rms_dbfs: number | null; crest_db: number | null };
  spectrum: Record<string, number | number[] | null>;
  envelope: Record<string, number | number[] | null>;
  rhythm: Record<string, number | number[] | null>;
  timbre: Record<string, number | number[] | null>;
  defects: Defect[];
  files: { root: string; path: string }[];
  created_at: string;
  /** What the person says of it: tags, a star, corrections. */
  yours: Mark | null;
}
export interface Page<T> {
  items: T[];
  next: string | null;
}

/** What the gateway says is wrong (RFC 9457), or that it cannot be reached. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
  ) {
    super(detail);
  }
  /** Nothing answered: the server is gone, or the network, or what stands before the gateway says so. */
  get away(): boolean {
    return [0, 502, 504].includes(this.status);
  }
}

const KEY = "samplemind.key";
const listeners = new Set<() => void>();
export const apiKey = {
  get: () => localStorage.getItem(KEY) ?? "",
  set(value: string) {
    if (value) localStorage.setItem(KEY, value);
    else localStorage.removeItem(KEY);
    listeners.forEach((tell) => tell());
  },
  onRefused(tell: () => void) {
    listeners.add(tell);
    return () => void listeners.delete(tell);
  },
};
export let refused = false;

export async function send(path: string, options: RequestInit = {}): Promise<Response> {
  const headers = new Headers(options.headers);
  const key = apiKey.get();
  if (key) headers.set("Authorization", `Bearer ${key}`);
  let answer: Response;
  try {
    answer = await fetch(path, { ...options, headers });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    connection.lost();
    throw new Problem(0, "away", "The gateway does not answer. What was loaded before stays here; it is asked again.");
  }
  if (answer.status === 401 && !refused) {
    refused = true;
    listeners.forEach((tell) => tell());
  } else if (answer.ok && refused) {
    refused = false;
    listeners.forEach((tell) => tell());
  }
  if (answer.ok) return answer;
  const said = (await answer.json().catch(() => ({}))) as { code?: string; detail?: string };
  throw new Problem(answer.status, said.code ?? "error", said.detail ?? answer.statusText);
}

/** A JSON answer. After 429 it waits as long as it is told to, twice at most. */
export async function ask<T>(path: string, options: RequestInit = {}): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return (await (await send(path, options)).json()) as T;
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 429 || tries === 2) throw error;
      await new Promise((later) => setTimeout(later, 1000 * (tries + 1)));
    }
  }
}

/** What the gateway says, or where it is away what is kept here. */
async function orKept<T>(asked: Promise<T>, kept: (here: typeof import("../offline/here")) => Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    if (!(error instanceof Problem) || !error.away || !("indexedDB" in window)) throw error;
    connection.lost();
    return kept(await import("../offline/here"));
  }
}

/** Save what the gateway sends as a file. A plain link could not send a key. */
export async function save(path: string, name: string): Promise<void> {
  const address = URL.createObjectURL(await (await send(path)).blob());
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

const json = (body: unknown): RequestInit => ({ method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

export const api = {
  samples: (query: URLSearchParams, signal?: AbortSignal) => orKept(ask<Page<Sample>>(`/v1/samples?${query}`, { signal }), (here) => here.samples(query)),
  directions: (ids: readonly string[]) => ask<Shapes["DirectionsShape"]>("/v1/samples/directions", json({ ids })),
  map: (query: URLSearchParams, signal?: AbortSignal) => ask<MapPage>(`/v1/map?${query}`, { signal }),
  sample: (id: string) => orKept(ask<Sample>(`/v1/samples/${id}`), (here) => here.sample(id)),
  markThere: (id: string, mark: Mark) => ask<Mark>(`/v1/samples/${id}/mark`, { ...json(mark), method: "PUT" }),
  /** What is said of a sound; where the gateway is away it is kept here, and sent when it is back. */
  mark: (id: string, mark: Mark): Promise<Mark> => orKept(api.markThere(id, mark), (here) => here.mark(id, mark)),
  tags: () => ask<{ tags: Record<string, number> }>("/v1/samples/tags"),
  waveform: (id: string) => ask<{ peaks: [number, number][] }>(`/v1/samples/${id}/waveform`),
  search: (body: Shapes["SearchRequest"], signal?: AbortSignal) => ask<{ items: Hit[] }>("/v1/search", { ...json(body), signal }),
  alike: (id: string, weights: Record<Aspect, number>, kind: string | null, limit: number, signal?: AbortSignal) =>
    orKept(api.search({ like: { sample: id }, aspects: weights, where: kind ? { kind } : {}, limit, include_self: false, different: false }, signal), (here) => here.alike(id, weights, kind, limit)),
  searchSound: (sound: Blob, name: string) =>
    ask<Shapes["SoundHitsShape"] | Shapes["SoundLaterShape"]>(`/v1/search/sound?${new URLSearchParams({ name, wait_s: "20" })}`, { method: "POST", body: sound, headers: { "Content-Type": "application/octet-stream" } }),
  jobs: (cursor?: string) => ask<Page<Job>>(`/v1/jobs?limit=30${cursor ? `&cursor=${cursor}` : ""}`),
  job: (id: string) => ask<Job>(`/v1/jobs/${id}`),
  files: (id: string, status: string, cursor?: string) => ask<Page<JobFile>>(`/v1/jobs/${id}/files?limit=100&status=${status}${cursor ? `&cursor=${cursor}` : ""}`),
  submit: (root: string, path: string, pattern: string, priority: Priority) => ask<Job>("/v1/jobs", json({ source: { root, path, pattern }, priority })),
  cancel: (id: string) => ask<Job>(`/v1/jobs/${id}`, { method: "DELETE" }),
  pause: (id: string) => ask<Job>(`/v1/jobs/${id}/pause`, { method: "POST" }),
  resume: (id: string) => ask<Job>(`/v1/jobs/${id}/resume`, { method: "POST" }),
  report: (id: string) => ask<Report>(`/v1/jobs/${id}/report`),
  quarantine: (cause?: string, cursor?: string) => ask<Shapes["QuarantineShape"]>(`/v1/quarantine?${new URLSearchParams({ limit: "50", ...(cause && { cause }), ...(cursor && { cursor }) })}`),
  retry: (asked: Retry) => ask<Job>("/v1/quarantine/retry", json(asked)),
  keys: () => ask<{ items: Key[] }>("/v1/keys"),
  makeKey: (asked: KeyRequest) => ask<{ key: Key; secret: string }>("/v1/keys", json(asked)),
  revokeKey: (id: string) => send(`/v1/keys/${id}`, { method: "DELETE" }),
  roots: () => ask<Roots>("/v1/roots"),
  folders: (root: string, path: string) => ask<Folders>(`/v1/roots/${root}/folders?limit=500&path=${encodeURIComponent(path)}`),
  ready: async (): Promise<Ready> => {
    // 503 says which part is missing: that is the answer here
    const answer = await fetch("/ready").catch(() => null);
    if (!answer) throw new Problem(0, "away", "The gateway does not answer.");
    return (await answer.json()) as Ready;
  },
};
