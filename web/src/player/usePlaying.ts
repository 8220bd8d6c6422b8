import { useSyncExternalStore } from "preact/compat";
import { player, type State } from "./player";

/** What plays now. */
export const usePlaying = (): State => useSyncExternalStore(player.subscribe, player.snapshot);
