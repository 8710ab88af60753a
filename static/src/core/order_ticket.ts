// What a ticket says and whether it may be sent: pure, so that every sentence and rule is tested without a page. The
// client order id belongs to the ticket's state: made once, kept while nothing changes, so a double press is one order.
import { Decimal, parseTyped } from "./decimal";
import { fixed, plain } from "./format";
import { t } from "./messages";
import type { Instrument, Side } from "./protocol";

export interface TicketState {
  symbol: string;
  side: Side;
  type: "MARKET" | "LIMIT";
  timeInForce: string;
  quantity: string;
  limitPrice: string;
}

export interface TicketErrors {
  quantity: string;
  limitPrice: string;
}

/** What is wrong with what was typed; an empty field is not wrong yet. */
export function ticketErrors(state: TicketState, instrument: Instrument): TicketErrors {
  return {
    quantity: stepError(state.quantity, instrument.lot_size, "ticket.off-lot"),
    limitPrice: state.type === "LIMIT" ? stepError(state.limitPrice, instrument.tick_size, "ticket.off-tick") : "",
  };
}

function stepError(typed: string, step: string, message: "ticket.off-lot" | "ticket.off-tick"): string {
  if (typed.trim() === "") return "";
  const value = parseTyped(typed);
  if (!value) return t("ticket.unreadable");
  if (value.sign <= 0) return t("ticket.not-positive");
  return value.isMultipleOf(Decimal.of(step)) ? "" : t(message, { step: plain(step) });
}

export function isComplete(state: TicketState, instrument: Instrument): boolean {
  const errors = ticketErrors(state, instrument);
  const hasPrice = state.type === "MARKET" || state.limitPrice.trim() !== "";
  return state.quantity.trim() !== "" && hasPrice && errors.quantity === "" && errors.limitPrice === "";
}

export function sideWord(side: Side): string {
  return t(side === "BUY" ? "ticket.buy" : "ticket.sell");
}

/** The button's text: the whole order, or what is still missing. */
export function orderSentence(state: TicketState, instrument: Instrument, digits: number): string {
  if (state.quantity.trim() === "" || ticketErrors(state, instrument).quantity) return t("ticket.incomplete");
  if (!isComplete(state, instrument)) return t("ticket.incomplete-price");
  const price = state.type === "MARKET" ? t("ticket.market") : t("ticket.limit", { price: fixed(parseTyped(state.limitPrice), digits) });
  return t("ticket.order", {
    side: sideWord(state.side), quantity: plain(parseTyped(state.quantity)), symbol: state.symbol, price,
  });
}

/** The wire's form of what was typed. */
export function wireNumber(typed: string): string {
  return parseTyped(typed)?.toString() ?? "";
}

/** One step up or down from what is typed, kept on the grid and above zero; from nothing it starts at `start`. */
export function stepped(typed: string, step: string, steps: number, start: string): string {
  const size = Decimal.of(step);
  const value = parseTyped(typed);
  if (!value) return start;
  const onGrid = value.flooredTo(size);
  // Going down from between two steps lands on the lower one, which is already a step.
  const moves = steps < 0 && !onGrid.equals(value) ? steps + 1 : steps;
  const next = onGrid.plus(size.times(Decimal.fromUnits(BigInt(moves), 0)));
  return next.sign > 0 ? next.toString() : size.toString();
}

/** The largest quantity on the lot grid for a share of what is available: cash at a price, or the holding itself. */
export function shareQuantity(
  { percent, available, price }: { percent: number; available: Decimal; price: Decimal | null },
  lotSize: string,
): Decimal | null {
  const part = available.times(Decimal.fromUnits(BigInt(percent), 2));
  const lot = Decimal.of(lotSize);
  if (!price) return part.flooredTo(lot);
  const lotCost = price.times(lot);
  if (lotCost.sign <= 0) return null;
  // Whole lots only: dividing in lots and cutting the fraction never rounds up above what is available.
  const scale = Math.max(part.scale, lotCost.scale);
  const lots = part.rounded(scale).units / lotCost.rounded(scale).units;
  return lot.times(Decimal.fromUnits(lots, 0));
}

export class ClientOrderIds {
  private key = "";
  private id: string;

  constructor(
    rendered: string,
    private readonly make: () => string,
  ) {
    this.id = rendered;
  }

  /** The id of this ticket state; another state gets another id. */
  for(state: TicketState): string {
    const key = JSON.stringify(state);
    if (this.key === "") this.key = key;
    if (key !== this.key) {
      this.key = key;
      this.id = this.make();
    }
    return this.id;
  }

  /** The order was answered for: the next press is a new order, even with the same fields. */
  renew(): void {
    this.id = this.make();
  }
}

/** A random UUID; crypto.randomUUID exists only on https and localhost, and the portal also runs on plain http. */
export function randomId(bytes: Uint8Array<ArrayBuffer> = crypto.getRandomValues(new Uint8Array(16))): string {
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
