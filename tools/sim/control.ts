/** Owns the control port: switches quirks and reads send logs from outside the simulator's process. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { SimCamera } from './camera.ts';
import { checkQuirkValue, isQuirkName } from './quirks.ts';

const MAX_BODY_BYTES = 64 << 10;

/** A camera as the control port and `--json` tell of it. */
export function describeCamera(camera: SimCamera): Readonly<Record<string, unknown>> {
  const { index, name, host, onvifUrl, username, password, uuid, online } = camera;
  return { index, name, host, onvifUrl, rtspMain: camera.rtspUrl('main'), rtspSub: camera.rtspUrl('sub'), username, password, uuid, online, quirks: camera.quirks() };
}

export class ControlServer {
  readonly #cameras: readonly SimCamera[];
  readonly #server: Server;
  readonly #port: number;

  constructor(cameras: readonly SimCamera[], port: number) {
    this.#cameras = cameras;
    this.#port = port;
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch((error: unknown) => answer(response, 400, { error: String(error) }));
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async start(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://control');
    const [root, number, what, name] = url.pathname.split('/').filter((part) => part !== '');
    if (root !== 'cameras') return answer(response, 404, { error: 'try /cameras' });
    if (number === undefined) return answer(response, 200, this.#cameras.map(describeCamera));
    const camera = this.#cameras[Number(number) - 1];
    if (camera === undefined) return answer(response, 404, { error: 'no such camera' });
    if (what === undefined) return answer(response, 200, describeCamera(camera));
    if (request.method === 'GET' && what === 'sendlog') {
      const stream = url.searchParams.get('stream') === 'sub' ? 'sub' : 'main';
      return answer(response, 200, camera.sendLog(stream, Number(url.searchParams.get('since') ?? 0)));
    }
    if (request.method === 'GET' && what === 'quirks') return answer(response, 200, camera.quirks());
    if (request.method !== 'POST') return answer(response, 405, { error: 'POST it' });
    await this.#act(camera, what, name ?? '', await readBody(request));
    answer(response, 200, describeCamera(camera));
  }

  async #act(camera: SimCamera, what: string, name: string, body: Readonly<Record<string, unknown>>): Promise<void> {
    switch (what) {
      case 'quirks':
        if (!isQuirkName(name)) throw new Error(`there is no quirk ${name}`);
        return camera.setQuirk(name, checkQuirkValue(name, body['value']));
      case 'motion':
        return camera.setMotion(body['value'] === true);
      case 'unplug':
        return camera.unplug();
      case 'replug':
        return camera.replug();
      case 'reboot':
        return camera.reboot(typeof body['downMs'] === 'number' ? body['downMs'] : undefined);
      case 'move':
        if (typeof body['host'] !== 'string') throw new Error('move needs a host');
        return camera.moveTo(body['host']);
      default:
        throw new Error(`cannot ${what}`);
    }
  }
}

async function readBody(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    chunks.push(chunk as Buffer);
    bytes += (chunk as Buffer).length;
    if (bytes > MAX_BODY_BYTES) throw new Error('too much');
  }
  const text = Buffer.concat(chunks).toString('utf8');
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  if (!response.headersSent) response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(body));
}
