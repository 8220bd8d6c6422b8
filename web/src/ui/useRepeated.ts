import { useEffect, useState } from "preact/compat";

/** Ask again and again while the page is open, each time `eachMs` after the last answer; says what went wrong, or "". */
export function useRepeated<T>(ask: () => Promise<T>, told: (answer: T) => void, eachMs: number): string {
  const [error, setError] = useState("");
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    let stale = false;
    const look = () =>
      ask()
        .then(
          (answer) => {
            if (stale) return;
            told(answer);
            setError("");
          },
          (problem: Error) => !stale && setError(problem.message),
        )
        .finally(() => {
          if (!stale) timer = setTimeout(look, eachMs);
        });
    void look();
    return () => {
      stale = true;
      clearTimeout(timer);
    };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- asked for as long as the page is open
  }, []);
  return error;
}
