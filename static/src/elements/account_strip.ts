// The account in one line: equity, open profit and loss, cash, what working orders hold, buying power. Live.
import { equity, unrealized } from "../core/account";
import { Decimal } from "../core/decimal";
import { desk } from "../core/desk";
import { field, setClass, setText } from "../core/dom";
import { direction, fixed, signed } from "../core/format";

const PAINT_MILLISECONDS = 250;

export class AccountStrip extends HTMLElement {
  connectedCallback(): void {
    const mark = desk().scheduler.register(() => this.paint(), PAINT_MILLISECONDS);
    desk().store.watch(desk().accountTopic, mark);
    for (const symbol of desk().instruments.keys()) {
      desk().store.watch(`bar:${symbol}:1Min`, () => {
        if (desk().account.positions.some((position) => position.symbol === symbol)) mark();
      });
    }
    mark();
  }

  private paint(): void {
    const { account } = desk();
    const markOf = (symbol: string) => desk().mark(symbol);
    setText(field(this, "equity"), fixed(equity(account, markOf), 2));
    setText(field(this, "total"), fixed(account.balance.total, 2));
    setText(field(this, "locked"), fixed(account.balance.locked, 2));
    setText(field(this, "free"), fixed(account.balance.free, 2));
    let open: Decimal | null = Decimal.ZERO;
    for (const position of account.positions) {
      const gain = unrealized(position, markOf(position.symbol));
      if (!Decimal.of(position.quantity).isZero) open = gain && open ? open.plus(gain) : null;
    }
    const node = field(this, "unrealized");
    setText(node, signed(open, 2));
    setClass(node, open ? direction(open.rounded(2).sign) : "flat");
  }
}
