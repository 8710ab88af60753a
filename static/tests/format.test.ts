import { describe, expect, test } from "vitest";
import { Decimal } from "../src/core/decimal";
import { direction, fixed, glyph, MISSING, percentChange, plain, signed, timeOfDay } from "../src/core/format";

describe("numbers on the page", () => {
  test("fixed digits are grouped and exact beyond the reach of floats", () => {
    expect(fixed("1234567.5", 2)).toBe("1,234,567.50");
    expect(fixed("90071992547409931234.12345678", 8)).toBe("90,071,992,547,409,931,234.12345678");
  });

  test("minus is the real sign and zero has none", () => {
    expect(signed("-0.4", 2)).toBe("\u22120.40");
    expect(signed("1.25", 2)).toBe("+1.25");
    expect(signed("-0.001", 2)).toBe("0.00");
  });

  test("what is missing is a dash, never a zero", () => {
    expect(fixed(null, 2)).toBe(MISSING);
    expect(signed(undefined, 2)).toBe(MISSING);
    expect(plain("", 2)).toBe(MISSING);
    expect(timeOfDay("not a time")).toBe(MISSING);
  });

  test("quantities keep the digits that they have", () => {
    expect(plain("10.00")).toBe("10");
    expect(plain("0.12500000")).toBe("0.125");
    expect(plain("12345")).toBe("12,345");
  });

  test("change is a percentage of where it started", () => {
    expect(percentChange("200", "205")?.toString()).toBe("2.5");
    expect(percentChange("0", "205")).toBeNull();
    expect(percentChange(null, "205")).toBeNull();
  });

  test("direction is told by glyph and name, not by colour alone", () => {
    expect(glyph(Decimal.of("1").sign)).toBe("▲");
    expect(glyph(-1)).toBe("▼");
    expect(direction(0)).toBe("flat");
  });
});
