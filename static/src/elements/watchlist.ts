// The watchlist: last price, change, best bid and ask of every instrument; a click chooses one without leaving the page.
import { desk, showPanelState } from "../core/desk";
import { field, find, setAttribute, setClass, setText } from "../core/dom";
import { direction, fixed, glyph, percentChange, signed } from "../core/format";
import { t } from "../core/messages";

const PAINT_MILLISECONDS = 250;

interface Row {
  node: HTMLElement;
  last: HTMLElement;
  bid: HTMLElement;
  ask: HTMLElement;
  change: HTMLElement;
}

export class Watchlist extends HTMLElement {
  private readonly rows = new Map<string, Row>();
  private readonly dirty = new Set<string>();

  connectedCallback(): void {
    for (const node of this.querySelectorAll<HTMLElement>("tr[data-symbol]")) {
      this.rows.set(node.dataset.symbol ?? "", {
        node,
        last: field(node, "last"),
        bid: field(node, "bid"),
        ask: field(node, "ask"),
        change: field(node, "change"),
      });
    }
    const { store, scheduler } = desk();
    const mark = scheduler.register(() => this.paint(), PAINT_MILLISECONDS);
    for (const symbol of this.rows.keys()) {
      const touched = () => {
        this.dirty.add(symbol);
        mark();
      };
      store.watch(`quote:${symbol}`, touched);
      store.watch(`bar:${symbol}:1Min`, touched);
    }
    desk().onConnection(mark);
    desk().onSymbol(() => this.showCurrent());
    this.addEventListener("click", (event) => this.choose(event));
    find(this, ".filter").addEventListener("input", (event) => this.filter((event.target as HTMLInputElement).value));
  }

  private choose(event: MouseEvent): void {
    const link = (event.target as Element).closest("a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    const symbol = link.closest<HTMLElement>("tr")?.dataset.symbol;
    if (!symbol) return;
    history.pushState({ symbol }, "", `?symbol=${encodeURIComponent(symbol)}`);
    desk().select(symbol);
    this.dispatchEvent(new CustomEvent("portal:chosen", { bubbles: true }));
  }

  private filter(typed: string): void {
    const wanted = typed.trim().toLowerCase();
    for (const [symbol, { node }] of this.rows) {
      const name = desk().instruments.get(symbol)?.name ?? "";
      node.hidden = wanted !== "" && !`${symbol} ${name}`.toLowerCase().includes(wanted);
    }
  }

  private showCurrent(): void {
    for (const [symbol, { node }] of this.rows) setAttribute(node, "aria-current", symbol === desk().symbol ? "true" : null);
  }

  private paint(): void {
    for (const symbol of this.dirty) this.paintRow(symbol);
    this.dirty.clear();
    const first = this.rows.keys().next().value;
    if (first !== undefined) showPanelState(this, desk().panelState(`quote:${first}`, true));
  }

  private paintRow(symbol: string): void {
    const row = this.rows.get(symbol);
    if (!row) return;
    const digits = desk().digits(symbol);
    const quote = desk().quote(symbol);
    const last = desk().last(symbol);
    setText(row.last, fixed(last, digits));
    setText(row.bid, fixed(quote?.bid, digits));
    setText(row.ask, fixed(quote?.ask, digits));
    const isStale = quote?.stale === true;
    setAttribute(row.node, "data-standing", isStale ? "stale" : null);
    if (isStale) {
      setClass(row.change, "flat");
      return setText(row.change, t("price.stale"));
    }
    const change = percentChange(desk().instruments.get(symbol)?.previous_close, last);
    paintChange(row.change, change, 2);
  }
}

/** A signed change with its glyph; the glyph is for eyes, the sign is for everyone. */
export function paintChange(node: HTMLElement, change: ReturnType<typeof percentChange>, digits: number, unit = ""): void {
  let [mark, text] = node.querySelectorAll<HTMLElement>(":scope > span");
  if (!mark || !text) {
    mark = document.createElement("span");
    mark.setAttribute("aria-hidden", "true");
    mark.className = "glyph";
    text = document.createElement("span");
    text.className = "value";
    node.replaceChildren(mark, text);
  }
  setClass(node, change ? direction(change.sign) : "flat");
  setText(mark, change ? glyph(change.sign) : "");
  setText(text, signed(change, digits) + (change ? unit : ""));
}
