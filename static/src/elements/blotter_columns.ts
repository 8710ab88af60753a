// The columns of the blotter's tables, in the order of the template's headings: how a cell is made and what it shows.
import { Decimal } from "../core/decimal";
import { desk } from "../core/desk";
import { element, find, setAttribute, setClass, setText } from "../core/dom";
import { direction, fixed, plain, signed, whenShort } from "../core/format";
import { t } from "../core/messages";
import type { Fill, OrderView, Position, Side } from "../core/protocol";
import { sideWord } from "../core/order_ticket";
import type { Column } from "./keyed_table";

export interface PositionRow extends Position {
  mark: Decimal | null;
  value: Decimal | null;
  unrealized: Decimal | null;
  /** Its price may not be called live. */
  isOld: boolean;
}

function text<T>(className: string, read: (row: T) => string): Column<T> {
  return { className, make: () => null, paint: (cell, row) => setText(cell, read(row)) };
}

function heading<T>(read: (row: T) => string): Column<T> {
  return { ...text("", read), isHeading: true };
}

function side<T extends { side: Side }>(): Column<T> {
  return {
    className: "",
    make: () => element("span"),
    paint: (node, row) => {
      setClass(node, `side ${row.side.toLowerCase()}`);
      setText(node, sideWord(row.side));
    },
  };
}

function gain<T>(className: string, read: (row: T) => Decimal | string | null): Column<T> {
  return {
    className,
    make: () => element("span"),
    paint: (node, row) => {
      const shown = signed(read(row), 2);
      setClass(node, direction(shown.startsWith("+") ? 1 : shown.startsWith("\u2212") ? -1 : 0));
      setText(node, shown);
    },
  };
}

function time<T>(className: string, read: (row: T) => string): Column<T> {
  return {
    className,
    make: () => element("time"),
    paint: (node, row) => paintTime(node, read(row)),
  };
}

function paintTime(node: HTMLElement, instant: string): void {
  setAttribute(node, "datetime", instant);
  setText(node, whenShort(instant, new Date()));
}

/** The page of one order. */
function pathOf(id: string): string {
  return desk().page.urls.order.replace("00000000-0000-0000-0000-000000000000", id);
}

function price<T extends { symbol: string }>(className: string, read: (row: T) => Decimal | string | null): Column<T> {
  return text(className, (row) => fixed(read(row), desk().digits(row.symbol)));
}

const TYPE_WORDS = { MARKET: "Market", LIMIT: "Limit", STOP: "Stop", STOP_LIMIT: "Stop limit", TRAILING_STOP: "Trailing stop" } as const;

/** "Limit GTC", of an order of a group with its part: "Stop GTC, stop loss". */
function typeWords(order: OrderView): string {
  const words = `${TYPE_WORDS[order.type]} ${order.time_in_force}`;
  return order.group ? `${words}, ${t(`order.leg.${order.group.leg}`)}` : words;
}

/** The stop price; of a trailing stop where it stands now, with its mark. */
function stop(className: string): Column<OrderView> {
  return {
    className,
    make: () => element("span", {}, element("span", { class: "sub" }), " ", element("span")),
    paint: (node, order) => {
      const [mark, price] = node.children as unknown as [HTMLElement, HTMLElement];
      const trail = desk().trail(order);
      const digits = desk().digits(order.symbol);
      setText(mark, trail ? t("order.mark", { price: fixed(trail.hwm, digits) }) : "");
      setText(price, fixed(trail?.stop_price ?? order.stop_price, digits));
    },
  };
}

export const ORDER_COLUMNS: Column<OrderView>[] = [
  time("low", (order) => order.submitted_at),
  heading((order) => order.symbol),
  side(),
  text("mid words", typeWords),
  text("num", (order) => plain(order.quantity)),
  text("num tight", (order) => plain(order.filled_quantity)),
  price("num", (order) => order.limit_price),
  stop("num mid words"),
  price("num mid", (order) => order.average_price),
  {
    className: "wrap",
    make: (order) => element("a", { class: "row-link", href: pathOf(order.id) }),
    paint: (link, order) => {
      const status = t(`order.${order.status}`);
      const values = { status, side: sideWord(order.side), quantity: plain(order.quantity), symbol: order.symbol };
      setText(link, status);
      setAttribute(link, "aria-label", t("order.status-label", values));
      setAttribute(link, "title", order.reason ? order.reason.toLowerCase().replaceAll("_", " ") : null);
    },
  },
];

/** What a position is valued at, and that nobody knows whether it still holds. */
function markWords({ mark, symbol, isOld }: PositionRow): string {
  const shown = fixed(mark, desk().digits(symbol));
  return isOld && mark ? `${shown} ${t("price.old")}` : shown;
}

export const POSITION_COLUMNS: Column<PositionRow>[] = [
  heading((position) => position.symbol),
  text("num", (position) => plain(position.quantity)),
  price("num", (position) => position.average_entry_price),
  text("num words", markWords),
  text("num mid", (position) => fixed(position.value, 2)),
  gain("num", (position) => position.unrealized),
  gain("num low", (position) => position.realized_pnl),
];

export const FILL_COLUMNS: Column<Fill>[] = [
  {
    className: "",
    make: (fill) => element("a", { class: "row-link", href: pathOf(fill.order_id) }, element("time")),
    paint: (link, fill) => paintTime(find(link, "time"), fill.occurred_at),
  },
  heading((fill) => fill.symbol),
  side(),
  text("num", (fill) => plain(fill.quantity)),
  price("num", (fill) => fill.price),
  text("num mid", (fill) => fixed(Decimal.of(fill.quantity).times(Decimal.of(fill.price)), 2)),
  text("low", (fill) => t(`liquidity.${fill.liquidity}`)),
];
