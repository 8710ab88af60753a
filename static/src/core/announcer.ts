// What assistive technology is told: one polite queue that speaks at most every two seconds and folds a burst into one
// sentence, and one assertive line for refusals and lost connections. Prices are never announced.
import { t } from "./messages";

export const QUIET_MILLISECONDS = 2_000;

export class Announcer {
  private readonly waiting: string[] = [];
  private spokenAt = -Infinity;
  private isScheduled = false;

  constructor(
    private readonly speak: (text: string) => void,
    private readonly now: () => number,
    private readonly later: (callback: () => void, milliseconds: number) => void,
  ) {}

  say(text: string): void {
    this.waiting.push(text);
    if (this.isScheduled) return;
    this.isScheduled = true;
    this.later(() => this.flush(), Math.max(0, this.spokenAt + QUIET_MILLISECONDS - this.now()));
  }

  private flush(): void {
    this.isScheduled = false;
    const [first = "", ...more] = this.waiting.splice(0);
    this.spokenAt = this.now();
    this.speak(more.length === 0 ? first : t("announce.more", { first, count: more.length }));
  }
}

let polite: Announcer | undefined;

export function announce(text: string): void {
  polite ??= new Announcer(
    (message) => document.getElementById("announcer")?.replaceChildren(message),
    () => performance.now(),
    (callback, milliseconds) => void setTimeout(callback, milliseconds),
  );
  polite.say(text);
}

export function alarm(text: string): void {
  document.getElementById("alarm")?.replaceChildren(text);
}
