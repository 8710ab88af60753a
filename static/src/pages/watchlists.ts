// The pages of watchlists: live prices of the rows in sight, an order that is made by hand, an address to copy.
import { announce } from "../core/announcer";
import { define, find } from "../core/dom";
import { t } from "../core/messages";
import { LiveRows } from "../elements/live_rows";
import { startLivePage } from "../elements/live_page";
import { OrderList } from "../elements/order_list";
import { startShell } from "../elements/shell";

startShell();
define("tp-order", OrderList);
const rows = new LiveRows(document);
rows.follow(startLivePage(rows.part));

for (const button of document.querySelectorAll<HTMLButtonElement>("[data-copy]")) {
  button.addEventListener("click", () => {
    const input = find<HTMLInputElement>(document, `#${button.dataset.copy}`);
    input.select();
    // Over plain HTTP there is no clipboard; the address is selected all the same.
    void navigator.clipboard?.writeText(input.value).then(() => announce(t("watch.copied")));
  });
}
