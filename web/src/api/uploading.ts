/** Files from the browser into the library: hashed first, sent only where the server lacks them, a few at a time. */
import { ask, Problem, send, type Job, type Upload } from "./client";

const AT_ONCE = 3;
const ASKED_AT_ONCE = 200;
const LARGEST_HASHED = 512 * 1024 * 1024;

export interface Sending {
  total: number;
  done: number;
  known: number;
  failed: { name: string; why: string }[];
}

const AUDIO = /\.(wav|wave|aif|aiff|aifc|flac|ogg|oga|opus|mp3|m4a|mp4|aac|caf|au|wv|w64|rf64)$/i;
export const looksLikeSound = (name: string): boolean => AUDIO.test(name);

async function sha256(file: File): Promise<string | null> {
  if (!crypto.subtle || file.size > LARGEST_HASHED) return null;
  const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function lacking(hashes: string[]): Promise<Set<string>> {
  const body = JSON.stringify({ sha256: hashes });
  const said = await ask<{ missing: string[] }>("/v1/uploads/check", { method: "POST", headers: { "Content-Type": "application/json" }, body });
  return new Set(said.missing);
}

export async function upload(files: File[], tell: (now: Sending) => void, signal: AbortSignal): Promise<Upload[]> {
  const now: Sending = { total: files.length, done: 0, known: 0, failed: [] };
  const sent: Upload[] = [];
  for (let start = 0; start < files.length && !signal.aborted; start += ASKED_AT_ONCE) {
    const some = files.slice(start, start + ASKED_AT_ONCE);
    const hashes: (string | null)[] = [];
    for (const file of some) hashes.push(await sha256(file));
    const missing = await lacking(hashes.filter((hash) => hash !== null));
    const waiting = some.map((file, n) => ({ file, hash: hashes[n] ?? null }));
    const work = async () => {
      for (let next = waiting.shift(); next && !signal.aborted; next = waiting.shift()) {
        try {
          if (next.hash && !missing.has(next.hash)) now.known++;
          sent.push(await put(next.file, next.hash, signal));
        } catch (error) {
          if (signal.aborted) return;
          now.failed.push({ name: next.file.name, why: error instanceof Error ? error.message : String(error) });
        }
        now.done++;
        tell({ ...now });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  }
  return sent;
}

/** One job of all that was sent. */
export async function analyse(sent: Upload[]): Promise<Job> {
  const lines = sent.map(({ root, path }) => JSON.stringify({ root, path })).join("\n");
  return ask<Job>("/v1/jobs?priority=interactive", { method: "POST", headers: { "Content-Type": "application/x-ndjson" }, body: lines });
}

async function put(file: File, hash: string | null, signal: AbortSignal): Promise<Upload> {
  const query = new URLSearchParams({ name: file.name, analyze: "false" });
  if (hash) query.set("sha256", hash);
  for (let tries = 0; ; tries++) {
    try {
      return (await (await send(`/v1/uploads?${query}`, { method: "POST", body: file, signal, headers: { "Content-Type": "application/octet-stream" } })).json()) as Upload;
    } catch (error) {
      if (!(error instanceof Problem) || ![0, 429, 503].includes(error.status) || tries === 4) throw error;
      await new Promise((later) => setTimeout(later, 1000 * 2 ** tries));
    }
  }
}
