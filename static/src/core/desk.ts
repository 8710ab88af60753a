// The desk: what the terminal's widgets share. One store, one socket, one scheduler, the instruments, the chosen one,
// and the trading account. Widgets read from it and ask it; they never talk to each other.
import { announce, alarm } from "./announcer";
import { Decimal, digitsOf } from "./decimal";
import { timeOfDay } from "./format";
import { t } from "./messages";
import type { AccountSnapshot, Heartbeat, Instrument, MinuteBar, OrderView, Quote, Trade, Trail, UserMessage } from "./protocol";
import type { Restriction } from "../elements/restrictions";
import { lastPrice, middle } from "./prices";
import { PaintScheduler } from "./scheduler";
import { isLate, LiveSocket, browserSocket, type Connection, type SocketListener } from "./socket";
import { isPrivate, shownStanding, standingOf, TopicStore, type Link, type Standing, type TopicState } from "./store";

export interface PageData {
  symbol: string;
  instruments: Instrument[];
  quotes: Record<string, Quote | null>;
  account: AccountSnapshot;
  /** Beside which field of the ticket a refusal is shown, by its reason. */
  refusal_fields: Record<string, string>;
  urls: Record<"place" | "preview" | "cancel" | "cancel_all" | "change" | "preview_change" | "order" | "switch" | "kill" | "enable" | "bars" | "indicators" | "save_formula" | "delete_formula" | "socket" | "watchlist", string>;
  /** What binds the account's orders, the widest scope first (elements/restrictions.ts). */
  restrictions: Restriction[];
}

export type PanelState = "live" | "empty" | "loading" | "error" | "offline" | "stale" | "resync";

const BAR_TIMEFRAME = "1Min";
/** How often a row's price is wanted: as often as rows are painted. */
export const ROW_MILLISECONDS = 250;

export class Desk {
  readonly scheduler = new PaintScheduler();
  readonly store: TopicStore;
  readonly socket: LiveSocket;
  readonly instruments: Map<string, Instrument>;
  readonly accountTopic: string;
  readonly trailsTopic: string;
  symbol: string;
  restrictions: Restriction[];
  heartbeat: Heartbeat | null = null;
  /** The wall times of the last sign of life and of the last market message, for "as of". */
  private aliveAt = Date.now();
  private marketAt = Date.now();
  private readonly listeners = { symbol: new Set<() => void>(), connection: new Set<() => void>() };
  private held = new Set<string>();
  private readonly priceListeners = new Set<(price: string, side: "BUY" | "SELL") => void>();

  constructor(
    readonly page: PageData,
    private readonly onUserMessage: (message: UserMessage) => void,
    private readonly onBack: () => void,
  ) {
    this.instruments = new Map(page.instruments.map((instrument) => [instrument.symbol, instrument]));
    this.symbol = page.symbol;
    this.restrictions = page.restrictions;
    this.accountTopic = `account:${page.account.account.id}`;
    this.trailsTopic = `trails:${page.account.account.id}`;
    this.store = new TopicStore((topic) => this.socket.resync(topic));
    this.socket = new LiveSocket(browserSocket(page.urls.socket), this.socketListener());
    this.store.seed(this.accountTopic, page.account);
    for (const [symbol, quote] of Object.entries(page.quotes)) this.store.seed(`quote:${symbol}`, quote);
  }

  start(): void {
    this.socket.subscribe([this.accountTopic, this.trailsTopic, ...this.topicsOf(this.symbol)]);
    this.followHeld();
    this.store.watch(this.accountTopic, () => this.followHeld());
    this.socket.start();
  }

  /** The prices of rows that came into sight are wanted, those of rows that left it no more. */
  followPrices(came: string[], left: string[]): void {
    this.socket.subscribe(came.flatMap(pricesOf), ROW_MILLISECONDS);
    this.socket.unsubscribe(left.flatMap(pricesOf), ROW_MILLISECONDS);
  }

  /** What the account holds is valued wherever it is, so its prices are wanted as long as it is held. */
  private followHeld(): void {
    const held = new Set(this.account.positions.map(({ symbol }) => symbol).filter((symbol) => this.instruments.has(symbol)));
    this.followPrices([...held].filter((symbol) => !this.held.has(symbol)), [...this.held].filter((symbol) => !held.has(symbol)));
    this.held = held;
  }

  private topicsOf(symbol: string): string[] {
    return [...pricesOf(symbol), `depth:${symbol}`, `trade:${symbol}`];
  }

  select(symbol: string): void {
    if (symbol === this.symbol || !this.instruments.has(symbol)) return;
    const previous = this.topicsOf(this.symbol);
    this.symbol = symbol;
    this.socket.unsubscribe(previous);
    for (const topic of previous) if (isDepth(topic)) this.store.forget(topic);
    this.socket.subscribe(this.topicsOf(symbol));
    for (const listener of this.listeners.symbol) listener();
  }

  onSymbol(listener: () => void): void {
    this.listeners.symbol.add(listener);
  }

  onConnection(listener: () => void): void {
    this.listeners.connection.add(listener);
  }

  /** Somebody chose a price in the book. */
  onPrice(listener: (price: string, side: "BUY" | "SELL") => void): void {
    this.priceListeners.add(listener);
  }

  choosePrice(price: string, side: "BUY" | "SELL"): void {
    for (const listener of this.priceListeners) listener(price, side);
  }

  /** Trading states changed: whoever listens for the connection looks at them too. */
  restrict(restrictions: Restriction[]): void {
    this.restrictions = restrictions;
    for (const listener of this.listeners.connection) listener();
  }

  /** Why no new order is taken from the account, whatever it is; empty when some are. */
  get restriction(): string {
    const bound = this.restrictions.find(({ kind, name, state }) => state !== "REDUCE_ONLY" && kind !== "strategy" && (kind !== "symbol" || name === this.symbol));
    return bound ? `${bound.word}: ${bound.name}. ${bound.meaning}` : "";
  }

  get instrument(): Instrument {
    const instrument = this.instruments.get(this.symbol);
    if (!instrument) throw new Error(`Unknown instrument ${this.symbol}`);
    return instrument;
  }

  get account(): AccountSnapshot {
    return this.store.data<AccountSnapshot>(this.accountTopic) ?? this.page.account;
  }

  /** Where a trailing stop stands now; null for an order that does not trail, or trails no more. */
  trail(order: OrderView): Trail | null {
    if (!order.hwm || !order.stop_price) return null;
    const told = order.status === "ACCEPTED" ? this.store.data<{ trails: Trail[] }>(this.trailsTopic)?.trails : undefined;
    return told?.find(({ id }) => id === order.id) ?? { id: order.id, hwm: order.hwm, stop_price: order.stop_price };
  }

  digits(symbol: string): number {
    return digitsOf(this.instruments.get(symbol)?.tick_size ?? "0.01");
  }

  quote(symbol: string): Quote | null {
    return this.store.data<Quote>(`quote:${symbol}`);
  }

  /** The last price: the newest trade that moves it where trades are followed, else the running minute's close. */
  last(symbol: string): Decimal | null {
    const trades = this.store.data<{ trades: Trade[] }>(`trade:${symbol}`)?.trades;
    const bar = this.store.data<MinuteBar>(`bar:${symbol}:${BAR_TIMEFRAME}`);
    return Decimal.parse(lastPrice(trades ?? []) ?? bar?.c ?? this.instruments.get(symbol)?.last);
  }

  /** What a holding is valued at: the last price, else the middle of a quote with both sides. */
  mark(symbol: string): Decimal | null {
    return this.last(symbol) ?? middle(this.quote(symbol), this.digits(symbol));
  }

  /** The connection is fine, yet no prices come: the feed is late or gone. */
  get isFeedLate(): boolean {
    return this.heartbeat !== null && isLate(this.heartbeat);
  }

  /** Whether the instrument's price may be called live. */
  standing(symbol: string): Standing {
    const topic = `quote:${symbol}`;
    return standingOf(topic, this.store.state(topic), this.link);
  }

  private get link(): Link {
    const isOpen = this.socket.connection === "live" || this.socket.connection === "stale";
    return { isOpen, silentMilliseconds: this.socket.silence, feedAgeMilliseconds: this.heartbeat?.feed_age_ms ?? null };
  }

  /** What the row of a price says of it; null while its first frames have not come. */
  shownStanding(symbol: string): Standing | null {
    const topic = `quote:${symbol}`;
    return shownStanding(topic, this.store.state(topic), this.link, this.heartbeat !== null);
  }

  /** What a widget that follows `topic` should say about itself. */
  panelState(topic: string, hasData: boolean): { state: PanelState; note: string } {
    const connection = this.socket.connection;
    const phase: TopicState["phase"] = this.store.state(topic).phase;
    const asOf = (instant: number) => t("panel.as-of", { time: timeOfDay(instant) });
    if (connection === "offline" || connection === "signed-out")
      return { state: "offline", note: `${t("panel.offline")}, ${asOf(this.aliveAt)}` };
    if (connection === "stale" || connection === "recovering") return { state: "stale", note: asOf(this.aliveAt) };
    if (connection === "live" && this.isFeedLate && !isPrivate(topic)) return { state: "stale", note: asOf(this.marketAt) };
    if (connection === "live" && !topic.startsWith("quote:") && !isPrivate(topic) && this.quote(this.symbol)?.stale)
      return { state: "stale", note: t("panel.silent", { time: asOf(Date.parse(this.quote(this.symbol)?.t ?? "")) }) };
    if (phase === "resync") return { state: "resync", note: t("panel.resync") };
    if (phase === "loading" || connection === "connecting") return { state: "loading", note: hasData ? "" : t("panel.loading") };
    return hasData ? { state: "live", note: "" } : { state: "empty", note: "" };
  }

  private socketListener(): SocketListener {
    return {
      onTopic: (frame) => {
        this.aliveAt = Date.now();
        if (frame.op === "event" && !isPrivate(frame.topic)) this.marketAt = this.aliveAt;
        if (frame.topic === "user") this.onUserMessage(frame.data as UserMessage);
        else this.store.apply(frame);
      },
      onMore: (frame) => void this.store.apply(frame),
      position: (topic) => this.store.position(topic),
      onConnection: (connection) => this.connectionChanged(connection),
      onHeartbeat: (heartbeat) => {
        this.heartbeat = heartbeat;
        this.aliveAt = Date.now();
        for (const listener of this.listeners.connection) listener();
      },
      onLost: () => this.store.expectSnapshots(),
      onError: (code, message) => console.warn(`Live updates: ${code}: ${message}`),
    };
  }

  private wasLive = false;

  private connectionChanged(connection: Connection): void {
    if (connection === "live") {
      if (this.wasLive) {
        announce(t("connection.back"));
        this.onBack();
      }
      this.wasLive = true;
    } else if (connection === "offline") alarm(t("connection.lost"));
    else if (connection === "signed-out") alarm(t("connection.signed-out-long"));
    for (const listener of this.listeners.connection) listener();
  }
}

function pricesOf(symbol: string): string[] {
  return [`quote:${symbol}`, `bar:${symbol}:${BAR_TIMEFRAME}`];
}

/** What only the chosen instrument has. */
function isDepth(topic: string): boolean {
  return topic.startsWith("depth:") || topic.startsWith("trade:");
}

let current: Desk | null = null;

export function openDesk(page: PageData, onUserMessage: (message: UserMessage) => void, onBack: () => void): Desk {
  current = new Desk(page, onUserMessage, onBack);
  return current;
}

export function desk(): Desk {
  if (!current) throw new Error("The desk is not open yet");
  return current;
}

/** Shows a panel's state: an attribute for the look, words for everyone. */
export function showPanelState(panel: HTMLElement, { state, note }: { state: PanelState; note: string }): void {
  if (panel.dataset.state !== state) panel.dataset.state = state;
  const label = panel.querySelector(".panel-note");
  if (label && label.textContent !== note) label.textContent = note;
}
