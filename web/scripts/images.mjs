// Icons and pictures from their sources in art/: PNG where a manifest wants it, WebP and AVIF for pages.
import { copyFile, mkdir, readdir } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import sharp from "sharp";

const art = new URL("../art/", import.meta.url).pathname;
const icons = new URL("../public/icons/", import.meta.url).pathname;
const pictures = new URL("../public/pictures/", import.meta.url).pathname;
const GROUND = "#0b0d14";
const SAFE = 0.62; // of a maskable icon this much is always seen

await mkdir(icons, { recursive: true });
await mkdir(pictures, { recursive: true });
const icon = join(art, "icon.svg");
await copyFile(icon, join(icons, "icon.svg"));
for (const size of [192, 512]) await sharp(icon, { density: 1200 }).resize(size, size).png().toFile(join(icons, `icon-${size}.png`));
const inner = await sharp(icon, { density: 1200 }).resize(Math.round(512 * SAFE)).png().toBuffer();
await sharp({ create: { width: 512, height: 512, channels: 4, background: GROUND } })
  .composite([{ input: inner }])
  .png()
  .toFile(join(icons, "icon-maskable-512.png"));

for (const name of await readdir(art)) {
  if (![".png", ".jpg"].includes(extname(name))) continue;
  const picture = sharp(join(art, name));
  await picture.clone().webp({ quality: 80 }).toFile(join(pictures, `${basename(name, extname(name))}.webp`));
  await picture.clone().avif({ quality: 55 }).toFile(join(pictures, `${basename(name, extname(name))}.avif`));
}
