// The live part of pages other than the terminal: one socket for the user's own messages and whatever else the page
// follows, and the connection chip.
import { LiveSocket, browserSocket, type Connection } from "../core/socket";
import type { Heartbeat, TopicFrame, UserMessage } from "../core/protocol";
import { showConnection } from "./connection";
import { catchUp, receiveUserMessage } from "./shell";

export const SOCKET_PATH = "/ws/v1/";

export interface LivePart {
  topics?: string[];
  onTopic?: (frame: TopicFrame) => void;
  onMessage?: (message: UserMessage) => void;
  onConnection?: (connection: Connection) => void;
  /** The connection is back, and what happened meanwhile was not heard. */
  onBack?: () => void;
}

/** The socket, or null where nobody is signed in. */
export function startLivePage({ topics = [], onTopic, onMessage, onConnection, onBack }: LivePart = {}): LiveSocket | null {
  if (!document.querySelector("tp-bell")) return null;
  let heartbeat: Heartbeat | null = null;
  let wasLive = false;
  const socket: LiveSocket = new LiveSocket(browserSocket(SOCKET_PATH), {
    onTopic: (frame) => {
      if (frame.topic !== "user") return onTopic?.(frame);
      receiveUserMessage(frame.data as UserMessage);
      onMessage?.(frame.data as UserMessage);
    },
    onConnection: (connection) => {
      showConnection(connection, heartbeat);
      onConnection?.(connection);
      if (connection !== "live") return;
      if (wasLive) {
        catchUp();
        onBack?.();
      }
      wasLive = true;
    },
    onHeartbeat: (beat) => {
      heartbeat = beat;
      showConnection(socket.connection, beat);
    },
    onLost: () => undefined,
    onError: (code, message) => console.warn(`Live updates: ${code}: ${message}`),
  });
  socket.subscribe(topics);
  socket.start();
  return socket;
}
