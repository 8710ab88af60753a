// What a ticket says and whether it may be sent: pure, so that every sentence and rule is tested without a page. The
// client order id belongs to the ticket's state: made once, kept while nothing changes, so a double press is one order.
import { Decimal, parseTyped } from "./decimal";
import { exitErrors, exitWords, missingExits, type OrderClass } from "./exits";
import { fixed, plain } from "./format";
import { t, type MessageKey } from "./messages";
import type { Instrument, OrderType, Side } from "./protocol";
import { stepError } from "./steps";

export { stepError, stepped } from "./steps";

export interface TicketState {
  symbol: string;
  side: Side;
  type: OrderType;
  timeInForce: string;
  /** As a datetime-local input has it, in UTC: "2026-01-31T15:30". */
  expiresAt: string;
  /** A market order may name a value instead of a quantity. */
  sizeBy: "QUANTITY" | "VALUE";
  quantity: string;
  notional: string;
  limitPrice: string;
  stopPrice: string;
  trail: string;
  trailBy: "PERCENT" | "PRICE";
  orderClass: OrderClass;
  takeProfit: string;
  stopLoss: string;
  stopLossLimit: string;
  displayQuantity: string;
  postOnly: boolean;
  reduceOnly: boolean;
  stpMode: string;
}

/** The form's field names; a section that is added to the ticket adds its own. */
export type TicketField =
  | "quantity" | "notional" | "limit_price" | "stop_price" | "trail" | "time_in_force" | "expires_at"
  | "order_class" | "take_profit" | "stop_loss" | "stop_loss_limit" | "display_quantity"
  | "post_only" | "reduce_only" | "stp_mode";
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
    ["notional", stepError(state.notional, SMALLEST, "ticket.off-lot")],
    ["limit_price", namesLimit(state.type) ? stepError(state.limitPrice, instrument.tick_size, "ticket.off-tick") : ""],
    ["stop_price", isStop(state.type) ? stepError(state.stopPrice, instrument.tick_size, "ticket.off-tick") : ""],
    ["trail", trailError(state, instrument)],
    ["time_in_force", isStop(state.type) && !waits(state) ? t("ticket.stop-waits") : ""],
    ["display_quantity", displayError(state, instrument)],
    ...exitErrors(state, instrument),
    ["post_only", state.postOnly && !(state.type === "LIMIT" && ["DAY", "GTC"].includes(state.timeInForce)) ? t("ticket.post-only-rests") : ""],
  ];
  return Object.fromEntries(found.filter(([, text]) => text !== ""));
}

const SMALLEST = "0.00000001";
const SMALLEST_PERCENT = "0.0001";
const MOST_SLICES = Decimal.of("20");

/** G2 of docs/matching.md. */
export function trailError(state: Pick<TicketState, "trail" | "trailBy">, instrument: Instrument): string {
  const isPercent = state.trailBy === "PERCENT";
  const value = parseTyped(state.trail);
  if (isPercent && value && value.compare(Decimal.of("100")) >= 0) return t("ticket.trail-percent");
  if (isPercent) return stepError(state.trail, SMALLEST_PERCENT, "ticket.off-lot");
  return stepError(state.trail, instrument.tick_size, "ticket.off-tick");
}

/** I1 of docs/matching.md. */
function displayError(state: TicketState, instrument: Instrument): string {
  if (state.displayQuantity.trim() === "") return "";
  if (state.type !== "LIMIT" || state.orderClass !== "SIMPLE" || !waits(state)) return t("ticket.display-limit");
  const error = stepError(state.displayQuantity, instrument.lot_size, "ticket.off-lot");
  const [shown, whole] = [parseTyped(state.displayQuantity), parseTyped(state.quantity)];
  if (error || !shown || !whole) return error;
  const fits = shown.compare(whole) <= 0 && whole.compare(shown.times(MOST_SLICES)) <= 0;
  return fits ? "" : t("ticket.display-range");
}

/** The first field that stops the ticket from being an order: empty or wrong. Null: it is one. */
export function gapOf(state: TicketState, instrument: Instrument): TicketField | null {
  const errors = ticketErrors(state, instrument);
  const size = state.sizeBy === "VALUE" ? "notional" : "quantity";
  if (state[size].trim() === "" || errors[size]) return size;
  if (state.type === "TRAILING_STOP") {
    if (state.trail.trim() === "" || errors.trail) return "trail";
  } else if (isStop(state.type) && (state.stopPrice.trim() === "" || errors.stop_price)) return "stop_price";
  if (namesLimit(state.type) && (state.limitPrice.trim() === "" || errors.limit_price)) return "limit_price";
  const [missing] = missingExits(state);
  if (missing) return missing;
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
    ...(state.sizeBy === "VALUE" ? { size_by: "VALUE", notional: wireNumber(state.notional) } : { quantity: wireNumber(state.quantity) }),
    limit_price: wireNumber(state.limitPrice),
    stop_price: wireNumber(state.stopPrice),
    ...(state.trail ? { trail: wireNumber(state.trail), trail_by: state.trailBy } : {}),
    ...exitFields(state),
    ...(state.displayQuantity ? { display_quantity: wireNumber(state.displayQuantity) } : {}),
    ...(state.postOnly ? { post_only: "on" } : {}),
    ...(state.reduceOnly ? { reduce_only: "on" } : {}),
    ...(state.stpMode ? { stp_mode: state.stpMode } : {}),
  };
}

function exitFields(state: TicketState): Record<string, string> {
  if (state.orderClass === "SIMPLE") return {};
  return {
    order_class: state.orderClass,
    take_profit: wireNumber(state.takeProfit),
    stop_loss: wireNumber(state.stopLoss),
    stop_loss_limit: wireNumber(state.stopLossLimit),
  };
}

/** What the engine makes of an order that leaves something to it: how many a value buys, where a trail begins. */
export interface Outlook {
  quantity: string | null;
  waits_in: "CLOSED" | "AUCTION" | null;
  stop_price: string | null;
  hwm: string | null;
}

/** What the order would do when it arrives, in words; `takeable` is what the other side offers within its limit. */
export function outlookOf(state: TicketState, takeable: string, told: Outlook | null = null): string {
  if (state.type === "TRAILING_STOP") return told?.stop_price ? t("outlook.trails", { stop: plain(told.stop_price), mark: plain(told.hwm) }) : "";
  if (state.sizeBy === "VALUE") return told?.quantity ? t("outlook.value", { quantity: plain(told.quantity) }) : "";
  const quantity = parseTyped(state.quantity);
  const taken = Decimal.parse(takeable);
  if (!quantity || !taken) return "";
  if (isForAuction(state)) return t(state.timeInForce === "OPG" ? "outlook.opening" : "outlook.closing");
  if (told?.waits_in && !isStop(state.type)) return t(told.waits_in === "CLOSED" ? "outlook.closed" : "outlook.auction");
  if (isStop(state.type)) return t("outlook.waits", { price: plain(parseTyped(state.stopPrice)) });
  const values = { taken: plain(taken), rest: plain(quantity.minus(taken)) };
  if (taken.compare(quantity) >= 0) return t("outlook.fills");
  if (namesLimit(state.type) && waits(state)) return t(taken.isZero ? "outlook.rests" : "outlook.partly-rests", values);
  return t(taken.isZero ? "outlook.ends" : "outlook.partly-ends", values);
}

export function sideWord(side: Side): string {
  return t(side === "BUY" ? "ticket.buy" : "ticket.sell");
}

const GAPS: Partial<Record<TicketField, MessageKey>> = {
  quantity: "ticket.incomplete",
  notional: "ticket.incomplete-value",
  stop_price: "ticket.incomplete-stop",
  limit_price: "ticket.incomplete-price",
  trail: "ticket.incomplete-trail",
  take_profit: "ticket.incomplete-profit",
  stop_loss: "ticket.incomplete-loss",
  expires_at: "ticket.incomplete-until",
};

/** The button's text: the whole order, or what is still missing. */
export function orderSentence(state: TicketState, instrument: Instrument, digits: number): string {
  const gap = gapOf(state, instrument);
  if (gap) return t(ticketErrors(state, instrument)[gap] ? "ticket.incomplete-terms" : (GAPS[gap] ?? "ticket.incomplete-terms"));
  const price = (typed: string) => fixed(parseTyped(typed), digits);
  const quantity = plain(parseTyped(state.quantity));
  const shown = state.displayQuantity ? `, ${t("ticket.shows", { quantity: plain(parseTyped(state.displayQuantity)) })}` : "";
  const values = {
    side: sideWord(state.side),
    symbol: state.symbol,
    price: typeWords(state, price) + shown + exitWords(state, price),
  };
  if (state.sizeBy === "VALUE") return t("ticket.order-value", { ...values, value: plain(parseTyped(state.notional)) });
  return t("ticket.order", { ...values, quantity });
}

function typeWords(state: TicketState, price: (typed: string) => string): string {
  const limit = price(state.limitPrice);
  const stop = price(state.stopPrice);
  switch (state.type) {
    case "MARKET": return t("ticket.market");
    case "LIMIT": return t("ticket.limit", { price: limit });
    case "STOP": return t("ticket.stop", { price: stop });
    case "STOP_LIMIT": return t("ticket.stop-limit", { price: stop, limit });
    case "TRAILING_STOP": return t("ticket.trailing", { trail: state.trailBy === "PERCENT" ? `${plain(parseTyped(state.trail))}%` : price(state.trail) });
  }
}

/** The wire's form of what was typed. */
export function wireNumber(typed: string): string {
  return parseTyped(typed)?.toString() ?? "";
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
