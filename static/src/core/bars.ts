// The bars of one chart, kept live: minute bars and trades are folded into the last bar of whatever timeframe is shown.
// Prices stay strings and are compared exactly; volume of a longer bar is the sum of its minutes.
import { Decimal } from "./decimal";
import type { Bar, MinuteBar, Trade } from "./protocol";

export type Timeframe = `${number}${"Sec" | "Min" | "Hour" | "Day" | "Week" | "Month"}`;

const DAY_SECONDS = 86_400;
const UNITS: Record<string, number> = { Sec: 1, Min: 60, Hour: 3_600, Day: DAY_SECONDS, Week: 7 * DAY_SECONDS, Month: 31 * DAY_SECONDS };
/** Where weeks are counted from when there is no bar yet: a Monday. */
const FIRST_MONDAY = 4 * DAY_SECONDS;

/** How long a bar is; a month as long as the longest. */
export function secondsIn(timeframe: Timeframe): number {
  return amountOf(timeframe) * (UNITS[unitOf(timeframe)] ?? DAY_SECONDS);
}

/** Whether bars are told by their day alone. */
export function isOfDays(timeframe: Timeframe): boolean {
  return ["Day", "Week", "Month"].includes(unitOf(timeframe));
}

function amountOf(timeframe: Timeframe): number {
  return Number.parseInt(timeframe, 10);
}

function unitOf(timeframe: Timeframe): string {
  return timeframe.replace(/^\d+/, "");
}

function monthStart(seconds: number, months: number): number {
  const date = new Date(seconds * 1000);
  return Date.UTC(date.getUTCFullYear(), Math.floor(date.getUTCMonth() / months) * months) / 1000;
}

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

  private readonly seconds: number;

  constructor(
    bars: Bar[],
    private readonly timeframe: Timeframe,
  ) {
    this.bars = bars.map((bar) => ({ ...bar }));
    this.seconds = secondsIn(timeframe);
  }

  /** The start of the bar that an instant belongs to. Bars follow the last one that the portal told: its venue's day
   *  begins when it begins. */
  startOf(instant: string): number {
    const seconds = secondsOf(instant);
    const last = this.bars.at(-1);
    const anchor = last ? secondsOf(last.t) : FIRST_MONDAY;
    if (unitOf(this.timeframe) !== "Month") return anchor + Math.floor((seconds - anchor) / this.seconds) * this.seconds;
    const months = amountOf(this.timeframe);
    const shift = last ? anchor - monthStart(anchor, months) : 0;
    return monthStart(seconds - shift, months) + shift;
  }

  takeMinute(minute: MinuteBar): void {
    if (this.seconds < MINUTE_SECONDS) return; // its seconds are in the trades
    const bar = this.barFor(minute.t, minute);
    if (!bar) return;
    bar.h = higher(bar.h, minute.h);
    bar.l = lower(bar.l, minute.l);
    bar.c = minute.c;
    bar.v = this.volume(bar, minute);
    this.changed.add(bar);
  }

  /** A trade moves the last bar at once; the volume of a minute and more comes with the next minute bar. */
  takeTrade(trade: Trade): void {
    const price = trade.price;
    const bar = this.barFor(trade.t, { t: trade.t, o: price, h: price, l: price, c: price, v: "0" });
    if (!bar) return;
    bar.h = higher(bar.h, price);
    bar.l = lower(bar.l, price);
    bar.c = price;
    if (this.seconds < MINUTE_SECONDS) bar.v = Decimal.of(bar.v).plus(Decimal.of(trade.size)).toString();
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
    if (last && start === lastStart) return last;
    const bar = { ...first, t: new Date(start * 1000).toISOString(), v: "0" };
    this.bars.push(bar);
    this.settledVolume = Decimal.ZERO;
    this.minute = 0;
    return bar;
  }

  private volume(bar: Bar, minute: MinuteBar): string {
    if (this.seconds === MINUTE_SECONDS) return minute.v;
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
