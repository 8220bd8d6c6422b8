import { expect, test } from "vitest";
import { rates, reading } from "./figures";

const SAID = `# HELP samplemind_files Files.
# TYPE samplemind_files gauge
samplemind_files{status="pending"} 7.0
samplemind_files{status="done"} 20.0
samplemind_files{status="failed"} 3.0
samplemind_queue_messages{queue="chunks"} 4.0
samplemind_processes_alive{part="worker"} 2.0
`;

test("a reading has what ended, what waits and who is alive", () => {
  expect(reading(SAID, 5)).toEqual({ at: 5, pending: 7, ended: 23, queues: { chunks: 4 }, processes: { worker: 2 } });
});

test("a rate is files a second, and none where a job fell out of the sum", () => {
  const at = (ms: number, ended: number) => ({ ...reading(SAID, ms), ended });
  expect(rates([at(0, 0), at(2000, 10), at(4000, 5)])).toEqual([5, 0]);
});
