/** Owns a pair of UDP sockets on neighbouring ports, the even one for RTP, the odd one for RTCP (RFC 3550 section 11). */
import { createSocket, type Socket } from 'node:dgram';

const TRIES = 50;

export interface UdpPair {
  readonly rtp: Socket;
  readonly rtcp: Socket;
  readonly rtpPort: number;
}

function bind(host: string, port: number): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', sendBufferSize: 1 << 20 });
  return new Promise((resolve, reject) => {
    socket.once('error', (error) => {
      socket.close();
      reject(error);
    });
    socket.bind(port, host, () => {
      socket.removeAllListeners('error');
      socket.on('error', () => undefined);
      resolve(socket);
    });
  });
}

/** Binds the pair on this address; the system gives the first port, the second must be free beside it. */
export async function openUdpPair(host: string): Promise<UdpPair> {
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const first = await bind(host, 0);
    const port = first.address().port;
    if (port % 2 === 1) {
      first.close();
      continue;
    }
    try {
      return { rtp: first, rtcp: await bind(host, port + 1), rtpPort: port };
    } catch {
      first.close();
    }
  }
  throw new Error(`no two neighbouring UDP ports are free on ${host}`);
}
