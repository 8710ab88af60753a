// The connection chip: always a word, never a colour alone. It also tells when the engine or the feed is down while the
// connection itself is fine.
import { isLate, type Connection } from "../core/socket";
import type { Heartbeat } from "../core/protocol";
import { find, setAttribute, setText } from "../core/dom";
import { timeOfDay } from "../core/format";
import { t, type MessageKey } from "../core/messages";

export function showConnection(connection: Connection, heartbeat: Heartbeat | null): void {
  const chip = document.querySelector<HTMLElement>("tp-connection");
  if (!chip) return;
  let state: string = connection;
  let word = t(`connection.${connection}` as MessageKey);
  if (connection === "live" && heartbeat?.engine === "down") {
    state = "offline";
    word = t("connection.engine-down");
  } else if (connection === "live" && heartbeat && isLate(heartbeat)) {
    state = "stale";
    word = t("connection.feed-late");
  }
  setAttribute(chip, "data-state", state);
  setText(find(chip, ".chip-word"), word);
  if (heartbeat) setAttribute(chip, "title", timeOfDay(heartbeat.now));
}
