import { expect, test } from "vitest";
import { isOpen, isResting } from "../src/core/account";
import type { AccountEvent, AccountSnapshot, Fill, OrderView, ToldOrder, TopicFrame } from "../src/core/protocol";
import { shownStanding, TopicStore, type Link } from "../src/core/store";

const QUOTE = "quote:AAPL";
const ACCOUNT = "account:a1";

function frame(topic: string, seq: number, data: unknown, epoch = "one"): TopicFrame {
  return { op: "event", topic, epoch, seq, data };
}

function snapshot(topic: string, seq: number, data: unknown, epoch = "one"): TopicFrame {
  return { op: "snapshot", topic, epoch, seq, data };
}

function storeWithGaps(): { store: TopicStore; gaps: string[] } {
  const gaps: string[] = [];
  return { store: new TopicStore((topic) => gaps.push(topic)), gaps };
}

const ORDER: OrderView = {
  id: "o1", client_order_id: "c1", symbol: "AAPL", asset_class: "us_equity", side: "BUY", type: "LIMIT",
  time_in_force: "DAY", quantity: "10", limit_price: "100", stop_price: null, filled_quantity: "0", leaves_quantity: "10",
  average_price: null, status: "ACCEPTED", reason: null, submitted_at: "2026-01-02T10:00:00Z",
  updated_at: "2026-01-02T10:00:00Z", closed_at: null, expires_at: null, trail_price: null, trail_percent: null, hwm: null, group: null,
  replaces: null, replaced_by: null, strategy: null, display_quantity: null, notional: null, forced: null,
};

const EMPTY: AccountSnapshot = {
  account: { id: "a1", name: "Paper", venue_kind: "PAPER", currency: "USD" },
  balance: { currency: "USD", total: "1000", locked: "0", free: "1000" },
  orders: [], fills: [], positions: [],
};

function accountEvent(sequence: number, change: Partial<AccountEvent>): AccountEvent {
  return {
    event: "OrderAccepted", version: 1, account_id: "a1", account_sequence: sequence, request_id: "r",
    occurred_at: "2026-01-02T10:00:01Z", order: null, execution: null, position: null, balance: EMPTY.balance, ...change,
  };
}

test("a state topic keeps the newest and a gap in it is no loss", () => {
  const { store, gaps } = storeWithGaps();
  store.apply(snapshot(QUOTE, 5, { bid: "1" }));

  expect(store.apply(frame(QUOTE, 9, { bid: "2" }))).toBe("applied");
  expect(store.apply(frame(QUOTE, 7, { bid: "old" }))).toBe("ignored");

  expect(store.data(QUOTE)).toEqual({ bid: "2" });
  expect(gaps).toEqual([]);
});

test("a restarted publisher counts anew", () => {
  const { store } = storeWithGaps();
  store.apply(snapshot(QUOTE, 900, { bid: "1" }));

  expect(store.apply(frame(QUOTE, 1, { bid: "2" }, "two"))).toBe("applied");

  expect(store.data(QUOTE)).toEqual({ bid: "2" });
});

test("a gap in a log topic asks once for a snapshot and loses nothing", () => {
  const { store, gaps } = storeWithGaps();
  store.apply(snapshot("trade:AAPL", 3, { trades: [{ id: 3 }] }));

  expect(store.apply(frame("trade:AAPL", 5, { id: 5 }))).toBe("gap");
  expect(store.apply(frame("trade:AAPL", 6, { id: 6 }))).toBe("waiting");
  expect(store.state("trade:AAPL").phase).toBe("resync");
  store.apply(snapshot("trade:AAPL", 5, { trades: [{ id: 5 }, { id: 4 }, { id: 3 }] }));

  expect(store.data("trade:AAPL")).toEqual({ trades: [{ id: 6 }, { id: 5 }, { id: 4 }, { id: 3 }] });
  expect(gaps).toEqual(["trade:AAPL"]);
});

test("a log event that the snapshot already holds is not applied twice", () => {
  const { store } = storeWithGaps();
  store.apply(frame("trade:AAPL", 4, { id: 4 }));
  store.apply(snapshot("trade:AAPL", 4, { trades: [{ id: 4 }] }));

  expect(store.apply(frame("trade:AAPL", 4, { id: 4 }))).toBe("ignored");

  expect(store.data("trade:AAPL")).toEqual({ trades: [{ id: 4 }] });
});

test("what the page was rendered with is shown until the first snapshot", () => {
  const { store } = storeWithGaps();
  store.seed(ACCOUNT, EMPTY);

  expect(store.data(ACCOUNT)).toBe(EMPTY);
  expect(store.state(ACCOUNT).phase).toBe("loading");
});

test("snapshot and events give what a fresh snapshot would", () => {
  const { store } = storeWithGaps();
  const filled: OrderView = {
    ...ORDER, status: "FILLED", filled_quantity: "10", leaves_quantity: "0", average_price: "99",
    closed_at: "2026-01-02T10:00:02Z",
  };
  const fill: Fill = {
    id: "x1", order_id: "o1", symbol: "AAPL", price: "99", quantity: "10", side: "BUY", liquidity: "TAKER", fee: "0",
    occurred_at: "2026-01-02T10:00:02Z",
  };
  const position = {
    symbol: "AAPL", quantity: "10", average_entry_price: "99", cost_basis: "990", realized_pnl: "0",
  };
  store.apply(snapshot(ACCOUNT, 1, EMPTY, "ledger"));
  store.apply(frame(ACCOUNT, 2, accountEvent(2, { order: ORDER }), "ledger"));
  expect(store.data<AccountSnapshot>(ACCOUNT)?.orders.filter(isOpen)).toHaveLength(1);

  store.apply(
    frame(ACCOUNT, 3, accountEvent(3, {
      event: "OrderFilled", order: filled, position,
      execution: fill,
      balance: { currency: "USD", total: "10", locked: "0", free: "10" },
    }), "ledger"),
  );

  expect(store.data<AccountSnapshot>(ACCOUNT)).toEqual({
    ...EMPTY,
    balance: { currency: "USD", total: "10", locked: "0", free: "10" },
    orders: [filled],
    fills: [fill],
    positions: [position],
  });
});

test("an event leaves out what is null, and the account has the nulls again", () => {
  const { store } = storeWithGaps();
  store.apply(snapshot(ACCOUNT, 1, EMPTY, "ledger"));
  const told = Object.fromEntries(Object.entries(ORDER).filter(([, value]) => value !== null)) as ToldOrder;
  expect(Object.keys(told)).not.toContain("stop_price");

  store.apply(frame(ACCOUNT, 2, { event: "OrderAccepted", order: told, balance: EMPTY.balance }, "ledger"));

  const account = store.data<AccountSnapshot>(ACCOUNT);
  expect(account).toEqual({ ...EMPTY, orders: [ORDER] });
  expect(account?.orders.filter(isResting)).toHaveLength(1);
});

test("after a lost socket log topics wait for the new snapshot", () => {
  const { store, gaps } = storeWithGaps();
  store.apply(snapshot(ACCOUNT, 1, EMPTY, "ledger"));

  store.expectSnapshots();

  expect(store.apply(frame(ACCOUNT, 7, accountEvent(7, {}), "ledger"))).toBe("waiting");
  expect(store.data(ACCOUNT)).toBe(EMPTY);
  expect(gaps).toEqual([]);
});

test("a row says nothing while its first frames have not come, and the standing afterwards", () => {
  const store = new TopicStore(() => undefined);
  const topic = "quote:AAPL";
  const link = { isOpen: true, silentMilliseconds: 0, feedAgeMilliseconds: 100 };
  const says = (changes: Partial<Link> = {}, hasHeartbeat = true) => shownStanding(topic, store.state(topic), { ...link, ...changes }, hasHeartbeat);

  expect([says({}, false), says()]).toEqual([null, null]);
  expect(says({ isOpen: false })).toBe("recovering");

  store.apply({ op: "snapshot", topic, epoch: "e", seq: 1, data: { bid: "1", ask: "2", t: "x" } });
  expect([says(), says({ feedAgeMilliseconds: 5_001 }), says({ feedAgeMilliseconds: null }), says({ silentMilliseconds: 3_001 })]).toEqual(["live", "stale", "stale", "stale"]);

  store.expectSnapshots();
  expect(says()).toBe("recovering");
  store.apply({ op: "resumed", topic, epoch: "e", seq: 1, missed: 0 });
  expect(says()).toBe("live");

  store.apply({ op: "event", topic, epoch: "e", seq: 2, data: { bid: "1", ask: "2", t: "x", stale: true } });
  store.expectSnapshots();
  store.apply({ op: "resumed", topic, epoch: "e", seq: 2, missed: 0 });
  expect(says()).toBe("stale");
});
