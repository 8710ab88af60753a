// What the chart draws beside its bars: which indicators were chosen (remembered by this browser, whatever the symbol),
// how one is spelled for the portal, and the values that came back, bar by bar. Values are statistics, so numbers.
import { Decimal } from "./decimal";
import { t } from "./messages";
import { secondsOf } from "./bars";
import type { Bar } from "./protocol";

export interface Parameter {
  name: string;
  type: "integer" | "number" | "average";
  default: number;
  lowest: number;
  highest: number;
  /** Of an average: its name by its number. */
  choices?: Record<string, string> | null;
}

export interface Indicator {
  name: string;
  title: string;
  group: string;
  inputs: { name: string; source: string; choice: boolean }[];
  parameters: Parameter[];
  overlay: boolean;
}

export interface Formula {
  id: string;
  name: string;
  text: string;
}

export interface Catalogue {
  indicators: Indicator[];
  functions: string[];
  formulas: Formula[];
}

export interface Line {
  name: string;
  style: "line" | "dashed" | "histogram" | "points";
  overlay: boolean;
  values: (number | null)[];
}

export interface Series {
  key: string;
  title: string;
  lines: Line[];
}

export interface ChartAnswer {
  bars: Bar[];
  series: Series[];
}

export const SOURCES = ["close", "open", "high", "low", "volume", "hl2", "hlc3", "ohlc4"];
/** As many as the portal draws at once. */
export const MOST_CHOSEN = 10;
const STORED_AS = "portal:indicators";
const LONGEST_KEY = 320;

/** Where the choice is remembered; a browser may refuse, then it lasts as long as the page. */
export interface Memory {
  getItem(name: string): string | null;
  setItem(name: string, value: string): void;
}

/** The chosen indicators by the keys that the portal knows them by, in the order in which they were added. */
export class Chosen {
  keys: string[];
  private readonly listeners = new Set<() => void>();

  constructor(private readonly memory: () => Memory) {
    this.keys = this.remembered();
  }

  get list(): string {
    return this.keys.join(",");
  }

  onChange(listener: () => void): void {
    this.listeners.add(listener);
  }

  /** False when there are as many as can be drawn. */
  add(key: string): boolean {
    if (this.keys.includes(key)) return true;
    if (this.keys.length >= MOST_CHOSEN) return false;
    this.set([...this.keys, key]);
    return true;
  }

  remove(key: string): void {
    this.set(this.keys.filter((known) => known !== key));
  }

  /** The same indicators, drawn anew: a formula has changed. */
  redraw(): void {
    for (const listener of this.listeners) listener();
  }

  private set(keys: string[]): void {
    this.keys = keys;
    try {
      this.memory().setItem(STORED_AS, JSON.stringify(keys));
    } catch {
      // No room, or not allowed: it is drawn all the same.
    }
    this.redraw();
  }

  private remembered(): string[] {
    try {
      const stored: unknown = JSON.parse(this.memory().getItem(STORED_AS) ?? "[]");
      if (!Array.isArray(stored)) return [];
      const keys = stored.filter((key): key is string => typeof key === "string" && key.length <= LONGEST_KEY);
      return keys.slice(0, MOST_CHOSEN);
    } catch {
      return [];
    }
  }
}

/** Indicators whose name or title has every word of `query`, names that begin with it first. */
export function matching(indicators: Indicator[], query: string): Indicator[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const text = (each: Indicator) => `${each.name} ${each.title} ${each.group}`.toLowerCase();
  const found = indicators.filter((each) => words.every((word) => text(each).includes(word)));
  const begins = (each: Indicator) => each.name.toLowerCase().startsWith(words[0] ?? "");
  return [...found.filter(begins), ...found.filter((each) => !begins(each))];
}

/** What is wrong with a parameter as it was typed; empty when nothing is. */
export function problem(parameter: Parameter, text: string): string {
  const value = Decimal.parse(text.trim());
  if (!value) return t("indicators.not-a-number");
  if (parameter.type !== "number" && value.toString().includes(".")) return t("indicators.not-whole");
  const [lowest, highest] = [parameter.lowest, parameter.highest].map((each) => Decimal.of(String(each)));
  const isOutside = lowest && highest && (value.compare(lowest) < 0 || value.compare(highest) > 0);
  return isOutside ? t("indicators.range", { lowest: parameter.lowest, highest: parameter.highest }) : "";
}

/** How the portal is asked for an indicator, from what stands in its form. */
export function spelled(indicator: Indicator, values: ReadonlyMap<string, string>): string {
  const parts = indicator.parameters.map(({ name, default: usual }) => (values.get(name) ?? String(usual)).trim());
  for (const { name, source, choice } of indicator.inputs) {
    const chosen = values.get(name);
    if (choice && chosen && chosen !== source) parts.push(`${name}=${chosen}`);
  }
  return parts.length > 0 ? `${indicator.name}(${parts.join(",")})` : indicator.name;
}

/** A value as text: few digits for large ones, enough for small ones; a dash for what is missing. */
export function shownValue(value: number | null | undefined, digits = 2): string {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  const fraction = size !== 0 && size < 1 ? Math.max(digits, 4) : digits;
  return value.toLocaleString("en-US", { minimumFractionDigits: fraction, maximumFractionDigits: fraction }).replace("-", "\u2212");
}

/** The values on the chart by the start of their bar, kept up as the last bar grows. */
export class IndicatorValues {
  series: Series[] = [];
  times: number[] = [];
  private places = new Map<number, number>();

  /** A whole answer. */
  take({ bars, series }: ChartAnswer): void {
    this.series = series;
    this.times = bars.map((bar) => secondsOf(bar.t));
    this.places = new Map(this.times.map((time, place) => [time, place]));
  }

  /** The end of one: false when it does not fit what is there, and all has to be asked for again. */
  takeTail({ bars, series }: ChartAnswer): boolean {
    const places = bars.map((bar) => this.places.get(secondsOf(bar.t)));
    const isSame = series.length === this.series.length && series.every(({ key }, at) => key === this.series[at]?.key);
    if (!isSame || places.some((place) => place === undefined)) return false;
    series.forEach(({ lines }, at) =>
      lines.forEach(({ values }, number) => {
        const line = this.series[at]?.lines[number];
        places.forEach((place, index) => {
          if (line && place !== undefined) line.values[place] = values[index] ?? null;
        });
      }),
    );
    return true;
  }

  /** The values of each line at the bar that starts then, the last one's by default. */
  at(time: number | undefined): Map<Line, number | null> {
    const place = time === undefined ? this.times.length - 1 : this.places.get(time);
    const lines = this.series.flatMap((each) => each.lines);
    return new Map(lines.map((line) => [line, (place === undefined ? null : line.values[place]) ?? null]));
  }
}
