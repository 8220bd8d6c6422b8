/** What can be answered without the gateway. */
import { type Aspect, type Hit, type Mark, type Page, Problem, type Sample } from "../api/client";
import { connection } from "../api/connection";
import { nearest } from "./alike";
import { sorted, test } from "./filter";
import * as shelf from "./shelf";

const GONE = "The gateway does not answer, and this is not among what this browser has kept.";

/** The kept sounds that pass, all on one page. */
export async function samples(asked: URLSearchParams): Promise<Page<Sample>> {
  const all = await shelf.samples();
  if (!all.length) throw new Problem(0, "away", "The gateway does not answer, and nothing is kept in this browser yet. It is asked again every few seconds.");
  try {
    return { items: sorted(all.filter(test(asked)), asked.get("sort")), next: null };
  } catch (error) {
    throw new Problem(422, "invalid", error instanceof Error ? error.message : String(error));
  }
}

export async function sample(id: string): Promise<Sample> {
  const kept = await shelf.sample(id);
  if (!kept) throw new Problem(0, "away", GONE);
  return kept;
}

/** The kept sounds most like one. */
export async function alike(id: string, weights: Partial<Record<Aspect, number>>, kind: string | null, limit: number): Promise<{ items: Hit[] }> {
  const [rows, all] = await Promise.all([shelf.directions(), shelf.samples()]);
  const own = rows.find((row) => row.id === id);
  if (!own) throw new Problem(0, "away", GONE);
  const passes = test(new URLSearchParams(kind ? { kind } : {}));
  const known = new Map(all.filter(passes).map((each) => [each.sample_id, each]));
  const found = nearest(
    own,
    rows.filter((row) => known.has(row.id)),
    weights,
    limit,
  );
  return { items: found.map(({ id: near, score, aspects }) => ({ sample: known.get(near)!, score, aspects, shares: {}, fits: null }) as unknown as Hit) };
}

/** Keep what is said of a sound until it can be sent. */
export async function mark(id: string, said: Mark): Promise<Mark> {
  await shelf.keepMark(id, said);
  connection.waits((await shelf.waiting()).length);
  return said;
}

/** Send what waits, one tab at a time; what the gateway refuses for good is told, and dropped. */
export async function flush(send: (id: string, mark: Mark) => Promise<unknown>): Promise<void> {
  const all = async () => {
    for (const each of await shelf.waiting()) {
      try {
        await send(each.id, each.mark);
      } catch (error) {
        if (!(error instanceof Problem) || ![404, 422].includes(error.status)) break; // comes again
      }
      await shelf.sent(each);
    }
    connection.waits((await shelf.waiting()).length);
  };
  await (navigator.locks ? navigator.locks.request("samplemind.marks", all) : all());
}
