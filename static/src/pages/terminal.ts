// The trading terminal: opens the desk, brings the widgets to life over the server's markup, then connects.
import { orderOf } from "../core/account";
import { announce } from "../core/announcer";
import { desk, openDesk, type PageData } from "../core/desk";
import { define, find, pageData } from "../core/dom";
import type { AccountEvent } from "../core/protocol";
import { AccountStrip } from "../elements/account_strip";
import { Blotter, eventSentence } from "../elements/blotter";
import { CancelDialog } from "../elements/cancel_dialog";
import { ChangeDialog } from "../elements/change_dialog";
import { Chart } from "../elements/chart";
import { showConnection } from "../elements/connection";
import { IndicatorDialog } from "../elements/indicators";
import { Ladder } from "../elements/ladder";
import { startPhoneNav } from "../elements/phone_nav";
import { catchUp, receiveUserMessage, startShell } from "../elements/shell";
import { Restrictions } from "../elements/restrictions";
import { SwitchDialog } from "../elements/switch_dialog";
import { Tape } from "../elements/tape";
import { Ticket } from "../elements/ticket";
import { Watchlist, chooseInstrument } from "../elements/watchlist";

startShell();
const { store, socket } = openDesk(pageData<PageData>(), receiveUserMessage, catchUp);
define("tp-account", AccountStrip);
define("tp-watchlist", Watchlist);
define("tp-chart", Chart);
define("tp-indicators", IndicatorDialog);
define("tp-ladder", Ladder);
define("tp-tape", Tape);
define("tp-ticket", Ticket);
define("tp-blotter", Blotter);
define("tp-change", ChangeDialog);
define("tp-cancel-all", CancelDialog);
define("tp-restrictions", Restrictions);
define("tp-switch", SwitchDialog);
startPhoneNav(find(document, ".terminal"), find(document, ".bottom-nav"));

desk().onConnection(() => showConnection(socket.connection, desk().heartbeat));
desk().onSymbol(() => {
  document.title = document.title.replace(/^.*?(?= · )/, desk().symbol);
});
store.watch(desk().accountTopic, (_, frame) => {
  const event = frame?.data as AccountEvent | undefined;
  const order = event ? orderOf(event) : null;
  const sentence = event && order ? eventSentence(event.event, order, event.execution ?? null) : null;
  if (sentence) announce(sentence);
});
document.addEventListener("portal:find", (event) => {
  const symbol = (event as CustomEvent<string>).detail;
  if (!desk().instruments.has(symbol)) return;
  event.preventDefault();
  chooseInstrument(symbol);
});
window.addEventListener("popstate", () => {
  const symbol = new URLSearchParams(location.search).get("symbol");
  if (symbol) desk().select(symbol);
});

desk().start();
performance.mark("portal:started");
