// The watchlist: last price, change, best bid and ask of every instrument, or of a chosen list in its order; a click
// chooses one without leaving the page. Only rows in sight are followed.
import { announce } from "../core/announcer";
import { desk, showPanelState } from "../core/desk";
import { element, field, find, setAttribute, setClass, setText } from "../core/dom";
import { fixed, percentChange } from "../core/format";
import { t } from "../core/messages";
import { sidePrice } from "../core/prices";
import { getJson } from "../core/request";
import { paintChange } from "./price_change";
import { toast } from "./shell";
import { VisibleRows } from "./visible";

export { paintChange } from "./price_change";

const PAINT_MILLISECONDS = 250;
const ANY_LIST = "00000000-0000-0000-0000-000000000000";

interface Row {
  node: HTMLElement;
  last: HTMLElement;
  bid: HTMLElement;
  ask: HTMLElement;
  change: HTMLElement;
}

/** The address of the terminal with this instrument, and the list that is open. */
function addressOf(symbol: string): string {
  const query = new URLSearchParams(location.search);
  query.set("symbol", symbol);
  return `?${query}`;
}

export function chooseInstrument(symbol: string): void {
  history.pushState({ symbol }, "", addressOf(symbol));
  desk().select(symbol);
}

export class Watchlist extends HTMLElement {
  private readonly rows = new Map<string, Row>();
  private readonly dirty = new Set<string>();
  private readonly inSight = new Set<string>();
  private readonly visible = new VisibleRows((came, left) => this.sightChanged(came, left));
  private mark: () => void = () => undefined;
  private asked = "";

  connectedCallback(): void {
    this.mark = desk().scheduler.register(() => this.paint(), PAINT_MILLISECONDS);
    for (const node of this.querySelectorAll<HTMLElement>("tr[data-symbol]")) this.take(node, node.dataset.symbol ?? "");
    desk().onConnection(() => {
      for (const symbol of this.inSight) this.dirty.add(symbol); // time alone makes a price old
      this.mark();
    });
    desk().onSymbol(() => this.showCurrent());
    this.addEventListener("click", (event) => this.choose(event));
    find(this, ".filter").addEventListener("input", (event) => this.filter((event.target as HTMLInputElement).value));
    const choice = this.querySelector<HTMLSelectElement>(".list-choice select");
    choice?.addEventListener("change", () => void this.open(choice));
  }

  private take(node: HTMLElement, symbol: string): Row {
    const row = { node, last: field(node, "last"), bid: field(node, "bid"), ask: field(node, "ask"), change: field(node, "change") };
    this.rows.set(symbol, row);
    this.visible.watch(node, symbol);
    const touched = () => {
      this.dirty.add(symbol);
      this.mark();
    };
    desk().store.watch(`quote:${symbol}`, touched);
    desk().store.watch(`bar:${symbol}:1Min`, touched);
    return row;
  }

  /** A row as the server draws one, for an instrument that the page's list did not have. */
  private make(symbol: string): Row {
    const part = (name: string) => element("span", { "data-field": name });
    const link = element("a", { href: addressOf(symbol) }, symbol);
    const name = element("span", { class: "sub" }, desk().instruments.get(symbol)?.name ?? "");
    const pair = element("span", { class: "sub quote-pair" }, part("bid"), " / ", part("ask"));
    const node = element(
      "tr",
      { "data-symbol": symbol },
      element("th", { scope: "row" }, link, name),
      element("td", { class: "num" }, part("last"), pair),
      element("td", { class: "num" }, part("change")),
    );
    return this.take(node, symbol);
  }

  private sightChanged(came: string[], left: string[]): void {
    for (const symbol of came) {
      this.inSight.add(symbol);
      this.dirty.add(symbol);
    }
    for (const symbol of left) this.inSight.delete(symbol);
    desk().followPrices(came, left);
    this.mark();
  }

  private async open(choice: HTMLSelectElement): Promise<void> {
    const id = choice.value;
    this.asked = id;
    let symbols = [...desk().instruments.keys()];
    if (id) {
      const answer = await getJson<{ symbols: string[] }>(desk().page.urls.watchlist.replace(ANY_LIST, id), {});
      if (this.asked !== id) return;
      if (answer.kind !== "ok") {
        toast(t("watch.failed", { reason: answer.kind === "refused" ? answer.refusal.message : answer.message }), "", "error");
        return;
      }
      symbols = answer.data.symbols.filter((symbol) => desk().instruments.has(symbol));
    }
    const query = new URLSearchParams(location.search);
    if (id) query.set("list", id);
    else query.delete("list");
    history.replaceState(history.state, "", `?${query}${location.hash}`);
    this.show(symbols);
    announce(t("watch.shown", { name: choice.selectedOptions[0]?.text ?? "", count: symbols.length }));
  }

  private show(symbols: string[]): void {
    const nodes = symbols.map((symbol) => (this.rows.get(symbol) ?? this.make(symbol)).node);
    const empty = element("tr", {}, element("td", { colspan: "3", class: "empty" }, t("watch.empty")));
    find(this, "tbody").replaceChildren(...(nodes.length > 0 ? nodes : [empty]));
    this.filter(find<HTMLInputElement>(this, ".filter").value);
    this.showCurrent();
    for (const symbol of symbols) this.dirty.add(symbol);
    this.mark();
  }

  private choose(event: MouseEvent): void {
    const link = (event.target as Element).closest("tbody a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    const symbol = link.closest<HTMLElement>("tr")?.dataset.symbol;
    if (!symbol) return;
    chooseInstrument(symbol);
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
    const first = this.inSight.values().next().value ?? desk().symbol;
    showPanelState(this, desk().panelState(`quote:${first}`, true));
  }

  private paintRow(symbol: string): void {
    const row = this.rows.get(symbol);
    if (!row) return;
    const digits = desk().digits(symbol);
    const quote = desk().quote(symbol);
    const last = desk().last(symbol);
    setText(row.last, fixed(last, digits));
    setText(row.bid, fixed(sidePrice(quote?.bid), digits));
    setText(row.ask, fixed(sidePrice(quote?.ask), digits));
    const isStale = desk().shownStanding(symbol) === "stale";
    setAttribute(row.node, "data-standing", isStale ? "stale" : null);
    if (isStale) {
      setClass(row.change, "flat");
      return setText(row.change, t("price.stale"));
    }
    const change = percentChange(desk().instruments.get(symbol)?.previous_close, last);
    paintChange(row.change, change, 2);
  }
}
