// Depth as changes, the same as marketdata/domain/ladders.py: what a delta does to a ladder, and the checksum that tells
// whether the page has come to the ladder that was published. Prices and sizes stay the text that travels.
import { Decimal } from "./decimal";
import type { Level } from "./protocol";

export interface Ladder {
  bids: Level[];
  asks: Level[];
  t: string;
}

export interface Delta {
  base: number;
  changes: [side: "b" | "a", price: string, size: string][];
  checksum: number;
  t: string;
}

const GONE = "0";

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** CRC-32 of ASCII text. */
function crc32(text: string): number {
  let crc = 0xffffffff;
  for (let index = 0; index < text.length; index += 1) crc = (crc >>> 8) ^ (TABLE[(crc ^ text.charCodeAt(index)) & 0xff] ?? 0);
  return (crc ^ 0xffffffff) >>> 0;
}

/** CRC-32 of `price:size,price:size|price:size`: bids, a bar, asks, each best first. */
export function checksum(bids: Level[], asks: Level[]): number {
  return crc32([bids, asks].map((side) => side.map(([price, size]) => `${price}:${size}`).join(",")).join("|"));
}

/** The ladder after the delta; null when its checksum says that it is not the publisher's. */
export function applied(ladder: Ladder, delta: Delta): Ladder | null {
  const sides = { b: new Map(ladder.bids), a: new Map(ladder.asks) };
  for (const [side, price, size] of delta.changes) {
    if (size === GONE) sides[side].delete(price);
    else sides[side].set(price, size);
  }
  const asks = [...sides.a].sort(([one], [other]) => Decimal.of(one).minus(Decimal.of(other)).sign);
  const bids = [...sides.b].sort(([one], [other]) => Decimal.of(other).minus(Decimal.of(one)).sign);
  return checksum(bids, asks) === delta.checksum ? { bids, asks, t: delta.t } : null;
}

/** Whether a whole ladder is what its publisher summed up; what has no checksum is. */
export function isSound(data: unknown): boolean {
  const ladder = data as (Ladder & { checksum?: number }) | null;
  return typeof ladder?.checksum !== "number" || checksum(ladder.bids, ladder.asks) === ladder.checksum;
}
