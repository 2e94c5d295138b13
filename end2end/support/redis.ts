// The private Redis of an app under test, as an outage.

import { once } from 'node:events';
import { connect } from 'node:net';

/** Redis answers nobody for so long, and then goes on by itself. */
export async function pauseRedis(port: number, milliseconds: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  socket.write(`CLIENT PAUSE ${milliseconds} ALL\r\n`);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  if (!answer.toString().startsWith('+OK')) throw new Error(`Redis can't be paused: ${answer}`);
}
