// The live part of pages other than the terminal: one socket for the user's own messages and whatever else the page
// follows, and the connection chip.
import { LiveSocket, browserSocket, type Connection } from "../core/socket";
import type { EventsFrame, Heartbeat, Place, ResumedFrame, TopicFrame, UserMessage } from "../core/protocol";
import { showConnection } from "./connection";
import { catchUp, receiveUserMessage } from "./shell";

export const SOCKET_PATH = "/ws/v1/";

export interface LivePart {
  topics?: string[];
  onTopic?: (frame: TopicFrame) => void;
  /** Facts together, and the word that nothing was missed. */
  onMore?: (frame: EventsFrame | ResumedFrame) => void;
  /** Where the page stands in a topic, so that a reconnect goes on from there. */
  position?: (topic: string) => Place | null;
  onLost?: () => void;
  onHeartbeat?: (heartbeat: Heartbeat) => void;
  onMessage?: (message: UserMessage) => void;
  onConnection?: (connection: Connection) => void;
  /** The connection is back, and what happened meanwhile was not heard. */
  onBack?: () => void;
}

/** The socket, or null where nobody is signed in. */
export function startLivePage(part: LivePart = {}): LiveSocket | null {
  if (!document.querySelector("tp-bell")) return null;
  let heartbeat: Heartbeat | null = null;
  let wasLive = false;
  const socket: LiveSocket = new LiveSocket(browserSocket(SOCKET_PATH), {
    onTopic: (frame) => {
      if (frame.topic !== "user") return part.onTopic?.(frame);
      receiveUserMessage(frame.data as UserMessage);
      part.onMessage?.(frame.data as UserMessage);
    },
    onMore: (frame) => part.onMore?.(frame),
    position: (topic) => part.position?.(topic) ?? null,
    onConnection: (connection) => {
      showConnection(connection, heartbeat);
      part.onConnection?.(connection);
      if (connection !== "live") return;
      if (wasLive) {
        catchUp();
        part.onBack?.();
      }
      wasLive = true;
    },
    onHeartbeat: (beat) => {
      heartbeat = beat;
      showConnection(socket.connection, beat);
      part.onHeartbeat?.(beat);
    },
    onLost: () => part.onLost?.(),
    onError: (code, message) => console.warn(`Live updates: ${code}: ${message}`),
  });
  socket.subscribe(part.topics ?? []);
  socket.start();
  return socket;
}
