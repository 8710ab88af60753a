// The candle chart: bars from the portal, the last one kept live from minute bars and trades (of days, weeks and months
// from the feed's running day), own working orders as price lines and own fills as markers, with the chosen indicators. The same numbers stand in a data table for those who
// cannot see a canvas.
import { isResting } from "../core/account";
import { Decimal } from "../core/decimal";
import { chosen } from "../core/choice";
import { desk, showPanelState } from "../core/desk";
import { element, field, find, setText } from "../core/dom";
import { fixed, percentChange, plain, timeOfDay } from "../core/format";
import { shownValue, type ChartAnswer } from "../core/indicators";
import { t } from "../core/messages";
import type { Bar, MinuteBar, Trade } from "../core/protocol";
import { getJson, type Answer } from "../core/request";
import { BarSeries, isOfDays, secondsIn, secondsOf, type Timeframe } from "../core/bars";
import { DaySeries } from "../core/day_series";
import { CandleView, type FillMark, type WorkingLine } from "./candle_view";
import { cannotDraw, ChartIndicators } from "./chart_indicators";
import { paintChange } from "./watchlist";

const PAINT_MILLISECONDS = 250;
const BARS_LIMIT = "500";
const MOST_TABLE_ROWS = 60;
/** The longest month. */
const DAYS_LIMIT = "31";

export class Chart extends HTMLElement {
  private view: CandleView | null = null;
  private indicators: ChartIndicators | null = null;
  private series: BarSeries | null = null;
  private timeframe: Timeframe = "1Min";
  /** The running day while days are shown. */
  private dayTopic: string | null = null;
  private unwatch: () => void = () => undefined;
  private unwatchDay: () => void = () => undefined;
  private mark: () => void = () => undefined;
  private loading: AbortController | null = null;
  private failed = false;
  private lostAt = 0;

  connectedCallback(): void {
    const checked = this.querySelector<HTMLInputElement>("input[name=timeframe]:checked");
    if (checked) this.timeframe = checked.value as Timeframe;
    this.view = new CandleView(find(this, ".chart-canvas"), (bar) => this.showLegend(bar));
    this.indicators = new ChartIndicators(this, this.view);
    chosen().onChange(() => void this.load());
    this.mark = desk().scheduler.register(() => this.paint(), PAINT_MILLISECONDS);
    desk().onConnection(() => {
      if (this.failed && desk().socket.connection === "live" && this.isNewlyLive()) void this.load();
      this.mark();
    });
    find(this, "[data-retry]").addEventListener("click", () => void this.load());
    desk().store.watch(desk().accountTopic, () => this.showOwn());
    desk().onSymbol(() => this.follow());
    for (const input of this.querySelectorAll<HTMLInputElement>("input[name=timeframe]")) {
      input.addEventListener("change", () => {
        this.timeframe = input.value as Timeframe;
        void this.load();
      });
    }
    find(this, ".bars-table").addEventListener("toggle", () => this.fillTable());
    this.follow();
  }

  private follow(): void {
    const { symbol, instrument, store } = desk();
    this.unwatch();
    setText(field(this, "symbol"), symbol);
    setText(field(this, "name"), instrument.name);
    const stopBar = store.watch(`bar:${symbol}:1Min`, (state) => this.takeMinute(state.data as MinuteBar | null));
    const stopTrade = store.watch(`trade:${symbol}`, (_, frame) => frame && this.takeTrade(frame.data as Trade));
    this.unwatch = () => {
      stopBar();
      stopTrade();
    };
    void this.load();
  }

  private async load(): Promise<void> {
    this.loading?.abort();
    const loading = new AbortController();
    this.loading = loading;
    this.failed = false;
    this.series = null;
    this.mark();
    this.followDay();
    const { symbol, page } = desk();
    const parameters = { symbol, timeframe: this.timeframe, limit: BARS_LIMIT };
    const ask = (indicators: string) => getJson<ChartAnswer>(page.urls.bars, indicators ? { ...parameters, indicators } : parameters, loading.signal);
    let answer: Answer<ChartAnswer> = await ask(chosen().list);
    this.indicators?.say("");
    if (answer.kind === "refused" && isOfIndicators(answer.refusal.reason)) {
      // One that cannot be drawn must not take the bars away: it may be a formula that was deleted elsewhere.
      this.indicators?.say(cannotDraw(answer.refusal.message));
      answer = await ask("");
    }
    const days = await this.daysOfLastBar(loading.signal);
    if (loading.signal.aborted) return;
    this.failed = answer.kind !== "ok" || days === null;
    const bars = answer.kind === "ok" && days ? answer.data.bars : [];
    this.series = isOfDays(this.timeframe) ? new DaySeries(bars, this.timeframe, days?.length ? days : bars) : new BarSeries(bars, this.timeframe);
    this.view?.show(this.series.bars, {
      digits: desk().digits(symbol),
      tickSize: desk().instrument.tick_size,
      isDaily: isOfDays(this.timeframe),
      showsSeconds: secondsIn(this.timeframe) < 60,
    });
    this.indicators?.show(answer.kind === "ok" ? answer.data : { bars: [], series: [] }, parameters);
    if (this.dayTopic) this.takeDay(desk().store.data<MinuteBar>(this.dayTopic));
    this.showOwn();
    this.fillTable();
    this.mark();
  }

  /** The days that the last week or month is made of; none for other lengths, null when they could not be had. */
  private async daysOfLastBar(signal: AbortSignal): Promise<Bar[] | null> {
    if (!isOfDays(this.timeframe) || this.timeframe === "1Day") return [];
    const { symbol, page } = desk();
    const answer = await getJson<ChartAnswer>(page.urls.bars, { symbol, timeframe: "1Day", limit: DAYS_LIMIT }, signal);
    return answer.kind === "ok" ? answer.data.bars : null;
  }

  /** The running day is wanted while days, weeks or months are shown. */
  private followDay(): void {
    const topic = isOfDays(this.timeframe) ? `bar:${desk().symbol}:1Day` : null;
    if (topic === this.dayTopic) return;
    this.unwatchDay();
    if (this.dayTopic) desk().socket.unsubscribe([this.dayTopic]);
    this.dayTopic = topic;
    if (!topic) return;
    this.unwatchDay = desk().store.watch(topic, (state) => this.takeDay(state.data as MinuteBar | null));
    desk().socket.subscribe([topic]);
  }

  /** True once per return of the connection, so that a failing request is not repeated each second. */
  private isNewlyLive(): boolean {
    const isNew = this.lostAt !== desk().store.losses;
    this.lostAt = desk().store.losses;
    return isNew;
  }

  private takeDay(day: MinuteBar | null): void {
    if (day && this.series instanceof DaySeries) this.series.takeDay(day);
    this.indicators?.mark();
    this.mark();
  }

  private takeMinute(bar: MinuteBar | null): void {
    if (bar && this.series) this.series.takeMinute(bar);
    this.indicators?.mark();
    this.mark();
  }

  private takeTrade(trade: Trade): void {
    this.series?.takeTrade(trade);
    this.indicators?.mark();
    this.mark();
  }

  private paint(): void {
    const { symbol, instrument } = desk();
    const last = desk().last(symbol);
    setText(field(this, "last"), fixed(last, desk().digits(symbol)));
    paintChange(field(this, "change"), percentChange(instrument.previous_close, last), 2, "%");
    for (const bar of this.series?.takeChanged() ?? []) this.view?.update(bar);
    this.showLegend(null);
    find(this, "[data-retry]").hidden = !this.failed;
    const status = desk().panelState(this.dayTopic ?? `bar:${symbol}:1Min`, this.series !== null);
    if (this.failed && status.state !== "offline") showPanelState(this, { state: "error", note: t("panel.bars-failed") });
    else if (status.state === "live" && !this.series?.bars.length)
      showPanelState(this, { state: this.series ? "empty" : "loading", note: t(this.series ? "panel.waiting" : "panel.loading") });
    else showPanelState(this, status);
  }

  /** The bar under the crosshair, else the last one. */
  private showLegend(hovered: Bar | null): void {
    if (!hovered && this.view?.isHovered) return;
    const bar = hovered ?? this.series?.bars.at(-1);
    const digits = desk().digits(desk().symbol);
    const text = bar
      ? `O ${fixed(bar.o, digits)}  H ${fixed(bar.h, digits)}  L ${fixed(bar.l, digits)}  C ${fixed(bar.c, digits)}  V ${plain(bar.v, 2)}`
      : "";
    setText(find(this, ".legend"), text);
    this.indicators?.showLegend(hovered ? secondsOf(hovered.t) : undefined);
  }

  private showOwn(): void {
    if (!this.series || !this.view) return;
    const { account, symbol } = desk();
    const lines: WorkingLine[] = account.orders
      .filter((order) => order.symbol === symbol && isResting(order) && order.limit_price)
      .map((order) => ({
        id: order.id,
        side: order.side,
        price: Decimal.of(order.limit_price ?? "0").toNumber(),
        title: t("chart.mine", { side: t(order.side === "BUY" ? "ticket.buy" : "ticket.sell"), quantity: plain(order.leaves_quantity) }),
      }));
    const marks: FillMark[] = account.fills
      .filter((fill) => fill.symbol === symbol)
      .map((fill) => ({ side: fill.side, instant: fill.occurred_at, quantity: Decimal.of(fill.quantity) }));
    this.view.showWorking(lines);
    this.view.showFills(marks, this.series);
  }

  private fillTable(): void {
    const details = find<HTMLDetailsElement>(this, ".bars-table");
    if (!details.open || !this.series) return;
    const digits = desk().digits(desk().symbol);
    const { values } = this.indicators ?? { values: null };
    const lines = (values?.series ?? []).flatMap(({ title, lines: drawn }) =>
      drawn.map((line) => ({ line, name: drawn.length > 1 ? `${title} ${line.name}` : title })),
    );
    const head = find(details, "thead tr");
    for (const added of head.querySelectorAll("[data-line]")) added.remove();
    head.append(...lines.map(({ name }) => element("th", { scope: "col", class: "num", "data-line": "" }, name)));
    const rows = this.series.bars.slice(-MOST_TABLE_ROWS).reverse().map((bar) =>
      element(
        "tr",
        {},
        element("th", { scope: "row" }, isOfDays(this.timeframe) ? bar.t.slice(0, 10) : timeOfDay(bar.t)),
        ...[bar.o, bar.h, bar.l, bar.c].map((price) => element("td", { class: "num" }, fixed(price, digits))),
        element("td", { class: "num" }, plain(bar.v, 2)),
        ...lines.map(({ line }) => element("td", { class: "num" }, shownValue(values?.at(secondsOf(bar.t)).get(line), line.overlay ? digits : 2))),
      ),
    );
    find(details, "tbody").replaceChildren(...rows);
  }
}

function isOfIndicators(reason: string | undefined): boolean {
  return reason !== undefined && /^(INDICATOR|FORMULA|NOT_FOUND)/.test(reason) && chosen().keys.length > 0;
}
