import { expect, test } from "vitest";
import { Announcer } from "../src/core/announcer";

test("a burst is one sentence now and at most one every two seconds", () => {
  const spoken: string[] = [];
  const timers: { at: number; run: () => void }[] = [];
  let time = 0;
  const announcer = new Announcer((text) => spoken.push(text), () => time, (run, wait) => timers.push({ at: time + wait, run }));
  const advance = (to: number) => {
    for (const timer of timers.filter(({ at }) => at <= to)) {
      time = timer.at;
      timers.splice(timers.indexOf(timer), 1);
      timer.run();
    }
    time = to;
  };

  for (let fill = 1; fill <= 100; fill += 1) announcer.say(`Fill ${fill}`);
  advance(0);
  announcer.say("Late fill");
  advance(1_999);
  expect(spoken).toEqual(["Fill 1, and 99 more updates"]);
  advance(2_000);

  expect(spoken).toEqual(["Fill 1, and 99 more updates", "Late fill"]);
});
