// Numbers that go by steps: whether what was typed lies on the grid, and where one step leads.
import { Decimal, parseTyped } from "./decimal";
import { plain } from "./format";
import { t } from "./messages";

export function stepError(typed: string, step: string, message: "ticket.off-lot" | "ticket.off-tick"): string {
  if (typed.trim() === "") return "";
  const value = parseTyped(typed);
  if (!value) return t("ticket.unreadable");
  if (value.sign <= 0) return t("ticket.not-positive");
  return value.isMultipleOf(Decimal.of(step)) ? "" : t(message, { step: plain(step) });
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
