import { expect, test } from "vitest";
import { LiveSocket, type Connection, type SocketLike } from "../src/core/socket";

class FakeSocket implements SocketLike {
  readyState = 0;
  sent: string[] = [];
  onopen: ((event: never) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  send = (text: string) => void this.sent.push(text);
  close = () => undefined;
  opened(): void {
    this.readyState = 1;
    this.onopen?.(undefined as never);
    this.onmessage?.({ data: '{"op":"welcome","heartbeat_seconds":1}' });
  }
}

function world() {
  const sockets: FakeSocket[] = [];
  const states: Connection[] = [];
  const timers: { at: number; run: () => void }[] = [];
  let time = 0;
  let lost = 0;
  const live = new LiveSocket(
    {
      open: () => {
        const socket = new FakeSocket();
        sockets.push(socket);
        return socket;
      },
      now: () => time,
      later: (run, milliseconds) => void timers.push({ at: time + milliseconds, run }),
      random: () => 1,
    },
    {
      onTopic: () => undefined,
      onConnection: (connection) => void states.push(connection),
      onHeartbeat: () => undefined,
      onLost: () => void (lost += 1),
      onError: () => undefined,
    },
  );
  const advance = (milliseconds: number) => {
    const end = time + milliseconds;
    for (;;) {
      timers.sort((a, b) => a.at - b.at);
      const next = timers[0];
      if (!next || next.at > end) break;
      timers.shift();
      time = next.at;
      next.run();
    }
    time = end;
  };
  return { live, sockets, states, advance, lostCount: () => lost };
}

test("a reconnect subscribes again to everything wanted, and sends nothing else", () => {
  const { live, sockets, advance, lostCount } = world();
  live.start();
  sockets[0]!.opened();
  live.subscribe(["quote:AAPL", "account:a1"]);

  sockets[0]!.onclose?.({ code: 1012 });
  advance(400);
  sockets[1]!.opened();

  expect(sockets[1]!.sent).toEqual(['{"op":"subscribe","topics":["quote:AAPL","account:a1"]}']);
  expect(lostCount()).toBe(1);
});

test("silence is stale after 3 s and offline after 10 s", () => {
  const { live, sockets, states, advance } = world();
  live.start();
  sockets[0]!.opened();

  advance(3_600);
  expect(live.connection).toBe("stale");
  advance(7_000);

  expect(live.connection).toBe("offline");
  expect(states).toEqual(["live", "stale", "offline"]);
});

test("a silent connection is replaced without waiting for its close", () => {
  const { live, sockets, advance } = world();
  live.start();
  sockets[0]!.opened();

  advance(11_500);
  sockets.at(-1)!.opened();

  expect(sockets.length).toBeGreaterThan(1);
  expect(live.connection).toBe("live");
});

test("failed attempts back off", () => {
  const { live, sockets, advance } = world();
  live.start();
  for (let attempt = 0; attempt < 5; attempt += 1) {
    sockets.at(-1)!.onclose?.({ code: 1006 });
    advance(400 * 2 ** attempt - 1);
    expect(sockets).toHaveLength(attempt + 1);
    advance(1);
    expect(sockets).toHaveLength(attempt + 2);
  }
});

test("a signed-out session is not retried", () => {
  const { live, sockets, advance } = world();
  live.start();
  sockets[0]!.opened();

  sockets[0]!.onclose?.({ code: 4401 });
  advance(60_000);

  expect(live.connection).toBe("signed-out");
  expect(sockets).toHaveLength(1);
});

test("a topic wanted twice is subscribed once and dropped with its last user", () => {
  const { live, sockets } = world();
  live.start();
  sockets[0]!.opened();

  live.subscribe(["bar:AAPL:1Min"]);
  live.subscribe(["bar:AAPL:1Min"]);
  live.unsubscribe(["bar:AAPL:1Min"]);
  live.unsubscribe(["bar:AAPL:1Min"]);

  expect(sockets[0]!.sent.map((text) => JSON.parse(text).op)).toEqual(["subscribe", "unsubscribe"]);
});

test("rows want a topic at their pace, and whoever wants it at once makes it hasty", () => {
  const { live, sockets, advance } = world();
  live.start();
  sockets[0]!.opened();

  live.subscribe(["quote:AAPL", "quote:MSFT"], 250);
  live.subscribe(["quote:AAPL", "trade:AAPL"]);
  live.unsubscribe(["quote:AAPL", "trade:AAPL"]);
  live.resync("quote:MSFT");
  live.subscribe(["quote:AAPL"]);
  sockets[0]!.onclose?.({ code: 1006 });
  advance(400);
  sockets[1]!.opened();
  live.unsubscribe(["quote:AAPL"], 1000);
  live.unsubscribe(["quote:MSFT"], 250);

  expect(sockets[0]!.sent.map((text) => JSON.parse(text))).toEqual([
    { op: "subscribe", topics: ["quote:AAPL", "quote:MSFT"], every_ms: 250 },
    { op: "subscribe", topics: ["quote:AAPL", "trade:AAPL"] },
    { op: "subscribe", topics: ["quote:AAPL"], every_ms: 250 },
    { op: "unsubscribe", topics: ["trade:AAPL"] },
    { op: "subscribe", topics: ["quote:MSFT"], every_ms: 250 },
    { op: "subscribe", topics: ["quote:AAPL"] },
  ]);
  expect(sockets[1]!.sent.map((text) => JSON.parse(text))).toEqual([
    { op: "subscribe", topics: ["quote:AAPL"] },
    { op: "subscribe", topics: ["quote:MSFT"], every_ms: 250 },
    { op: "unsubscribe", topics: ["quote:MSFT"] },
  ]);
});
