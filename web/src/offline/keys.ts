/** Keys as musicians write them, and their places on the Camelot wheel. */

const TONICS = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"];
const KEY = /^([A-Ga-g])([#♯b♭]?)\s*(m|M|maj|min|major|minor)$/;

/** `Eb major`, `F#m`: as they are kept, in sharps and in full. What is no key stays as it is. */
export function spelled(text: string): string {
  const [, letter, accidental, mode] = KEY.exec(text.trim()) ?? [];
  if (!letter) return text;
  const shift = { "": 0, "#": 1, "♯": 1, b: 11, "♭": 11 }[accidental!]!;
  return `${TONICS[(TONICS.indexOf(letter.toUpperCase()) + shift) % 12]} ${mode === "m" || mode!.startsWith("min") ? "minor" : "major"}`;
}

/** `A minor` is at `8A`; what is no key is nowhere. */
export function place(key: string): string | null {
  const [tonic, mode] = key.split(" ");
  const at = TONICS.indexOf(tonic ?? "");
  if (at < 0 || (mode !== "major" && mode !== "minor")) return null;
  return `${((7 * (mode === "minor" ? at + 3 : at) + 7) % 12) + 1}${mode === "minor" ? "A" : "B"}`;
}

/** A place and those that mix well with it: its relative, and a fifth up and down. */
export function beside(place: string, relation: string): string[] {
  const number = Number.parseInt(place);
  const letter = place.endsWith("A") ? "A" : "B";
  const fifths = relation === "relative" ? [] : [`${(number % 12) + 1}${letter}`, `${((number + 10) % 12) + 1}${letter}`];
  return [place, `${number}${letter === "A" ? "B" : "A"}`, ...fifths];
}
