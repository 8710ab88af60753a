// Which of what was told is a price: prints that move none, sides of a quote that are empty, and what a holding is worth.
// The flags are those of marketdata/domain/trade_conditions.py, an empty side is that of marketdata/domain/frames.py.
import { Decimal } from "./decimal";
import type { Quote, Trade } from "./protocol";

export const TradeFlag = { NO_PRICE: 1, NO_VOLUME: 2, EXTENDED: 4, CLOSING: 8, LATE: 16 } as const;

function has(trade: Trade, flags: number): boolean {
  return ((trade.flags ?? 0) & flags) !== 0;
}

/** Whether the print is the market's price at its time. */
export function movesPrice(trade: Trade): boolean {
  return !has(trade, TradeFlag.NO_PRICE | TradeFlag.LATE);
}

/** Whether the print belongs to no bar of a day: it was made outside of the session, which it did not close either. */
export function isOutsideDays(trade: Trade): boolean {
  return has(trade, TradeFlag.EXTENDED) && !has(trade, TradeFlag.CLOSING);
}

/** Whether the print counts in its bar's volume. */
export function hasVolume(trade: Trade): boolean {
  return !has(trade, TradeFlag.NO_VOLUME | TradeFlag.LATE);
}

/** The price of the newest print that moves it; null when none of these does. */
export function lastPrice(newestFirst: Trade[]): string | null {
  return newestFirst.find(movesPrice)?.price ?? null;
}

/** The price of one side of a quote; null where nobody quotes. */
export function sidePrice(price: string | null | undefined): Decimal | null {
  const read = Decimal.parse(price);
  return read && read.sign > 0 ? read : null;
}

/** The middle of a quote, with one digit more than its prices; null unless both sides are quoted. */
export function middle(quote: Quote | null, digits: number): Decimal | null {
  const bid = sidePrice(quote?.bid);
  const ask = sidePrice(quote?.ask);
  return bid && ask ? bid.plus(ask).dividedBy(Decimal.of("2"), digits + 1) : null;
}
