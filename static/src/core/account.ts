// A trading account as the page knows it: the server's snapshot with every account event laid over it. Pure: the same
// snapshot and events give the same account, so a fresh snapshot and a followed one are equal.
import { Decimal } from "./decimal";
import type { AccountEvent, AccountSnapshot, Fill, OrderNulls, OrderView, Position } from "./protocol";

export const MOST_CLOSED_ORDERS = 50;
export const MOST_FILLS = 50;

const NOTHING: OrderNulls = {
  limit_price: null, stop_price: null, average_price: null, reason: null, closed_at: null, expires_at: null,
  trail_price: null, trail_percent: null, hwm: null, replaces: null, replaced_by: null, strategy: null,
  display_quantity: null, notional: null, forced: null, group: null,
};

/** The order that the event tells of, with the nulls that the event leaves out; null when it tells of none. */
export function orderOf(event: AccountEvent): OrderView | null {
  return event.order ? { ...NOTHING, ...event.order } : null;
}

export function isOpen(order: OrderView): boolean {
  return order.status === "HELD" || order.status === "QUEUED" || order.status === "ACCEPTED" || order.status === "TRIGGERED" || order.status === "PARTIALLY_FILLED";
}

/** Open and in the book: a stop order that no trade has elected waits outside it. */
export function isResting(order: OrderView): boolean {
  return isOpen(order) && order.status !== "HELD" && order.status !== "QUEUED" && !(order.stop_price !== null && order.status === "ACCEPTED");
}

export function applyAccountEvent(account: AccountSnapshot, event: AccountEvent): AccountSnapshot {
  const order = orderOf(event);
  return {
    ...account,
    balance: event.balance,
    orders: order ? withOrder(account.orders, order) : account.orders,
    fills: withFill(account.fills, event),
    positions: event.position ? withPosition(account.positions, event.position) : account.positions,
  };
}

function withOrder(orders: OrderView[], order: OrderView): OrderView[] {
  const index = orders.findIndex((known) => known.id === order.id);
  const next = index < 0 ? [order, ...orders] : orders.with(index, order);
  let closed = 0;
  return next.filter((known) => isOpen(known) || ++closed <= MOST_CLOSED_ORDERS);
}

function withFill(fills: Fill[], { execution }: AccountEvent): Fill[] {
  if (!execution || fills.some((fill) => fill.id === execution.id)) return fills;
  return [execution, ...fills].slice(0, MOST_FILLS);
}

function withPosition(positions: Position[], position: Position): Position[] {
  const index = positions.findIndex((known) => known.symbol === position.symbol);
  return index < 0 ? [...positions, position] : positions.with(index, position);
}

/** What the position would gain if closed at `mark`; null without a mark. */
export function unrealized(position: Position, mark: Decimal | null): Decimal | null {
  const quantity = Decimal.parse(position.quantity);
  const basis = Decimal.parse(position.cost_basis);
  return mark && quantity && basis ? quantity.times(mark).minus(basis) : null;
}

/** Cash and positions at their marks; null while a held position has no mark. */
export function equity(account: AccountSnapshot, markOf: (symbol: string) => Decimal | null): Decimal | null {
  let sum = Decimal.parse(account.balance.total);
  for (const position of account.positions) {
    const quantity = Decimal.of(position.quantity);
    if (quantity.isZero) continue;
    const mark = markOf(position.symbol);
    if (!mark || !sum) return null;
    sum = sum.plus(quantity.times(mark));
  }
  return sum;
}

/** What still rests at each price of one instrument, keyed by the price's plain notation. */
export function workingByPrice(orders: OrderView[], symbol: string): Map<string, Decimal> {
  const working = new Map<string, Decimal>();
  for (const order of orders) {
    const price = Decimal.parse(order.limit_price);
    if (order.symbol !== symbol || !isResting(order) || !price) continue;
    const key = `${order.side}:${price.toString()}`;
    const leaves = Decimal.of(order.leaves_quantity);
    working.set(key, working.get(key)?.plus(leaves) ?? leaves);
  }
  return working;
}
