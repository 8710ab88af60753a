import { describe, expect, test } from "vitest";
import { Decimal, digitsOf, parseTyped } from "../src/core/decimal";

describe("decimal", () => {
  test("arithmetic is exact where floats are not", () => {
    const sum = Decimal.of("0.1").plus(Decimal.of("0.2"));

    expect(sum.toString()).toBe("0.3");
    expect(Decimal.of("432.10").times(Decimal.of("0.00000001")).toString()).toBe("0.000004321");
  });

  test("equal values of different scale share their plain notation", () => {
    expect(Decimal.of("10.500").toString()).toBe("10.5");
    expect(Decimal.of("100").toString()).toBe("100");
    expect(Decimal.of("-0.00").toString()).toBe("0");
    expect(Decimal.of("10.50").equals(Decimal.of("10.5"))).toBe(true);
  });

  test.each([
    ["1.005", 2, "1.01"],
    ["-1.005", 2, "-1.01"],
    ["1.004", 2, "1.00"],
    ["0.5", 0, "1"],
    ["-0.004", 2, "0.00"],
  ])("%s rounds to %i digits as %s", (text, digits, expected) => {
    expect(Decimal.of(text).toFixed(digits)).toBe(expected);
  });

  test("a quotient is rounded half away from zero and zero divides nothing", () => {
    expect(Decimal.of("2").dividedBy(Decimal.of("3"), 4)?.toString()).toBe("0.6667");
    expect(Decimal.of("-2").dividedBy(Decimal.of("3"), 2)?.toString()).toBe("-0.67");
    expect(Decimal.of("100").dividedBy(Decimal.of("0.25"), 0)?.toString()).toBe("400");
    expect(Decimal.of("1").dividedBy(Decimal.ZERO, 2)).toBeNull();
  });

  test("prices snap down to the tick", () => {
    expect(Decimal.of("432.137").flooredTo(Decimal.of("0.05")).toString()).toBe("432.1");
    expect(Decimal.of("432.15").isMultipleOf(Decimal.of("0.05"))).toBe(true);
    expect(Decimal.of("432.16").isMultipleOf(Decimal.of("0.05"))).toBe(false);
  });

  test.each(["", "abc", "1e5", "1_000", "NaN", "1.", ".5", "0x10"])("%s on the wire is refused", (text) => {
    expect(Decimal.parse(text)).toBeNull();
  });

  test("the instrument's steps give the digits to show", () => {
    expect(digitsOf("0.01")).toBe(2);
    expect(digitsOf("0.00010000")).toBe(4);
    expect(digitsOf("1")).toBe(0);
  });
});

describe("typed numbers", () => {
  test.each([
    ["1234.5", "1234.5"],
    ["1,234.5", "1234.5"],
    ["1234,5", "1234.5"],
    ["12,345", "12345"],
    [" 1 234,5 ", "1234.5"],
    ["1'000", "1000"],
  ])("%s reads as %s", (typed, expected) => {
    expect(parseTyped(typed)?.toString()).toBe(expected);
  });

  test.each(["", "1,23,4", "ten", "1.2.3", "--1"])("%s is unreadable", (typed) => {
    expect(parseTyped(typed)).toBeNull();
  });
});
