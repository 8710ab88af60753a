// Builds the pages' scripts and styles into static/dist, which Django finds through dist/manifest.json.
// One entry per page; what two pages share becomes a chunk of its own.
import { defineConfig } from "vite";

export default defineConfig({
  base: "/static/",
  publicDir: "icons",
  build: {
    outDir: "dist",
    emptyOutDir: true,
    manifest: "manifest.json",
    target: "es2022",
    // Kept as written: light-dark() and nesting are understood by every browser the portal supports.
    cssTarget: ["chrome123", "firefox121", "safari17.5"],
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rolldownOptions: {
      input: {
        portal: "css/portal.css",
        terminal_style: "css/terminal.css",
        terminal: "src/pages/terminal.ts",
        quality: "src/pages/quality.ts",
        queue: "src/pages/queue.ts",
        order: "src/pages/order.ts",
        notifications: "src/pages/notifications.ts",
        account: "src/pages/account.ts",
        watchlists: "src/pages/watchlists.ts",
        instrument: "src/pages/instrument.ts",
        calendar: "src/pages/calendar.ts",
        plain: "src/pages/plain.ts",
      },
    },
  },
  test: { include: ["tests/**/*.test.ts"], environment: "node" },
} as Parameters<typeof defineConfig>[0] & { test: object });
