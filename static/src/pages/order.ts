// The page of one order, live while it is open: when something happens to it, the portal is asked how the page stands
// now, as texts; this only puts them in their places. Where the account's events may not be heard (an operator looks at
// somebody else's order) it asks every few seconds.
import { announce } from "../core/announcer";
import { element, field, find, pageData, setText } from "../core/dom";
import { getJson } from "../core/request";
import { drawPicture, type PictureData } from "../elements/picture";
import { startLivePage } from "../elements/live_page";
import { startShell } from "../elements/shell";

interface Shown {
  name: string;
  status: string;
  reason: string;
  is_open: boolean;
  facts: [string, string][];
  events: { time: string; kind: string; text: string; reason: string; request_id: string }[];
  fills: Record<"time" | "quantity" | "price" | "value" | "fee" | "liquidity" | "filled", string>[];
  chain: { url: string; text: string; status: string; time: string; is_chosen: boolean }[];
  picture: PictureData;
  from: string;
  until: string;
  summary: string;
}

interface PageData {
  shown: Shown;
  account_topic: string | null;
  urls: { order: string };
}

const SETTLE_MILLISECONDS = 120;
const ASK_MILLISECONDS = 3_000;

const { shown, account_topic, urls } = pageData<PageData>();
let last = shown;
let timer = 0;

function part(name: string): HTMLElement {
  return find(document, `[data-part="${name}"]`);
}

function show(now: Shown): void {
  if (now.status !== last.status) announce(`${now.name}: ${now.status}`);
  last = now;
  for (const name of ["name", "status", "reason", "from", "until"] as const) setText(field(document, name), now[name]);
  const acts = document.querySelector<HTMLElement>("[data-part=acts]");
  if (acts) acts.hidden = !now.is_open;
  part("facts").replaceChildren(
    ...now.facts.map(([label, value]) => element("div", {}, element("dt", {}, label), element("dd", {}, value))),
  );
  part("events").replaceChildren(...now.events.map(eventItem));
  part("fills").replaceChildren(...now.fills.map(fillRow));
  part("no-fills").hidden = now.fills.length > 0;
  part("chain-block").hidden = now.chain.length < 2;
  part("chain").replaceChildren(...now.chain.map(chainItem));
  drawPicture(find<SVGSVGElement>(document, "svg.picture"), now.picture, now.summary);
}

function eventItem(event: Shown["events"][number]): HTMLElement {
  const text = event.reason ? `${event.text} ${event.reason}` : event.text;
  const when = element("p", { class: "sub" }, element("time", {}, event.time), " ", element("code", {}, event.request_id));
  return element("li", { "data-kind": event.kind }, element("p", {}, text), when);
}

function fillRow(fill: Shown["fills"][number]): HTMLElement {
  const number = (text: string) => element("td", { class: "num" }, text);
  return element(
    "tr", {}, element("td", {}, fill.time), number(fill.quantity), number(fill.price), number(fill.value), number(fill.fee),
    element("td", {}, fill.liquidity), number(fill.filled),
  );
}

function chainItem(link: Shown["chain"][number]): HTMLElement {
  const name = link.is_chosen ? element("strong", {}, link.text) : element("a", { href: link.url }, link.text);
  const status = element("span", { class: "tag" }, link.status);
  return element("li", link.is_chosen ? { "aria-current": "true" } : {}, name, " ", status, " ", element("span", { class: "sub" }, `${link.time} UTC`));
}

/** A burst of events is one question. */
function refresh(): void {
  clearTimeout(timer);
  timer = window.setTimeout(async () => {
    const answer = await getJson<Shown>(urls.order, {});
    if (answer.kind === "ok") show(answer.data);
  }, SETTLE_MILLISECONDS);
}

startShell();
startLivePage({ topics: account_topic ? [account_topic] : [], onTopic: refresh, onBack: refresh });
if (!account_topic) setInterval(() => { if (!document.hidden && last.is_open) refresh(); }, ASK_MILLISECONDS);
