// What a change of an open order says: read from typed fields, checked against the grid, and whether anything would be
// different. How it is made (in place or by a successor) is the portal's to say. Pure.
import { isStop, namesLimit, stepError, wireNumber } from "./order_ticket";
import type { Instrument, OrderView } from "./protocol";
import { Decimal } from "./decimal";

export interface ChangeState {
  quantity: string;
  limitPrice: string;
  stopPrice: string;
  timeInForce: string;
}

export type ChangeField = "quantity" | "limit_price" | "stop_price" | "time_in_force";
export type ChangeErrors = Partial<Record<ChangeField, string>>;

/** A stop order that no trade has elected: only then its stop price can be moved. */
export function movesStop(order: OrderView): boolean {
  return isStop(order.type) && order.type !== "TRAILING_STOP" && order.status === "ACCEPTED";
}

export function movesLimit(order: OrderView): boolean {
  return namesLimit(order.type);
}

/** Which times in force the order may be given: its own, and none that ends at once for what waits. */
export function allowsTime(order: OrderView, name: string): boolean {
  return name === order.time_in_force || !isStop(order.type) || (name !== "IOC" && name !== "FOK");
}

/** The order as the dialog first shows it. */
export function stateOf(order: OrderView): ChangeState {
  return {
    quantity: order.leaves_quantity,
    limitPrice: movesLimit(order) ? (order.limit_price ?? "") : "",
    stopPrice: movesStop(order) ? (order.stop_price ?? "") : "",
    timeInForce: order.time_in_force,
  };
}

export function changeErrors(order: OrderView, state: ChangeState, instrument: Instrument): ChangeErrors {
  const found: [ChangeField, string][] = [
    ["quantity", stepError(state.quantity, instrument.lot_size, "ticket.off-lot")],
    ["limit_price", movesLimit(order) ? stepError(state.limitPrice, instrument.tick_size, "ticket.off-tick") : ""],
    ["stop_price", movesStop(order) ? stepError(state.stopPrice, instrument.tick_size, "ticket.off-tick") : ""],
  ];
  return Object.fromEntries(found.filter(([, text]) => text !== ""));
}

/** The fields as the portal reads them; an empty one stays as it is. */
export function changeFields(order: OrderView, state: ChangeState): Record<string, string> {
  return {
    quantity: wireNumber(state.quantity),
    limit_price: movesLimit(order) ? wireNumber(state.limitPrice) : "",
    stop_price: movesStop(order) ? wireNumber(state.stopPrice) : "",
    time_in_force: state.timeInForce === order.time_in_force ? "" : state.timeInForce,
    filled: order.filled_quantity,
  };
}

/** Whether anything would be different. */
export function isChange(order: OrderView, state: ChangeState): boolean {
  const now = stateOf(order);
  const differs = (typed: string, value: string) => {
    const wanted = Decimal.parse(wireNumber(typed));
    return wanted !== null && !wanted.equals(Decimal.of(value));
  };
  return (
    differs(state.quantity, now.quantity) ||
    (movesLimit(order) && differs(state.limitPrice, now.limitPrice)) ||
    (movesStop(order) && differs(state.stopPrice, now.stopPrice)) ||
    state.timeInForce !== now.timeInForce
  );
}
