// Time and sales: recent trades of the chosen instrument, newest on top, with the aggressor's side as a glyph, a colour
// and a word. It stands still while somebody points at it, is in it, or has pressed Space, and says how many came.
import { Decimal, parseTyped } from "../core/decimal";
import { desk, showPanelState } from "../core/desk";
import { element, find, setAttribute, setClass, setText } from "../core/dom";
import { fixed, plain, timeOfDay } from "../core/format";
import { t } from "../core/messages";
import type { Trade } from "../core/protocol";
import { isAtLeast, largeSize, usualFeed } from "../core/tape";

const PAINT_MILLISECONDS = 100;
const MOST_ROWS = 30;

interface Row {
  node: HTMLElement;
  time: HTMLElement;
  glyph: HTMLElement;
  word: HTMLElement;
  price: HTMLElement;
  priceCell: HTMLElement;
  size: HTMLElement;
  feed: HTMLElement;
}

const SIDES = {
  BUY: { glyph: "▲", look: "num up", word: "tape.buyer" },
  SELL: { glyph: "▼", look: "num down", word: "tape.seller" },
  UNKNOWN: { glyph: "◆", look: "num flat", word: "tape.unknown" },
} as const;

function makeRow(): Row {
  const time = element("td");
  const glyph = element("span", { class: "glyph", "aria-hidden": "true" });
  const word = element("span", { class: "visually-hidden" });
  const price = element("span");
  const priceCell = element("td", { class: "num" }, glyph, word, price);
  const size = element("span");
  const feed = element("span", { class: "sub" });
  return { node: element("tr", {}, time, priceCell, element("td", { class: "num" }, feed, size)), time, glyph, word, price, priceCell, size, feed };
}

export class Tape extends HTMLElement {
  private readonly rows: Row[] = [];
  private symbol = desk().symbol;
  private least: Decimal | null = null;
  /** What stood there when it was stopped, and how many came since. */
  private held: Trade[] | null = null;
  private arrived = 0;
  private readonly holds = { pressed: false, pointed: false, focused: false };
  private unwatch: () => void = () => undefined;
  private mark: () => void = () => undefined;

  connectedCallback(): void {
    // The server's rows stay until the first trades arrive.
    this.mark = desk().scheduler.register(() => this.paint(), PAINT_MILLISECONDS);
    desk().onConnection(this.mark);
    desk().onSymbol(() => this.follow());
    const body = find(this, ".panel-body");
    body.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && this.hold("pointed", true));
    body.addEventListener("pointerleave", () => this.hold("pointed", false));
    body.addEventListener("focusin", () => body.matches(":focus-visible") && this.hold("focused", true));
    body.addEventListener("focusout", () => this.hold("focused", false));
    body.addEventListener("keydown", (event) => {
      if (event.key !== " ") return;
      event.preventDefault();
      this.hold("pressed", !this.holds.pressed);
    });
    find(this, "[data-pause]").addEventListener("click", () => this.hold("pressed", !this.holds.pressed));
    find(this, "[data-least]").addEventListener("input", (event) => this.filter((event.target as HTMLInputElement).value));
    this.follow();
  }

  private hold(why: keyof Tape["holds"], isHeld: boolean): void {
    this.holds[why] = isHeld;
    const { pressed, pointed, focused } = this.holds;
    const isStill = pressed || pointed || focused;
    if (isStill && this.held === null) {
      this.held = this.trades();
      this.arrived = 0;
    } else if (!isStill) this.held = null;
    const button = find(this, "[data-pause]");
    setAttribute(button, "aria-pressed", String(pressed));
    setText(button, t(pressed ? "tape.resume" : "tape.pause"));
    this.mark();
  }

  private filter(typed: string): void {
    const least = parseTyped(typed);
    this.least = least && least.sign > 0 ? least : null;
    setAttribute(find(this, "[data-least]"), "aria-invalid", typed.trim() && !least ? "true" : null);
    this.mark();
  }

  private follow(): void {
    this.unwatch();
    if (this.symbol !== desk().symbol) {
      this.symbol = desk().symbol;
      this.rows.length = 0;
      this.held = this.held && [];
      this.arrived = 0;
      find(this, "tbody").replaceChildren();
    }
    this.unwatch = desk().store.watch(`trade:${desk().symbol}`, (_, frame) => {
      if (this.held && frame && isAtLeast(frame.data as Trade, this.least)) this.arrived += 1;
      this.mark();
    });
    this.mark();
  }

  private trades(): Trade[] {
    return desk().store.data<{ trades: Trade[] }>(`trade:${desk().symbol}`)?.trades ?? [];
  }

  private paint(): void {
    const topic = `trade:${desk().symbol}`;
    const known = this.held ?? this.trades();
    const trades = known.filter((trade) => isAtLeast(trade, this.least)).slice(0, MOST_ROWS);
    const body = find(this, "tbody");
    if (this.rows.length === 0 && known.length > 0) body.replaceChildren();
    while (this.rows.length < trades.length) {
      const row = makeRow();
      this.rows.push(row);
      body.append(row.node);
    }
    while (this.rows.length > trades.length) this.rows.pop()?.node.remove();
    const digits = desk().digits(desk().symbol);
    const large = largeSize(known);
    const usual = usualFeed(known);
    trades.forEach((trade, index) => this.paintRow(this.rows[index] as Row, trade, { digits, large, usual }));
    setText(find(this, ".empty"), known.length > 0 && trades.length === 0 ? t("tape.none") : find(this, ".empty").dataset.empty ?? "");
    setText(find(this, "[data-held]"), this.held === null ? "" : this.arrived > 0 ? t("tape.new", { count: this.arrived }) : t("tape.held"));
    showPanelState(this, desk().panelState(topic, trades.length > 0));
  }

  private paintRow(row: Row, trade: Trade, { digits, large, usual }: { digits: number; large: Decimal | null; usual: string }): void {
    const side = SIDES[trade.side ?? "UNKNOWN"];
    setText(row.time, timeOfDay(trade.t));
    setText(row.glyph, side.glyph);
    setText(row.word, t(side.word));
    setText(row.price, fixed(trade.price, digits));
    setClass(row.priceCell, side.look);
    setText(row.size, plain(trade.size));
    setText(row.feed, trade.feed && trade.feed !== usual ? `${trade.feed} ` : "");
    row.node.toggleAttribute("data-large", large !== null && isAtLeast(trade, large));
  }
}
