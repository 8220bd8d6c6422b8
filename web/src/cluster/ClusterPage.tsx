/** The cluster: every part, whether it works, and where to look closer. */
import { useState } from "preact/compat";
import { api, type Ready } from "../api/client";
import { Complaint } from "../ui/parts";
import { useRepeated } from "../ui/useRepeated";
import { Keys } from "./Keys";
import { Throughput } from "./Throughput";

const EACH_MS = 3000;

export function ClusterPage() {
  const [ready, setReady] = useState<Ready | null>(null);
  const error = useRepeated(api.ready, setReady, EACH_MS);
  const parts = Object.entries(ready?.parts ?? {});
  const bad = parts.filter(([, part]) => !part.ok).length;
  return (
    <div className="cluster">
      <h1>Cluster</h1>
      <p role="status">{!parts.length ? "Asking every part …" : bad ? `${bad} of ${parts.length} parts not ready.` : "Every part works."}</p>
      <Complaint error={error} />
      <Throughput />
      <ul className="cards">
        {parts.map(([name, part]) => (
          <li className="card" key={name}>
            <h2>
              <i role="img" className={part.ok ? "dot ok" : "dot bad"} aria-label={part.ok ? "works" : "not ready"} /> {name}
            </h2>
            <p className="soft">{part.detail}</p>
          </li>
        ))}
      </ul>
      <Keys />
      <p>
        <a href="/status">Status page with Flower</a> · <a href="/docs">API</a> · <a href="/metrics">Metrics</a>
      </p>
    </div>
  );
}
