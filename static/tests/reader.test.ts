// The rules of a reader, told as stories that marketdata/domain/live_reader.py passes too.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { applied, checksum } from "../src/core/ladders";
import type { Heartbeat, ServerFrame } from "../src/core/protocol";
import { standingOf, TopicStore } from "../src/core/store";

interface Step {
  at?: number;
  want?: string[];
  open?: true;
  lost?: true;
  take?: ServerFrame;
  says?: unknown[];
  standings?: Record<string, string>;
  data?: Record<string, unknown>;
}

const STORIES = JSON.parse(readFileSync(new URL("../../tests/marketdata/live_reader.json", import.meta.url), "utf-8")) as {
  name: string;
  steps: Step[];
}[];

test.each(STORIES)("$name", ({ steps }) => {
  let said: unknown[] = [];
  const store = new TopicStore((topic) => said.push({ op: "subscribe", topics: [topic] }));
  const wanted: string[] = [];
  const link = { isOpen: false, silentMilliseconds: 0, feedAgeMilliseconds: null as number | null };
  let now = 0;
  let heard = 0;
  for (const step of steps) {
    now = step.at ?? now;
    said = [];
    if (step.want) wanted.push(...step.want);
    if (step.open) {
      link.isOpen = true;
      said.push({ op: "subscribe", topics: wanted.map((topic) => store.position(topic) ?? topic) });
    }
    if (step.lost) {
      link.isOpen = false;
      store.expectSnapshots();
    }
    if (step.open || step.take) heard = now;
    const frame = step.take;
    if (frame?.op === "heartbeat") link.feedAgeMilliseconds = (frame as Heartbeat).feed_age_ms;
    else if (frame && "topic" in frame && frame.op !== "error") store.apply(frame);
    link.silentMilliseconds = now - heard;

    expect(said, JSON.stringify(step)).toEqual(step.says ?? []);
    for (const [topic, standing] of Object.entries(step.standings ?? {}))
      expect(standingOf(topic, store.state(topic), link), `${topic} after ${JSON.stringify(step)}`).toBe(standing);
    for (const [topic, data] of Object.entries(step.data ?? {})) expect(store.data(topic)).toEqual(data);
  }
});

test("the checksum is of the text that travels", () => {
  expect(checksum([["99.5", "1"], ["99", "2"]], [["100", "3"]])).toBe(1_513_795_581);
  expect(checksum([], [])).toBe(2_343_686_810);
});

test("a delta sorts by price, not by text", () => {
  const after = applied(
    { bids: [["9.5", "1"]], asks: [["100", "1"]], t: "1" },
    { base: 1, changes: [["b", "10", "2"], ["a", "99.5", "3"]], checksum: checksum([["10", "2"], ["9.5", "1"]], [["99.5", "3"], ["100", "1"]]), t: "2" },
  );

  expect(after).toEqual({ bids: [["10", "2"], ["9.5", "1"]], asks: [["99.5", "3"], ["100", "1"]], t: "2" });
});
