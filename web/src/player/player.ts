/** One sound at a time, at once: decoded ahead for the neighbours, looped without a seam, moved in pitch, with a metronome. */
import { send } from "../api/client";
import { decodeAiff } from "./aiff";

export interface Playing {
  id: string;
  loop: boolean;
  bpm: number | null;
  firstBeat: number;
}
export interface State {
  id: string | null;
  loading: boolean;
  problem: string;
  startedAt: number;
  duration: number;
  loop: boolean;
}

const KEPT = 24;
const CLICK_S = 0.03;
const AHEAD_S = 0.2;

class Player {
  private context: AudioContext | null = null;
  private gain: GainNode | null = null;
  private source: AudioBufferSourceNode | null = null;
  private readonly sounds = new Map<string, Promise<AudioBuffer>>();
  private readonly tellers = new Set<() => void>();
  private clicks: ReturnType<typeof setInterval> | undefined;
  private turn = 0;
  private now: State = { id: null, loading: false, problem: "", startedAt: 0, duration: 0, loop: false };
  metronome = false;
  semitones = 0;

  subscribe = (tell: () => void): (() => void) => {
    this.tellers.add(tell);
    return () => void this.tellers.delete(tell);
  };
  snapshot = (): State => this.now;

  /** Fetch and decode what is likely to be played next. */
  prefetch(ids: string[]): void {
    for (const id of ids) void this.sound(id).catch(() => undefined);
  }

  async play(what: Playing): Promise<void> {
    this.stop();
    const turn = ++this.turn;
    const context = this.ready();
    this.set({ id: what.id, loading: true, problem: "", loop: what.loop });
    try {
      const [buffer] = await Promise.all([this.sound(what.id), context.resume()]);
      if (turn !== this.turn) return;
      const source = context.createBufferSource();
      source.buffer = buffer;
      source.loop = what.loop;
      source.detune.value = 100 * this.semitones;
      source.connect(this.gain!);
      source.onended = () => {
        if (this.source === source) this.stop();
      };
      source.start();
      this.source = source;
      this.set({ loading: false, startedAt: context.currentTime, duration: buffer.duration });
      if (this.metronome && what.bpm) this.click(what.bpm, what.firstBeat, what.loop ? Infinity : buffer.duration);
    } catch (error) {
      if (turn === this.turn) this.set({ id: null, loading: false, problem: error instanceof Error ? error.message : String(error) });
    }
  }

  stop(): void {
    this.turn++;
    clearInterval(this.clicks);
    const source = this.source;
    this.source = null;
    source?.stop();
    source?.disconnect();
    this.set({ id: null, loading: false });
  }

  /** Where the sound that plays is, 0 to 1. */
  position(): number {
    if (!this.context || !this.now.id || !this.now.duration) return 0;
    const rate = 2 ** (this.semitones / 12);
    const passed = ((this.context.currentTime - this.now.startedAt) * rate) / this.now.duration;
    return this.now.loop ? passed % 1 : Math.min(passed, 1);
  }

  private ready(): AudioContext {
    if (!this.context) {
      this.context = new AudioContext({ latencyHint: "interactive" });
      this.gain = this.context.createGain();
      this.gain.connect(this.context.destination);
    }
    return this.context;
  }

  private sound(id: string): Promise<AudioBuffer> {
    let known = this.sounds.get(id);
    if (known) this.sounds.delete(id);
    else {
      known = this.load(id);
      known.catch(() => this.sounds.delete(id));
    }
    this.sounds.set(id, known); // the latest last
    for (const old of this.sounds.keys()) {
      if (this.sounds.size <= KEPT) break;
      this.sounds.delete(old);
    }
    return known;
  }

  private async load(id: string): Promise<AudioBuffer> {
    const raw = await (await send(`/v1/samples/${id}/audio`)).arrayBuffer();
    const context = this.ready();
    const aiff = decodeAiff(raw, context);
    if (aiff) return aiff;
    try {
      return await context.decodeAudioData(raw);
    } catch {
      // What this browser does not know the gateway does.
      const wav = await send(`/v1/samples/${id}/audio?format=wav`);
      return context.decodeAudioData(await wav.arrayBuffer());
    }
  }

  private click(bpm: number, first: number, length: number): void {
    const context = this.context!;
    const start = context.currentTime;
    let beat = 0;
    this.clicks = setInterval(() => {
      for (let at = first + (beat * 60) / bpm; at < context.currentTime - start + AHEAD_S && at < length; at = first + (++beat * 60) / bpm) {
        const tone = context.createOscillator();
        const level = context.createGain();
        tone.frequency.value = beat % 4 ? 1000 : 1500;
        level.gain.setValueAtTime(0.25, start + at);
        level.gain.exponentialRampToValueAtTime(0.001, start + at + CLICK_S);
        tone.connect(level).connect(this.gain!);
        tone.start(start + at);
        tone.stop(start + at + CLICK_S);
      }
    }, 50);
  }

  private set(change: Partial<State>): void {
    this.now = { ...this.now, ...change };
    this.tellers.forEach((tell) => tell());
  }
}

export const player = new Player();
