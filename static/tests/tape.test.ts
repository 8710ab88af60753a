// What a tape shows: the smallest size, what stands out, and the feed that goes without saying.
import { expect, test } from "vitest";
import { Decimal } from "../src/core/decimal";
import type { Trade } from "../src/core/protocol";
import { isAtLeast, largeSize, usualFeed } from "../src/core/tape";

function trade(size: string, feed?: string): Trade {
  return { id: 1, price: "1", size, side: null, t: "2026-03-02T15:30:00Z", ...(feed === undefined ? {} : { feed }) };
}

test("a print of exactly the smallest size is shown", () => {
  expect(isAtLeast(trade("0.1"), Decimal.of("0.10"))).toBe(true);
  expect(isAtLeast(trade("0.09999999"), Decimal.of("0.1"))).toBe(false);
  expect(isAtLeast(trade("0"), null)).toBe(true);
});

test("a print is large from five times the median on, once ten are known", () => {
  const sizes = ["1", "1", "1", "2", "2", "3", "3", "4", "5", "100"];

  expect(largeSize(sizes.slice(1).map((size) => trade(size)))).toBeNull();
  expect(largeSize(sizes.map((size) => trade(size)))?.toString()).toBe("15");
});

test("the usual feed is the one that told most, and none where none is named", () => {
  expect(usualFeed([trade("1", "b"), trade("1", "a"), trade("1", "a")])).toBe("a");
  expect(usualFeed([trade("1", "b"), trade("1", "a")])).toBe("b");
  expect(usualFeed([trade("1")])).toBe("");
  expect(usualFeed([])).toBe("");
});
