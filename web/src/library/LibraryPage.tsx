/** The library: filters on the left, sounds on the right. */
import { useDeferredValue, useEffect, useMemo, useState } from "preact/compat";
import { Link } from "wouter";
import { Complaint } from "../ui/parts";
import { api } from "../api/client";
import { useAway } from "../ui/Away";
import { BySound } from "./BySound";
import { type Filters, NO_FILTERS, nextSort, useRows } from "./rows";
import { Table } from "./Table";

const KINDS = ["loop", "one-shot", "track", "long recording", "silence"];
const DEFECTS: Record<string, string> = {
  clipping: "clipped",
  dc_offset: "DC offset",
  silent_head: "silence at the start",
  silent_tail: "silence at the end",
  phase_cancelling: "cancels in mono",
  click_at_seam: "clicks at the seam",
  non_finite_samples: "invalid samples",
  truncated: "cut short",
  upsampled: "sampled up",
  padded_bits: "16 bits in a larger file",
};
const NOTES = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"];
const KEYS = NOTES.flatMap((tonic) => [`${tonic} major`, `${tonic} minor`]);
const ORDERS: [string, string][] = [
  ["-added", "newest first"],
  ["bpm", "slowest first"],
  ["-bpm", "fastest first"],
  ["duration", "shortest first"],
  ["-duration", "longest first"],
  ["-loudness", "loudest first"],
  ["loudness", "quietest first"],
];
const PATIENCE_MS = 150;

function fromAddress(): Filters {
  const said = new URLSearchParams(location.search);
  return Object.fromEntries(Object.keys(NO_FILTERS).map((name) => [name, said.get(name) ?? ""])) as unknown as Filters;
}

export function LibraryPage() {
  const [filters, setFilters] = useState(fromAddress);
  const [asked, setAsked] = useState(filters);
  const [turn, setTurn] = useState(0);
  const [tags, setTags] = useState<string[]>([]);
  const away = useAway();
  const found = useRows(useDeferredValue(asked), `${turn} ${away}`);

  useEffect(() => {
    api.tags().then(
      (said) => setTags(Object.keys(said.tags)),
      () => setTags([]), // without the gateway there is nothing to choose from; the table says that it is away
    );
  }, []);

  useEffect(() => {
    const later = setTimeout(() => setAsked(filters), PATIENCE_MS);
    const said = new URLSearchParams(Object.entries(filters).filter(([, value]) => value.trim()));
    history.replaceState(history.state, "", said.size ? `?${said}` : location.pathname);
    return () => clearTimeout(later);
  }, [filters]);

  // Also those of the rows in sight, and the one that is asked for: the gateway may be away.
  const yours = useMemo(() => [...new Set([...tags, ...found.rows.flatMap((row) => row.tags), ...(filters.tag ? [filters.tag] : [])])], [tags, found.rows, filters.tag]);
  const set = (name: keyof Filters) => (event: { currentTarget: { value: string } }) => setFilters({ ...filters, [name]: event.currentTarget.value });
  const any = useMemo(() => Object.entries(filters).some(([name, value]) => name !== "sort" && value.trim()), [filters]);
  const tick = (name: keyof Filters, label: string, value = "true") => (
    <label className="tick">
      <input type="checkbox" checked={filters[name] === value} onChange={(event) => setFilters({ ...filters, [name]: event.currentTarget.checked ? value : "" })} /> {label}
    </label>
  );
  const choice = (name: keyof Filters, label: string, values: (readonly [string, string])[]) => (
    <label>
      {label}
      <select value={filters[name]} onChange={set(name)}>
        <option value="">any</option>
        {values.map(([value, shown]) => (
          <option key={value} value={value}>
            {shown}
          </option>
        ))}
      </select>
    </label>
  );

  return (
    <div className="library">
      <h1 className="unseen">Library</h1>
      <form className="filters" aria-label="Filters" onSubmit={(event) => event.preventDefault()}>
        <label>
          Words of the name
          <input type="search" value={filters.text} onChange={set("text")} placeholder="kick, pad, vinyl …" />
        </label>
        <label>
          Tempo
          <input value={filters.bpm} onChange={set("bpm")} placeholder="120 or 118..122" inputMode="decimal" />
        </label>
        {filters.bpm.trim() && tick("bpm_octaves", "also half and double time")}
        <label>
          Key
          <input value={filters.key} onChange={set("key")} placeholder="A minor or 8A" list="keys" />
          <datalist id="keys">
            {KEYS.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </datalist>
        </label>
        {filters.key.trim() && !/^\d/.test(filters.key.trim()) && tick("key_relation", "also what mixes well with it", "neighbours")}
        {choice("kind", "Kind", KINDS.map((kind) => [kind, kind] as const))}
        {choice("note", "Note", NOTES.map((note) => [note, note] as const))}
        <label>
          Length in seconds
          <input value={filters.duration} onChange={set("duration")} placeholder="0.2..1.5" inputMode="decimal" />
        </label>
        {choice("defect", "Defect", Object.entries(DEFECTS))}
        {choice("sort", "Order", ORDERS)}
        {yours.length > 0 && choice("tag", "Your tag", yours.map((tag) => [tag, tag] as const))}
        {tick("favourite", "only favourites")}
        <button type="button" className="quiet" disabled={!any} onClick={() => setFilters(NO_FILTERS)}>
          Clear filters
        </button>
        <BySound />
        <p className="hint">
          <kbd>↑</kbd> <kbd>↓</kbd> move and play, <kbd>space</kbd> stops, <kbd>Enter</kbd> opens.
        </p>
      </form>
      <section className="results">
        <p className="count" role="status">
          {found.rows.length.toLocaleString()}
          {found.more ? " and more" : ""} {found.rows.length === 1 && !found.more ? "sound" : "sounds"}
          {found.loading ? " …" : ""}
        </p>
        <Complaint error={found.error} again={() => setTurn(turn + 1)} />
        {!found.rows.length && !found.loading && !found.error ? (
          <Empty any={any} />
        ) : (
          <Table found={found} sort={filters.sort} onSort={(by) => setFilters({ ...filters, sort: nextSort(filters.sort, by) })} />
        )}
      </section>
    </div>
  );
}

function Empty({ any }: { any: boolean }) {
  if (any) return <p className="empty">Nothing passes these filters. A wider tempo or another spelling of the key may find more.</p>;
  return (
    <p className="empty">
      Nothing is analysed yet. <Link href="/jobs">Drop files or choose a folder</Link> to begin.
    </p>
  );
}
