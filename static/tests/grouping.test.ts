// Levels put together by a step of price, exactly, and on the side that does not flatter.
import { expect, test } from "vitest";
import { Decimal } from "../src/core/decimal";
import { groupLevels, groupOwn, groupPrice, wholeGroups } from "../src/core/grouping";
import type { Level } from "../src/core/protocol";

const step = Decimal.of("0.05");

test("bids count at the lower edge of their group, asks at the upper one", () => {
  const bids: Level[] = [["100.04", "1.1"], ["100.01", "2.2"], ["99.99", "3"], ["99.95", "0.0001"]];
  const asks: Level[] = [["100.05", "1"], ["100.06", "2"], ["100.1", "0.3"], ["100.11", "4"]];

  expect(groupLevels(bids, step, true)).toEqual([["100", "3.3"], ["99.95", "3.0001"]]);
  expect(groupLevels(asks, step, false)).toEqual([["100.05", "1"], ["100.1", "2.3"], ["100.15", "4"]]);
});

test("sums are exact where floats are not", () => {
  const levels: Level[] = Array.from({ length: 10 }, (_, index) => [`1.0${index}`, "0.1"]);

  expect(groupLevels(levels, Decimal.of("0.1"), true)).toEqual([["1", "1"]]);
  expect(groupLevels([["0.00000003", "12345678901234567890.12345678"]], Decimal.of("0.00000002"), true)).toEqual([["0.00000002", "12345678901234567890.12345678"]]);
});

test("no step groups nothing, and a price on the edge is its own group's", () => {
  const levels: Level[] = [["100.04", "1"]];

  expect(groupLevels(levels, Decimal.ZERO, true)).toBe(levels);
  expect(groupPrice(Decimal.of("100.05"), step, false).toString()).toBe("100.05");
  expect(groupPrice(Decimal.of("100.06"), step, false).toString()).toBe("100.1");
});

test("a group that may go on behind the last told level is left out", () => {
  const asks: Level[] = [["100.05", "1"], ["100.06", "2"], ["100.1", "0.3"], ["100.11", "4"]];

  expect(wholeGroups(asks, step, false, 4)).toEqual([["100.05", "1"], ["100.1", "2.3"]]);
  expect(wholeGroups(asks, step, false, 5)).toHaveLength(3);
  expect(wholeGroups(asks, Decimal.ZERO, false, 4)).toBe(asks);
  expect(wholeGroups(asks, Decimal.of("10"), false, 4)).toEqual([["110", "7.3"]]);
});

test("own orders are put together like the levels that they stand in", () => {
  const working = new Map([["BUY:100.04", Decimal.of("1")], ["BUY:100.01", Decimal.of("2")], ["SELL:100.06", Decimal.of("5")]]);

  const grouped = groupOwn(working, step);

  expect([...grouped].map(([key, value]) => [key, value.toString()])).toEqual([["BUY:100", "3"], ["SELL:100.1", "5"]]);
  expect(groupOwn(working, Decimal.ZERO)).toBe(working);
});
