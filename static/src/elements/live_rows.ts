// Live prices in rows that the server has drawn: `data-symbol`, `data-digits`, `data-close`, and fields by name. Pages
// other than the terminal use it; only rows in sight are subscribed. A row whose price may not be called live says so.
import { Decimal } from "../core/decimal";
import { setAttribute, setClass, setText } from "../core/dom";
import { fixed, percentChange } from "../core/format";
import { t } from "../core/messages";
import { sidePrice } from "../core/prices";
import type { EventsFrame, Heartbeat, MinuteBar, Quote, ResumedFrame, TopicFrame } from "../core/protocol";
import { PaintScheduler } from "../core/scheduler";
import type { Connection, LiveSocket } from "../core/socket";
import { shownStanding, TopicStore, type Standing } from "../core/store";
import type { LivePart } from "./live_page";
import { paintChange } from "./price_change";
import { VisibleRows } from "./visible";

const PAINT_MILLISECONDS = 250;
const SECOND_MILLISECONDS = 1_000;
const STANDING_WORDS = { stale: "price.stale", recovering: "connection.recovering" } as const;

export class LiveRows {
  private readonly store = new TopicStore((topic) => this.socket?.resync(topic));
  private readonly rows = new Map<string, HTMLElement>();
  /** What the server drew as the change, for a row whose prices have not come. */
  private readonly drawn = new Map<string, Node[]>();
  private readonly dirty = new Set<string>();
  private readonly mark: () => void;
  private socket: LiveSocket | null = null;
  private heartbeat: Heartbeat | null = null;

  constructor(root: ParentNode) {
    this.mark = new PaintScheduler().register(() => this.paint(), PAINT_MILLISECONDS);
    for (const row of root.querySelectorAll<HTMLElement>("[data-symbol]")) {
      const symbol = row.dataset.symbol ?? "";
      this.rows.set(symbol, row);
      const change = row.querySelector('[data-field="change"]');
      if (change) this.drawn.set(symbol, [...change.cloneNode(true).childNodes]);
    }
  }

  /** What the page's socket has to tell. */
  get part(): LivePart {
    return {
      onTopic: (frame) => this.apply(frame),
      onMore: (frame) => this.apply(frame),
      position: (topic) => this.store.position(topic),
      onLost: () => this.store.expectSnapshots(),
      onConnection: (connection) => this.connectionChanged(connection),
      onHeartbeat: (heartbeat) => {
        this.heartbeat = heartbeat;
      },
    };
  }

  /** Follows what is in sight from now on. */
  follow(socket: LiveSocket | null): void {
    if (!socket) return;
    this.socket = socket;
    const visible = new VisibleRows((came, left) => {
      socket.subscribe(came.flatMap(topicsOf), PAINT_MILLISECONDS);
      socket.unsubscribe(left.flatMap(topicsOf), PAINT_MILLISECONDS);
      // What a row had when it left is old when it comes back.
      for (const topic of left.flatMap(topicsOf)) this.store.forget(topic);
    });
    for (const [symbol, row] of this.rows) visible.watch(row, symbol);
    setInterval(() => this.touchAll(), SECOND_MILLISECONDS);
  }

  private apply(frame: TopicFrame | EventsFrame | ResumedFrame): void {
    this.store.apply(frame);
    const symbol = /^(?:quote:|bar:)(.+?)(?::1Min)?$/.exec(frame.topic)?.[1];
    if (symbol === undefined) return;
    this.dirty.add(symbol);
    this.mark();
  }

  private connectionChanged(connection: Connection): void {
    // After a silence nobody knows how the feed is until the next heartbeat says it.
    if (connection !== "live") this.heartbeat = this.heartbeat && { ...this.heartbeat, feed_age_ms: null };
    this.touchAll();
  }

  /** Time alone makes a price old. */
  private touchAll(): void {
    for (const symbol of this.rows.keys()) this.dirty.add(symbol);
    this.mark();
  }

  private standing(symbol: string): Standing | null {
    const { socket, heartbeat } = this;
    if (!socket) return null;
    const topic = `quote:${symbol}`;
    const isOpen = socket.connection === "live" || socket.connection === "stale";
    const link = { isOpen, silentMilliseconds: socket.silence, feedAgeMilliseconds: heartbeat?.feed_age_ms ?? null };
    return shownStanding(topic, this.store.state(topic), link, heartbeat !== null);
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
    const quote = this.store.data<Quote>(`quote:${symbol}`);
    const last = Decimal.parse(this.store.data<MinuteBar>(`bar:${symbol}:1Min`)?.c);
    const write = (name: string, text: string) => {
      const node = row.querySelector(`[data-field="${name}"]`);
      if (node) setText(node, text);
    };
    if (quote) {
      write("bid", fixed(sidePrice(quote.bid), digits));
      write("ask", fixed(sidePrice(quote.ask), digits));
    }
    if (last) write("last", fixed(last, digits));
    const standing = this.standing(symbol);
    const change = row.querySelector<HTMLElement>('[data-field="change"]');
    if (change) this.paintChangeOf(change, symbol, standing, last);
    const isOld = standing === "stale" || standing === "recovering";
    setAttribute(row, "data-standing", isOld ? standing : null);
    if (quote) this.paintAge(row, quote, standing);
  }

  /** The change, or the word that says why there is none to trust. */
  private paintChangeOf(node: HTMLElement, symbol: string, standing: Standing | null, last: Decimal | null): void {
    const row = this.rows.get(symbol);
    if (standing === "stale" || standing === "recovering") {
      setClass(node, "flat");
      setText(node, t(STANDING_WORDS[standing]));
    } else if (last) paintChange(node, percentChange(row?.dataset.close, last), 2);
    else if (row?.hasAttribute("data-standing")) node.replaceChildren(...(this.drawn.get(symbol) ?? []).map((child) => child.cloneNode(true)));
  }

  private paintAge(row: HTMLElement, quote: Quote, standing: Standing | null): void {
    const node = row.querySelector('[data-field="age"]');
    if (!node) return;
    const seconds = Math.max(0, Math.round((Date.now() - Date.parse(quote.t)) / 1_000));
    const age = seconds === 1 ? t("live.age-one") : t("live.age", { seconds });
    const told = quote.feed ? t("live.age-feed", { age, feed: quote.feed }) : age;
    setText(node, standing === "stale" ? `${told} ${t("live.stale")}` : told);
  }
}

function topicsOf(symbol: string): string[] {
  return [`quote:${symbol}`, `bar:${symbol}:1Min`];
}
