import { expect, test } from "vitest";
import { BarSeries } from "../src/core/bars";
import type { MinuteBar, Trade } from "../src/core/protocol";

function minute(t: string, close: string, volume: string): MinuteBar {
  return { t, o: "100", h: close > "100" ? close : "100", l: "100", c: close, v: volume, n: 1, vw: close, closed: false };
}

function trade(t: string, price: string): Trade {
  return { id: 1, price, size: "1", side: "BUY", t };
}

test("minutes are folded into the running bar and their volumes add up", () => {
  const series = new BarSeries([{ t: "2026-01-02T10:00:00Z", o: "100", h: "100", l: "100", c: "100", v: "30" }], 300);

  series.takeMinute(minute("2026-01-02T10:01:00Z", "101", "10"));
  series.takeMinute(minute("2026-01-02T10:01:00Z", "100.5", "12"));
  series.takeMinute(minute("2026-01-02T10:02:00Z", "100.2", "5"));

  expect(series.bars).toEqual([{ t: "2026-01-02T10:00:00Z", o: "100", h: "101", l: "100", c: "100.2", v: "37" }]);
});

test("an instant past the bar's end opens the next bar", () => {
  const series = new BarSeries([{ t: "2026-01-02T10:00:00Z", o: "100", h: "100", l: "100", c: "100", v: "30" }], 300);

  series.takeTrade(trade("2026-01-02T10:05:01.5Z", "102"));
  series.takeTrade(trade("2026-01-02T10:06:00Z", "99"));

  expect(series.bars.at(-1)).toEqual({ t: "2026-01-02T10:05:00.000Z", o: "102", h: "102", l: "99", c: "99", v: "0" });
});

test("what lies before the last bar changes nothing", () => {
  const series = new BarSeries([{ t: "2026-01-02T10:05:00Z", o: "100", h: "100", l: "100", c: "100", v: "30" }], 60);

  series.takeTrade(trade("2026-01-02T10:04:59Z", "50"));

  expect(series.bars).toHaveLength(1);
  expect(series.takeChanged()).toEqual([]);
});

test("prices are compared as numbers, not as text", () => {
  const series = new BarSeries([{ t: "2026-01-02T10:00:00Z", o: "99", h: "99", l: "99", c: "99", v: "1" }], 60);

  series.takeTrade(trade("2026-01-02T10:00:05Z", "100"));

  expect(series.bars[0]).toMatchObject({ h: "100", l: "99" });
});
