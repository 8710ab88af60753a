// The exits of a ticket: which prices its class needs and on which side of the entry each has to lie. Pure, like
// order_ticket.ts, of which it is the part that speaks of order groups (docs/order-groups.md N1 to N3).
import { Decimal, parseTyped } from "./decimal";
import { plain } from "./format";
import { t } from "./messages";
import type { Instrument } from "./protocol";
import type { TicketField, TicketState } from "./order_ticket";
import { stepError } from "./steps";

export type OrderClass = "SIMPLE" | "BRACKET" | "OTO" | "OCO";

/** The fields that are still empty of those that the class needs; of an OTO's two one will do. */
export function missingExits(state: TicketState): TicketField[] {
  const empty = (name: TicketField, typed: string): TicketField[] => (typed.trim() === "" ? [name] : []);
  const profit = empty("take_profit", state.takeProfit);
  const loss = empty("stop_loss", state.stopLoss);
  switch (state.orderClass) {
    case "BRACKET": return [...profit, ...loss];
    case "OCO": return loss;
    case "OTO": return profit.length && loss.length ? profit : [];
    default: return [];
  }
}

/** What is wrong with the exits, in the order in which a reader meets the fields. */
export function exitErrors(state: TicketState, instrument: Instrument): [TicketField, string][] {
  if (state.orderClass === "SIMPLE") return [];
  const tick = instrument.tick_size;
  const isDayOrGtc = state.timeInForce === "DAY" || state.timeInForce === "GTC";
  const isBoth = state.takeProfit.trim() !== "" && state.stopLoss.trim() !== "";
  return [
    ["order_class", classError(state, instrument)],
    ["time_in_force", isDayOrGtc ? "" : t("exits.day-gtc")],
    ["take_profit", stepError(state.takeProfit, tick, "ticket.off-tick") || profitError(state) || (state.orderClass === "OTO" && isBoth ? t("exits.one") : "")],
    ["stop_loss", stepError(state.stopLoss, tick, "ticket.off-tick") || lossError(state)],
    ["stop_loss_limit", stepError(state.stopLossLimit, tick, "ticket.off-tick") || lossLimitError(state)],
  ];
}

function classError(state: TicketState, instrument: Instrument): string {
  if (instrument.asset_class !== "us_equity") return t("exits.not-offered", { symbol: state.symbol });
  if (state.orderClass === "OCO" && state.type !== "LIMIT") return t("exits.oco-limit");
  if (state.type === "TRAILING_STOP") return t("exits.trailing");
  return state.sizeBy === "VALUE" ? t("exits.quantity") : "";
}

/** Whether the exits sell: of an entry that buys, or of a pair that sells. */
function exitsSell(state: TicketState): boolean {
  return (state.side === "BUY") !== (state.orderClass === "OCO");
}

/** The price that the exits lie around; a market order has none yet, and the portal judges it. */
function base(state: TicketState): Decimal | null {
  return parseTyped(state.type === "STOP" ? state.stopPrice : state.limitPrice);
}

/** Whether `price` lies on the given side of `other`, or why not. */
function sideError(price: Decimal | null, other: Decimal | null, isAbove: boolean): string {
  if (!price || !other || price.compare(other) === (isAbove ? 1 : -1)) return "";
  return t(isAbove ? "exits.above" : "exits.below", { price: plain(other) });
}

function profitError(state: TicketState): string {
  return sideError(parseTyped(state.takeProfit), base(state), exitsSell(state));
}

function lossError(state: TicketState): string {
  return sideError(parseTyped(state.stopLoss), base(state), !exitsSell(state));
}

function lossLimitError(state: TicketState): string {
  const [limit, stop] = [parseTyped(state.stopLossLimit), parseTyped(state.stopLoss)];
  if (!limit || !stop || limit.equals(stop)) return "";
  return sideError(limit, stop, !exitsSell(state));
}

/** The exits as the button says them: ", take profit 110.00, stop loss 95.00". */
export function exitWords(state: TicketState, price: (typed: string) => string): string {
  if (state.orderClass === "SIMPLE") return "";
  const parts = [
    state.takeProfit.trim() ? t("ticket.take-profit", { price: price(state.takeProfit) }) : "",
    state.stopLoss.trim() ? t("ticket.stop-loss", { price: price(state.stopLoss) }) : "",
  ];
  return parts.filter(Boolean).map((part) => `, ${part}`).join("");
}
