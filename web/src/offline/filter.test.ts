import { expect, test } from "vitest";
import type { Sample } from "../api/client";
import { sorted, test as passes } from "./filter";
import { beside, place, spelled } from "./keys";

const sound = (path: string, more: object = {}): Sample =>
  ({
    sample_id: path,
    files: [{ root: "library", path }],
    audio: { duration_s: 2 },
    kind: { label: "loop" },
    tempo: { bpm: 120 },
    key: { label: "A minor" },
    pitch: { note: null },
    loudness: { integrated_lufs: -14 },
    defects: [],
    yours: null,
    created_at: "2026-01-01T00:00:00Z",
    ...more,
  }) as unknown as Sample;
const LIBRARY = [
  sound("loops/Dusty Break.wav"),
  sound("loops/half.wav", { tempo: { bpm: 60 }, key: { label: "C major" } }),
  sound("shots/kick.wav", { kind: { label: "one-shot" }, tempo: { bpm: null }, key: { label: null }, pitch: { note: "A#1" }, audio: { duration_s: 0.3 }, loudness: { integrated_lufs: null }, defects: [{ code: "clipping" }] }),
  sound("loops/corrected.wav", { tempo: { bpm: 90 }, yours: { bpm: 121, key: "Eb major", kind: null, tags: ["dusty"], favourite: true } }),
];
const found = (asked: Record<string, string>): string[] => LIBRARY.filter(passes(new URLSearchParams(asked))).map((each) => each.files[0]!.path.split("/")[1]!);

test.each<[Record<string, string>, string[]]>([
  [{}, ["Dusty Break.wav", "half.wav", "kick.wav", "corrected.wav"]],
  [{ bpm: "119..121" }, ["Dusty Break.wav", "corrected.wav"]],
  [{ bpm: "119..120.5", bpm_octaves: "true" }, ["Dusty Break.wav", "half.wav"]],
  [{ bpm: "..70" }, ["half.wav"]],
  [{ key: "Am" }, ["Dusty Break.wav"]],
  [{ camelot: "8a", key_relation: "neighbours" }, ["Dusty Break.wav", "half.wav"]],
  [{ text: "DUSTY loops" }, ["Dusty Break.wav"]],
  [{ kind: "one-shot" }, ["kick.wav"]],
  [{ note: "A#" }, ["kick.wav"]],
  [{ note: "A" }, []],
  [{ duration: "0.2..1.5" }, ["kick.wav"]],
  [{ defect: "clipping" }, ["kick.wav"]],
  [{ tag: "dusty", favourite: "true" }, ["corrected.wav"]],
])("%o finds what the gateway would", (asked, names) => {
  expect(found(asked)).toEqual(names);
});

test("what is no range is refused", () => {
  for (const text of ["fast", "1...2", "..", "1..2..3x"]) expect(() => passes(new URLSearchParams({ bpm: text }))).toThrow();
});

test("what is not known comes last, both ways", () => {
  expect(sorted(LIBRARY, "bpm").map((each) => each.yours?.bpm ?? each.tempo.bpm)).toEqual([60, 120, 121, null]);
  expect(sorted(LIBRARY, "-loudness").at(-1)!.loudness.integrated_lufs).toBeNull();
});

test("keys have their places on the wheel", () => {
  expect(["C major", "A minor", "F# minor", "B major", "D# minor"].map(place)).toEqual(["8B", "8A", "11A", "1B", "2A"]);
  expect(["ebm", "F♯ major", "Cb maj", "nothing"].map(spelled)).toEqual(["D# minor", "F# major", "B major", "nothing"]);
  expect(beside("1A", "neighbours")).toEqual(["1A", "1B", "2A", "12A"]);
});
