/** Server-sent events by fetch: EventSource cannot send a key. Comes back by itself, from the last event it saw. */
import { send } from "./client";
import type { Job } from "./client";

export type Progress = Job & { files_per_s: number | null; eta_s: number | null };

export async function follow(jobId: string, tell: (job: Progress) => void, signal: AbortSignal): Promise<void> {
  let last = "";
  for (let wait = 500; !signal.aborted; wait = Math.min(wait * 2, 10_000)) {
    try {
      const answer = await send(`/v1/jobs/${jobId}/events`, { signal, headers: last ? { "Last-Event-ID": last } : {} });
      for await (const event of events(answer)) {
        wait = 500;
        if (event.id) last = event.id;
        if (event.data) tell(JSON.parse(event.data) as Progress);
        if (event.name === "end") return;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Error && "status" in error && [401, 403, 404].includes(error.status as number)) throw error;
    }
    await new Promise((later) => setTimeout(later, wait));
  }
}

interface ServerEvent {
  name: string;
  id: string;
  data: string;
}

async function* events(answer: Response): AsyncGenerator<ServerEvent> {
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    rest += value;
    const blocks = rest.split(/\r?\n\r?\n/);
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const event: ServerEvent = { name: "message", id: "", data: "" };
      for (const line of block.split(/\r?\n/)) {
        const [field, ...value] = line.split(":");
        const text = value.join(":").replace(/^ /, "");
        if (field === "event") event.name = text;
        else if (field === "id") event.id = text;
        else if (field === "data") event.data += text;
      }
      yield event;
    }
  }
}
