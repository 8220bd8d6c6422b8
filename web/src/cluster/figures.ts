/** What /metrics says, followed for as long as the page is open. */
import { useState } from "preact/compat";
import { send } from "../api/client";
import { useRepeated } from "../ui/useRepeated";

const EACH_MS = 2000;
const KEPT = 150;

/** One reading: how many files have ended, how many messages wait in each queue, how many processes are alive. */
export interface Reading {
  at: number;
  ended: number;
  pending: number;
  queues: Record<string, number>;
  processes: Record<string, number>;
}

/** Read Prometheus's text: `name{label="value"} 12` lines. */
export function reading(text: string, at: number): Reading {
  const of = (name: string): Record<string, number> =>
    Object.fromEntries([...text.matchAll(new RegExp(`^${name}\\{[^}]*?="([^"]*)"\\} (\\S+)$`, "gm"))].map(([, label, value]) => [label, Number(value)]));
  const { pending = 0, ...ended } = of("samplemind_files");
  return { at, pending, ended: Object.values(ended).reduce((sum, n) => sum + n, 0), queues: of("samplemind_queue_messages"), processes: of("samplemind_processes_alive") };
}

/** Files that ended a second, between each two readings; never below none, as an old job may fall out of the sum. */
export function rates(readings: readonly Reading[]): number[] {
  return readings.slice(1).map((now, n) => {
    const before = readings[n]!;
    return Math.max(0, (1000 * (now.ended - before.ended)) / Math.max(1, now.at - before.at));
  });
}

/** The readings of the last minutes; an empty list until there are any. */
export function useReadings(): { readings: Reading[]; error: string } {
  const [readings, setReadings] = useState<Reading[]>([]);
  const error = useRepeated(
    async () => reading(await (await send("/metrics")).text(), performance.now()),
    (now) => setReadings((old) => [...old, now].slice(-KEPT)),
    EACH_MS,
  );
  return { readings, error };
}
