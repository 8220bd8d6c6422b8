/** The gateway's filters and orders once more, over the sounds that are kept here. */
import type { Sample } from "../api/client";
import { beside, place, spelled } from "./keys";

type Test = (sample: Sample) => boolean;

const bpmOf = (sample: Sample): number | null => sample.yours?.bpm ?? sample.tempo.bpm;
const keyOf = (sample: Sample): string | null => sample.yours?.key ?? sample.key.label;
const kindOf = (sample: Sample): string => sample.yours?.kind ?? sample.kind.label;

/** `118..122`, `118..`, `..122` or `120`. */
function within(text: string): (value: number | null) => boolean {
  const [whole, exact, low = exact, dots, high = exact] = /^(?:(\d+(?:\.\d+)?)|(\d+(?:\.\d+)?)?(\.\.)(\d+(?:\.\d+)?)?)$/.exec(text.trim()) ?? [];
  if (!whole || (dots && !low && !high)) throw new Error(`${text} is no number, and no range as in 118..122, 118.. or ..122.`);
  return (value) => value !== null && (!low || value >= Number(low)) && (!high || value <= Number(high));
}

function tempo(text: string, octaves: boolean): Test {
  const near = within(text);
  // half the tempo is asked for as twice the value
  const times = octaves ? [1, 2, 0.5] : [1];
  return (sample) => times.some((each) => near(bpmOf(sample) === null ? null : bpmOf(sample)! * each));
}

function key(label: string | null, camelot: string | null, relation: string): Test {
  const places = [...(label ? [place(spelled(label))] : []), ...(camelot ? [camelot.trim().toUpperCase()] : [])].flatMap((one) => (one && relation !== "same" ? beside(one, relation) : [one]));
  return (sample) => {
    const own = keyOf(sample);
    return own !== null && places.includes(place(own));
  };
}

function words(text: string): Test {
  const all = text.toLowerCase().split(/\s+/).filter(Boolean);
  return (sample) => sample.files.some(({ path }) => all.every((word) => path.toLowerCase().includes(word)));
}

function note(text: string): Test {
  const octave = /\d/.test(text);
  return ({ pitch }) => pitch.note !== null && (octave ? pitch.note === text : pitch.note.replace(/-?\d+$/, "") === text);
}

/** Whether a sound passes. Throws where what is asked makes no sense. */
export function test(asked: URLSearchParams): Test {
  const said = (name: string): string | null => asked.get(name) || null;
  const tests: Test[] = [];
  const bpm = said("bpm");
  if (bpm) tests.push(tempo(bpm, said("bpm_octaves") === "true"));
  const duration = said("duration");
  if (duration) {
    const near = within(duration);
    tests.push(({ audio }) => near(audio.duration_s));
  }
  if (said("key") || said("camelot")) tests.push(key(said("key"), said("camelot"), said("key_relation") ?? "same"));
  const kinds = said("kind")?.split(",");
  if (kinds) tests.push((sample) => kinds.includes(kindOf(sample)));
  const instruments = said("instrument")?.split(",");
  if (instruments) tests.push(({ instrument }) => instruments.includes(instrument?.label ?? ""));
  if (said("note")) tests.push(note(said("note")!));
  if (said("text")) tests.push(words(said("text")!));
  const defect = said("defect");
  if (defect) tests.push(({ defects }) => defects.some(({ code }) => code === defect));
  const tag = said("tag");
  if (tag) tests.push(({ yours }) => yours?.tags.includes(tag) ?? false);
  if (said("favourite") === "true") tests.push(({ yours }) => yours?.favourite ?? false);
  return (sample) => tests.every((passes) => passes(sample));
}

const ORDERS: Record<string, (sample: Sample) => number | null> = {
  bpm: bpmOf,
  duration: ({ audio }) => audio.duration_s,
  loudness: ({ loudness }) => loudness.integrated_lufs,
  added: ({ created_at }) => Date.parse(created_at),
};

/** In the order asked for; what is not known of a sound puts it last, both ways. */
export function sorted(samples: readonly Sample[], sort: string | null): Sample[] {
  const of = ORDERS[sort?.replace("-", "") ?? ""];
  if (!of) return [...samples];
  const way = sort!.startsWith("-") ? -1 : 1;
  return [...samples].sort((one, other) => {
    const [a, b] = [of(one), of(other)];
    if (a === null || b === null) return Number(a === null) - Number(b === null);
    return way * (a - b);
  });
}
