// The bars of a chart of days, weeks or months: its last one is made of whole days, of which the running one is told by
// the feed as the venue's sessions have it. Minutes and trades move nothing here: extended hours are in no day.
import { BarSeries, secondsOf, type Timeframe } from "./bars";
import { Decimal } from "./decimal";
import type { Bar } from "./protocol";

const DAY_SECONDS = 86_400;
/** A day is named by its venue's midnight in UTC; so much later it is that date in UTC, wherever the venue is. */
const TO_DATE_SECONDS = 13 * 3_600;
/** 1970 began on a Thursday. */
const DAYS_TO_MONDAY = 3;

function dayNumber(instant: string): number {
  return Math.floor((secondsOf(instant) + TO_DATE_SECONDS) / DAY_SECONDS);
}

/** How many days of its week or month were before a day's. */
function daysBefore(instant: string, timeframe: Timeframe): number {
  const day = dayNumber(instant);
  if (timeframe.endsWith("Week")) return (day + DAYS_TO_MONDAY) % 7;
  return timeframe.endsWith("Month") ? new Date(day * DAY_SECONDS * 1000).getUTCDate() - 1 : 0;
}

function isSameBar(one: string, other: string, timeframe: Timeframe): boolean {
  return dayNumber(one) - daysBefore(one, timeframe) === dayNumber(other) - daysBefore(other, timeframe);
}

function joined(days: Bar[], start: string): Bar {
  const [first, ...later] = days as [Bar, ...Bar[]];
  const bar = { ...first, t: start };
  for (const day of later) {
    if (Decimal.of(day.h).compare(Decimal.of(bar.h)) > 0) bar.h = day.h;
    if (Decimal.of(day.l).compare(Decimal.of(bar.l)) < 0) bar.l = day.l;
    bar.c = day.c;
    bar.v = Decimal.of(bar.v).plus(Decimal.of(day.v)).toString();
  }
  return bar;
}

export class DaySeries extends BarSeries {
  private readonly moved = new Set<Bar>();
  /** Those of the last bar, by day. */
  private readonly days = new Map<number, Bar>();

  /** `days` are those of the last bar, for weeks and months; whatever else is among them does no harm. */
  constructor(
    bars: Bar[],
    private readonly length: Timeframe,
    days: Bar[] = bars,
  ) {
    super(bars, length);
    const last = bars.at(-1);
    for (const day of days) if (last && isSameBar(day.t, last.t, length)) this.days.set(dayNumber(day.t), day);
  }

  override takeMinute(): void {}

  override takeTrade(): void {}

  /** The running day as it is now; an older one than the last bar changes nothing. */
  takeDay(day: Bar): void {
    const { t, o, h, l, c, v } = day;
    const last = this.bars.at(-1);
    const isSame = last !== undefined && isSameBar(last.t, t, this.length);
    if (last && !isSame && secondsOf(t) < secondsOf(last.t)) return;
    const start = last && isSame ? last.t : new Date((secondsOf(t) - daysBefore(t, this.length) * DAY_SECONDS) * 1000).toISOString();
    if (!isSame) this.days.clear();
    this.days.set(dayNumber(t), { t, o, h, l, c, v });
    const bar = joined([...this.days.values()].sort((a, b) => secondsOf(a.t) - secondsOf(b.t)), start);
    if (last && isSame) Object.assign(last, bar);
    else this.bars.push(bar);
    this.moved.add(last && isSame ? last : bar);
  }

  /** A trade is in the last bar that had begun. */
  override startOf(instant: string): number {
    const seconds = secondsOf(instant);
    const bar = this.bars.findLast(({ t }) => secondsOf(t) <= seconds);
    return bar ? secondsOf(bar.t) : super.startOf(instant);
  }

  override takeChanged(): Bar[] {
    const bars = [...this.moved];
    this.moved.clear();
    return bars;
  }
}
