// Draws candles, volume, own lines and marks with Lightweight Charts. The only module that knows the library and, with
// it, floats: everything it is given is exact and everything it shows as text comes from elsewhere.
import {
  CandlestickSeries,
  ColorType,
  createChart,
  createSeriesMarkers,
  CrosshairMode,
  HistogramSeries,
  LineStyle,
  type IChartApi,
  type IPriceLine,
  type ISeriesApi,
  type ISeriesMarkersPluginApi,
  type Time,
  type UTCTimestamp,
} from "lightweight-charts";
import { secondsOf, type BarSeries } from "../core/bars";
import { Decimal } from "../core/decimal";
import { plain } from "../core/format";
import { onLookChange, tokenColor } from "../core/look";
import type { Bar, Side } from "../core/protocol";
import { IndicatorView } from "./indicator_view";

export interface WorkingLine {
  id: string;
  side: Side;
  price: number;
  title: string;
}

export interface FillMark {
  side: Side;
  instant: string;
  quantity: Decimal;
}

const VOLUME_SHARE = 0.18;
const BARS_AT_FIRST = 110;

function number(text: string): number {
  return Decimal.of(text).toNumber();
}

function isRising(bar: Bar): boolean {
  return Decimal.of(bar.c).compare(Decimal.of(bar.o)) >= 0;
}

export class CandleView {
  isHovered = false;
  readonly indicators: IndicatorView;
  private isDaily = false;
  private showsSeconds = false;
  private up = "";
  private down = "";
  private upWash = "";
  private downWash = "";
  private readonly chart: IChartApi;
  private readonly candles: ISeriesApi<"Candlestick">;
  private readonly volume: ISeriesApi<"Histogram">;
  private readonly marks: ISeriesMarkersPluginApi<Time>;
  private readonly lines = new Map<string, { line: IPriceLine; shown: WorkingLine }>();
  private byTime = new Map<number, Bar>();
  private lastTime = -Infinity;
  private fills: { marks: FillMark[]; series: BarSeries } | null = null;

  constructor(
    container: HTMLElement,
    private readonly onHover: (bar: Bar | null) => void,
  ) {
    this.chart = createChart(container, {
      autoSize: true,
      layout: { attributionLogo: false, fontFamily: getComputedStyle(document.body).fontFamily, fontSize: 11 },
      crosshair: { mode: CrosshairMode.Normal },
      rightPriceScale: { borderVisible: false, scaleMargins: { top: 0.12, bottom: VOLUME_SHARE + 0.04 } },
      timeScale: { borderVisible: false, timeVisible: true, secondsVisible: false, rightOffset: 6, minBarSpacing: 1.5 },
      localization: { timeFormatter: (time: Time) => this.label(Number(time), true) },
    });
    this.chart.applyOptions({ timeScale: { tickMarkFormatter: (time: Time, kind: number) => this.tickLabel(Number(time), kind) } });
    this.candles = this.chart.addSeries(CandlestickSeries, { borderVisible: true, priceLineStyle: LineStyle.Dotted });
    this.volume = this.chart.addSeries(HistogramSeries, { priceScaleId: "volume", priceFormat: { type: "volume" }, lastValueVisible: false, priceLineVisible: false });
    this.volume.priceScale().applyOptions({ scaleMargins: { top: 1 - VOLUME_SHARE, bottom: 0 } });
    this.marks = createSeriesMarkers(this.candles, []);
    this.indicators = new IndicatorView(this.chart);
    this.chart.subscribeCrosshairMove(({ time }) => {
      const bar = time === undefined ? null : (this.byTime.get(Number(time)) ?? null);
      this.isHovered = bar !== null;
      this.onHover(bar);
    });
    this.paintLook();
    onLookChange(() => this.paintLook());
  }

  show(bars: Bar[], { digits, tickSize, isDaily, showsSeconds }: { digits: number; tickSize: string; isDaily: boolean; showsSeconds: boolean }): void {
    this.isDaily = isDaily;
    this.chart.applyOptions({ timeScale: { secondsVisible: showsSeconds } });
    this.showsSeconds = showsSeconds;
    this.byTime = new Map(bars.map((bar) => [secondsOf(bar.t), bar]));
    this.lastTime = Math.max(-Infinity, ...this.byTime.keys());
    this.candles.applyOptions({ priceFormat: { type: "price", precision: digits, minMove: number(tickSize) } });
    this.candles.setData(bars.map((bar) => this.candle(bar)));
    this.volume.setData(bars.map((bar) => this.volumeBar(bar)));
    this.paintLastPrice(bars.at(-1));
    this.candles.priceScale().applyOptions({ autoScale: true });
    this.chart.timeScale().setVisibleLogicalRange({ from: bars.length - BARS_AT_FIRST, to: bars.length + 5 });
  }

  /** The last bar, a new one after it, or a correction of an earlier one. */
  update(bar: Bar): void {
    const time = secondsOf(bar.t);
    const isEarlier = this.byTime.has(time) && time < this.lastTime;
    this.byTime.set(time, bar);
    this.lastTime = Math.max(time, this.lastTime);
    this.candles.update(this.candle(bar), isEarlier);
    this.volume.update(this.volumeBar(bar), isEarlier);
    if (!isEarlier) this.paintLastPrice(bar);
  }

  /** The last price's label takes the candle's border colour: a hollow candle has no colour of its own to give. */
  private paintLastPrice(bar: Bar | undefined): void {
    const color = bar && isRising(bar) ? this.up : this.down;
    if (this.candles.options().priceLineColor !== color) this.candles.applyOptions({ priceLineColor: color });
  }

  showWorking(lines: WorkingLine[]): void {
    const wanted = new Map(lines.map((line) => [line.id, line]));
    for (const [id, { line }] of this.lines) {
      if (wanted.has(id)) continue;
      this.candles.removePriceLine(line);
      this.lines.delete(id);
    }
    for (const shown of lines) {
      const options = { ...this.lineLook(shown), price: shown.price, title: shown.title };
      const known = this.lines.get(shown.id);
      if (known) {
        known.line.applyOptions(options);
        known.shown = shown;
      } else this.lines.set(shown.id, { line: this.candles.createPriceLine(options), shown });
    }
  }

  showFills(marks: FillMark[], series: BarSeries): void {
    this.fills = { marks, series };
    const first = series.bars[0];
    const start = first ? secondsOf(first.t) : Infinity;
    const drawn = new Map<string, { side: Side; time: UTCTimestamp; quantity: Decimal }>();
    for (const { side, instant, quantity } of marks) {
      const time = series.startOf(instant) as UTCTimestamp;
      if (time < start) continue;
      const key = `${time}:${side}`;
      // One mark per bar and side: a burst of fills stays readable.
      drawn.set(key, { side, time, quantity: drawn.get(key)?.quantity.plus(quantity) ?? quantity });
    }
    const sorted = [...drawn.values()].sort((a, b) => a.time - b.time);
    this.marks.setMarkers(
      sorted.map(({ side, time, quantity }) => ({
        time,
        text: plain(quantity),
        position: side === "BUY" ? "belowBar" : "aboveBar",
        shape: side === "BUY" ? "arrowUp" : "arrowDown",
        color: tokenColor("--ink"),
      })),
    );
  }

  private candle(bar: Bar) {
    return { time: secondsOf(bar.t) as UTCTimestamp, open: number(bar.o), high: number(bar.h), low: number(bar.l), close: number(bar.c) };
  }

  private volumeBar(bar: Bar) {
    return { time: secondsOf(bar.t) as UTCTimestamp, value: number(bar.v), color: isRising(bar) ? this.upWash : this.downWash };
  }

  private lineLook(line: WorkingLine) {
    return { color: tokenColor(line.side === "BUY" ? "--up" : "--down"), lineWidth: 1 as const, lineStyle: LineStyle.Dashed, axisLabelVisible: true };
  }

  /** Rising candles are hollow, falling ones solid: the shape says what the colour says. */
  private paintLook(): void {
    const up = (this.up = tokenColor("--up"));
    const down = (this.down = tokenColor("--down"));
    this.upWash = tokenColor("--up", 0.28);
    this.downWash = tokenColor("--down", 0.28);
    const grid = { color: tokenColor("--line", 0.55) };
    const label = { color: tokenColor("--ink-3", 0.8), labelBackgroundColor: tokenColor("--ink-2") };
    this.chart.applyOptions({
      layout: {
        background: { type: ColorType.Solid, color: tokenColor("--panel") },
        textColor: tokenColor("--ink-3"),
        panes: { separatorColor: tokenColor("--line"), separatorHoverColor: tokenColor("--edge", 0.3) },
      },
      grid: { vertLines: grid, horzLines: grid },
      crosshair: { vertLine: label, horzLine: label },
    });
    this.candles.applyOptions({
      upColor: tokenColor("--panel"), downColor: down, borderUpColor: up, borderDownColor: down, wickUpColor: up, wickDownColor: down,
    });
    this.paintLastPrice([...this.byTime.values()].at(-1));
    if (this.byTime.size > 0) this.volume.setData([...this.byTime.values()].map((bar) => this.volumeBar(bar)));
    this.indicators.paintLook();
    this.showWorking([...this.lines.values()].map(({ shown }) => shown));
    if (this.fills) this.showFills(this.fills.marks, this.fills.series);
  }

  private label(seconds: number, withTime: boolean): string {
    const date = new Date(seconds * 1000);
    const day = date.toLocaleDateString("en-GB", { day: "2-digit", month: "short", year: "numeric", ...this.zone });
    return withTime && !this.isDaily ? `${day} ${clockTime(date, this.showsSeconds)}` : day;
  }

  /** Labels of the time axis; `kind` is the library's TickMarkType (0 year, 1 month, 2 day, then times). */
  private tickLabel(seconds: number, kind: number): string {
    const date = new Date(seconds * 1000);
    if (kind === 0) return date.toLocaleDateString("en-GB", { year: "numeric", ...this.zone });
    if (kind === 1) return date.toLocaleDateString("en-GB", { month: "short", ...this.zone });
    if (kind === 2) return date.toLocaleDateString("en-GB", { day: "numeric", month: "short", ...this.zone });
    return clockTime(date, this.showsSeconds);
  }

  /** A day is the venue's, not the reader's; within a day the reader's clock counts. */
  private get zone(): { timeZone?: string } {
    return this.isDaily ? { timeZone: "UTC" } : {};
  }
}

function clockTime(date: Date, withSeconds: boolean): string {
  return date.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", ...(withSeconds ? { second: "2-digit" } : {}) });
}
