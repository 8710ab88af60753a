// The bars of one chart, kept live: minute bars and trades are folded into the last bar of whatever timeframe is shown.
// Prices stay strings and are compared exactly; volume of a longer bar is the sum of its minutes.
import { Decimal } from "./decimal";
import type { Bar, MinuteBar, Trade } from "./protocol";

export type Timeframe = "1Min" | "5Min" | "15Min" | "1Hour" | "1Day";

export const TIMEFRAMES: Record<Timeframe, number> = {
  "1Min": 60,
  "5Min": 300,
  "15Min": 900,
  "1Hour": 3_600,
  "1Day": 86_400,
};

const MINUTE_SECONDS = 60;

function higher(a: string, b: string): string {
  return Decimal.of(a).compare(Decimal.of(b)) >= 0 ? a : b;
}

function lower(a: string, b: string): string {
  return Decimal.of(a).compare(Decimal.of(b)) <= 0 ? a : b;
}

export function secondsOf(instant: string): number {
  return Math.floor(Date.parse(instant) / 1000);
}

export class BarSeries {
  readonly bars: Bar[];
  private readonly changed = new Set<Bar>();
  /** Volume of the last bar before the minute that is running. */
  private settledVolume: Decimal | null = null;
  private minute = 0;

  constructor(
    bars: Bar[],
    private readonly timeframeSeconds: number,
  ) {
    this.bars = bars.map((bar) => ({ ...bar }));
  }

  /** The start of the bar that an instant belongs to. */
  startOf(instant: string): number {
    const seconds = secondsOf(instant);
    return seconds - (seconds % this.timeframeSeconds);
  }

  takeMinute(minute: MinuteBar): void {
    const bar = this.barFor(minute.t, minute);
    if (!bar) return;
    bar.h = higher(bar.h, minute.h);
    bar.l = lower(bar.l, minute.l);
    bar.c = minute.c;
    bar.v = this.volume(bar, minute);
    this.changed.add(bar);
  }

  /** A trade moves the last bar at once; its volume comes with the next minute bar. */
  takeTrade(trade: Trade): void {
    const price = trade.price;
    const bar = this.barFor(trade.t, { t: trade.t, o: price, h: price, l: price, c: price, v: "0" });
    if (!bar) return;
    bar.h = higher(bar.h, price);
    bar.l = lower(bar.l, price);
    bar.c = price;
    this.changed.add(bar);
  }

  /** What changed since the last call, oldest first. */
  takeChanged(): Bar[] {
    const bars = [...this.changed];
    this.changed.clear();
    return bars;
  }

  /** The bar to fold into: the last one, a new one, or none for an instant before the last bar. */
  private barFor(instant: string, first: Bar): Bar | null {
    const start = this.startOf(instant);
    const last = this.bars.at(-1);
    const lastStart = last ? secondsOf(last.t) : -Infinity;
    if (last && start < lastStart) return null;
    if (last && start < lastStart + this.timeframeSeconds) return last;
    const bar = { ...first, t: new Date(start * 1000).toISOString(), v: "0" };
    this.bars.push(bar);
    this.settledVolume = Decimal.ZERO;
    this.minute = 0;
    return bar;
  }

  private volume(bar: Bar, minute: MinuteBar): string {
    if (this.timeframeSeconds === MINUTE_SECONDS) return minute.v;
    const start = secondsOf(minute.t);
    const running = Decimal.of(minute.v);
    if (this.settledVolume === null) {
      // The bar came with part of this minute inside; what it lacks is unknown, so it counts on from here.
      const rest = Decimal.of(bar.v).minus(running);
      this.settledVolume = rest.sign < 0 ? Decimal.ZERO : rest;
    } else if (start !== this.minute && this.minute !== 0) {
      this.settledVolume = Decimal.of(bar.v);
    }
    this.minute = start;
    return this.settledVolume.plus(running).toString();
  }
}
