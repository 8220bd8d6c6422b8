/** The table: only the rows in sight exist. Arrow keys move and play, Enter opens, space stops. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { useCallback, useEffect, useRef, useState } from "preact/compat";
import { useLocation } from "wouter";
import { player } from "../player/player";
import { usePlaying } from "../player/usePlaying";
import { Said, seconds, tempo } from "../ui/parts";
import type { Found, Row } from "./rows";
import { Thumbnail } from "./Thumbnail";

const HEIGHT = 40;
const AHEAD = 20;
const NEIGHBOURS = 3;
const COLUMNS = ["", "Waveform", "Name", "Kind", "Tempo", "Key", "Note", "Length", "Loudness"];
const SORTS: Record<string, string> = { Tempo: "bpm", Length: "duration", Loudness: "loudness" };

export function Table({ found, sort, onSort }: { found: Found; sort: string; onSort: (by: string) => void }) {
  const { rows, more, loading, load } = found;
  const scroller = useRef<HTMLDivElement>(null);
  const [chosen, setChosen] = useState(-1);
  const [, go] = useLocation();
  const playing = usePlaying();
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => scroller.current, estimateSize: () => HEIGHT, overscan: 12 });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;

  useEffect(() => {
    if (more && !loading && last >= rows.length - AHEAD) load();
  }, [last, rows.length, more, loading, load]);

  const play = useCallback(
    (index: number) => {
      const row = rows[index];
      if (!row) return;
      setChosen(index);
      void player.play({ id: row.id, loop: row.loop, bpm: row.bpm, firstBeat: row.firstBeat });
      player.prefetch(rows.slice(Math.max(0, index - 1), index + 1 + NEIGHBOURS).map((each) => each.id));
    },
    [rows],
  );

  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -rows.length, End: rows.length }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      const index = Math.max(0, Math.min(rows.length - 1, chosen + step));
      virtual.scrollToIndex(index);
      play(index);
    } else if (event.key === " ") {
      event.preventDefault();
      if (playing.id) player.stop();
      else play(Math.max(chosen, 0));
    } else if (event.key === "Enter" && rows[chosen]) {
      go(`/sample/${rows[chosen].id}`);
    }
  };

  return (
    <div className="table" role="grid" aria-label="Samples" aria-rowcount={more ? -1 : rows.length}>
      <div className="row head" role="row">
        {COLUMNS.map((name, n) => {
          const by = SORTS[name];
          if (!by)
            return (
              <span role="columnheader" key={n}>
                {name || <span className="unseen">Play</span>}
              </span>
            );
          const order = sort === by ? "ascending" : sort === `-${by}` ? "descending" : "none";
          return (
            <span role="columnheader" key={n} aria-sort={order}>
              <button type="button" className="sort" title={`Sort by ${name.toLowerCase()}`} onClick={() => onSort(by)}>
                {name} <i aria-hidden="true">{{ ascending: "↑", descending: "↓", none: "" }[order]}</i>
              </button>
            </span>
          );
        })}
      </div>
      <div className="scroller" ref={scroller} role="rowgroup" tabIndex={0} onKeyDown={onKeyDown} aria-label="Sounds: arrow keys move and play" aria-activedescendant={chosen >= 0 ? `row-${chosen}` : undefined}>
        <div role="presentation" style={{ height: virtual.getTotalSize(), position: "relative" }}>
          {items.map((item) => {
            const row = rows[item.index]!;
            return (
              <div
                key={item.key}
                id={`row-${item.index}`}
                role="row"
                aria-rowindex={item.index + 1}
                aria-selected={item.index === chosen}
                className={item.index === chosen ? "row chosen" : "row"}
                style={{ transform: `translateY(${item.start}px)`, position: "absolute", height: HEIGHT, insetInline: 0 }}
                onClick={() => play(item.index)}
                onDblClick={() => go(`/sample/${row.id}`)}
              >
                <Cells row={row} playing={playing.id === row.id} />
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}

function Cells({ row, playing }: { row: Row; playing: boolean }) {
  return (
    <>
      <span role="gridcell" className="play" aria-label={playing ? "playing" : undefined}>
        {playing ? "■" : "▶"}
      </span>
      <span role="gridcell">
        <Thumbnail id={row.id} />
      </span>
      <span role="gridcell" className="name" title={`${row.folder}/${row.name}`}>
        <b>
          {row.favourite && <span aria-label="favourite">★ </span>}
          {row.name}
        </b>
        <small>
          {row.tags.map((tag) => (
            <i className="tag" key={tag}>
              {tag}
            </i>
          ))}
          {row.folder}
          {row.defects.length > 0 && (
            <em title={row.defects.join("\n")}> {row.defects.length === 1 ? "1 defect" : `${row.defects.length} defects`}</em>
          )}
        </small>
      </span>
      <span role="gridcell">
        <Said value={row.kind} confidence={row.kindSure} />
        {row.what && row.what !== "unknown" && <small> {row.what}</small>}
      </span>
      <span role="gridcell" className="number">
        <Said value={tempo(row.bpm)} confidence={row.bpmSure} reason={row.bpmWhy} />
      </span>
      <span role="gridcell">
        <Said value={row.key} confidence={row.keySure} reason={row.keyWhy} /> {row.camelot && <small>{row.camelot}</small>}
      </span>
      <span role="gridcell">
        <Said value={row.note} confidence={row.noteSure} reason={row.noteWhy} />
      </span>
      <span role="gridcell" className="number">
        {seconds(row.length)}
      </span>
      <span role="gridcell" className="number">
        <Said value={row.lufs === null ? null : row.lufs.toFixed(1)} reason="too short or too quiet to be gated" />
      </span>
    </>
  );
}
