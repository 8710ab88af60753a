import { describe, expect, test } from "vitest";
import { Decimal } from "../src/core/decimal";
import {
  ClientOrderIds, gapOf, orderSentence, outlookOf, randomId, shareQuantity, stepped, ticketErrors, wireFields, type TicketState,
} from "../src/core/order_ticket";
import type { Instrument } from "../src/core/protocol";

const INSTRUMENT: Instrument = {
  symbol: "AAPL", name: "Apple", asset_class: "us_equity", tick_size: "0.05", lot_size: "5", min_notional: "1",
  status: "OPEN", previous_close: null, last: null,
};
const TICKET: TicketState = {
  symbol: "AAPL", side: "BUY", type: "LIMIT", timeInForce: "DAY", expiresAt: "", sizeBy: "QUANTITY", quantity: "10",
  notional: "", limitPrice: "432.1", stopPrice: "", trail: "", trailBy: "PERCENT", orderClass: "SIMPLE", takeProfit: "",
  stopLoss: "", stopLossLimit: "", displayQuantity: "", postOnly: false, reduceOnly: false, stpMode: "",
};

describe("the button", () => {
  test("says the whole order", () => {
    expect(orderSentence(TICKET, INSTRUMENT, 2)).toBe("Buy 10 AAPL limit 432.10 — PAPER");
    expect(orderSentence({ ...TICKET, side: "SELL", type: "MARKET" }, INSTRUMENT, 2)).toBe("Sell 10 AAPL market — PAPER");
  });

  test("says what is missing", () => {
    expect(orderSentence({ ...TICKET, quantity: "" }, INSTRUMENT, 2)).toBe("Enter a quantity");
    expect(orderSentence({ ...TICKET, limitPrice: " " }, INSTRUMENT, 2)).toBe("Enter a limit price");
  });
});

const STOP_LIMIT: TicketState = { ...TICKET, type: "STOP_LIMIT", stopPrice: "432" };

test("a stop is named with its prices and asks for what it lacks", () => {
  expect(orderSentence(STOP_LIMIT, INSTRUMENT, 2)).toBe("Buy 10 AAPL stop 432.00 limit 432.10 — PAPER");
  expect(orderSentence({ ...STOP_LIMIT, type: "STOP" }, INSTRUMENT, 2)).toBe("Buy 10 AAPL stop 432.00 — PAPER");
  expect(orderSentence({ ...STOP_LIMIT, stopPrice: "" }, INSTRUMENT, 2)).toBe("Enter a stop price");
});

test("conditions that do not fit the order are told beside their field, and nothing is dropped silently", () => {
  const stop = { ...STOP_LIMIT, timeInForce: "IOC" };
  const posted = { ...TICKET, postOnly: true, timeInForce: "FOK" };

  expect(Object.keys(ticketErrors(stop, INSTRUMENT))).toEqual(["time_in_force"]);
  expect(gapOf(posted, INSTRUMENT)).toBe("post_only");
  expect(orderSentence(posted, INSTRUMENT, 2)).toBe("See the marked field");
  expect(gapOf({ ...TICKET, postOnly: true }, INSTRUMENT)).toBeNull();
});

test("only what is set goes onto the wire", () => {
  const plain = Object.keys(wireFields(TICKET));
  const set = wireFields({ ...TICKET, postOnly: true, reduceOnly: true, stpMode: "DECREMENT" });

  expect(plain).not.toContain("post_only");
  expect(set).toMatchObject({ post_only: "on", reduce_only: "on", stp_mode: "DECREMENT", limit_price: "432.1" });
});

test.each([
  [{}, "0", "Rests in the book."],
  [{}, "4", "4 fill at once, 6 rest in the book."],
  [{}, "10", "Fills at once."],
  [{ timeInForce: "IOC" }, "4", "4 fill at once, 6 would be canceled."],
  [{ timeInForce: "FOK" }, "0", "Nothing fills now, so it would end at once."],
  [{ type: "STOP", stopPrice: "450" }, "0", "Waits until the market trades at 450."],
] as const)("the outlook of %o with %s on offer", (changes, takeable, expected) => {
  expect(outlookOf({ ...TICKET, ...changes }, takeable)).toBe(expected);
});

test("what is off the instrument's grid is told with the step", () => {
  expect(ticketErrors({ ...TICKET, quantity: "12", limitPrice: "432.11" }, INSTRUMENT)).toEqual({
    quantity: "Use a multiple of 5.",
    limit_price: "Prices move in steps of 0.05.",
  });
  expect(ticketErrors({ ...TICKET, quantity: "ten", limitPrice: "-1" }, INSTRUMENT)).toEqual({
    quantity: "This is not a number.",
    limit_price: "More than zero, please.",
  });
});

test.each([
  ["432.10", 1, "432.15"],
  ["432.12", 1, "432.15"],
  ["432.12", -1, "432.1"],
  ["432.10", -1, "432.05"],
  ["432.10", 10, "432.6"],
  ["0.05", -1, "0.05"],
  ["", 1, "432.5"],
])("from %s, %i steps lead to %s", (typed, steps, expected) => {
  expect(stepped(typed, "0.05", steps, "432.5")).toBe(expected);
});

test("a share never rounds up above what is available", () => {
  const available = Decimal.of("1000");

  expect(shareQuantity({ percent: 100, available, price: Decimal.of("333.34") }, "1")?.toString()).toBe("2");
  expect(shareQuantity({ percent: 50, available, price: Decimal.of("100") }, "0.001")?.toString()).toBe("5");
  expect(shareQuantity({ percent: 25, available: Decimal.of("0.43"), price: null }, "0.01")?.toString()).toBe("0.1");
  expect(shareQuantity({ percent: 25, available: Decimal.of("10"), price: Decimal.of("1000") }, "1")?.toString()).toBe("0");
});

describe("client order ids", () => {
  function ids(): ClientOrderIds {
    let count = 0;
    return new ClientOrderIds("rendered", () => `made-${(count += 1)}`);
  }

  test("an unchanged ticket keeps its id, so a second press is the same order", () => {
    const ticket = ids();

    expect([ticket.for(TICKET), ticket.for({ ...TICKET })]).toEqual(["rendered", "rendered"]);
  });

  test("a changed ticket is another order", () => {
    const ticket = ids();
    ticket.for(TICKET);

    expect(ticket.for({ ...TICKET, quantity: "15" })).toBe("made-1");
  });

  test("after an answer the same fields are a new order", () => {
    const ticket = ids();
    ticket.for(TICKET);
    ticket.renew();

    expect(ticket.for(TICKET)).toBe("made-1");
  });

  test("a random id is a version 4 UUID", () => {
    expect(randomId(new Uint8Array(16).fill(255))).toBe("ffffffff-ffff-4fff-bfff-ffffffffffff");
    expect(randomId()).not.toBe(randomId());
  });
});

test("an order until a time asks for it and sends it, one for an auction says so", () => {
  const until = { ...TICKET, timeInForce: "GTD" };

  expect(orderSentence(until, INSTRUMENT, 2)).toBe("Say until when");
  expect(wireFields({ ...until, expiresAt: "2026-01-31T15:30" })).toMatchObject({ expires_at: "2026-01-31T15:30" });
  expect(wireFields({ ...TICKET, expiresAt: "2026-01-31T15:30" })).not.toHaveProperty("expires_at");
  expect(outlookOf({ ...TICKET, timeInForce: "OPG" }, "0")).toBe("Takes part in the opening auction, and in nothing else.");
  expect(ticketErrors({ ...until, postOnly: true }, INSTRUMENT).post_only).toBeDefined();
});

test("an order for a market that trades nothing now waits for its auction, a stop for its price", () => {
  const told = { quantity: null, stop_price: null, hwm: null };

  expect(outlookOf(TICKET, "0", { ...told, waits_in: "CLOSED" })).toBe("The market is closed: it waits for the opening auction.");
  expect(outlookOf(TICKET, "0", { ...told, waits_in: "AUCTION" })).toBe("Waits for the auction.");
  expect(outlookOf({ ...TICKET, type: "STOP", stopPrice: "101" }, "0", { ...told, waits_in: "CLOSED" })).toBe(
    "Waits until the market trades at 101.",
  );
});

describe("a market order for a value", () => {
  const value: TicketState = { ...TICKET, type: "MARKET", sizeBy: "VALUE", quantity: "", notional: "250", limitPrice: "" };

  test("names the value and sends it instead of a quantity", () => {
    expect(orderSentence(value, INSTRUMENT, 2)).toBe("Buy AAPL for 250 market — PAPER");
    expect(orderSentence({ ...value, notional: "" }, INSTRUMENT, 2)).toBe("Enter a value");
    expect(wireFields(value)).toMatchObject({ size_by: "VALUE", notional: "250" });
    expect(wireFields(value)).not.toHaveProperty("quantity");
    expect(outlookOf(value, "5", { quantity: "5", waits_in: null, stop_price: null, hwm: null })).toBe("That is 5 at what is offered now.");
  });

  test("takes no exits", () => {
    const bracket = { ...value, orderClass: "BRACKET", takeProfit: "450", stopLoss: "400" } as const;

    expect(ticketErrors(bracket, INSTRUMENT)).toEqual({ order_class: "Exits need a quantity, not a value." });
  });
});

describe("a trailing stop", () => {
  const trailing: TicketState = { ...TICKET, side: "SELL", type: "TRAILING_STOP", limitPrice: "", trail: "2.5" };

  test("is named by its distance, in percent or as a price", () => {
    expect(orderSentence(trailing, INSTRUMENT, 2)).toBe("Sell 10 AAPL trailing 2.5% — PAPER");
    expect(orderSentence({ ...trailing, trailBy: "PRICE" }, INSTRUMENT, 2)).toBe("Sell 10 AAPL trailing 2.50 — PAPER");
    expect(orderSentence({ ...trailing, trail: "" }, INSTRUMENT, 2)).toBe("Enter how far it trails");
    expect(wireFields(trailing)).toMatchObject({ trail: "2.5", trail_by: "PERCENT", stop_price: "" });
  });

  test("says where its stop begins as soon as the portal has told", () => {
    expect(outlookOf(trailing, "0", { quantity: null, waits_in: null, stop_price: "421.20", hwm: "432" })).toBe(
      "Its stop begins at 421.2 and follows the market from 432.",
    );
    expect(outlookOf(trailing, "0")).toBe("");
  });

  test.each([
    ["PERCENT", "100", "Less than 100%, please."],
    ["PERCENT", "0.00001", "Use a multiple of 0.0001."],
    ["PRICE", "2.51", "Prices move in steps of 0.05."],
    ["PERCENT", "99.9999", undefined],
  ] as const)("by %s a distance of %s", (trailBy, trail, error) => {
    expect(ticketErrors({ ...trailing, trailBy, trail }, INSTRUMENT).trail).toBe(error);
  });
});

describe("exits", () => {
  const bracket: TicketState = { ...TICKET, limitPrice: "430", orderClass: "BRACKET", takeProfit: "450", stopLoss: "420" };

  test("are said on the button and sent with the order", () => {
    expect(orderSentence(bracket, INSTRUMENT, 2)).toBe("Buy 10 AAPL limit 430.00, take profit 450.00, stop loss 420.00 — PAPER");
    expect(wireFields(bracket)).toMatchObject({ order_class: "BRACKET", take_profit: "450", stop_loss: "420", stop_loss_limit: "" });
    expect(wireFields(TICKET)).not.toHaveProperty("order_class");
  });

  test.each([
    [{}, {}],
    [{ takeProfit: "430" }, { take_profit: "It has to lie above 430." }],
    [{ stopLoss: "430" }, { stop_loss: "It has to lie below 430." }],
    [{ side: "SELL" }, { take_profit: "It has to lie below 430.", stop_loss: "It has to lie above 430." }],
    [{ stopLossLimit: "420.05" }, { stop_loss_limit: "It has to lie below 420." }],
    [{ stopLossLimit: "420" }, {}],
    [{ takeProfit: "450.01" }, { take_profit: "Prices move in steps of 0.05." }],
    [{ type: "STOP", stopPrice: "455", limitPrice: "" }, { take_profit: "It has to lie above 455." }],
    [{ timeInForce: "IOC" }, { time_in_force: "With exits: day or until canceled." }],
    [{ orderClass: "OTO" }, { take_profit: "Only one of the two: an OTO has one exit. For both choose a bracket." }],
    [{ orderClass: "OTO", takeProfit: "" }, {}],
  ] as const)("with %o", (changes, errors) => {
    expect(ticketErrors({ ...bracket, ...changes } as TicketState, INSTRUMENT)).toEqual(errors);
  });

  test.each([
    [{ takeProfit: "" }, "take_profit"],
    [{ stopLoss: "" }, "stop_loss"],
    [{ orderClass: "OTO", takeProfit: "", stopLoss: "" }, "take_profit"],
    [{ orderClass: "OTO", takeProfit: "" }, null],
  ] as const)("without %o the ticket is not whole", (changes, gap) => {
    expect(gapOf({ ...bracket, ...changes } as TicketState, INSTRUMENT)).toBe(gap);
  });

  test("of an OCO lie around its limit, which is the take profit", () => {
    const pair: TicketState = { ...bracket, side: "SELL", orderClass: "OCO", takeProfit: "" };

    expect(gapOf(pair, INSTRUMENT)).toBeNull();
    expect(ticketErrors({ ...pair, stopLoss: "431" }, INSTRUMENT)).toEqual({ stop_loss: "It has to lie below 430." });
    expect(ticketErrors({ ...pair, type: "MARKET" }, INSTRUMENT).order_class).toBe("An OCO is a limit order: its limit is the take profit.");
  });

  test("are not offered for crypto", () => {
    expect(ticketErrors(bracket, { ...INSTRUMENT, asset_class: "crypto" }).order_class).toBe("AAPL takes no exits; stocks do.");
  });
});

test.each([
  [{ displayQuantity: "5" }, undefined],
  [{ displayQuantity: "15" }, "At most the quantity, and at least a twentieth of it."],
  [{ displayQuantity: "5", quantity: "105" }, "At most the quantity, and at least a twentieth of it."],
  [{ displayQuantity: "4" }, "Use a multiple of 5."],
  [{ displayQuantity: "5", timeInForce: "IOC" }, "Only a limit order without exits, day, until canceled or until a time, can hide a part."],
])("an order that shows a part: %o", (changes, error) => {
  const state = { ...TICKET, ...changes };

  expect(ticketErrors(state, INSTRUMENT).display_quantity).toBe(error);
  if (!error) expect(orderSentence(state, INSTRUMENT, 2)).toBe("Buy 10 AAPL limit 432.10, shows 5 — PAPER");
});
