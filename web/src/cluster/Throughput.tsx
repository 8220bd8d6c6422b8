/** How fast files end, and what waits, over the last minutes. */
import { Complaint } from "../ui/parts";
import { rates, useReadings } from "./figures";

const WIDTH = 600;
const HEIGHT = 80;

export function Throughput() {
  const { readings, error } = useReadings();
  const now = readings.at(-1);
  const course = rates(readings);
  const most = Math.max(1, ...course);
  const points = course.map((rate, n) => `${(WIDTH * n) / Math.max(1, course.length - 1)},${HEIGHT - (HEIGHT * rate) / most}`).join(" ");
  const minutes = readings.length > 1 ? (now!.at - readings[0]!.at) / 60_000 : 0;
  return (
    <section className="card throughput">
      <h2>Throughput</h2>
      <Complaint error={error} />
      <p className="large">
        {course.length ? `${course.at(-1)!.toFixed(1)} files/s` : "…"} {now && now.pending > 0 && <small>{now.pending.toLocaleString()} pending</small>}
      </p>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={`Files a second over the last ${minutes.toFixed(1)} minutes, at most ${most.toFixed(1)}`}>
        {course.length > 1 && <polyline points={points} />}
      </svg>
      <p className="soft">
        {Object.entries(now?.queues ?? {})
          .map(([name, length]) => `${name}: ${length.toLocaleString()}`)
          .join(" · ")}
        {now && " messages wait"}
      </p>
    </section>
  );
}
