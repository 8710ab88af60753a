// The bars of one chart, kept live: minute bars and trades are folded into the last bar of whatever timeframe is shown.
// Prices stay strings and are compared exactly; volume of a longer bar is the sum of its minutes.
import { Decimal } from "./decimal";
import { hasVolume, isOutsideDays, movesPrice } from "./prices";
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

/** How many minutes of a longer bar can still change: the running one, the one that a late trade may amend, and one more. */
const OPEN_MINUTES = 3;

/** What a bar is made of: `settled` is what the portal told of it before the minutes that can still change; `ahead` are
 *  the prints that no minute has had yet. */
interface Parts {
  settled: Bar | null;
  minutes: MinuteBar[];
  ahead: Bar | null;
}

/** One bar after another in one. */
function joined(first: Bar | null, later: Bar): Bar {
  if (!first) return later;
  return {
    ...first,
    h: higher(first.h, later.h),
    l: lower(first.l, later.l),
    c: later.c,
    v: Decimal.of(first.v).plus(Decimal.of(later.v)).toString(),
  };
}

export class BarSeries {
  readonly bars: Bar[];
  private readonly changed = new Set<Bar>();
  /** Of the last bar and the one before it: a minute is amended within half a minute after its end. */
  private readonly parts = new Map<Bar, Parts>();
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

  /** The portal's own minute takes the place of what this minute was thought to be, in an earlier bar too. */
  takeMinute(minute: MinuteBar): void {
    if (this.seconds < MINUTE_SECONDS) return; // its seconds are in the trades
    const bar = this.barAt(minute.t, minute);
    if (!bar) return;
    const parts = this.partsOf(bar);
    const isKnown = parts.minutes.some(({ t }) => secondsOf(t) === secondsOf(minute.t));
    if (this.seconds === MINUTE_SECONDS) parts.settled = null;
    else if (!isKnown && !this.settle(parts, minute)) return this.make(bar, parts);
    parts.minutes = [...parts.minutes.filter(({ t }) => secondsOf(t) !== secondsOf(minute.t)), minute];
    parts.minutes.sort((one, other) => secondsOf(one.t) - secondsOf(other.t));
    while (parts.minutes.length > OPEN_MINUTES) parts.settled = { ...joined(parts.settled, parts.minutes.shift() as MinuteBar) };
    if (parts.ahead && minuteOf(parts.ahead.t) <= secondsOf(minute.t)) parts.ahead = null;
    this.make(bar, parts);
  }

  /** A print that moves the price moves the last bar at once; the next minute bar takes its place, and has the volume. */
  takeTrade(trade: Trade): void {
    if (isOfDays(this.timeframe) && isOutsideDays(trade)) return;
    const isOfSeconds = this.seconds < MINUTE_SECONDS;
    const v = isOfSeconds && hasVolume(trade) ? trade.size : "0";
    if (!movesPrice(trade)) return this.addVolume(trade, v);
    const price = trade.price;
    const print: Bar = { t: trade.t, o: price, h: price, l: price, c: price, v };
    const bar = this.barAt(trade.t, print);
    if (!bar || bar !== this.bars.at(-1)) return;
    const parts = this.partsOf(bar);
    parts.ahead = { ...joined(parts.ahead, print), t: trade.t };
    this.make(bar, parts);
  }

  /** What changed since the last call, oldest first. */
  takeChanged(): Bar[] {
    const bars = [...this.changed].sort((one, other) => secondsOf(one.t) - secondsOf(other.t));
    this.changed.clear();
    return bars;
  }

  private addVolume(trade: Trade, v: string): void {
    const last = this.bars.at(-1);
    if (v === "0" || !last || this.startOf(trade.t) !== secondsOf(last.t)) return;
    const parts = this.partsOf(last);
    const part = parts.ahead ?? parts.settled;
    if (part) part.v = Decimal.of(part.v).plus(Decimal.of(v)).toString();
    this.make(last, parts);
  }

  /** The bar of an instant: one that is there, or a new last one that begins as `first`. */
  private barAt(instant: string, first: Bar): Bar | null {
    const start = this.startOf(instant);
    const last = this.bars.at(-1);
    if (last && start <= secondsOf(last.t)) return this.bars.findLast(({ t }) => secondsOf(t) === start) ?? null;
    const { o, h, l, c } = first;
    const bar: Bar = { t: new Date(start * 1000).toISOString(), o, h, l, c, v: "0" };
    this.bars.push(bar);
    this.parts.set(bar, { settled: null, minutes: [], ahead: null });
    const [oldest] = this.parts.keys();
    if (this.parts.size > 2 && oldest) this.parts.delete(oldest);
    return bar;
  }

  private partsOf(bar: Bar): Parts {
    const parts = this.parts.get(bar) ?? { settled: { ...bar }, minutes: [], ahead: null };
    // Bars that are older than the last but one are corrected and forgotten again.
    if (this.bars.lastIndexOf(bar) >= this.bars.length - 2) this.parts.set(bar, parts);
    return parts;
  }

  /** Makes room for a minute that was not heard before. A bar came with part of its newest minute inside: what that adds
   *  is taken off again. False for a minute that lies inside what is settled, and cannot be taken apart from it. */
  private settle(parts: Parts, minute: MinuteBar): boolean {
    const { settled } = parts;
    const [first] = parts.minutes;
    if (!settled || (first && secondsOf(minute.t) > secondsOf(first.t))) return true;
    if (!first && !minute.amended && secondsOf(settled.t) === secondsOf(minute.t)) {
      parts.settled = null;
      return true;
    }
    if (first || minute.amended) {
      settled.h = higher(settled.h, minute.h);
      settled.l = lower(settled.l, minute.l);
      return false;
    }
    const rest = Decimal.of(settled.v).minus(Decimal.of(minute.v));
    settled.v = rest.sign < 0 ? "0" : rest.toString();
    return true;
  }

  private make(bar: Bar, { settled, minutes, ahead }: Parts): void {
    let whole = minutes.reduce<Bar | null>(joined, settled);
    if (ahead) whole = joined(whole, ahead);
    if (!whole) return;
    const { o, h, l, c, v } = whole;
    Object.assign(bar, { o, h, l, c, v });
    this.changed.add(bar);
  }
}

function minuteOf(instant: string): number {
  return Math.floor(secondsOf(instant) / MINUTE_SECONDS) * MINUTE_SECONDS;
}
