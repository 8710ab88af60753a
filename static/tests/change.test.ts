import { describe, expect, test } from "vitest";
import { allowsTime, changeErrors, changeFields, isChange, movesStop, stateOf } from "../src/core/change";
import type { Instrument, OrderView } from "../src/core/protocol";

const INSTRUMENT: Instrument = {
  symbol: "AAPL", name: "Apple", asset_class: "us_equity", tick_size: "0.05", lot_size: "5", min_notional: "1",
  status: "OPEN", previous_close: null, last: null,
};
const RESTING: OrderView = {
  id: "1", client_order_id: "c", symbol: "AAPL", asset_class: "us_equity", side: "BUY", type: "LIMIT", time_in_force: "GTC",
  quantity: "20", limit_price: "97", stop_price: null, filled_quantity: "5", leaves_quantity: "15", average_price: "97",
  status: "PARTIALLY_FILLED", reason: null, submitted_at: "t", updated_at: "t", closed_at: null, expires_at: null, trail_price: null, trail_percent: null, hwm: null, group: null,
};
const STOP: OrderView = { ...RESTING, type: "STOP", stop_price: "98", limit_price: "101", status: "ACCEPTED" };

describe("a change", () => {
  test("starts at what is left to fill and is nothing until something differs", () => {
    const state = stateOf(RESTING);

    expect(state.quantity).toBe("15");
    expect(isChange(RESTING, state)).toBe(false);
    expect(isChange(RESTING, { ...state, limitPrice: "97.00" })).toBe(false);
    expect(isChange(RESTING, { ...state, quantity: "10" })).toBe(true);
    expect(isChange(RESTING, { ...state, timeInForce: "DAY" })).toBe(true);
  });

  test("says what had filled when it was written, and leaves the time in force out that stays", () => {
    expect(changeFields(RESTING, { ...stateOf(RESTING), quantity: "10,0" })).toEqual({
      quantity: "10", limit_price: "97", stop_price: "", time_in_force: "", filled: "5",
    });
  });

  test("is checked against the grid", () => {
    const errors = changeErrors(RESTING, { ...stateOf(RESTING), quantity: "7", limitPrice: "97.01" }, INSTRUMENT);

    expect(Object.keys(errors)).toEqual(["quantity", "limit_price"]);
  });

  test("moves a stop price only while it waits, and not the protection of a buy stop", () => {
    expect(stateOf(STOP)).toMatchObject({ limitPrice: "", stopPrice: "98" });
    expect(movesStop({ ...STOP, status: "TRIGGERED" })).toBe(false);
    expect(movesStop({ ...STOP, type: "TRAILING_STOP" })).toBe(false);
  });

  test("offers no time in force that would end a waiting order at once", () => {
    expect(["DAY", "IOC", "FOK"].map((name) => allowsTime(STOP, name))).toEqual([true, false, false]);
    expect(allowsTime({ ...STOP, time_in_force: "GTD" }, "GTD")).toBe(true);
  });
});
