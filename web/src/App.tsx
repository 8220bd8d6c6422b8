import { lazy, Suspense, useState, useSyncExternalStore } from "preact/compat";
import { Link, Route, Switch, useRoute } from "wouter";
import { apiKey, refused } from "./api/client";
import { LibraryPage } from "./library/LibraryPage";
import { player } from "./player/player";
import { usePlaying } from "./player/usePlaying";
import { Away } from "./ui/Away";
import { Complaint } from "./ui/parts";

// The library is the first view; the others come when they are wanted.
const SamplePage = lazy(() => import("./sample/SamplePage").then((page) => page.SamplePage));
const JobsPage = lazy(() => import("./jobs/JobsPage").then((page) => page.JobsPage));
const MapPage = lazy(() => import("./map/MapPage").then((page) => page.MapPage));
const FailedPage = lazy(() => import("./failed/FailedPage").then((page) => page.FailedPage));
const ClusterPage = lazy(() => import("./cluster/ClusterPage").then((page) => page.ClusterPage));

export function App() {
  const locked = useSyncExternalStore(apiKey.onRefused, () => refused);
  const playing = usePlaying();
  return (
    <>
      <a className="skip" href="#main">
        To the content
      </a>
      <header className="top">
        <Link href="/" className="brand">
          <svg viewBox="0 0 32 32" aria-hidden="true">
            <path d="M5 14v4M10.5 9.500v13M16 5v22M21.500 10.500v11M27 14v4" />
          </svg>
          SampleMind
        </Link>
        <nav aria-label="Pages">
          <Tab href="/" name="Library" />
          <Tab href="/map" name="Map" />
          <Tab href="/jobs" name="Jobs" />
          <Tab href="/failed" name="Failed" />
          <Tab href="/cluster" name="Cluster" />
        </nav>
        {playing.id && (
          <button className="quiet" onClick={() => player.stop()}>
            ■ Stop
          </button>
        )}
      </header>
      <main id="main">
        {locked && <AskKey />}
        <Away />
        <Complaint error={playing.problem} />
        <Suspense fallback={<p className="empty">…</p>}>
        <Switch>
          <Route path="/" component={LibraryPage} />
          <Route path="/sample/:id">{({ id }) => <SamplePage id={id} />}</Route>
          <Route path="/jobs" component={JobsPage} />
          <Route path="/map" component={MapPage} />
          <Route path="/failed" component={FailedPage} />
          <Route path="/cluster" component={ClusterPage} />
          <Route>
            <p className="empty">
              There is no such page. <Link href="/">To the library</Link>
            </p>
          </Route>
        </Switch>
        </Suspense>
      </main>
    </>
  );
}

function Tab({ href, name }: { href: string; name: string }) {
  const [here] = useRoute(href);
  return (
    <Link href={href} aria-current={here ? "page" : undefined}>
      {name}
    </Link>
  );
}

function AskKey() {
  const [secret, setSecret] = useState("");
  return (
    <form
      className="card key"
      onSubmit={(event) => {
        event.preventDefault();
        apiKey.set(secret.trim());
        // another key may not see what the last one saw
        void import("./offline/shelf")
          .then(({ forget }) => forget())
          .catch(() => undefined)
          .then(() => location.reload());
      }}
    >
      <label>
        This gateway asks for an API key; an admin makes one with ./samplemind keys create.
        <input type="password" autoComplete="off" value={secret} onChange={(event) => setSecret(event.currentTarget.value)} placeholder="sm_…" />
      </label>
      <button>Use this key</button>
    </form>
  );
}
