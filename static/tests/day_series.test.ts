// Charts of days, weeks and months follow the running day of the feed, and nothing else.
import { expect, test } from "vitest";
import { DaySeries } from "../src/core/day_series";
import type { Bar } from "../src/core/protocol";

function day(t: string, c: string, v: string, h = c, l = c): Bar {
  return { t, o: "100", h, l, c, v };
}

test("the running day takes the place of its bar, whole", () => {
  const series = new DaySeries([day("2026-03-02T05:00:00Z", "101", "10"), day("2026-03-03T05:00:00Z", "102", "20")], "1Day");

  series.takeDay(day("2026-03-03T05:00:00.000000Z", "103", "25", "104", "99"));

  expect(series.bars.map(({ t, h, l, c, v }) => [t, h, l, c, v])).toEqual([
    ["2026-03-02T05:00:00Z", "101", "101", "101", "10"],
    ["2026-03-03T05:00:00Z", "104", "99", "103", "25"],
  ]);
  expect(series.takeChanged()).toHaveLength(1);
  expect(series.takeChanged()).toEqual([]);
});

test("the next day begins a bar, also where the clocks changed, and an old one changes nothing", () => {
  const series = new DaySeries([day("2026-03-08T05:00:00Z", "101", "10")], "1Day");

  series.takeDay(day("2026-03-09T04:00:00Z", "103", "5"));
  series.takeDay(day("2026-03-07T05:00:00Z", "50", "5"));

  expect(series.bars.map(({ t, c }) => [t.slice(0, 10), c])).toEqual([["2026-03-08", "101"], ["2026-03-09", "103"]]);
});

test("minutes and trades move no day", () => {
  const series = new DaySeries([day("2026-03-02T05:00:00Z", "101", "10")], "1Day");

  series.takeTrade();
  series.takeMinute();

  expect(series.takeChanged()).toEqual([]);
  expect(series.bars[0]).toEqual(day("2026-03-02T05:00:00Z", "101", "10"));
});

test("a week is its days, of which the running one grows", () => {
  const days = [day("2026-02-27T05:00:00Z", "1", "7", "900", "1"), day("2026-03-02T05:00:00Z", "101", "10", "110", "90"), day("2026-03-03T05:00:00Z", "102", "20", "103", "95")];
  const series = new DaySeries([{ t: "2026-03-02T05:00:00Z", o: "100", h: "110", l: "90", c: "102", v: "30" }], "1Week", days);

  series.takeDay(day("2026-03-03T05:00:00Z", "120", "0.25", "120", "95"));
  series.takeDay(day("2026-03-03T05:00:00Z", "119", "0.5", "120", "95"));

  expect(series.bars).toEqual([{ t: "2026-03-02T05:00:00Z", o: "100", h: "120", l: "90", c: "119", v: "10.5" }]);
});

test("a week begins on its venue's Monday, a month on its first", () => {
  const starts = (["1Week", "1Month"] as const).flatMap((timeframe) =>
    // New York, Tokyo: the Thursday of 2026-03-05 there.
    ["2026-03-05T05:00:00Z", "2026-03-04T15:00:00Z"].map((t) => {
      const series = new DaySeries([], timeframe);
      series.takeDay(day(t, "1", "1"));
      return series.bars[0]?.t;
    }),
  );

  expect(starts).toEqual(["2026-03-02T05:00:00.000Z", "2026-03-01T15:00:00.000Z", "2026-03-01T05:00:00.000Z", "2026-02-28T15:00:00.000Z"]);
});

test("a week follows a week across the change of clocks", () => {
  const series = new DaySeries([day("2026-03-02T05:00:00Z", "1", "1")], "1Week");

  series.takeDay(day("2026-03-09T04:00:00Z", "2", "2"));
  series.takeDay(day("2026-03-10T04:00:00Z", "3", "3"));

  expect(series.bars.map(({ t, c, v }) => [t.slice(0, 13), c, v])).toEqual([["2026-03-02T05", "1", "1"], ["2026-03-09T04", "3", "5"]]);
});

test("a fill is marked at the last bar that had begun", () => {
  const series = new DaySeries([day("2026-03-08T05:00:00Z", "1", "1"), day("2026-03-09T04:00:00Z", "1", "1")], "1Day");

  expect(series.startOf("2026-03-09T03:59:59Z")).toBe(Date.parse("2026-03-08T05:00:00Z") / 1000);
  expect(series.startOf("2026-03-12T12:00:00Z")).toBe(Date.parse("2026-03-09T04:00:00Z") / 1000);
});
