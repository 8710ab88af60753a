import { expect, test } from "vitest";
import { Chosen, IndicatorValues, matching, MOST_CHOSEN, problem, shownValue, spelled, type Indicator, type Series } from "../src/core/indicators";
import type { Bar } from "../src/core/protocol";

const SMA: Indicator = {
  name: "SMA",
  title: "Simple Moving Average",
  group: "Overlap Studies",
  inputs: [{ name: "price", source: "close", choice: true }],
  parameters: [{ name: "timeperiod", type: "integer", default: 30, lowest: 1, highest: 1000 }],
  overlay: true,
};
const ATR: Indicator = { ...SMA, name: "ATR", title: "Average True Range", group: "Volatility", inputs: [{ name: "high", source: "high", choice: false }] };
const OBV: Indicator = { ...SMA, name: "OBV", title: "On Balance Volume", group: "Volume", inputs: [], parameters: [] };

function memoryOf(stored: string | null) {
  const kept = new Map(stored === null ? [] : [["portal:indicators", stored]]);
  return { kept, memory: () => ({ getItem: (name: string) => kept.get(name) ?? null, setItem: (name: string, value: string) => void kept.set(name, value) }) };
}

function bar(t: string): Bar {
  return { t, o: "1", h: "1", l: "1", c: "1", v: "1" };
}

function series(...values: (number | null)[]): Series {
  return { key: "SMA(2)", title: "SMA(2)", lines: [{ name: "real", style: "line", overlay: true, values }] };
}

test("what is chosen is remembered, each once, in order", () => {
  const { kept, memory } = memoryOf(null);
  const chosen = new Chosen(memory);
  let changes = 0;
  chosen.onChange(() => changes++);

  for (const key of ["RSI(14)", "SMA(20)", "RSI(14)"]) chosen.add(key);
  chosen.remove("RSI(14)");

  expect(chosen.list).toBe("SMA(20)");
  expect(changes).toBe(3);
  expect(new Chosen(memoryOf(kept.get("portal:indicators") ?? null).memory).keys).toEqual(["SMA(20)"]);
});

test("no more are chosen than can be drawn", () => {
  const chosen = new Chosen(memoryOf(null).memory);

  const taken = Array.from({ length: MOST_CHOSEN + 1 }, (_, at) => chosen.add(`SMA(${at + 1})`));

  expect(taken.filter(Boolean)).toHaveLength(MOST_CHOSEN);
  expect(chosen.keys).toHaveLength(MOST_CHOSEN);
});

test.each(["{", '"text"', "null", '[1, {"a": 2}]', "[]"])("a spoilt memory (%s) is an empty one", (stored) => {
  expect(new Chosen(memoryOf(stored).memory).keys).toEqual([]);
});

test("a browser that forbids storage draws all the same", () => {
  const chosen = new Chosen(() => {
    throw new DOMException("forbidden");
  });

  expect(chosen.add("RSI(14)")).toBe(true);
  expect(chosen.keys).toEqual(["RSI(14)"]);
});

test("every word has to match, and a name that begins with it comes first", () => {
  expect(matching([ATR, SMA, OBV], "average").map(({ name }) => name)).toEqual(["ATR", "SMA"]);
  expect(matching([ATR, SMA, OBV], "sm").map(({ name }) => name)).toEqual(["SMA"]);
  expect(matching([OBV, ATR, SMA], "moving  simple").map(({ name }) => name)).toEqual(["SMA"]);
  expect(matching([ATR, SMA], "")).toEqual([ATR, SMA]);
});

test.each([
  ["20", ""],
  [" 1 ", ""],
  ["1000", ""],
  ["0", "From 1 to 1000, please."],
  ["1001", "From 1 to 1000, please."],
  ["2.5", "A whole number, please."],
  ["ten", "This is not a number."],
  ["", "This is not a number."],
])("a period of %j is told: %j", (text, expected) => {
  expect(problem(SMA.parameters[0]!, text)).toBe(expected);
});

test("an indicator is spelled with its numbers, and with an input that is not the usual", () => {
  expect(spelled(SMA, new Map([["timeperiod", " 20 "], ["price", "close"]]))).toBe("SMA(20)");
  expect(spelled(SMA, new Map([["price", "hl2"]]))).toBe("SMA(30,price=hl2)");
  expect(spelled(ATR, new Map([["high", "low"]]))).toBe("ATR(30)");
  expect(spelled(OBV, new Map())).toBe("OBV");
});

test("the tail of the same bars moves their last values", () => {
  const values = new IndicatorValues();
  values.take({ bars: [bar("2026-01-02T10:00:00Z"), bar("2026-01-02T10:01:00Z")], series: [series(null, 2)] });

  const fits = values.takeTail({ bars: [bar("2026-01-02T10:01:00Z")], series: [series(3)] });

  expect(fits).toBe(true);
  expect([...values.at(undefined).values()]).toEqual([3]);
  expect([...values.at(Date.parse("2026-01-02T10:00:00Z") / 1000).values()]).toEqual([null]);
});

test("a tail with another bar or other indicators does not fit and changes nothing", () => {
  const values = new IndicatorValues();
  values.take({ bars: [bar("2026-01-02T10:00:00Z")], series: [series(2)] });

  expect(values.takeTail({ bars: [bar("2026-01-02T10:01:00Z")], series: [series(3)] })).toBe(false);
  expect(values.takeTail({ bars: [bar("2026-01-02T10:00:00Z")], series: [{ ...series(3), key: "SMA(9)" }] })).toBe(false);
  expect([...values.at(undefined).values()]).toEqual([2]);
});

test("values are shown with the digits that they need", () => {
  expect([1234.5, -3.456, 0.01234, 0, null, undefined].map((value) => shownValue(value))).toEqual([
    "1,234.50", "\u22123.46", "0.0123", "0.00", "–", "–",
  ]);
});
