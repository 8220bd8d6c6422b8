/** Uncompressed AIFF: browsers decode none, and producers have thousands. */

const BYTES: Record<number, (view: DataView, at: number) => number> = {
  1: (view, at) => view.getInt8(at) / 0x80,
  2: (view, at) => view.getInt16(at) / 0x8000,
  3: (view, at) => ((view.getInt8(at) << 16) | (view.getUint8(at + 1) << 8) | view.getUint8(at + 2)) / 0x800000,
  4: (view, at) => view.getInt32(at) / 0x80000000,
};
const FLOATS: Record<number, (view: DataView, at: number) => number> = {
  4: (view, at) => view.getFloat32(at),
  8: (view, at) => view.getFloat64(at),
};

const name = (view: DataView, at: number): string => String.fromCharCode(...[0, 1, 2, 3].map((n) => view.getUint8(at + n)));

/** The sample rate: an 80-bit number. */
function extended(view: DataView, at: number): number {
  const exponent = (view.getUint16(at) & 0x7fff) - 16383;
  return view.getUint32(at + 2) * 2 ** (exponent - 31);
}

/** The sound of an AIFF file, or null for everything else. */
export function decodeAiff(raw: ArrayBuffer, context: BaseAudioContext): AudioBuffer | null {
  const view = new DataView(raw);
  if (raw.byteLength < 12 || name(view, 0) !== "FORM" || !["AIFF", "AIFC"].includes(name(view, 8))) return null;
  let common: { channels: number; frames: number; bits: number; rate: number; coding: string } | null = null;
  for (let at = 12; at + 8 <= raw.byteLength; ) {
    const id = name(view, at);
    const size = view.getUint32(at + 4);
    if (id === "COMM") {
      common = {
        channels: view.getInt16(at + 8),
        frames: view.getUint32(at + 10),
        bits: view.getInt16(at + 14),
        rate: extended(view, at + 16),
        coding: name(view, 8) === "AIFC" && size >= 22 ? name(view, at + 26) : "NONE",
      };
    } else if (id === "SSND" && common) {
      const width = Math.ceil(common.bits / 8);
      const float = /^fl(32|64)$/i.test(common.coding);
      const read = float ? FLOATS[width] : BYTES[width];
      if (!read || !(float || ["NONE", "twos"].includes(common.coding))) return null;
      const start = at + 16 + view.getUint32(at + 8);
      const frames = Math.min(common.frames, Math.floor((raw.byteLength - start) / (width * common.channels)));
      if (frames < 1) return null;
      const buffer = context.createBuffer(common.channels, frames, common.rate);
      for (let channel = 0; channel < common.channels; channel++) {
        const y = buffer.getChannelData(channel);
        for (let n = 0; n < frames; n++) y[n] = read(view, start + (n * common.channels + channel) * width);
      }
      return buffer;
    }
    at += 8 + size + (size & 1);
  }
  return null;
}
