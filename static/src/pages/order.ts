// The page of one order, live while it is open: when something happens to it, the portal is asked how the page stands
// now, as texts; this only puts them in their places. Where the account's events may not be heard (an operator looks at
// somebody else's order) it asks every few seconds.
import { announce } from "../core/announcer";
import { element, field, find, pageData, setText, type Child } from "../core/dom";
import { fixed } from "../core/format";
import type { TopicFrame, Trail } from "../core/protocol";
import { getJson } from "../core/request";
import { drawLevels, type ScaleData } from "../elements/levels";
import { drawPicture, type PictureData } from "../elements/picture";
import { startLivePage } from "../elements/live_page";
import { startShell } from "../elements/shell";

interface Link {
  url: string;
  text: string;
  status: string;
  time: string;
  is_chosen: boolean;
}

interface Shown {
  name: string;
  status: string;
  reason: string;
  is_open: boolean;
  facts: [string, string][];
  events: { time: string; kind: string; text: string; reason: string; request_id: string }[];
  fills: Record<"time" | "quantity" | "price" | "value" | "fee" | "liquidity" | "filled", string>[];
  chain: Link[];
  group: (Link & { part: string })[];
  trail: { mark: string; stop: string } | null;
  scale: ScaleData | null;
  picture: PictureData;
  from: string;
  until: string;
  summary: string;
}

interface PageData {
  shown: Shown;
  account_topic: string | null;
  trails_topic: string | null;
  order: { id: string; digits: number };
  urls: { order: string };
}

const SETTLE_MILLISECONDS = 120;
const ASK_MILLISECONDS = 3_000;

const { shown, account_topic, trails_topic, order, urls } = pageData<PageData>();
let last = shown;
let timer = 0;
let askedAt = 0;

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
  document.querySelector("[data-part=group]")?.replaceChildren(...now.group.map(memberItem));
  if (now.trail) showTrail(now.trail.mark, now.trail.stop);
  const scale = document.querySelector<HTMLElement>("[data-part=scale]");
  if (scale) drawLevels(scale, now.scale);
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

function nameOf(link: Link): HTMLElement {
  return link.is_chosen ? element("strong", {}, link.text) : element("a", { href: link.url }, link.text);
}

function item(link: Link, ...children: Child[]): HTMLElement {
  return element("li", link.is_chosen ? { "aria-current": "true" } : {}, ...children);
}

function chainItem(link: Link): HTMLElement {
  const status = element("span", { class: "tag" }, link.status);
  return item(link, nameOf(link), " ", status, " ", element("span", { class: "sub" }, `${link.time} UTC`));
}

function memberItem(link: Link & { part: string }): HTMLElement {
  return item(link, element("span", { class: "part" }, link.part), " ", nameOf(link), " ", element("span", { class: "tag" }, link.status));
}

function showTrail(mark: string, stop: string): void {
  setText(field(document, "mark"), mark);
  setText(field(document, "stop"), stop);
}

/** Mark and stop are told as they move; the drawing follows with the next answer. */
function follow(frame: TopicFrame): void {
  if (frame.topic !== trails_topic) return refresh();
  const trail = (frame.data as { trails: Trail[] }).trails.find(({ id }) => id === order.id);
  if (!trail) return;
  showTrail(fixed(trail.hwm, order.digits), fixed(trail.stop_price, order.digits));
  if (Date.now() - askedAt > ASK_MILLISECONDS) refresh();
}

/** A burst of events is one question. */
function refresh(): void {
  clearTimeout(timer);
  askedAt = Date.now();
  timer = window.setTimeout(async () => {
    const answer = await getJson<Shown>(urls.order, {});
    if (answer.kind === "ok") show(answer.data);
  }, SETTLE_MILLISECONDS);
}

startShell();
startLivePage({ topics: [account_topic, trails_topic].filter((topic) => topic !== null), onTopic: follow, onBack: refresh });
if (!account_topic) setInterval(() => { if (!document.hidden && last.is_open) refresh(); }, ASK_MILLISECONDS);
