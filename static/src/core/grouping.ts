// Levels of a book put together by a step of price, exactly: what is bid counts at the lower edge of its group, what is
// asked at the upper one, so that no group looks better than what stands in it.
import { Decimal } from "./decimal";
import type { Level } from "./protocol";

/** Steps that a ladder offers, in ticks. */
export const STEPS_IN_TICKS = ["1", "2", "5", "10", "50", "100"] as const;

/** The price at which a group of a side stands that `price` falls into. */
export function groupPrice(price: Decimal, step: Decimal, isBid: boolean): Decimal {
  const floor = price.flooredTo(step);
  return isBid || floor.equals(price) ? floor : floor.plus(step);
}

/** The groups of one side, best first as the levels come; a step that is not positive groups nothing. */
export function groupLevels(levels: Level[], step: Decimal, isBid: boolean): Level[] {
  if (step.sign <= 0) return levels;
  const sizes = new Map<string, Decimal>();
  for (const [price, size] of levels) {
    const key = groupPrice(Decimal.of(price), step, isBid).toString();
    sizes.set(key, (sizes.get(key) ?? Decimal.ZERO).plus(Decimal.of(size)));
  }
  return [...sizes].map(([price, size]) => [price, size.toString()]);
}

/** As `groupLevels`, without a last group that may go on behind the last of the `most` levels that are told. */
export function wholeGroups(levels: Level[], step: Decimal, isBid: boolean, most: number): Level[] {
  const groups = groupLevels(levels, step, isBid);
  return step.sign > 0 && levels.length >= most && groups.length > 1 ? groups.slice(0, -1) : groups;
}

/** Own working orders, keyed "SIDE:price", put together the same way. */
export function groupOwn(working: Map<string, Decimal>, step: Decimal): Map<string, Decimal> {
  if (step.sign <= 0) return working;
  const groups = new Map<string, Decimal>();
  for (const [key, quantity] of working) {
    const colon = key.indexOf(":");
    const side = key.slice(0, colon);
    const price = groupPrice(Decimal.of(key.slice(colon + 1)), step, side === "BUY");
    const group = `${side}:${price}`;
    groups.set(group, (groups.get(group) ?? Decimal.ZERO).plus(quantity));
  }
  return groups;
}
