// What the page knows, keyed by topic, with every frame's sequence checked. State topics (quote, book, bar) carry the
// whole state: newest wins. Log topics (trade, account) must be gapless: a gap asks for a new snapshot, and what comes
// in between is kept and laid over it. Depth is sent as changes, with a checksum. marketdata/domain/live_reader.py is the
// same for programs; both pass tests/marketdata/live_reader.json.
import { applyAccountEvent } from "./account";
import { applied, isSound, type Delta, type Ladder } from "./ladders";
import type { AccountEvent, AccountSnapshot, EventsFrame, Place, ResumedFrame, TopicFrame, Trade } from "./protocol";

export type Phase = "loading" | "live" | "resync";

export interface TopicState {
  phase: Phase;
  data: unknown;
  epoch: string | undefined;
  seq: number;
  waiting: TopicFrame[];
}

export const MOST_TRADES = 50;
const MOST_WAITING = 1000;

type Watcher = (state: TopicState, frame: TopicFrame | null) => void;
/** The data with the event; undefined when the two do not fit. */
type Reduce = (data: unknown, event: unknown) => unknown;
export type Applied = "applied" | "ignored" | "waiting" | "gap";

const LOG_REDUCERS: Record<string, Reduce> = {
  trade: (data, event) => {
    const { trades } = (data ?? { trades: [] }) as { trades: Trade[] };
    return { trades: [event as Trade, ...trades].slice(0, MOST_TRADES) };
  },
  depth: (data, event) => (data ? applied(data as Ladder, event as Delta) ?? undefined : undefined),
  account: (data, event) => data && applyAccountEvent(data as AccountSnapshot, event as AccountEvent),
};

function reducerOf(topic: string): Reduce | undefined {
  return LOG_REDUCERS[topic.slice(0, topic.indexOf(":"))];
}

export class TopicStore {
  private readonly topics = new Map<string, TopicState>();
  private readonly watchers = new Map<string, Set<Watcher>>();
  gaps = 0;
  /** How often the connection was lost. */
  losses = 0;

  /** `onGap` is called once per gap with the topic that needs a new snapshot. */
  constructor(private readonly onGap: (topic: string) => void) {}

  state(topic: string): TopicState {
    let state = this.topics.get(topic);
    if (!state) {
      state = { phase: "loading", data: null, epoch: undefined, seq: -1, waiting: [] };
      this.topics.set(topic, state);
    }
    return state;
  }

  data<T>(topic: string): T | null {
    return (this.topics.get(topic)?.data ?? null) as T | null;
  }

  watch(topic: string, watcher: Watcher): () => void {
    const watchers = this.watchers.get(topic) ?? new Set();
    this.watchers.set(topic, watchers.add(watcher));
    return () => watchers.delete(watcher);
  }

  /** What the server rendered into the page: shown until the first snapshot, never followed by sequence. */
  seed(topic: string, data: unknown): void {
    const state = this.state(topic);
    if (state.phase === "loading") state.data = data;
  }

  /** Where the page stands in a topic; null where it has to begin with a snapshot. */
  position(topic: string): Place | null {
    const state = this.topics.get(topic);
    return state?.epoch ? { topic, epoch: state.epoch, seq: state.seq } : null;
  }

  /** The socket was lost: nothing is live until the next one has said how it stands. */
  expectSnapshots(): void {
    this.losses += 1;
    for (const state of this.topics.values()) {
      if (state.phase !== "live") continue;
      state.phase = "resync";
      state.waiting = [];
    }
  }

  forget(topic: string): void {
    this.topics.delete(topic);
  }

  apply(frame: TopicFrame | EventsFrame | ResumedFrame): Applied {
    const state = this.state(frame.topic);
    const reduce = reducerOf(frame.topic);
    if (frame.op === "snapshot" || frame.op === "resumed") return this.start(state, frame, reduce);
    if (frame.op === "events") return this.applyTogether(frame);
    return reduce ? this.applyLogEvent(state, frame, reduce) : this.applyStateEvent(state, frame);
  }

  private applyTogether({ topic, epoch, first, data }: EventsFrame): Applied {
    let last: Applied = "ignored";
    data.forEach((event, index) => {
      last = this.apply({ op: "event", topic, epoch, seq: first + index, data: event });
    });
    return last;
  }

  private start(state: TopicState, frame: TopicFrame | ResumedFrame, reduce?: Reduce): Applied {
    if (frame.op === "resumed") {
      if (frame.epoch !== state.epoch || frame.seq !== state.seq) return this.startOver(state, frame.topic);
    } else {
      if (!isSound(frame.data)) return this.startOver(state, frame.topic);
      state.data = frame.data;
      state.epoch = frame.epoch;
      state.seq = frame.seq ?? -1;
    }
    state.phase = "live";
    this.notify(frame.topic, state, null);
    const waiting = state.waiting;
    state.waiting = [];
    if (reduce) for (const event of waiting) this.applyLogEvent(state, event, reduce);
    return "applied";
  }

  private applyStateEvent(state: TopicState, frame: TopicFrame): Applied {
    const seq = frame.seq ?? -1;
    if (state.phase === "live" && frame.epoch === state.epoch && seq <= state.seq) return "ignored";
    if (!isSound(frame.data)) return this.startOver(state, frame.topic);
    Object.assign(state, { data: frame.data, epoch: frame.epoch, seq, phase: "live" });
    this.notify(frame.topic, state, frame);
    return "applied";
  }

  private applyLogEvent(state: TopicState, frame: TopicFrame, reduce: Reduce): Applied {
    if (state.phase !== "live") {
      if (state.waiting.length < MOST_WAITING) state.waiting.push(frame);
      return "waiting";
    }
    const seq = frame.seq ?? -1;
    const isSameEpoch = !state.epoch || frame.epoch === state.epoch;
    if (isSameEpoch && seq <= state.seq) return "ignored";
    const base = frame.topic.startsWith("depth:") ? (frame.data as Delta).base : seq - 1;
    if (!isSameEpoch || (state.seq >= 0 && state.epoch && base !== state.seq)) return this.gap(state, frame);
    const data = reduce(state.data, frame.data);
    if (data === undefined) return this.gap(state, frame);
    Object.assign(state, { data, epoch: frame.epoch, seq });
    this.notify(frame.topic, state, frame);
    return "applied";
  }

  private gap(state: TopicState, frame: TopicFrame): "gap" {
    const gap = this.startOver(state, frame.topic, frame.topic.startsWith("depth:") ? undefined : state.epoch);
    state.waiting = [frame];
    return gap;
  }

  /** What the page has is not what was published: it asks for a snapshot, and shows nothing as live until then. */
  private startOver(state: TopicState, topic: string, epoch?: string): "gap" {
    state.phase = "resync";
    state.waiting = [];
    state.epoch = epoch;
    this.gaps += 1;
    this.notify(topic, state, null);
    this.onGap(topic);
    return "gap";
  }

  private notify(topic: string, state: TopicState, frame: TopicFrame | null): void {
    for (const watcher of this.watchers.get(topic) ?? []) watcher(state, frame);
  }
}

/** What a row or a panel says beside a price: null as long as the first frames have not come, which is no news. */
export function shownStanding(topic: string, state: TopicState, link: Link, hasHeartbeat: boolean): Standing | null {
  if (!hasHeartbeat && (link.isOpen || state.phase === "loading")) return null;
  const standing = standingOf(topic, state, link);
  return standing === "recovering" && link.isOpen && state.phase === "loading" ? null : standing;
}

export type Standing = "live" | "recovering" | "stale";

/** What is known of the connection: whether there is one, for how long it has been silent, how old the feed's last sign is. */
export interface Link {
  isOpen: boolean;
  silentMilliseconds: number;
  feedAgeMilliseconds: number | null;
}

export const SILENT_MILLISECONDS = 3_000;
export const LATE_FEED_MILLISECONDS = 5_000;
const PRIVATE_KINDS = new Set(["account", "trails", "notifications", "user"]);

export function isPrivate(topic: string): boolean {
  return PRIVATE_KINDS.has(topic.split(":", 1)[0] ?? "");
}

/** Whether what is shown of a topic may be called live: the source of a price may be silent while all else is fine. */
export function standingOf(topic: string, state: TopicState, link: Link): Standing {
  if (!link.isOpen || state.phase !== "live") return "recovering";
  if (link.silentMilliseconds > SILENT_MILLISECONDS) return "stale";
  if (isPrivate(topic)) return "live";
  if (link.feedAgeMilliseconds === null || link.feedAgeMilliseconds > LATE_FEED_MILLISECONDS) return "stale";
  return (state.data as { stale?: boolean } | null)?.stale === true ? "stale" : "live";
}
