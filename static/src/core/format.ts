// How numbers and times look on the pages: grouped, fixed digits, a real minus, an explicit sign and glyph for change,
// and a dash for what is not known (never a zero).
import { Decimal } from "./decimal";

export const MISSING = "–";
const MINUS = "\u2212";
const grouping = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const clock = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});
const dayClock = new Intl.DateTimeFormat("en-GB", {
  day: "2-digit",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});

function grouped(fixed: string): string {
  const [whole = "0", fraction] = fixed.split(".");
  const text = grouping.format(BigInt(whole));
  return fraction === undefined ? text : `${text}.${fraction}`;
}

function read(value: Decimal | string | null | undefined): Decimal | null {
  return value instanceof Decimal ? value : Decimal.parse(value);
}

/** Fixed digits with grouping: "1,234.50". */
export function fixed(value: Decimal | string | null | undefined, digits: number): string {
  const number = read(value)?.rounded(digits);
  if (!number) return MISSING;
  const text = grouped((number.sign < 0 ? number.negated() : number).toFixed(digits));
  return number.sign < 0 ? MINUS + text : text;
}

/** As many digits as the value has, at most `most`: quantities. */
export function plain(value: Decimal | string | null | undefined, most = 8): string {
  const number = read(value)?.rounded(most);
  if (!number) return MISSING;
  const digits = number.toString().split(".")[1]?.length ?? 0;
  return fixed(number, digits);
}

/** An explicit sign: "+1.25", "−0.40", "0.00". */
export function signed(value: Decimal | string | null | undefined, digits: number): string {
  const number = read(value)?.rounded(digits);
  if (!number) return MISSING;
  return (number.sign > 0 ? "+" : "") + fixed(number, digits);
}

/** The change from `from` to `to` in percent, two digits. */
export function percentChange(
  from: Decimal | string | null | undefined,
  to: Decimal | string | null | undefined,
): Decimal | null {
  const start = read(from);
  const end = read(to);
  if (!start || !end) return null;
  return end.minus(start).times(Decimal.fromUnits(100n, 0)).dividedBy(start, 2);
}

export function glyph(sign: -1 | 0 | 1): string {
  return sign > 0 ? "▲" : sign < 0 ? "▼" : "◆";
}

export function direction(sign: -1 | 0 | 1): "up" | "down" | "flat" {
  return sign > 0 ? "up" : sign < 0 ? "down" : "flat";
}

/** "14:03:22", in the reader's own time zone. */
export function timeOfDay(instant: string | number | Date): string {
  const date = new Date(instant);
  return Number.isNaN(date.getTime()) ? MISSING : clock.format(date);
}

/** The time alone for today, day and time for anything older. */
export function whenShort(instant: string, now: Date): string {
  const date = new Date(instant);
  if (Number.isNaN(date.getTime())) return MISSING;
  return date.toDateString() === now.toDateString() ? clock.format(date) : dayClock.format(date);
}
