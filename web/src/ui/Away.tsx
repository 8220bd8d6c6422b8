/** Says that the gateway is away, what is shown meanwhile, and what waits to be sent. */
import { useSyncExternalStore } from "preact/compat";
import { connection } from "../api/connection";

export const useAway = (): boolean => useSyncExternalStore(connection.subscribe, connection.away);

export function Away() {
  const away = useAway();
  const waiting = useSyncExternalStore(connection.subscribe, connection.waiting);
  if (!away && !waiting) return null;
  const wait = waiting ? ` ${waiting === 1 ? "What you said of a sound waits" : `What you said of ${waiting} sounds waits`} here to be sent.` : "";
  return (
    <p className="away" role="status">
      {away && "The gateway does not answer; it is asked again every few seconds. Shown is what this browser keeps: listing, filters and what sounds alike work with it."}
      {wait}
    </p>
  );
}
