// Recent trades of the chosen instrument, newest on top, with the aggressor's side as a glyph and a colour.
import { desk, showPanelState } from "../core/desk";
import { element, find, setClass, setText } from "../core/dom";
import { fixed, plain, timeOfDay } from "../core/format";
import type { Trade } from "../core/protocol";

const PAINT_MILLISECONDS = 100;
const MOST_ROWS = 30;

interface Row {
  node: HTMLElement;
  time: HTMLElement;
  glyph: HTMLElement;
  price: HTMLElement;
  priceCell: HTMLElement;
  size: HTMLElement;
}

function makeRow(): Row {
  const time = element("td");
  const glyph = element("span", { class: "glyph", "aria-hidden": "true" });
  const price = element("span");
  const priceCell = element("td", { class: "num" }, glyph, price);
  const size = element("td", { class: "num" });
  return { node: element("tr", {}, time, priceCell, size), time, glyph, price, priceCell, size };
}

export class Tape extends HTMLElement {
  private readonly rows: Row[] = [];
  private symbol = desk().symbol;
  private unwatch: () => void = () => undefined;
  private mark: () => void = () => undefined;

  connectedCallback(): void {
    // The server's rows stay until the first trades arrive.
    this.mark = desk().scheduler.register(() => this.paint(), PAINT_MILLISECONDS);
    desk().onConnection(this.mark);
    desk().onSymbol(() => this.follow());
    this.follow();
  }

  private follow(): void {
    this.unwatch();
    if (this.symbol !== desk().symbol) {
      this.symbol = desk().symbol;
      this.rows.length = 0;
      find(this, "tbody").replaceChildren();
    }
    this.unwatch = desk().store.watch(`trade:${desk().symbol}`, this.mark);
    this.mark();
  }

  private paint(): void {
    const topic = `trade:${desk().symbol}`;
    const trades = desk().store.data<{ trades: Trade[] }>(topic)?.trades.slice(0, MOST_ROWS) ?? [];
    const body = find(this, "tbody");
    if (this.rows.length === 0 && trades.length > 0) body.replaceChildren();
    while (this.rows.length < trades.length) {
      const row = makeRow();
      this.rows.push(row);
      body.append(row.node);
    }
    while (this.rows.length > trades.length) this.rows.pop()?.node.remove();
    const digits = desk().digits(desk().symbol);
    trades.forEach((trade, index) => this.paintRow(this.rows[index] as Row, trade, digits));
    showPanelState(this, desk().panelState(topic, trades.length > 0));
  }

  private paintRow(row: Row, trade: Trade, digits: number): void {
    setText(row.time, timeOfDay(trade.t));
    setText(row.glyph, trade.side === "BUY" ? "▲" : "▼");
    setText(row.price, fixed(trade.price, digits));
    setClass(row.priceCell, trade.side === "BUY" ? "num up" : "num down");
    setText(row.size, plain(trade.size));
  }
}
