// The page's one connection to /ws/v1/: subscriptions survive reconnects, silence is noticed (3 s stale, 10 s gone),
// reconnecting backs off with jitter. It sends subscriptions only; an order never travels over it, so nothing can be
// re-sent by a reconnect.
import type { EventsFrame, Heartbeat, Place, ResumedFrame, ServerFrame, TopicFrame } from "./protocol";

export type Connection = "connecting" | "live" | "recovering" | "stale" | "offline" | "signed-out";

export interface SocketLike {
  readyState: number;
  send(text: string): void;
  close(): void;
  onopen: ((event: never) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
}

export interface SocketParts {
  open: () => SocketLike;
  now: () => number;
  later: (callback: () => void, milliseconds: number) => void;
  random: () => number;
}

export interface SocketListener {
  onTopic(frame: TopicFrame): void;
  /** Facts together, and the word that nothing was missed; a page that asks for neither gets neither. */
  onMore?(frame: EventsFrame | ResumedFrame): void;
  /** Where the page stands in a topic, so that a reconnect can go on from there. */
  position?(topic: string): Place | null;
  onConnection(connection: Connection): void;
  onHeartbeat(heartbeat: Heartbeat): void;
  onLost(): void;
  onError(code: string, message: string): void;
}

export const STALE_MILLISECONDS = 3_000;
export const GONE_MILLISECONDS = 10_000;
const LATE_FEED_MILLISECONDS = 5_000;
const FIRST_DELAY_MILLISECONDS = 400;
const MOST_DELAY_MILLISECONDS = 15_000;
const WATCH_MILLISECONDS = 500;
const OPEN = 1;
const SIGNED_OUT = 4401;

export class LiveSocket {
  connection: Connection = "connecting";
  lastBeat = 0;
  private socket: SocketLike | null = null;
  private openedAt = 0;
  private attempts = 0;
  /** At which pace each user of a topic wants it, in milliseconds; 0 is each message. */
  private readonly wanted = new Map<string, number[]>();

  constructor(
    private readonly parts: SocketParts,
    private readonly listener: SocketListener,
  ) {}

  /** For how long nothing has been heard, in milliseconds. */
  get silence(): number {
    return this.parts.now() - this.lastBeat;
  }

  start(): void {
    this.lastBeat = this.parts.now();
    this.connect();
    this.watch();
  }

  /** Wants the topics, at most one message of each in `everyMilliseconds`; each is counted, so two widgets may want the
   *  same one, which then comes as often as the hastier one wants it. */
  subscribe(topics: string[], everyMilliseconds = 0): void {
    this.change(topics, (paces) => [...paces, everyMilliseconds]);
  }

  /** Gives back what was wanted at this pace. */
  unsubscribe(topics: string[], everyMilliseconds = 0): void {
    this.change(topics, (paces) => {
      const place = paces.indexOf(everyMilliseconds);
      return paces.filter((_, index) => index !== place);
    });
  }

  private change(topics: string[], changed: (paces: number[]) => number[]): void {
    const asked: string[] = [];
    const dropped: string[] = [];
    for (const topic of topics) {
      const before = this.wanted.get(topic) ?? [];
      const paces = changed(before);
      if (paces.length > 0) this.wanted.set(topic, paces);
      else this.wanted.delete(topic);
      if (paces.length === 0 && before.length > 0) dropped.push(topic);
      else if (paces.length > 0 && Math.min(...paces) !== Math.min(...before)) asked.push(topic);
    }
    this.ask(asked);
    this.send({ op: "unsubscribe", topics: dropped });
  }

  /** Asks for a new snapshot of a topic that lost a message. */
  resync(topic: string): void {
    this.ask([topic]);
  }

  /** One request for each pace. */
  private ask(topics: string[], place: (topic: string) => Place | null = () => null): void {
    const byPace = new Map<number, (string | Place)[]>();
    for (const topic of topics) {
      const pace = Math.min(...(this.wanted.get(topic) ?? [0]));
      byPace.set(pace, [...(byPace.get(pace) ?? []), place(topic) ?? topic]);
    }
    for (const [pace, places] of byPace) this.send({ op: "subscribe", topics: places, ...(pace > 0 ? { every_ms: pace } : {}) });
  }

  private send(frame: { op: string; topics: (string | Place)[]; every_ms?: number }): void {
    if (frame.topics.length > 0 && this.socket?.readyState === OPEN) this.socket.send(JSON.stringify(frame));
  }

  private connect(): void {
    const socket = this.parts.open();
    this.socket = socket;
    this.openedAt = this.parts.now();
    socket.onopen = () => {
      this.ask([...this.wanted.keys()], (topic) => this.listener.position?.(topic) ?? null);
    };
    socket.onmessage = (event) => {
      if (this.socket === socket) this.receive(JSON.parse(String(event.data)) as ServerFrame);
    };
    socket.onclose = (event) => this.drop(socket, event.code);
  }

  private receive(frame: ServerFrame): void {
    this.lastBeat = this.parts.now();
    if (this.connection !== "live") {
      this.attempts = 0;
      this.become("live");
    }
    if (frame.op === "event" || frame.op === "snapshot") this.listener.onTopic(frame);
    else if (frame.op === "events" || frame.op === "resumed") this.listener.onMore?.(frame);
    else if (frame.op === "heartbeat") this.listener.onHeartbeat(frame);
    else if (frame.op === "error") this.listener.onError(frame.code, frame.message);
  }

  private drop(socket: SocketLike, code: number): void {
    if (this.socket !== socket) return;
    this.socket = null;
    this.listener.onLost();
    if (code === SIGNED_OUT) return this.become("signed-out");
    if (this.connection !== "offline") this.become("recovering");
    const ceiling = Math.min(MOST_DELAY_MILLISECONDS, FIRST_DELAY_MILLISECONDS * 2 ** this.attempts);
    this.attempts += 1;
    this.parts.later(() => this.connect(), ceiling / 2 + (this.parts.random() * ceiling) / 2);
  }

  private watch(): void {
    const now = this.parts.now();
    const silence = now - this.lastBeat;
    if (this.connection !== "signed-out") {
      if (silence > GONE_MILLISECONDS && this.connection !== "offline") this.become("offline");
      else if (silence > STALE_MILLISECONDS && this.connection === "live") this.become("stale");
      if (Math.min(silence, now - this.openedAt) > GONE_MILLISECONDS) this.abandon();
    }
    this.parts.later(() => this.watch(), WATCH_MILLISECONDS);
  }

  /** A dead network answers no close either, so the drop is not waited for. */
  private abandon(): void {
    const socket = this.socket;
    if (!socket) return;
    socket.close();
    this.drop(socket, 1006);
  }

  private become(connection: Connection): void {
    this.connection = connection;
    this.listener.onConnection(connection);
  }
}

/** Whether the heartbeat tells of a feed that is late, or of none at all. */
export function isLate(heartbeat: Heartbeat): boolean {
  return heartbeat.feed_age_ms === null || heartbeat.feed_age_ms > LATE_FEED_MILLISECONDS;
}

export function browserSocket(path: string): SocketParts {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  return {
    open: () => new WebSocket(`${scheme}//${location.host}${path}`) as unknown as SocketLike,
    now: () => performance.now(),
    later: (callback, milliseconds) => void setTimeout(callback, milliseconds),
    random: Math.random,
  };
}
