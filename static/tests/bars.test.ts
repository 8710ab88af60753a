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
  const series = new BarSeries([{ t: "2026-01-02T10:00:00Z", o: "100", h: "100", l: "100", c: "100", v: "30" }], "5Min");

  series.takeMinute(minute("2026-01-02T10:01:00Z", "101", "10"));
  series.takeMinute(minute("2026-01-02T10:01:00Z", "100.5", "12"));
  series.takeMinute(minute("2026-01-02T10:02:00Z", "100.2", "5"));

  expect(series.bars).toEqual([{ t: "2026-01-02T10:00:00Z", o: "100", h: "100.5", l: "100", c: "100.2", v: "37" }]);
});

test("an instant past the bar's end opens the next bar", () => {
  const series = new BarSeries([{ t: "2026-01-02T10:00:00Z", o: "100", h: "100", l: "100", c: "100", v: "30" }], "5Min");

  series.takeTrade(trade("2026-01-02T10:05:01.5Z", "102"));
  series.takeTrade(trade("2026-01-02T10:06:00Z", "99"));

  expect(series.bars.at(-1)).toEqual({ t: "2026-01-02T10:05:00.000Z", o: "102", h: "102", l: "99", c: "99", v: "0" });
});

test("what lies before the last bar changes nothing", () => {
  const series = new BarSeries([{ t: "2026-01-02T10:05:00Z", o: "100", h: "100", l: "100", c: "100", v: "30" }], "1Min");

  series.takeTrade(trade("2026-01-02T10:04:59Z", "50"));

  expect(series.bars).toHaveLength(1);
  expect(series.takeChanged()).toEqual([]);
});

test("prices are compared as numbers, not as text", () => {
  const series = new BarSeries([{ t: "2026-01-02T10:00:00Z", o: "99", h: "99", l: "99", c: "99", v: "1" }], "1Min");

  series.takeTrade(trade("2026-01-02T10:00:05Z", "100"));

  expect(series.bars[0]).toMatchObject({ h: "100", l: "99" });
});

test("a day begins when the venue's last one began", () => {
  const series = new BarSeries([{ t: "2026-01-02T05:00:00Z", o: "1", h: "1", l: "1", c: "1", v: "1" }], "1Day");

  series.takeTrade(trade("2026-01-03T04:59:59Z", "2"));
  series.takeTrade(trade("2026-01-03T05:00:00Z", "3"));

  expect(series.bars.map(({ t, c }) => [t, c])).toEqual([["2026-01-02T05:00:00Z", "2"], ["2026-01-03T05:00:00.000Z", "3"]]);
});

test("weeks begin on Mondays and months on their first day", () => {
  const starts = (["1Week", "1Month", "3Month"] as const).map((timeframe) => {
    const series = new BarSeries([], timeframe);
    series.takeTrade(trade("2026-05-20T12:00:00Z", "1"));
    return series.bars[0]?.t.slice(0, 10);
  });

  expect(starts).toEqual(["2026-05-18", "2026-05-01", "2026-04-01"]);
});

test("months follow each other however long they are", () => {
  const series = new BarSeries([{ t: "2026-02-01T05:00:00Z", o: "1", h: "1", l: "1", c: "1", v: "1" }], "1Month");

  series.takeTrade(trade("2026-03-01T04:00:00Z", "2"));
  series.takeTrade(trade("2026-03-01T05:00:00Z", "3"));

  expect(series.bars.map(({ t, c }) => [t.slice(0, 10), c])).toEqual([["2026-02-01", "2"], ["2026-03-01", "3"]]);
});

test("seconds are made of trades alone, their volume too", () => {
  const series = new BarSeries([], "1Sec");

  series.takeTrade(trade("2026-01-02T10:00:00.1Z", "5"));
  series.takeTrade(trade("2026-01-02T10:00:00.9Z", "6"));
  series.takeMinute(minute("2026-01-02T10:00:00Z", "101", "10"));
  series.takeTrade(trade("2026-01-02T10:00:01Z", "7"));

  expect(series.bars.map(({ t, o, c, v }) => [t, o, c, v])).toEqual([
    ["2026-01-02T10:00:00.000Z", "5", "6", "2"],
    ["2026-01-02T10:00:01.000Z", "7", "7", "1"],
  ]);
});

function told(t: string, o: string, h: string, l: string, c: string, v: string, more: Partial<MinuteBar> = {}): MinuteBar {
  return { t, o, h, l, c, v, n: 1, vw: null, closed: false, ...more };
}

test("the portal's minute takes the place of what the trades made of it", () => {
  const series = new BarSeries([], "1Min");
  series.takeTrade(trade("2026-01-02T10:00:01Z", "200"));

  series.takeMinute(told("2026-01-02T10:00:00Z", "100", "101", "99", "100.5", "7"));

  expect(series.bars).toEqual([{ t: "2026-01-02T10:00:00.000Z", o: "100", h: "101", l: "99", c: "100.5", v: "7" }]);
});

test("a minute that is amended later corrects the bar that is over", () => {
  const series = new BarSeries([], "1Min");
  series.takeMinute(told("2026-01-02T10:00:00Z", "100", "100", "100", "100", "7", { closed: true }));
  series.takeMinute(told("2026-01-02T10:01:00Z", "102", "102", "102", "102", "1"));
  series.takeChanged();

  series.takeMinute(told("2026-01-02T10:00:00Z", "100", "103", "100", "101", "9", { closed: true, amended: true }));

  expect(series.takeChanged()).toEqual([{ t: "2026-01-02T10:00:00.000Z", o: "100", h: "103", l: "100", c: "101", v: "9" }]);
  expect(series.bars.at(-1)).toMatchObject({ c: "102", v: "1" });
});

test("a bar that was loaded is corrected too, and one that nobody has is not made up", () => {
  const loaded = ["2026-01-02T10:00:00Z", "2026-01-02T10:02:00Z", "2026-01-02T10:03:00Z"].map((t) => ({ t, o: "1", h: "1", l: "1", c: "1", v: "1" }));
  const series = new BarSeries(loaded, "1Min");

  series.takeMinute(told("2026-01-02T10:00:00Z", "1", "5", "1", "2", "4", { closed: true, amended: true }));
  series.takeMinute(told("2026-01-02T10:01:00Z", "1", "5", "1", "2", "4", { closed: true, amended: true }));

  expect(series.bars.map(({ h, v }) => [h, v])).toEqual([["5", "4"], ["1", "1"], ["1", "1"]]);
});

test("of a longer bar that was loaded an amended minute only makes it wider", () => {
  const series = new BarSeries([{ t: "2026-01-02T10:00:00Z", o: "100", h: "101", l: "99", c: "100", v: "30" }], "5Min");

  series.takeMinute(told("2026-01-02T10:02:00Z", "100", "104", "100", "103", "9", { closed: true, amended: true }));

  expect(series.bars).toEqual([{ t: "2026-01-02T10:00:00Z", o: "100", h: "104", l: "99", c: "100", v: "30" }]);
});

test("many minutes add up in one bar", () => {
  const series = new BarSeries([], "1Hour");

  for (let number = 10; number < 20; number += 1)
    series.takeMinute(told(`2026-01-02T10:${number}:00Z`, "100", String(100 + number), "99", "100", "2", { closed: true }));
  series.takeMinute(told("2026-01-02T10:18:00Z", "100", "90", "80", "85", "5", { closed: true, amended: true }));

  expect(series.bars).toEqual([{ t: "2026-01-02T10:00:00.000Z", o: "100", h: "119", l: "80", c: "100", v: "23" }]);
});

test("what is printed outside of the session is in no day", () => {
  const series = new BarSeries([{ t: "2026-01-02T05:00:00Z", o: "1", h: "1", l: "1", c: "1", v: "1" }], "1Day");

  series.takeTrade({ ...trade("2026-01-02T22:00:00Z", "9"), flags: 4 });
  series.takeTrade({ ...trade("2026-01-02T21:00:01Z", "2"), flags: 4 | 8 });

  expect(series.bars.map(({ h, c }) => [h, c])).toEqual([["2", "2"]]);
});
