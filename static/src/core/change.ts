// What a change of an open order says: read from typed fields, checked against the grid, and whether anything would be
// different. How it is made (in place or by a successor) is the portal's to say. Pure.
import { isStop, namesLimit, stepError, trailError, wireNumber } from "./order_ticket";
import type { Instrument, OrderView } from "./protocol";
import { Decimal } from "./decimal";

export interface ChangeState {
  quantity: string;
  limitPrice: string;
  stopPrice: string;
  trail: string;
  timeInForce: string;
}

export type ChangeField = "quantity" | "limit_price" | "stop_price" | "trail" | "time_in_force";
export type ChangeErrors = Partial<Record<ChangeField, string>>;

/** What may become different of the order as it stands, in the order of the form. A stop can be moved until a trade has
 * elected it, also that of a leg that is held; the orders of a group share quantity and time in force. */
export function fieldsToChange(order: OrderView): ChangeField[] {
  const isSimple = order.group === null;
  const waits = isStop(order.type) && (order.status === "ACCEPTED" || order.status === "HELD");
  const trails = order.type === "TRAILING_STOP";
  const may: [ChangeField, boolean][] = [
    ["quantity", isSimple],
    ["limit_price", namesLimit(order.type)],
    ["stop_price", waits && !trails],
    ["trail", waits && trails],
    ["time_in_force", isSimple],
  ];
  return may.filter(([, isOffered]) => isOffered).map(([name]) => name);
}

/** Which field of the dialog a refusal is shown beside: a distance gives a stop price, so what is said of that is said
 * of it. Null: the order as a whole. */
export function refusedField(order: OrderView, name: string | undefined): ChangeField | null {
  const offered = fieldsToChange(order);
  const meant = name === "stop_price" && offered.includes("trail") ? "trail" : name;
  return offered.find((known) => known === meant) ?? null;
}

export function trailsBy(order: OrderView): "PERCENT" | "PRICE" {
  return order.trail_percent === null ? "PRICE" : "PERCENT";
}

/** Which times in force the order may be given: its own, and none that ends at once for what waits. */
export function allowsTime(order: OrderView, name: string): boolean {
  return name === order.time_in_force || !isStop(order.type) || (name !== "IOC" && name !== "FOK");
}

/** The order as the dialog first shows it; empty where nothing may be different. */
export function stateOf(order: OrderView): ChangeState {
  const offered = fieldsToChange(order);
  const shown = (name: ChangeField, value: string | null) => (offered.includes(name) ? (value ?? "") : "");
  return {
    quantity: shown("quantity", order.leaves_quantity),
    limitPrice: shown("limit_price", order.limit_price),
    stopPrice: shown("stop_price", order.stop_price),
    trail: shown("trail", order.trail_percent ?? order.trail_price),
    timeInForce: order.time_in_force,
  };
}

export function changeErrors(order: OrderView, state: ChangeState, instrument: Instrument): ChangeErrors {
  const offered = fieldsToChange(order);
  const found: [ChangeField, string][] = [
    ["quantity", stepError(state.quantity, instrument.lot_size, "ticket.off-lot")],
    ["limit_price", stepError(state.limitPrice, instrument.tick_size, "ticket.off-tick")],
    ["stop_price", stepError(state.stopPrice, instrument.tick_size, "ticket.off-tick")],
    ["trail", trailError({ trail: state.trail, trailBy: trailsBy(order) }, instrument)],
  ];
  return Object.fromEntries(found.filter(([name, text]) => text !== "" && offered.includes(name)));
}

/** The fields as the portal reads them; an empty one stays as it is. */
export function changeFields(order: OrderView, state: ChangeState): Record<string, string> {
  const offered = fieldsToChange(order);
  const typed = (name: ChangeField, text: string) => (offered.includes(name) ? wireNumber(text) : "");
  return {
    quantity: typed("quantity", state.quantity),
    limit_price: typed("limit_price", state.limitPrice),
    stop_price: typed("stop_price", state.stopPrice),
    trail: typed("trail", state.trail),
    time_in_force: state.timeInForce === order.time_in_force ? "" : state.timeInForce,
    filled: order.filled_quantity,
  };
}

/** Whether anything would be different. */
export function isChange(order: OrderView, state: ChangeState): boolean {
  const now = stateOf(order);
  const differs = (name: "quantity" | "limitPrice" | "stopPrice" | "trail") => {
    const wanted = Decimal.parse(wireNumber(state[name]));
    return now[name] !== "" && wanted !== null && !wanted.equals(Decimal.of(now[name]));
  };
  return (["quantity", "limitPrice", "stopPrice", "trail"] as const).some(differs) || state.timeInForce !== now.timeInForce;
}
