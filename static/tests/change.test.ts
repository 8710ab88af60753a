import { describe, expect, test } from "vitest";
import { allowsTime, changeErrors, changeFields, fieldsToChange, isChange, refusedField, stateOf } from "../src/core/change";
import type { Instrument, OrderView } from "../src/core/protocol";

const INSTRUMENT: Instrument = {
  symbol: "AAPL", name: "Apple", asset_class: "us_equity", tick_size: "0.05", lot_size: "5", min_notional: "1",
  status: "OPEN", previous_close: null, last: null,
};
const RESTING: OrderView = {
  id: "1", client_order_id: "c", symbol: "AAPL", asset_class: "us_equity", side: "BUY", type: "LIMIT", time_in_force: "GTC",
  quantity: "20", limit_price: "97", stop_price: null, filled_quantity: "5", leaves_quantity: "15", average_price: "97",
  status: "PARTIALLY_FILLED", reason: null, submitted_at: "t", updated_at: "t", closed_at: null, expires_at: null, trail_price: null, trail_percent: null, hwm: null, group: null,
  replaces: null, replaced_by: null, strategy: null, display_quantity: null, notional: null, forced: null,
};
const STOP: OrderView = { ...RESTING, type: "STOP", stop_price: "98", limit_price: "101", status: "ACCEPTED" };
const TRAILING: OrderView = { ...STOP, side: "SELL", type: "TRAILING_STOP", limit_price: null, hwm: "101" };

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
      quantity: "10", limit_price: "97", stop_price: "", trail: "", time_in_force: "", filled: "5",
    });
  });

  test("is checked against the grid", () => {
    const errors = changeErrors(RESTING, { ...stateOf(RESTING), quantity: "7", limitPrice: "97.01" }, INSTRUMENT);

    expect(Object.keys(errors)).toEqual(["quantity", "limit_price"]);
  });

  test("moves a stop price only while it waits, and not the protection of a buy stop", () => {
    expect(stateOf(STOP)).toMatchObject({ limitPrice: "", stopPrice: "98" });
    expect(fieldsToChange(STOP)).toEqual(["quantity", "stop_price", "time_in_force"]);
    expect(fieldsToChange({ ...STOP, status: "TRIGGERED" })).toEqual(["quantity", "time_in_force"]);
  });

  test("offers of an order of a group its prices alone, of a leg that is held too", () => {
    const loss: OrderView = { ...STOP, type: "STOP_LIMIT", status: "HELD", group: { id: "g", order_class: "BRACKET", leg: "STOP_LOSS" } };
    const state = stateOf(loss);

    expect(fieldsToChange(loss)).toEqual(["limit_price", "stop_price"]);
    expect(state).toMatchObject({ quantity: "", limitPrice: "101", stopPrice: "98" });
    expect(isChange(loss, { ...state, quantity: "3" })).toBe(false);
    expect(changeFields(loss, { ...state, stopPrice: "99" })).toEqual({
      quantity: "", limit_price: "101", stop_price: "99", trail: "", time_in_force: "", filled: "5",
    });
    expect(fieldsToChange({ ...loss, type: "STOP", status: "TRIGGERED" })).toEqual([]);
  });

  test("offers how far a trailing stop trails while it waits, in the kind that it has", () => {
    const byPercent = { ...TRAILING, trail_percent: "2.5" };
    const byPrice = { ...TRAILING, trail_price: "3" };

    expect(fieldsToChange(byPercent)).toEqual(["quantity", "trail", "time_in_force"]);
    expect(fieldsToChange({ ...byPercent, status: "TRIGGERED" })).toEqual(["quantity", "time_in_force"]);
    expect([stateOf(byPercent).trail, stateOf(byPrice).trail]).toEqual(["2.5", "3"]);
    expect(isChange(byPercent, { ...stateOf(byPercent), trail: "2.50" })).toBe(false);
    expect(isChange(byPercent, { ...stateOf(byPercent), trail: "3" })).toBe(true);
    expect(changeFields(byPrice, { ...stateOf(byPrice), trail: "4" })).toMatchObject({ trail: "4", limit_price: "", stop_price: "" });
    const errors = (order: OrderView, trail: string) => changeErrors(order, { ...stateOf(order), trail }, INSTRUMENT).trail;
    expect([errors(byPercent, "2.01"), errors(byPrice, "4.05")]).toEqual([undefined, undefined]);
    expect(errors(byPercent, "100")).toBe("Less than 100%, please.");
    expect(errors(byPercent, "0.00001")).toBe("Use a multiple of 0.0001.");
    expect(errors(byPrice, "2.01")).toBe("Prices move in steps of 0.05.");
  });

  test("shows a refusal beside the field that it is about, of a trailing stop's price beside its distance", () => {
    expect(refusedField(STOP, "stop_price")).toBe("stop_price");
    expect(refusedField({ ...TRAILING, trail_price: "3" }, "stop_price")).toBe("trail");
    expect(refusedField(RESTING, "stop_price")).toBe(null);
    expect(refusedField(RESTING, undefined)).toBe(null);
  });

  test("offers no time in force that would end a waiting order at once", () => {
    expect(["DAY", "IOC", "FOK"].map((name) => allowsTime(STOP, name))).toEqual([true, false, false]);
    expect(allowsTime({ ...STOP, time_in_force: "GTD" }, "GTD")).toBe(true);
  });
});
