import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";
import { sourceVersion } from "./scripts/support/source-version.mjs";

/**
 * In development the page registers the service worker as a module from /src/sw/main.ts. The header lets it
 * control the whole origin. Constants are globals in development, and only pages and workers get them from
 * Vite by themselves.
 */
function serviceWorkerInDevelopment(): Plugin {
  return {
    name: "hearth:service-worker-in-development",
    apply: "serve",
    config: () => ({
      define: { "self.__WB_MANIFEST": "[]" },
      server: { headers: { "Service-Worker-Allowed": "/" } },
      // The service worker and the worker are found by their addresses alone: when Vite comes upon their packages
      // only as they load, it loads the page again, under the hands of whoever uses it.
      optimizeDeps: { entries: ["index.html", "src/sw/main.ts", "src/worker-roomserver/main.ts"] },
    }),
    transform: {
      filter: { id: /\/src\/sw\/main\.ts$/ },
      handler: (code) => ({ code: `import "/@vite/env";${code}`, map: null }),
    },
  };
}

/**
 * In development Vite puts styles into the page as it goes, which the page's policy forbids. The hashes have to go
 * as well: with one, browsers take no notice of 'unsafe-inline'.
 */
function stylesInDevelopment(): Plugin {
  return {
    name: "hearth:styles-in-development",
    apply: "serve",
    transformIndexHtml: (html) => html.replace(/style-src [^;]*/, "style-src 'self' 'unsafe-inline'"),
  };
}

export default defineConfig(async ({ command }) => ({
  // Relative addresses: the folder may lie under any path of any host.
  base: "./",
  define: {
    __HEARTH_VERSION__: JSON.stringify(command === "build" ? await sourceVersion() : "development"),
  },
  plugins: [react(), serviceWorkerInDevelopment(), stylesInDevelopment()],
  build: { target: "es2023", assetsInlineLimit: 0, reportCompressedSize: false, chunkSizeWarningLimit: 2000 },
  worker: {
    format: "es" as const,
    rolldownOptions: {
      output: {
        // The build tells by these names what is loaded before the homeserver is there, for its size; what only some
        // requests need comes later.
        entryFileNames: "assets/worker-[name]-[hash].js",
        chunkFileNames: ({ isDynamicEntry }: { isDynamicEntry: boolean }) =>
          isDynamicEntry ? "assets/later-[name]-[hash].js" : "assets/worker-[name]-[hash].js",
      },
    },
  },
}));
