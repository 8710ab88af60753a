// Sessions in the reader's own time zone, below the venue's time that the server wrote.
import { setText } from "../core/dom";

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

/** The name of the zone that the reader's machine keeps. */
export function ownZone(): string {
  return clock.resolvedOptions().timeZone;
}

export function showOwnTimes(root: ParentNode): void {
  for (const node of root.querySelectorAll<HTMLElement>("[data-opens][data-closes]")) {
    const times = [node.dataset.opens, node.dataset.closes].map((instant) => clock.format(new Date(instant ?? "")));
    setText(node, times.join("–"));
  }
}
