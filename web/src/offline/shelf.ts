/** What this browser keeps for when the gateway is away: the sounds seen last, what they are compared by, and what is yet to be sent. */
import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import type { Mark, Sample } from "../api/client";

export interface Direction {
  id: string;
  /** Directions of different spaces are not to be compared. */
  space: number | null;
  /** 128 signed numbers, 127 long in each aspect; see POST /v1/samples/directions. */
  row: Int8Array;
}
export interface Waiting {
  id: string;
  mark: Mark;
  at: number;
}
interface Kept {
  id: string;
  sample: Sample;
  at: number;
}
interface Shape extends DBSchema {
  samples: { key: string; value: Kept; indexes: { at: number } };
  directions: { key: string; value: Direction };
  marks: { key: string; value: Waiting };
}

/** So many sounds are kept, those seen last: some fifteen megabytes. */
export const MOST = 5000;

let opened: Promise<IDBPDatabase<Shape>> | null = null;
const shelf = (): Promise<IDBPDatabase<Shape>> => {
  opened ??= openDB<Shape>("samplemind", 1, {
    upgrade(made) {
      made.createObjectStore("samples", { keyPath: "id" }).createIndex("at", "at");
      made.createObjectStore("directions", { keyPath: "id" });
      made.createObjectStore("marks", { keyPath: "id" });
    },
    terminated: () => void (opened = null),
  });
  opened.catch(() => (opened = null)); // a private window has none: the next one asks again
  return opened;
};

let everything: Promise<Sample[]> | null = null;
/** All that are kept, the ones seen last first. Read once, until something is written. */
export function samples(): Promise<Sample[]> {
  everything ??= shelf()
    .then((store) => store.getAllFromIndex("samples", "at"))
    .then((rows) => rows.reverse().map(({ sample }) => sample));
  everything.catch(() => (everything = null));
  return everything;
}

export const sample = async (id: string): Promise<Sample | undefined> => (await (await shelf()).get("samples", id))?.sample;
export const directions = async (): Promise<Direction[]> => (await shelf()).getAll("directions");
export const waiting = async (): Promise<Waiting[]> => (await shelf()).getAll("marks");

/** Keep these, forget the oldest beyond `MOST`; the ids of those that there is no direction of. */
export async function keep(seen: readonly Sample[]): Promise<string[]> {
  const write = (await shelf()).transaction(["samples", "directions"], "readwrite");
  const kept = write.objectStore("samples");
  const now = Date.now();
  // of what came in one go the first is the newest
  seen.forEach((one, n) => void kept.put({ id: one.sample_id, sample: one, at: now - n / 1e4 }));
  let over = (await kept.count()) - MOST;
  for (let old = over > 0 ? await kept.index("at").openCursor() : null; old && over > 0; over--) {
    void write.objectStore("directions").delete(old.value.id);
    void old.delete();
    old = await old.continue();
  }
  const known = new Set(await write.objectStore("directions").getAllKeys());
  await write.done;
  everything = null;
  return seen.map((one) => one.sample_id).filter((id) => !known.has(id));
}

export async function keepDirections(rows: readonly Direction[]): Promise<void> {
  const write = (await shelf()).transaction("directions", "readwrite");
  for (const row of rows) void write.store.put(row);
  await write.done;
}

/** What is said of a sound: shown from now on, and to be sent. */
export async function keepMark(id: string, mark: Mark): Promise<void> {
  const write = (await shelf()).transaction(["samples", "marks"], "readwrite");
  void write.objectStore("marks").put({ id, mark, at: Date.now() });
  const old = await write.objectStore("samples").get(id);
  if (old) void write.objectStore("samples").put({ ...old, sample: { ...old.sample, yours: mark } });
  await write.done;
  everything = null;
}

/** It was sent. What was said again meanwhile stays. */
export async function sent({ id, at }: Waiting): Promise<void> {
  const write = (await shelf()).transaction("marks", "readwrite");
  if ((await write.store.get(id))?.at === at) void write.store.delete(id);
  await write.done;
}

/** Another key may not see what this one saw. What is yet to be sent stays. */
export async function forget(): Promise<void> {
  const write = (await shelf()).transaction(["samples", "directions"], "readwrite");
  void write.objectStore("samples").clear();
  void write.objectStore("directions").clear();
  await write.done;
  everything = null;
}
