import { expect, test } from "vitest";
import { PaintScheduler, type Clock } from "../src/core/scheduler";

class FakeClock implements Clock {
  time = 0;
  cost = 0;
  private queue: { at: number; run: () => void }[] = [];

  now = () => this.time;
  requestFrame = (callback: () => void) => {
    this.queue.push({ at: Math.floor(this.time / 16 + 1) * 16, run: callback });
  };
  later = (callback: () => void, milliseconds: number) => {
    this.queue.push({ at: this.time + milliseconds, run: callback });
  };

  advanceTo(end: number): void {
    for (;;) {
      this.queue.sort((a, b) => a.at - b.at);
      const next = this.queue[0];
      if (!next || next.at > end) break;
      this.queue.shift();
      this.time = Math.max(this.time, next.at);
      next.run();
    }
    this.time = end;
  }

  get isIdle(): boolean {
    return this.queue.length === 0;
  }
}

test("any number of marks in an interval is one paint", () => {
  const clock = new FakeClock();
  let paints = 0;
  const mark = new PaintScheduler(clock).register(() => (paints += 1), 100);

  for (let time = 0; time < 1000; time += 5) {
    clock.advanceTo(time);
    mark();
  }
  clock.advanceTo(1200);

  expect(paints).toBeGreaterThanOrEqual(9);
  expect(paints).toBeLessThanOrEqual(11);
});

test("the last mark is always painted, then the scheduler sleeps", () => {
  const clock = new FakeClock();
  const painted: number[] = [];
  let value = 0;
  const mark = new PaintScheduler(clock).register(() => painted.push(value), 100);

  for (value = 1; value <= 3; value += 1) mark();
  value = 4;
  mark();
  clock.advanceTo(500);

  expect(painted.at(-1)).toBe(4);
  expect(clock.isIdle).toBe(true);
});

test("a slow widget does not hold back a quick one", () => {
  const clock = new FakeClock();
  const counts = { quick: 0, slow: 0 };
  const scheduler = new PaintScheduler(clock);
  const quick = scheduler.register(() => (counts.quick += 1), 50);
  const slow = scheduler.register(() => (counts.slow += 1), 500);

  for (let time = 0; time < 1000; time += 10) {
    clock.advanceTo(time);
    quick();
    slow();
  }

  expect(counts.slow).toBe(2);
  expect(counts.quick).toBeGreaterThan(12);
});

test("long paints stretch the intervals", () => {
  const clock = new FakeClock();
  let paints = 0;
  const scheduler = new PaintScheduler(clock);
  const mark = scheduler.register(() => {
    paints += 1;
    clock.time += 40;
  }, 50);

  for (let step = 0; step < 200; step += 1) {
    clock.advanceTo(clock.time + 5);
    mark();
  }

  expect(paints).toBeLessThan(clock.time / 150);
});
