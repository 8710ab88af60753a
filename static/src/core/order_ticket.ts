// What a ticket says and whether it may be sent: pure, so that every sentence and rule is tested without a page. The
// client order id belongs to the ticket's state: made once, kept while nothing changes, so a double press is one order.
import { Decimal, parseTyped } from "./decimal";
import { fixed, plain } from "./format";
import { t } from "./messages";
import type { Instrument, OrderType, Side } from "./protocol";

export interface TicketState {
  symbol: string;
  side: Side;
  type: OrderType;
  timeInForce: string;
  /** As a datetime-local input has it, in UTC: "2026-01-31T15:30". */
  expiresAt: string;
  quantity: string;
  limitPrice: string;
  stopPrice: string;
  postOnly: boolean;
  reduceOnly: boolean;
  stpMode: string;
}

/** The form's field names; a section that is added to the ticket adds its own. */
export type TicketField = "quantity" | "limit_price" | "stop_price" | "time_in_force" | "expires_at" | "post_only" | "reduce_only" | "stp_mode";
export type TicketErrors = Partial<Record<TicketField, string>>;

export function namesLimit(type: OrderType): boolean {
  return type === "LIMIT" || type === "STOP_LIMIT";
}

export function isStop(type: OrderType): boolean {
  return type === "STOP" || type === "STOP_LIMIT" || type === "TRAILING_STOP";
}

function waits(state: TicketState): boolean {
  return ["DAY", "GTC", "GTD"].includes(state.timeInForce);
}

function isForAuction(state: TicketState): boolean {
  return state.timeInForce === "OPG" || state.timeInForce === "CLS";
}

/** What is wrong with what was typed; an empty field is not wrong yet. */
export function ticketErrors(state: TicketState, instrument: Instrument): TicketErrors {
  const found: [TicketField, string][] = [
    ["quantity", stepError(state.quantity, instrument.lot_size, "ticket.off-lot")],
    ["limit_price", namesLimit(state.type) ? stepError(state.limitPrice, instrument.tick_size, "ticket.off-tick") : ""],
    ["stop_price", isStop(state.type) ? stepError(state.stopPrice, instrument.tick_size, "ticket.off-tick") : ""],
    ["time_in_force", isStop(state.type) && !waits(state) ? t("ticket.stop-waits") : ""],
    ["post_only", state.postOnly && !(state.type === "LIMIT" && ["DAY", "GTC"].includes(state.timeInForce)) ? t("ticket.post-only-rests") : ""],
  ];
  return Object.fromEntries(found.filter(([, text]) => text !== ""));
}

export function stepError(typed: string, step: string, message: "ticket.off-lot" | "ticket.off-tick"): string {
  if (typed.trim() === "") return "";
  const value = parseTyped(typed);
  if (!value) return t("ticket.unreadable");
  if (value.sign <= 0) return t("ticket.not-positive");
  return value.isMultipleOf(Decimal.of(step)) ? "" : t(message, { step: plain(step) });
}

/** The first field that stops the ticket from being an order: empty or wrong. Null: it is one. */
export function gapOf(state: TicketState, instrument: Instrument): TicketField | null {
  const errors = ticketErrors(state, instrument);
  if (state.quantity.trim() === "" || errors.quantity) return "quantity";
  if (isStop(state.type) && (state.stopPrice.trim() === "" || errors.stop_price)) return "stop_price";
  if (namesLimit(state.type) && (state.limitPrice.trim() === "" || errors.limit_price)) return "limit_price";
  if (state.timeInForce === "GTD" && state.expiresAt === "") return "expires_at";
  return (Object.keys(errors)[0] as TicketField | undefined) ?? null;
}

/** The ticket as the place and preview addresses read it. */
export function wireFields(state: TicketState): Record<string, string> {
  return {
    symbol: state.symbol,
    side: state.side,
    type: state.type,
    time_in_force: state.timeInForce,
    ...(state.timeInForce === "GTD" ? { expires_at: state.expiresAt } : {}),
    quantity: wireNumber(state.quantity),
    limit_price: wireNumber(state.limitPrice),
    stop_price: wireNumber(state.stopPrice),
    ...(state.postOnly ? { post_only: "on" } : {}),
    ...(state.reduceOnly ? { reduce_only: "on" } : {}),
    ...(state.stpMode ? { stp_mode: state.stpMode } : {}),
  };
}

/** What the order would do when it arrives, in words; `takeable` is what the other side offers within its limit. */
export function outlookOf(state: TicketState, takeable: string): string {
  const quantity = parseTyped(state.quantity);
  const taken = Decimal.parse(takeable);
  if (!quantity || !taken) return "";
  if (isForAuction(state)) return t(state.timeInForce === "OPG" ? "outlook.opening" : "outlook.closing");
  if (isStop(state.type)) return t("outlook.waits", { price: plain(parseTyped(state.stopPrice)) });
  const values = { taken: plain(taken), rest: plain(quantity.minus(taken)) };
  if (taken.compare(quantity) >= 0) return t("outlook.fills");
  if (namesLimit(state.type) && waits(state)) return t(taken.isZero ? "outlook.rests" : "outlook.partly-rests", values);
  return t(taken.isZero ? "outlook.ends" : "outlook.partly-ends", values);
}

export function sideWord(side: Side): string {
  return t(side === "BUY" ? "ticket.buy" : "ticket.sell");
}

/** The button's text: the whole order, or what is still missing. */
export function orderSentence(state: TicketState, instrument: Instrument, digits: number): string {
  const gap = gapOf(state, instrument);
  if (gap === "quantity") return t("ticket.incomplete");
  if (gap === "stop_price") return t("ticket.incomplete-stop");
  if (gap === "limit_price") return t("ticket.incomplete-price");
  if (gap === "expires_at") return t("ticket.incomplete-until");
  if (gap) return t("ticket.incomplete-terms");
  const limit = fixed(parseTyped(state.limitPrice), digits);
  const stop = fixed(parseTyped(state.stopPrice), digits);
  const price = {
    MARKET: t("ticket.market"),
    LIMIT: t("ticket.limit", { price: limit }),
    STOP: t("ticket.stop", { price: stop }),
    STOP_LIMIT: t("ticket.stop-limit", { price: stop, limit }),
    TRAILING_STOP: t("ticket.stop", { price: stop }), // the ticket does not offer it
  }[state.type];
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
