// Live prices in rows that the server has drawn: `data-symbol`, `data-digits`, `data-close`, and fields by name. Pages
// other than the terminal use it; only rows in sight are subscribed.
import { Decimal } from "../core/decimal";
import { setText } from "../core/dom";
import { fixed, percentChange } from "../core/format";
import { t } from "../core/messages";
import type { MinuteBar, Quote, TopicFrame } from "../core/protocol";
import { PaintScheduler } from "../core/scheduler";
import type { LiveSocket, Connection } from "../core/socket";
import { TopicStore } from "../core/store";
import { paintChange } from "./price_change";
import { VisibleRows } from "./visible";

const PAINT_MILLISECONDS = 250;
const AGE_MILLISECONDS = 1_000;

type ToldQuote = Quote & { feed?: string; stale?: boolean };

export class LiveRows {
  private readonly store = new TopicStore((topic) => this.socket?.resync(topic));
  private readonly rows = new Map<string, HTMLElement>();
  private readonly dirty = new Set<string>();
  private readonly mark: () => void;
  private socket: LiveSocket | null = null;

  constructor(private readonly root: ParentNode) {
    this.mark = new PaintScheduler().register(() => this.paint(), PAINT_MILLISECONDS);
    for (const row of root.querySelectorAll<HTMLElement>("[data-symbol]")) this.rows.set(row.dataset.symbol ?? "", row);
  }

  /** Follows what is in sight from now on. */
  follow(socket: LiveSocket | null): void {
    if (!socket) return;
    this.socket = socket;
    const topics = (symbols: string[]) => symbols.flatMap((symbol) => [`quote:${symbol}`, `bar:${symbol}:1Min`]);
    const visible = new VisibleRows((came, left) => {
      socket.subscribe(topics(came));
      socket.unsubscribe(topics(left));
    });
    for (const [symbol, row] of this.rows) visible.watch(row, symbol);
    if (this.root.querySelector("[data-field=age]")) setInterval(() => this.paintAges(), AGE_MILLISECONDS);
  }

  apply(frame: TopicFrame): void {
    this.store.apply(frame);
    const symbol = /^(?:quote:|bar:)(.+?)(?::1Min)?$/.exec(frame.topic)?.[1];
    if (symbol === undefined) return;
    this.dirty.add(symbol);
    this.mark();
  }

  /** Prices that nobody vouches for any more look like it. */
  connectionChanged(connection: Connection): void {
    const isFine = connection === "live" || connection === "connecting";
    for (const row of this.rows.values()) row.toggleAttribute("data-stale", !isFine);
  }

  private paint(): void {
    for (const symbol of this.dirty) {
      const row = this.rows.get(symbol);
      if (row) this.paintRow(row, symbol);
    }
    this.dirty.clear();
  }

  private paintRow(row: HTMLElement, symbol: string): void {
    const digits = Number(row.dataset.digits ?? 2);
    const quote = this.store.data<ToldQuote>(`quote:${symbol}`);
    const last = Decimal.parse(this.store.data<MinuteBar>(`bar:${symbol}:1Min`)?.c);
    const write = (name: string, text: string) => {
      const node = row.querySelector(`[data-field="${name}"]`);
      if (node) setText(node, text);
    };
    if (quote) {
      write("bid", fixed(quote.bid, digits));
      write("ask", fixed(quote.ask, digits));
      row.toggleAttribute("data-stale", quote.stale === true);
    }
    if (!last) return;
    write("last", fixed(last, digits));
    const change = row.querySelector<HTMLElement>('[data-field="change"]');
    if (change) paintChange(change, percentChange(row.dataset.close, last), 2);
  }

  private paintAges(): void {
    for (const [symbol, row] of this.rows) {
      const node = row.querySelector('[data-field="age"]');
      const quote = this.store.data<ToldQuote>(`quote:${symbol}`);
      if (!node || !quote) continue;
      const seconds = Math.max(0, Math.round((Date.now() - Date.parse(quote.t)) / 1_000));
      const age = seconds === 1 ? t("live.age-one") : t("live.age", { seconds });
      const told = quote.feed ? t("live.age-feed", { age, feed: quote.feed }) : age;
      setText(node, quote.stale ? `${told} ${t("live.stale")}` : told);
    }
  }
}
