// Fails the build when a page asks a browser to load more than its budget (brotli, first load): what the entry and
// everything that it imports weigh, and all styles together.
import { readFileSync } from "node:fs";
import { brotliCompressSync } from "node:zlib";

const KILOBYTE = 1024;
const BUDGETS = {
  "src/pages/terminal.ts": 130,
  "src/pages/order.ts": 15,
  "src/pages/queue.ts": 15,
  "src/pages/notifications.ts": 15,
  "src/pages/watchlists.ts": 20,
  "src/pages/instrument.ts": 20,
  "src/pages/calendar.ts": 15,
  "src/pages/account.ts": 15,
  "src/pages/plain.ts": 15,
};
const STYLES_BUDGET = 20;

const dist = new URL("../dist/", import.meta.url);
const manifest = JSON.parse(readFileSync(new URL("manifest.json", dist), "utf8"));

function weigh(file) {
  return brotliCompressSync(readFileSync(new URL(file, dist))).length / KILOBYTE;
}

function chunksOf(name, seen = new Set()) {
  if (seen.has(name)) return seen;
  seen.add(name);
  for (const imported of manifest[name].imports ?? []) chunksOf(imported, seen);
  return seen;
}

let isOver = false;
function report(name, size, budget) {
  const over = size > budget;
  isOver ||= over;
  console.log(`${over ? "OVER" : "ok  "} ${size.toFixed(1).padStart(6)} of ${budget} KB  ${name}`);
}

for (const [entry, budget] of Object.entries(BUDGETS)) {
  const size = [...chunksOf(entry)].reduce((sum, name) => sum + weigh(manifest[name].file), 0);
  report(entry, size, budget);
}
const styles = Object.values(manifest).filter(({ file }) => file.endsWith(".css"));
report("styles", styles.reduce((sum, { file }) => sum + weigh(file), 0), STYLES_BUDGET);
process.exitCode = isOver ? 1 : 0;
