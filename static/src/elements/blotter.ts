// The blotter: orders, positions, fills, each a keyed table whose rows keep their identity (and so their focus) while
// their texts change. Cancelling goes through the same forms that work without scripts.
import { isOpen, unrealized } from "../core/account";
import { alarm } from "../core/announcer";
import { Decimal } from "../core/decimal";
import { desk, showPanelState } from "../core/desk";
import { element, find, setAttribute, setText } from "../core/dom";
import { fixed, plain } from "../core/format";
import { t } from "../core/messages";
import type { Fill, OrderView, Position } from "../core/protocol";
import { postForm } from "../core/request";
import { sideWord } from "../core/order_ticket";
import { FILL_COLUMNS, ORDER_COLUMNS, POSITION_COLUMNS, type PositionRow } from "./blotter_columns";
import type { CancelDialog } from "./cancel_dialog";
import type { ChangeDialog } from "./change_dialog";
import { KeyedTable } from "./keyed_table";
import { toast } from "./shell";
import { Tabs } from "./tabs";

const PAINT_MILLISECONDS = 150;
const NO_ORDER = "00000000-0000-0000-0000-000000000000";

export class Blotter extends HTMLElement {
  private orders!: KeyedTable<OrderView>;
  private positions!: KeyedTable<PositionRow>;
  private fills!: KeyedTable<Fill>;
  private readonly canceling = new Set<string>();
  private mark: () => void = () => undefined;

  connectedCallback(): void {
    const table = (name: string) => find<HTMLTableElement>(this, `[data-panel=${name}] table`);
    this.orders = new KeyedTable(table("orders"), [...ORDER_COLUMNS, this.actColumn()], (order) => order.id);
    this.positions = new KeyedTable(table("positions"), POSITION_COLUMNS, (position) => position.symbol);
    this.fills = new KeyedTable(table("fills"), FILL_COLUMNS, (fill) => fill.id);
    new Tabs(this);
    this.mark = desk().scheduler.register(() => this.paint(), PAINT_MILLISECONDS);
    desk().store.watch(desk().accountTopic, this.mark);
    desk().store.watch(desk().trailsTopic, this.mark);
    for (const symbol of desk().instruments.keys()) {
      desk().store.watch(`bar:${symbol}:1Min`, () => {
        if (desk().account.positions.some((position) => position.symbol === symbol)) this.mark();
      });
    }
    desk().onConnection(this.mark);
    this.addEventListener("click", (event) => this.press(event));
    this.addEventListener("submit", (event) => void this.cancel(event));
    this.mark();
  }

  private actColumn() {
    return {
      className: "act",
      make: (order: OrderView): HTMLElement => {
        const values = { side: sideWord(order.side), quantity: plain(order.quantity), symbol: order.symbol };
        const path = desk().page.urls.change.replace(NO_ORDER, order.id);
        const link = element("a", { class: "button small", href: path, "data-change": order.id }, t("order.change"));
        const button = element("button", { class: "button small", type: "submit" }, t("order.cancel"));
        label(link, t("order.change-label", values));
        label(button, t("order.cancel-label", values));
        return element("span", { class: "acts" }, link, element("form", { method: "post", "data-cancel": order.id }, button));
      },
      paint: (acts: HTMLElement, order: OrderView): void => {
        acts.hidden = !isOpen(order);
        const values = { side: sideWord(order.side), quantity: plain(order.quantity), symbol: order.symbol };
        const isCanceling = this.canceling.has(order.id) && isOpen(order);
        const button = find<HTMLButtonElement>(acts, "button");
        setText(button, t(isCanceling ? "order.canceling" : "order.cancel"));
        label(button, t("order.cancel-label", values));
        setAttribute(button, "aria-disabled", isCanceling ? "true" : null);
        label(find(acts, "a"), t("order.change-label", values));
      },
    };
  }

  /** A plain press opens the dialog; one that asks for a new tab follows the link. */
  private press(event: MouseEvent): void {
    const link = (event.target as Element).closest<HTMLAnchorElement>("[data-change], [data-cancel-all]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (link.dataset.change) find<ChangeDialog>(document, "tp-change").open(link.dataset.change);
    else find<CancelDialog>(document, "tp-cancel-all").open();
  }

  private paint(): void {
    const { account } = desk();
    const isOld = ({ symbol, quantity }: Position) => !Decimal.of(quantity).isZero && desk().shownStanding(symbol) === "stale";
    const open = account.orders.filter(isOpen);
    const held = account.positions.filter((position) => !Decimal.of(position.quantity).isZero || !Decimal.of(position.realized_pnl).isZero);
    this.orders.paint([...open, ...account.orders.filter((order) => !isOpen(order))]);
    for (const order of account.orders) setAttribute(this.orders.row(order.id), "data-closed", isOpen(order) ? null : "");
    this.positions.paint(held.map((position) => {
      const mark = desk().mark(position.symbol);
      const quantity = Decimal.of(position.quantity);
      return { ...position, mark, value: mark ? quantity.times(mark) : null, unrealized: unrealized(position, mark), isOld: isOld(position) };
    }));
    for (const position of held) setAttribute(this.positions.row(position.symbol), "data-standing", isOld(position) ? "stale" : null);
    this.fills.paint(account.fills);
    this.showEmpty("orders", account.orders.length);
    this.showEmpty("positions", held.length);
    this.showEmpty("fills", account.fills.length);
    setText(find(this, "[data-count=orders]"), String(open.length));
    setText(find(this, "[data-count=positions]"), String(held.filter((position) => !Decimal.of(position.quantity).isZero).length));
    find(this, "[data-cancel-all]").hidden = open.length === 0;
    showPanelState(this, desk().panelState(desk().accountTopic, true));
  }

  private showEmpty(name: string, count: number): void {
    find(this, `[data-panel=${name}] .empty`).hidden = count > 0;
  }

  private async cancel(event: SubmitEvent): Promise<void> {
    const form = event.target as HTMLFormElement;
    const id = form.dataset.cancel;
    if (!id) return;
    event.preventDefault();
    if (this.canceling.has(id)) return;
    this.canceling.add(id);
    this.mark();
    const { urls } = desk().page;
    const path = urls.cancel.replace(NO_ORDER, id);
    const token = find<HTMLInputElement>(document, "[name=csrfmiddlewaretoken]").value;
    const answer = await postForm<unknown>(path, { csrfmiddlewaretoken: token });
    this.canceling.delete(id);
    if (answer.kind === "refused") this.complain(t("order.cancel-failed", { reason: answer.refusal.message }));
    else if (answer.kind === "unknown") this.complain(t("order.cancel-unknown"));
    this.mark();
  }

  private complain(text: string): void {
    toast(text, "", "error");
    alarm(text);
  }
}

/** What a button of a row does, also where it is only a sign. */
function label(button: HTMLElement, text: string): void {
  setAttribute(button, "aria-label", text);
  setAttribute(button, "title", text);
}

/** What happened to an order, in words, for toasts and the status queue. */
export function eventSentence(event: string, order: OrderView, execution: Fill | null): string | null {
  const digits = desk().digits(order.symbol);
  const values = {
    side: sideWord(order.side),
    symbol: order.symbol,
    quantity: plain(event === "OrderPartiallyFilled" ? execution?.quantity : order.quantity),
    price: fixed(order.average_price ?? execution?.price, digits),
  };
  switch (event) {
    case "OrderTriggered":
    case "OrderFilled":
    case "OrderPartiallyFilled":
    case "OrderAmended":
    case "OrderReplaced":
    case "OrderCanceled":
    case "OrderExpired":
      return t(`event.${event}`, values);
    default:
      return null;
  }
}
