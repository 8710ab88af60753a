// The shapes that travel over /ws/v1/ and the page's JSON, as the server writes them. Numbers are decimal strings.

export interface Instrument {
  symbol: string;
  name: string;
  asset_class: "us_equity" | "crypto";
  tick_size: string;
  lot_size: string;
  min_notional: string;
  status: string;
  previous_close: string | null;
  last: string | null;
}

export interface Quote {
  bid: string;
  bid_size: string;
  ask: string;
  ask_size: string;
  t: string;
  /** The feed that told it. */
  feed?: string;
  /** No source has told anything newer for too long. */
  stale?: boolean;
}

export type Level = [price: string, size: string];

export interface Book {
  bids: Level[];
  asks: Level[];
  t: string;
  checksum?: number;
}

export interface Bar {
  t: string;
  o: string;
  h: string;
  l: string;
  c: string;
  v: string;
}

export interface MinuteBar extends Bar {
  n: number;
  vw: string | null;
  closed: boolean;
  /** It was closed before, and a late trade has changed it. */
  amended?: boolean;
  /** The feed that its newest trade came from. */
  feed?: string;
}

export interface Trade {
  id: number;
  price: string;
  size: string;
  /** The aggressor's, where it is known. */
  side: Side | null;
  t: string;
  feed?: string;
  exchange?: string;
  /** What sets the print apart (core/prices.ts); none for a usual one. */
  flags?: number;
}

export type Side = "BUY" | "SELL";
export type OrderType = "MARKET" | "LIMIT" | "STOP" | "STOP_LIMIT" | "TRAILING_STOP";
export type OrderStatus = "HELD" | "QUEUED" | "ACCEPTED" | "TRIGGERED" | "PARTIALLY_FILLED" | "FILLED" | "CANCELED" | "EXPIRED" | "REPLACED";

export interface OrderView {
  id: string;
  client_order_id: string;
  symbol: string;
  asset_class: string;
  side: Side;
  type: OrderType;
  time_in_force: "DAY" | "GTC" | "IOC" | "FOK" | "GTD" | "OPG" | "CLS";
  quantity: string;
  limit_price: string | null;
  stop_price: string | null;
  filled_quantity: string;
  leaves_quantity: string;
  average_price: string | null;
  status: OrderStatus;
  reason: string | null;
  submitted_at: string;
  updated_at: string;
  closed_at: string | null;
  expires_at: string | null;
  trail_price: string | null;
  trail_percent: string | null;
  hwm: string | null;
  replaces: string | null;
  replaced_by: string | null;
  strategy: string | null;
  display_quantity: string | null;
  notional: string | null;
  forced: string | null;
  group: { id: string; order_class: string; leg: "ENTRY" | "TAKE_PROFIT" | "STOP_LOSS" } | null;
}

type Nullable<T> = { [K in keyof T as null extends T[K] ? K : never]: T[K] };

/** What of an order may be null, and in an event is then left out. */
export type OrderNulls = Nullable<OrderView>;
export type ToldOrder = Omit<OrderView, keyof OrderNulls> & Partial<OrderNulls>;

/** Where a trailing stop that waits stands: the best price since acceptance, and its stop price. */
export interface Trail {
  id: string;
  hwm: string;
  stop_price: string;
}

export interface Fill {
  id: string;
  order_id: string;
  symbol: string;
  side: Side;
  price: string;
  quantity: string;
  liquidity: "MAKER" | "TAKER";
  fee: string;
  occurred_at: string;
}

export interface Position {
  symbol: string;
  quantity: string;
  average_entry_price: string;
  cost_basis: string;
  realized_pnl: string;
}

export interface Balance {
  currency: string;
  total: string;
  locked: string;
  free: string;
}

export interface AccountSnapshot {
  account: { id: string; name: string; venue_kind: string; currency: string };
  balance: Balance;
  orders: OrderView[];
  fills: Fill[];
  positions: Position[];
}

export interface AccountEvent {
  event: string;
  version: number;
  account_id: string;
  account_sequence: number;
  occurred_at: string;
  request_id: string;
  order?: ToldOrder | null;
  execution?: Fill | null;
  position?: Position | null;
  balance: Balance;
}

export interface PortalNotification {
  id: number;
  title: string;
  body: string;
  kind: string;
  created_at: string;
  read: boolean;
  url: string;
}

export interface UserMessage {
  kind: string;
  notification?: PortalNotification;
}

export interface Refusal {
  code?: number;
  message: string;
  reason?: string;
  facts?: Record<string, unknown>;
  request_id?: string;
}

export interface TopicFrame {
  op: "snapshot" | "event";
  topic: string;
  epoch?: string;
  seq?: number;
  data: unknown;
}

/** Facts that follow each other, for a page that does not want each at once. */
export interface EventsFrame {
  op: "events";
  topic: string;
  epoch: string;
  first: number;
  seq: number;
  data: unknown[];
}

/** The answer to a position: the events after it follow, and nothing is lost. */
export interface ResumedFrame {
  op: "resumed";
  topic: string;
  epoch: string;
  seq: number;
  missed: number;
}

/** The last message that the page has of a topic: where it can go on after a reconnect. */
export interface Place {
  topic: string;
  epoch: string;
  seq: number;
}

export interface Heartbeat {
  op: "heartbeat";
  now: string;
  engine: "live" | "down";
  feed_age_ms: number | null;
}

export type ServerFrame =
  | TopicFrame
  | EventsFrame
  | ResumedFrame
  | Heartbeat
  | { op: "welcome"; heartbeat_seconds: number }
  | { op: "pong"; t: number }
  | { op: "error"; code: string; message: string; topic?: string };
