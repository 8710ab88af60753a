// What the page knows, keyed by topic, with every frame's sequence checked. State topics (quote, book, bar) carry the
// whole state: newest wins. Log topics (trade, account) must be gapless: a gap asks for a new snapshot, and what comes
// in between is kept and laid over it.
import { applyAccountEvent } from "./account";
import type { AccountEvent, AccountSnapshot, TopicFrame, Trade } from "./protocol";

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
type Reduce = (data: unknown, event: unknown) => unknown;

const LOG_REDUCERS: Record<string, Reduce> = {
  trade: (data, event) => {
    const { trades } = (data ?? { trades: [] }) as { trades: Trade[] };
    return { trades: [event as Trade, ...trades].slice(0, MOST_TRADES) };
  },
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

  /** The socket was lost: log topics wait for the snapshot that follows the next subscribe. */
  expectSnapshots(): void {
    this.losses += 1;
    for (const [topic, state] of this.topics) {
      if (state.phase !== "live" || !reducerOf(topic)) continue;
      state.phase = "resync";
      state.waiting = [];
    }
  }

  forget(topic: string): void {
    this.topics.delete(topic);
  }

  apply(frame: TopicFrame): "applied" | "ignored" | "waiting" | "gap" {
    const state = this.state(frame.topic);
    const reduce = reducerOf(frame.topic);
    if (frame.op === "snapshot") return this.applySnapshot(state, frame, reduce);
    return reduce ? this.applyLogEvent(state, frame, reduce) : this.applyStateEvent(state, frame);
  }

  private applySnapshot(state: TopicState, frame: TopicFrame, reduce?: Reduce): "applied" {
    state.data = frame.data;
    state.epoch = frame.epoch;
    state.seq = frame.seq ?? -1;
    state.phase = "live";
    this.notify(frame.topic, state, null);
    const waiting = state.waiting;
    state.waiting = [];
    if (reduce) for (const event of waiting) this.applyLogEvent(state, event, reduce);
    return "applied";
  }

  private applyStateEvent(state: TopicState, frame: TopicFrame): "applied" | "ignored" {
    const seq = frame.seq ?? -1;
    if (state.phase === "live" && frame.epoch === state.epoch && seq <= state.seq) return "ignored";
    Object.assign(state, { data: frame.data, epoch: frame.epoch, seq, phase: "live" });
    this.notify(frame.topic, state, frame);
    return "applied";
  }

  private applyLogEvent(state: TopicState, frame: TopicFrame, reduce: Reduce): "applied" | "ignored" | "waiting" | "gap" {
    if (state.phase !== "live") {
      if (state.waiting.length < MOST_WAITING) state.waiting.push(frame);
      return "waiting";
    }
    const seq = frame.seq ?? -1;
    const isSameEpoch = state.epoch === undefined || frame.epoch === state.epoch;
    if (isSameEpoch && seq <= state.seq) return "ignored";
    if (!isSameEpoch || (state.seq >= 0 && seq !== state.seq + 1)) return this.gap(state, frame);
    state.data = reduce(state.data, frame.data);
    state.epoch = frame.epoch;
    state.seq = seq;
    this.notify(frame.topic, state, frame);
    return "applied";
  }

  private gap(state: TopicState, frame: TopicFrame): "gap" {
    state.phase = "resync";
    state.waiting = [frame];
    this.gaps += 1;
    this.notify(frame.topic, state, null);
    this.onGap(frame.topic);
    return "gap";
  }

  private notify(topic: string, state: TopicState, frame: TopicFrame | null): void {
    for (const watcher of this.watchers.get(topic) ?? []) watcher(state, frame);
  }
}
