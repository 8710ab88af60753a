// The operators' page of market data, asked for anew every two seconds: rows keep their identity, so a selection stays.
import { element, find, pageData, setText } from "../core/dom";
import { getJson } from "../core/request";
import { KeyedTable, type Column } from "../elements/keyed_table";
import { startLivePage } from "../elements/live_page";
import { startShell } from "../elements/shell";

/** A row as the server words it: texts, and numbers where something is drawn. */
type Row = Record<string, string | number>;

interface Quality {
  feeds: Row[] | null;
  holes: Row[];
  jobs: Row[];
  hole_count: number;
}

const ASK_MILLISECONDS = 2_000;

function text(name: string, className = ""): Column<Row> {
  return { className, make: () => null, paint: (cell, row) => setText(cell, String(row[name])) };
}

function heading(name: string): Column<Row> {
  return { ...text(name), isHeading: true };
}

/** A text with a smaller one beside it. */
function withNote(name: string, note: string, className: string, isHeading = false): Column<Row> {
  return {
    className,
    isHeading,
    make: () => {
      const cell = element("span");
      cell.append(element("span"), " ", element("span", { class: "sub" }));
      return cell;
    },
    paint: (cell, row) => {
      setText(cell.children[0] as HTMLElement, String(row[name]));
      setText(cell.children[1] as HTMLElement, String(row[note]));
    },
  };
}

/** A state as a tag, with its error beside it. */
function state(): Column<Row> {
  const column = withNote("word", "error", "wrap");
  return {
    ...column,
    paint: (cell, row) => {
      column.paint(cell, row);
      const tag = cell.children[0] as HTMLElement;
      tag.className = "tag";
      tag.dataset.level = String(row.level);
    },
  };
}

function progress(): Column<Row> {
  return {
    className: "",
    make: () => {
      const cell = element("span", { class: "limit-use" });
      cell.append(element("progress", { "aria-label": labelOf("jobs", 3) }), " ", element("span"));
      return cell;
    },
    paint: (cell, row) => {
      const bar = cell.children[0] as HTMLProgressElement;
      bar.max = Math.max(1, Number(row.steps));
      bar.value = Number(row.done);
      setText(cell.children[1] as HTMLElement, String(row.progress));
    },
  };
}

function tableOf(id: string): HTMLTableElement {
  return find<HTMLTableElement>(document, `#${id}`);
}

function labelOf(id: string, place: number): string {
  return tableOf(id).tHead?.rows[0]?.cells[place]?.textContent ?? "";
}

const feeds = new KeyedTable<Row>(
  tableOf("feeds"),
  [withNote("name", "adapter", "", true), state(), text("age", "num"), text("rate", "num"), text("messages", "num"), text("gaps", "num"), text("reconnects", "num"), withNote("refused", "reasons", "num"), text("follows", "num")],
  (row) => String(row.name),
);
const holes = new KeyedTable<Row>(
  tableOf("holes"),
  [heading("symbol"), text("timeframe"), text("start"), text("end"), text("length", "num")],
  (row) => String(row.id),
);
const jobs = new KeyedTable<Row>(
  tableOf("jobs"),
  [heading("symbol"), text("kind"), state(), progress(), text("rows", "num"), text("refused", "num"), withNote("what", "feed", "wrap"), text("age")],
  (row) => String(row.id),
);

function part(name: string): HTMLElement {
  return find(document, `[data-part=${name}]`);
}

function show(quality: Quality): void {
  part("unknown").hidden = quality.feeds !== null;
  part("feeds").hidden = quality.feeds === null;
  part("no-feeds").hidden = quality.feeds === null || quality.feeds.length > 0;
  feeds.paint(quality.feeds ?? []);
  holes.paint(quality.holes);
  part("no-holes").hidden = quality.holes.length > 0;
  setText(find(document, "[data-field=hole_count]"), String(quality.hole_count));
  jobs.paint(quality.jobs);
  part("no-jobs").hidden = quality.jobs.length > 0;
}

async function refresh(): Promise<void> {
  if (document.hidden) return;
  const answer = await getJson<Quality>(location.pathname, {});
  if (answer.kind === "ok") show(answer.data);
}

startShell();
startLivePage({ onBack: () => void refresh() });
show(pageData<Quality>());
setInterval(() => void refresh(), ASK_MILLISECONDS);
