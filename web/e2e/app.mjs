// Drives the app in a real browser against a real cluster: node e2e/app.mjs URL CHROMIUM [SCREENSHOTS].
// The cluster has a library root with sounds in it that nobody has submitted yet.
import assert from "node:assert/strict";
import { chromium } from "playwright-core";
import { createRequire } from "node:module";

const [base, executablePath, shots] = process.argv.slice(2);
const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--autoplay-policy=no-user-gesture-required", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"] });
const context = await browser.newContext({ viewport: { width: 1360, height: 800 }, bypassCSP: false });
const page = await context.newPage();
page.setDefaultTimeout(60_000);
const complaints = [];
page.on("pageerror", (error) => complaints.push(error.message));
page.on("console", (said) => said.type() === "error" && !/status of (401|404|422|503)|ERR_INTERNET|ERR_FAILED/.test(said.text()) && complaints.push(said.text()));
const foreign = [];
page.on("request", (asked) => !asked.url().startsWith(base) && !/^(blob|data):/.test(asked.url()) && foreign.push(asked.url()));

let step = "";
const does = async (what, how) => {
  step = what;
  await how();
  console.log(`ok   ${what}`);
};
const shot = async (name) => shots && page.screenshot({ path: `${shots}/${name}.png` });
const accessible = async (where) => {
  const context = await browser.newContext({ bypassCSP: true });
  const other = await context.newPage();
  await other.goto(page.url());
  await other.waitForLoadState("networkidle");
  await other.addScriptTag({ path: axe });
  const { violations } = await other.evaluate(() => window.axe.run());
  await context.close();
  assert.deepEqual(violations.map((one) => `${where}: ${one.id}: ${one.nodes[0]?.html}`), []);
};

try {
  await does("says that nothing is analysed yet, and where to begin", async () => {
    await page.goto(base);
    await page.getByText("Nothing is analysed yet").waitFor();
    await page.getByRole("link", { name: "Drop files or choose a folder" }).click();
    await page.getByRole("heading", { name: "A folder of the library" }).waitFor();
  });
  await does("submits a folder and watches it to its end", async () => {
    await page.getByRole("button", { name: "Analyse everything" }).click();
    await page.getByText("complete", { exact: true }).waitFor();
    await shot("jobs");
    await accessible("jobs");
  });
  await does("shows what failed, by cause", async () => {
    await page.getByRole("button", { name: "What failed?" }).click();
    await page.getByText("not an audio file").first().waitFor();
  });
  await does("takes files that are chosen, and analyses them", async () => {
    await page.locator("input[type=file]").setInputFiles({ name: "dropped.wav", mimeType: "audio/wav", buffer: tone() });
    await page.getByText("1 of 1 sent").waitFor();
    await page.getByText("complete", { exact: true }).nth(1).waitFor();
  });
  await does("lists the library", async () => {
    await page.getByRole("link", { name: "Library" }).click();
    await page.getByRole("row").nth(3).waitFor();
    await page.waitForLoadState("networkidle");
    await shot("library");
    await accessible("library");
  });
  await does("plays with the arrow keys, and stops with space", async () => {
    await page.locator(".scroller").focus();
    await page.keyboard.press("ArrowDown");
    await page.locator("[aria-label=playing]").waitFor();
    await page.keyboard.press("Space");
    await page.locator("[aria-label=playing]").waitFor({ state: "detached" });
  });
  await does("plays what the browser does not know", async () => {
    await page.getByLabel("Words of the name").fill("no browser");
    await page.getByText("1 sound", { exact: true }).waitFor();
    await page.locator(".scroller").focus();
    const made = page.waitForResponse((answer) => answer.url().endsWith("/audio?format=wav"));
    await page.keyboard.press("ArrowDown");
    assert.equal((await made).status(), 200);
    await page.locator("[aria-label=playing]").waitFor();
    await page.getByRole("button", { name: "Clear filters" }).click();
    await page.getByRole("row").nth(3).waitFor();
  });
  await does("filters, and says when nothing passes", async () => {
    await page.getByLabel("Words of the name").fill("dropped");
    await page.getByText("1 sound", { exact: true }).waitFor();
    await page.getByLabel("Tempo").fill("999");
    await page.getByText("Nothing passes these filters").waitFor();
    await page.getByLabel("Tempo").fill("nonsense");
    await page.getByRole("alert").waitFor();
    await page.getByRole("button", { name: "Clear filters" }).click();
    await page.getByRole("row").nth(3).waitFor();
  });
  await does("sorts by a column, and back", async () => {
    const inOrder = (way) =>
      page.waitForFunction((way) => {
        const said = [...document.querySelectorAll(".scroller .row > span:nth-child(8)")].map((cell) => parseFloat(cell.textContent));
        return said.length > 3 && said.every((length, n) => n === 0 || way * (length - said[n - 1]) >= 0);
      }, way);
    for (const [order, way] of [["ascending", 1], ["descending", -1]]) {
      await page.getByRole("button", { name: "Length" }).click();
      await page.locator(`[aria-sort="${order}"]`).waitFor();
      await inOrder(way);
    }
    await page.getByRole("button", { name: "Length" }).click();
    await page.locator('[aria-sort="descending"]').waitFor({ state: "detached" });
  });
  await does("keeps a star, a tag and a correction, and finds by them", async () => {
    await page.getByLabel("Words of the name").fill("dropped");
    await page.getByText("1 sound", { exact: true }).waitFor();
    await page.locator(".scroller").focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "☆ favourite" }).click();
    await page.getByRole("button", { name: "★ favourite" }).waitFor();
    await page.getByLabel("Tags, with commas between").fill("Dusty");
    await page.getByLabel("Its tempo is").fill("555.5");
    await page.getByRole("button", { name: "Keep" }).click();
    await page.getByText("Kept.").waitFor();
    await page.goto(`${base}/?bpm=555.5`);
    await page.getByText("1 sound", { exact: true }).waitFor();
    await page.locator(".row .tag", { hasText: "dusty" }).waitFor();
    await page.getByLabel("Your tag").selectOption("dusty");
    await page.getByLabel("only favourites").check();
    await page.getByText("1 sound", { exact: true }).waitFor();
    await page.getByLabel("also half and double time").check();
    await page.getByText("1 sound", { exact: true }).waitFor();
    await shot("found");
    await accessible("found");
    await page.getByRole("button", { name: "Clear filters" }).click();
    await page.getByRole("row").nth(3).waitFor();
  });
  await does("opens a sound and finds what is like it", async () => {
    await page.locator(".scroller").focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Sounds like this" }).waitFor();
    await page.locator(".similar li").first().waitFor();
    await page.getByRole("slider", { name: "timbre" }).fill("0");
    await page.locator(".similar li").first().waitFor();
    for (const mode of ["like this, but unlike each other", "sounds like this"]) {
      await page.getByLabel("Find what").selectOption(mode);
      await page.locator(".similar li").first().waitFor();
    }
    await page.waitForLoadState("networkidle");
    await shot("sample");
    await accessible("sample");
  });
  await does("finds what goes with a loop", async () => {
    await page.goto(`${base}/?kind=loop&text=house`);
    await page.getByRole("row").nth(1).waitFor();
    await page.locator(".scroller").focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.getByLabel("Find what").selectOption("goes with this");
    await page.locator(".similar li small").first().waitFor();
    await shot("fits");
  });
  await does("finds what sounds like a file, and like a recording", async () => {
    await page.getByRole("link", { name: "Library" }).click();
    await page.getByLabel("Search by a file").setInputFiles({ name: "hummed.wav", mimeType: "audio/wav", buffer: tone(330) });
    await page.getByRole("heading", { name: "hummed.wav" }).waitFor();
    await page.locator(".similar li").first().waitFor();
    await page.getByRole("link", { name: "Library" }).click();
    await page.getByRole("button", { name: "● a recording" }).click();
    await page.getByText("Hum, tap or play it").waitFor();
    await page.waitForTimeout(1500); // of the browser's own beeps
    await page.getByRole("button", { name: "■ stop and search" }).click();
    await page.getByRole("heading", { name: /^recording/ }).waitFor();
    await page.locator(".similar li").first().waitFor();
    await page.getByRole("link", { name: "Library" }).click();
    await page.getByLabel("Search by a file").setInputFiles({ name: "notes.wav", mimeType: "audio/wav", buffer: Buffer.from("no sound at all") });
    await page.getByText("not an audio file").waitFor();
  });
  await does("shows the library as a map, and lists what lies there", async () => {
    await page.getByRole("link", { name: "Map" }).click();
    await page.getByText(/^\d+ sounds; /).waitFor();
    await page.getByLabel("Colour").selectOption("key");
    const sheet = page.getByRole("application");
    await sheet.focus();
    await page.keyboard.press("Enter");
    await page.locator(".map aside li").nth(20).waitFor();
    await shot("map");
    await accessible("map");
    await page.locator(".map aside li a").first().click();
    await page.getByRole("heading", { name: "Sounds like this" }).waitFor();
  });
  await does("says what is wrong with a job's files, and saves them", async () => {
    await page.getByRole("link", { name: "Jobs" }).click();
    await page.getByRole("button", { name: "What is wrong?" }).last().click();
    await page.getByText("nothing wrong with them").waitFor();
    const saved = page.waitForEvent("download");
    await page.getByLabel(/^Save what was found/).last().selectOption("parquet");
    assert.match((await saved).suggestedFilename(), /^job-.*\.parquet$/);
    await shot("report");
    await accessible("report");
  });
  await does("tries again what failed, by cause", async () => {
    await page.getByRole("link", { name: "Failed" }).click();
    await page.getByText("Which files").first().click();
    await page.getByText("./samplemind analyze").first().waitFor();
    await shot("failed-files");
    await accessible("failed");
    await page.getByRole("button", { name: /^Try (it|all of these) again$/ }).first().click();
    await page.getByRole("link", { name: "Watch it" }).click();
    await page.locator(".job").first().getByText("complete", { exact: true }).waitFor();
  });
  await does("shows the cluster, and makes and revokes a key", async () => {
    await page.getByRole("link", { name: "Cluster" }).click();
    await page.getByText("Every part works.").waitFor();
    await page.getByText(/\d files\/s/).waitFor();
    await shot("cluster");
    await accessible("cluster");
    await page.getByLabel("Name of a new key").fill("first");
    await page.getByRole("button", { name: "Make a key" }).click();
    await page.getByText("Copy it now").waitFor();
    page.once("dialog", (dialog) => dialog.accept());
    await page.getByRole("button", { name: "Revoke first" }).click();
    await page.getByText("There is none: whoever reaches").waitFor();
  });
  await does("works at 320 pixels and on a large screen", async () => {
    for (const width of [320, 3840]) {
      await page.setViewportSize({ width, height: 800 });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      assert.ok(wide <= 0, `${wide} px too wide at ${width}`);
    }
    await page.setViewportSize({ width: 1360, height: 800 });
  });
  await does("lists, filters, likens and corrects with the server gone, and sends it later", async () => {
    await page.goto(base);
    await page.evaluate(() => navigator.serviceWorker.ready);
    await page.getByRole("row").nth(3).waitFor();
    await page.waitForFunction(keeps, 10); // sounds, with what they are compared by
    await context.setOffline(true);
    await page.reload();
    await page.getByText("The gateway does not answer").waitFor();
    await page.getByRole("row").nth(3).waitFor();
    await page.getByLabel("Words of the name").fill("dropped");
    await page.getByText("1 sound", { exact: true }).waitFor();
    await page.locator(".scroller").focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "dropped.wav" }).waitFor();
    await page.locator(".similar li").first().waitFor();
    await page.getByLabel("Tags, with commas between").fill("said offline");
    await page.getByRole("button", { name: "Keep" }).click();
    await page.getByText("Kept in this browser").waitFor();
    await page.getByText("waits here to be sent").waitFor();
    await shot("offline");
    await context.setOffline(false);
    await page.locator(".away").waitFor({ state: "detached" });
    const { tags } = await (await fetch(`${base}/v1/samples/tags`)).json();
    assert.equal(tags["said offline"], 1);
  });
  assert.deepEqual(foreign, [], "asks somebody else");
  assert.deepEqual(complaints, []);
} catch (error) {
  if (shots) await page.screenshot({ path: `${shots}/failed.png` });
  console.error(`FAILED ${step}\n${error.stack ?? error}\n${complaints.join("\n")}`);
  process.exitCode = 1;
} finally {
  await browser.close();
}

/** In the page: whether its database has so many sounds that can be compared. */
function keeps(least) {
  return new Promise((told) => {
    const asked = indexedDB.open("samplemind");
    asked.onerror = () => told(false);
    asked.onsuccess = () => {
      const names = asked.result.objectStoreNames;
      if (!names.contains("directions")) return (asked.result.close(), told(false));
      const count = asked.result.transaction("directions").objectStore("directions").count();
      count.onsuccess = () => (asked.result.close(), told(count.result >= least));
    };
  });
}

/** A second of an A with a decay, as a WAV file. */
function tone(hz = 440) {
  const sr = 22050;
  const wav = Buffer.alloc(44 + 2 * sr);
  wav.write("RIFF", 0);
  wav.writeUInt32LE(36 + 2 * sr, 4);
  wav.write("WAVEfmt ", 8);
  [16, 0x10001, sr, 2 * sr, 0x100002].forEach((value, n) => wav.writeUInt32LE(value, 16 + 4 * n));
  wav.write("data", 36);
  wav.writeUInt32LE(2 * sr, 40);
  for (let n = 0; n < sr; n++) wav.writeInt16LE(Math.round(12000 * Math.sin((2 * Math.PI * hz * n) / sr) * Math.exp((-4 * n) / sr)), 44 + 2 * n);
  return wav;
}
