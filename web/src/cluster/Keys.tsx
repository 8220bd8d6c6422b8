/** API keys, for an admin: who may do what, a new one, and an end to one. */
import { useState } from "preact/compat";
import { api, apiKey, type KeyRequest } from "../api/client";
import { Complaint } from "../ui/parts";
import { useAsked } from "../ui/useAsked";

const SCOPES: Record<string, KeyRequest["scopes"]> = {
  "listens and searches": ["read"],
  "submits as well": ["read", "write"],
  "does everything": ["read", "write", "admin"],
};

export function Keys() {
  const { said, error, again } = useAsked(() => api.keys(), []);
  const [problem, setProblem] = useState("");
  const [secret, setSecret] = useState("");
  const [name, setName] = useState("");
  const [may, setMay] = useState("listens and searches");
  if (!said) return error ? <p className="soft">{error}</p> : null; // no admin: the gateway says so
  const first = said.items.length === 0;

  const make = () =>
    api.makeKey({ name, scopes: first ? ["read", "write", "admin"] : SCOPES[may]! }).then(
      (made) => {
        if (first) apiKey.set(made.secret); // from now on every request needs one
        setSecret(made.secret);
        setName("");
        setProblem("");
        again();
      },
      (refused: Error) => setProblem(refused.message),
    );
  const revoke = (id: string) => {
    if (!confirm("Whoever has this key is locked out at once. Revoke it?")) return;
    const last = said.items.length === 1;
    api.revokeKey(id).then(
      () => {
        if (last) apiKey.set(""); // a gateway without keys asks for none, and refuses one that is no more
        setSecret("");
        again();
      },
      (refused: Error) => setProblem(refused.message),
    );
  };

  return (
    <section className="card keys">
      <h2>Keys</h2>
      {first && <p className="soft">There is none: whoever reaches this gateway may do everything. The first key is an admin's, and is kept in this browser.</p>}
      <Complaint error={problem} />
      {said.items.length > 0 && (
        <table>
          <tbody>
            {said.items.map((key) => (
              <tr key={key.id}>
                <th scope="row">{key.name}</th>
                <td>{key.owner}</td>
                <td>{key.scopes.join(", ")}</td>
                <td>{key.expires_at ? `until ${new Date(key.expires_at).toLocaleDateString()}` : "no end"}</td>
                <td>
                  <button className="quiet" onClick={() => revoke(key.id)} aria-label={`Revoke ${key.name}`}>
                    Revoke
                  </button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void make();
        }}
      >
        <label>
          Name of a new key
          <input required maxLength={100} value={name} onChange={(event) => setName(event.currentTarget.value)} placeholder="studio laptop" />
        </label>
        {!first && (
          <label>
            It
            <select value={may} onChange={(event) => setMay(event.currentTarget.value)}>
              {Object.keys(SCOPES).map((words) => (
                <option key={words}>{words}</option>
              ))}
            </select>
          </label>
        )}
        <button>Make a key</button>
      </form>
      {secret && (
        <p role="status">
          Copy it now, it is shown this once: <code>{secret}</code>
        </p>
      )}
    </section>
  );
}
