// Frames as the server writes them, and the bars that it made of the same trades (tests/marketdata/live_frames.py).
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { BarSeries, type Timeframe } from "../src/core/bars";
import { Decimal } from "../src/core/decimal";
import { lastPrice, middle } from "../src/core/prices";
import type { Bar, MinuteBar, Quote, Trade } from "../src/core/protocol";

const TOLD = JSON.parse(readFileSync(new URL("../../tests/marketdata/live_frames.json", import.meta.url), "utf-8")) as {
  frames: { topic: string; data: unknown }[];
  bars: Record<Timeframe, MinuteBar[]>;
  last: string;
  middles: (string | null)[];
};

function told<T>(kind: string): T[] {
  return TOLD.frames.filter(({ topic }) => topic.startsWith(kind)).map(({ data }) => data as T);
}

function figures(bar: Bar): string[] {
  return [String(Date.parse(bar.t)), ...[bar.o, bar.h, bar.l, bar.c, bar.v].map((text) => String(Decimal.of(text).toNumber()))];
}

test.each(["1Min", "5Min"] as Timeframe[])("a chart of %s comes to the server's own bars", (timeframe) => {
  const series = new BarSeries([], timeframe);

  for (const { topic, data } of TOLD.frames) {
    if (topic.startsWith("trade:")) series.takeTrade(data as Trade);
    if (topic.startsWith("bar:")) series.takeMinute(data as MinuteBar);
  }

  expect(series.bars.map(figures)).toEqual(TOLD.bars[timeframe]?.map(figures));
});

test("prints alone never draw what moves no price", () => {
  const series = new BarSeries([], "5Min");

  for (const trade of told<Trade>("trade:")) series.takeTrade(trade);

  expect(series.bars.map(({ h, l }) => [h, l])).toEqual([["103.25", "98.5"], ["98.75", "98.75"]]);
});

test("seconds count the volume of prints that draw nothing, and no late one", () => {
  const series = new BarSeries([], "5Sec");

  for (const trade of told<Trade>("trade:")) series.takeTrade(trade);

  expect(series.bars.slice(0, 2).map(({ c, v }) => [c, v])).toEqual([["100", "10"], ["101.5", "5"]]);
});

test("the last price is that of the newest print that moves it", () => {
  const trades = told<Trade>("trade:").reverse();

  expect(trades[0]?.price).not.toBe(TOLD.last);
  expect(Number(lastPrice(trades))).toBe(Number(TOLD.last));
  expect(lastPrice(trades.slice(0, 1))).toBeNull();
});

test("there is a middle between two sides, and none where one is empty", () => {
  expect(told<Quote>("quote:").map((quote) => middle(quote, 2)?.toString() ?? null)).toEqual(TOLD.middles);
});
