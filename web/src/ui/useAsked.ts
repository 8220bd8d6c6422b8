import { useCallback, useEffect, useState } from "preact/compat";

/** What a question to the gateway is answered with; asked again when `what` changes, or on demand. */
export function useAsked<T>(ask: () => Promise<T>, what: readonly unknown[]): { said: T | null; error: string; again: () => void } {
  const [said, setSaid] = useState<T | null>(null);
  const [error, setError] = useState("");
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    let stale = false;
    ask().then(
      (answer) => !stale && (setSaid(answer), setError("")),
      (problem: Error) => !stale && setError(problem.message),
    );
    return () => void (stale = true);
    // eslint-disable-next-line react-hooks/exhaustive-deps -- `what` says when
  }, [...what, turn]);
  return { said, error, again: useCallback(() => setTurn((n) => n + 1), []) };
}
