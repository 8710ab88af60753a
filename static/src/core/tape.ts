// What of the trades a tape shows: those that are large enough, which of them stand out, and which feed is the usual.
import { Decimal } from "./decimal";
import type { Trade } from "./protocol";

/** A print is large from this many times the median of what is shown. */
export const LARGE_TIMES = Decimal.of("5");
/** Of fewer prints nobody knows what is usual. */
export const FEWEST_FOR_LARGE = 10;

export function isAtLeast(trade: Trade, least: Decimal | null): boolean {
  return least === null || Decimal.of(trade.size).compare(least) >= 0;
}

/** From which size on a print stands out; null while too few are known. */
export function largeSize(trades: Trade[]): Decimal | null {
  if (trades.length < FEWEST_FOR_LARGE) return null;
  const sizes = trades.map(({ size }) => Decimal.of(size)).sort((one, other) => one.compare(other));
  return (sizes[Math.floor(sizes.length / 2)] as Decimal).times(LARGE_TIMES);
}

/** The feed that told most of them; of equals the newest one's. */
export function usualFeed(trades: Trade[]): string {
  const counts = new Map<string, number>();
  for (const { feed = "" } of trades) counts.set(feed, (counts.get(feed) ?? 0) + 1);
  return [...counts].reduce((best, entry) => (entry[1] > best[1] ? entry : best), ["", 0] as [string, number])[0];
}
