// The operators' queue, asked for anew every few seconds: rows keep their identity, so a reason that is being written for
// a cancel stays where it is.
import { element, find, pageData, setClass, setText } from "../core/dom";
import { getJson } from "../core/request";
import { KeyedTable, type Column } from "../elements/keyed_table";
import { startLivePage } from "../elements/live_page";
import { startShell } from "../elements/shell";

interface Row {
  id: string;
  account: string;
  owner: string;
  symbol: string;
  side: "BUY" | "SELL";
  side_word: string;
  type: string;
  left: string;
  limit: string;
  stop: string;
  status: string;
  age: string;
  ahead: string;
  url: string;
  cancel_url: string;
}

const ASK_MILLISECONDS = 4_000;
const page = pageData<{ rows: Row[] }>();

function text(name: keyof Row, className = ""): Column<Row> {
  return { className, make: () => null, paint: (cell, row) => setText(cell, row[name]) };
}

/** The form of each row is the server's, which the page holds once for this. */
const sample = document.querySelector<HTMLElement>("[data-part=sample] details");

function withdraw(row: Row): HTMLElement | null {
  if (!sample) return null;
  const details = sample.cloneNode(true) as HTMLDetailsElement;
  const form = find<HTMLFormElement>(details, "form");
  form.setAttribute("action", row.cancel_url);
  return details;
}

const COLUMNS: Column<Row>[] = [
  text("age"),
  text("account"),
  text("owner"),
  {
    className: "",
    isHeading: true,
    make: (row) => element("a", { class: "row-link", href: row.url }),
    paint: (link, row) => setText(link, row.symbol),
  },
  {
    className: "",
    make: () => element("span"),
    paint: (node, row) => {
      setClass(node, `side ${row.side.toLowerCase()}`);
      setText(node, row.side_word);
    },
  },
  text("type"),
  text("left", "num"),
  text("limit", "num"),
  text("stop", "num"),
  text("status"),
  text("ahead", "num"),
  { className: "act", make: withdraw, paint: () => undefined },
];

const table = new KeyedTable<Row>(find<HTMLTableElement>(document, "#queue"), COLUMNS, (row) => row.id);

function show(rows: Row[], total: number): void {
  table.paint(rows);
  setText(find(document, "[data-field=total]"), String(total));
  find(document, "[data-part=empty]").hidden = rows.length > 0;
}

async function refresh(): Promise<void> {
  if (document.hidden) return;
  const answer = await getJson<{ rows: Row[]; total: number }>(location.pathname, Object.fromEntries(new URLSearchParams(location.search)));
  if (answer.kind === "ok") show(answer.data.rows, answer.data.total);
}

startShell();
startLivePage({ onBack: () => void refresh() });
show(page.rows, Number(find(document, "[data-field=total]").textContent));
setInterval(() => void refresh(), ASK_MILLISECONDS);
