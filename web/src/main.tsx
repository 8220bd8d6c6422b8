import "@fontsource-variable/inter/wght.css";
import { render } from "preact";
import { registerSW } from "virtual:pwa-register";
import { App } from "./App";
import { beginOffline } from "./offline/begin";
import "./style.css";

registerSW({ immediate: true });
render(<App />, document.getElementById("app")!);
beginOffline();
