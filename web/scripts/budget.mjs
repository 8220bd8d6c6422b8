// What goes over the wire, against what it may: the build fails above it.
import { readdir, readFile, stat } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";

const FIRST_VIEW = 120 * 1024;
const WHOLE = 400 * 1024;
const dist = new URL("../dist/", import.meta.url).pathname;

async function sent(path) {
  const file = join(dist, path);
  return (await stat(existsSync(`${file}.br`) ? `${file}.br` : file)).size;
}

const html = await readFile(join(dist, "index.html"), "utf8");
const first = ["index.html", ...new Set([...html.matchAll(/(?:src|href)="\/([^"]+\.(?:js|css|woff2))"/g)].map((match) => match[1]))];
const firstSize = (await Promise.all(first.map(sent))).reduce((sum, size) => sum + size, 0);
let whole = 0;
for (const entry of await readdir(dist, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || /\.(br|gz|png)$/.test(entry.name)) continue;
  whole += await sent(join(entry.parentPath, entry.name).slice(dist.length));
}
const kb = (bytes) => `${(bytes / 1024).toFixed(1)} KB`;
console.log(`first view ${kb(firstSize)} of ${kb(FIRST_VIEW)} (${first.length} files), whole app ${kb(whole)} of ${kb(WHOLE)}, brotli`);
if (firstSize > FIRST_VIEW || whole > WHOLE) {
  console.error("The app has grown beyond its budget; dist-report/bundle.html shows what is in it.");
  process.exit(1);
}
