import preact from "@preact/preset-vite";
import { visualizer } from "rollup-plugin-visualizer";
import { defineConfig, type Plugin } from "vite";
import { VitePWA } from "vite-plugin-pwa";

const DAY_S = 24 * 60 * 60;

/** Preload the one font file that the first view needs: it is shown a round trip sooner. */
function preloadFont(): Plugin {
  return {
    name: "preload-font",
    transformIndexHtml: {
      order: "post",
      handler(_html, context) {
        const font = Object.keys(context.bundle ?? {}).find((name) => /latin-wght-normal.*\.woff2$/.test(name) && !name.includes("ext"));
        if (!font) return [];
        const attrs = { rel: "preload", as: "font", type: "font/woff2", href: `/${font}`, crossorigin: "" };
        return [{ tag: "link", attrs, injectTo: "head" }];
      },
    },
  };
}

export default defineConfig({
  plugins: [
    preact(),
    preloadFont(),
    VitePWA({
      registerType: "autoUpdate",
      injectRegister: false,
      includeAssets: ["icons/*"],
      manifest: {
        name: "SampleMind",
        short_name: "SampleMind",
        description: "Your sample library: tempo, key, note and sound of every file.",
        display: "standalone",
        start_url: "/",
        background_color: "#0b0d14",
        theme_color: "#0b0d14",
        icons: [
          { src: "/icons/icon-192.png", sizes: "192x192", type: "image/png" },
          { src: "/icons/icon-512.png", sizes: "512x512", type: "image/png" },
          { src: "/icons/icon-maskable-512.png", sizes: "512x512", type: "image/png", purpose: "maskable" },
        ],
      },
      workbox: {
        globPatterns: ["**/*.{js,css,html,svg}", "**/inter-latin-wght-normal-*.woff2"],
        navigateFallback: "/index.html",
        navigateFallbackDenylist: [/^\/(v1|docs|openapi\.json|health|ready|metrics)/],
        cleanupOutdatedCaches: true,
        runtimeCaching: [
          {
            // Pictures of a sample never change: its id is its content.
            urlPattern: /\/v1\/samples\/[^/]+\/(waveform|spectrogram)/,
            handler: "CacheFirst",
            options: { cacheName: "pictures", expiration: { maxEntries: 2000, maxAgeSeconds: 30 * DAY_S } },
          },
          {
            // Sounds are kept in IndexedDB (src/offline), where they can be searched: an old answer must not pass for a new one.
            urlPattern: ({ url, request }) => url.pathname.startsWith("/v1/") && request.method === "GET" && !/\/(events|audio)$|\/exports\/|^\/v1\/samples(\/[^/]+)?$/.test(url.pathname),
            handler: "NetworkFirst",
            options: { cacheName: "api", networkTimeoutSeconds: 5, expiration: { maxEntries: 50, maxAgeSeconds: DAY_S } },
          },
        ],
      },
    }),
    visualizer({ filename: "dist-report/bundle.html", gzipSize: true, brotliSize: true }),
  ],
  build: { target: "es2022", sourcemap: false, assetsInlineLimit: 0 },
  server: { proxy: { "/v1": "http://127.0.0.1:8000", "/ready": "http://127.0.0.1:8000" } },
});
