// The depth ladder: ten, twenty or fifty asks over as many bids, with size bars and running totals, put together by a step
// of price if wanted (out of all fifty levels that are told), own orders marked at their price. Arrow keys move along it, Enter or a click puts the row's price into the ticket;
// nothing is ever sent from here.
import { workingByPrice } from "../core/account";
import { Decimal } from "../core/decimal";
import { desk, showPanelState } from "../core/desk";
import { element, field, find, setAttribute, setText } from "../core/dom";
import { fixed, plain } from "../core/format";
import { STEPS_IN_TICKS, groupOwn, wholeGroups } from "../core/grouping";
import type { Ladder as Depth } from "../core/ladders";
import { t } from "../core/messages";
import { sidePrice } from "../core/prices";
import type { Level } from "../core/protocol";

const PAINT_MILLISECONDS = 80;
/** Levels of each side that are told (marketdata/domain/ladders.py). */
const MOST_LEVELS = 50;
/** So many rows a side fit into the panel; more are scrolled through. */
const FITTING_ROWS = 10;

interface Row {
  node: HTMLElement;
  mine: HTMLElement;
  price: HTMLElement;
  size: HTMLElement;
  total: HTMLElement;
  shownPrice: string | null;
}

export class Ladder extends HTMLElement {
  private asks: Row[] = [];
  private bids: Row[] = [];
  private rows: Row[] = [];
  /** How levels are put together; zero shows each as it is. */
  private step = Decimal.ZERO;
  private unwatch: () => void = () => undefined;
  private mark: () => void = () => undefined;

  connectedCallback(): void {
    this.takeRows();
    this.mark = desk().scheduler.register(() => this.paint(), PAINT_MILLISECONDS);
    desk().store.watch(desk().accountTopic, this.mark);
    desk().onConnection(this.mark);
    desk().onSymbol(() => this.follow());
    find(this, "[data-group]").addEventListener("change", (event) => this.group((event.target as HTMLSelectElement).value));
    find(this, "[data-levels]").addEventListener("change", (event) => this.showLevels(Number((event.target as HTMLSelectElement).value)));
    this.addEventListener("click", (event) => this.chooseFrom(event.target as Element));
    this.addEventListener("keydown", (event) => this.key(event));
    this.follow();
  }

  /** Asks are listed from the far level to the best one; index 0 is the best on both sides. */
  private takeRows(): void {
    this.asks = this.rowsOf("ASK").reverse();
    this.bids = this.rowsOf("BID");
    this.rows = [...this.asks.toReversed(), ...this.bids].filter((row) => getComputedStyle(row.node).display !== "none");
    this.asks[0]?.node.setAttribute("tabindex", "0");
  }

  /** As many rows a side; the spread stays in the middle of what is seen. */
  private showLevels(count: number): void {
    this.toggleAttribute("data-deep", count > FITTING_ROWS);
    const [farAsk, farBid] = [this.asks.at(-1)?.node, this.bids.at(-1)?.node];
    for (let more = count - this.asks.length; farAsk && farBid && more > 0; more -= 1) {
      farAsk.before(farAsk.cloneNode(true));
      farBid.after(farBid.cloneNode(true));
    }
    for (const { node } of [...this.asks.slice(count), ...this.bids.slice(count)]) node.remove();
    this.takeRows();
    this.paint();
    const spread = find(this, "tr.spread");
    const body = find(this, ".panel-body");
    body.scrollTop = spread.offsetTop - (body.clientHeight - spread.offsetHeight) / 2;
  }

  private rowsOf(side: string): Row[] {
    return [...this.querySelectorAll<HTMLElement>(`tr[data-side="${side}"]`)].map((node) => {
      node.setAttribute("tabindex", "-1");
      const cell = (name: string) => find(node, `.${name}`);
      return { node, mine: cell("mine"), price: cell("price"), size: cell("size"), total: cell("total"), shownPrice: null };
    });
  }

  private group(step: string): void {
    this.step = Decimal.parse(step) ?? Decimal.ZERO;
    this.mark();
  }

  /** The steps that suit the instrument; what was chosen for another one does not. */
  private offerSteps(): void {
    const tick = Decimal.of(desk().instrument.tick_size);
    const choice = find<HTMLSelectElement>(this, "[data-group]");
    choice.replaceChildren(
      ...STEPS_IN_TICKS.map((ticks) => {
        const step = tick.times(Decimal.of(ticks)).toString();
        return element("option", { value: ticks === "1" ? "0" : step, "aria-label": t("ladder.grouped", { step }) }, step);
      }),
    );
    this.step = Decimal.ZERO;
  }

  private follow(): void {
    this.unwatch();
    this.offerSteps();
    const stops = [`depth:${desk().symbol}`, `quote:${desk().symbol}`].map((topic) => desk().store.watch(topic, this.mark));
    this.unwatch = () => stops.forEach((stop) => stop());
    this.mark();
  }

  private chooseFrom(target: Element): void {
    const node = target.closest("tr");
    const row = this.rows.find((candidate) => candidate.node === node);
    if (!row?.shownPrice) return;
    this.focusRow(row);
    desk().choosePrice(row.shownPrice, row.node.dataset.side === "ASK" ? "BUY" : "SELL");
  }

  private key(event: KeyboardEvent): void {
    const rows = this.rows.filter((row) => !row.node.hidden);
    const index = rows.findIndex((row) => row.node === document.activeElement);
    if (index < 0) return;
    const moves: Record<string, number> = { ArrowUp: index - 1, ArrowDown: index + 1, Home: 0, End: rows.length - 1 };
    const next = moves[event.key];
    if (next !== undefined) {
      event.preventDefault();
      const row = rows[Math.max(0, Math.min(rows.length - 1, next))];
      if (row) this.focusRow(row);
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      const row = rows[index];
      if (row) this.chooseFrom(row.node);
    }
  }

  private focusRow(row: Row): void {
    for (const other of this.rows) setAttribute(other.node, "tabindex", other === row ? "0" : "-1");
    row.node.focus({ preventScroll: true });
    row.node.scrollIntoView({ block: "nearest" });
  }

  private paint(): void {
    const { symbol } = desk();
    const topic = `depth:${symbol}`;
    const book = desk().store.data<Depth>(topic);
    // Before the first snapshot the server's levels stand; they only lack what a click needs.
    if (!book && symbol === desk().page.symbol && desk().store.state(topic).phase === "loading")
      return showPanelState(this, desk().panelState(topic, true));
    const working = groupOwn(workingByPrice(desk().account.orders, symbol), this.step);
    const asks = wholeGroups(book?.asks ?? [], this.step, false, MOST_LEVELS);
    const bids = wholeGroups(book?.bids ?? [], this.step, true, MOST_LEVELS);
    const largest = this.largest([...bids.slice(0, this.bids.length), ...asks.slice(0, this.asks.length)]);
    const digits = desk().digits(symbol);
    this.paintSide(this.asks, asks, "SELL", { working, largest, digits });
    this.paintSide(this.bids, bids, "BUY", { working, largest, digits });
    const quote = desk().quote(symbol);
    const bid = sidePrice(book?.bids[0]?.[0] ?? quote?.bid);
    const ask = sidePrice(book?.asks[0]?.[0] ?? quote?.ask);
    setText(field(this, "bid"), fixed(bid, digits));
    setText(field(this, "ask"), fixed(ask, digits));
    setText(field(this, "spread"), fixed(bid && ask ? ask.minus(bid) : null, digits));
    const status = desk().panelState(topic, book !== null);
    showPanelState(this, status.state === "empty" ? { ...status, note: t("panel.no-book") } : status);
  }

  /** The largest size on either side: the full width of a size bar. */
  private largest(levels: Level[]): number {
    return levels.reduce((most, [, size]) => Math.max(most, Decimal.of(size).toNumber()), 0);
  }

  private paintSide(
    rows: Row[],
    levels: Level[],
    side: "BUY" | "SELL",
    { working, largest, digits }: { working: Map<string, Decimal>; largest: number; digits: number },
  ): void {
    let total = Decimal.ZERO;
    rows.forEach((row, index) => {
      const level = levels[index];
      // Ten rows always stand; of more, those that the book has.
      row.node.hidden = !level && index >= FITTING_ROWS;
      if (!level) return this.paintRow(row, ["", "–", "", ""], null, 0);
      const [price, text] = level;
      const size = Decimal.of(text);
      total = total.plus(size);
      const own = working.get(`${side}:${Decimal.of(price).toString()}`);
      this.paintRow(row, [own ? plain(own) : "", fixed(price, digits), plain(size), plain(total)], price, largest > 0 ? size.toNumber() / largest : 0);
    });
  }

  private paintRow(row: Row, texts: [string, string, string, string], price: string | null, share: number): void {
    row.shownPrice = price;
    setText(row.mine, texts[0]);
    setText(row.price, texts[1]);
    setText(row.size, texts[2]);
    setText(row.total, texts[3]);
    setDepth(row.size, share);
  }
}

function setDepth(cell: HTMLElement, share: number): void {
  const text = share.toFixed(3);
  if (cell.style.getPropertyValue("--depth") !== text) cell.style.setProperty("--depth", text);
}
