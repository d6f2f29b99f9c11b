/** `npm run cli -- NAME [JSON] [--data DIR]`: one query or command of the contract, asked of the running engine; prints JSON. */
import { connect } from 'node:net';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { controlFileOf, MAX_CONTROL_FRAME_BYTES } from '../main/engine/serve/local-socket.ts';
import { socketChannel } from '../main/engine/rpc/channels/socket-channel.ts';
import { defaultDataDir } from '../main/host/default-folders.ts';
import { OPERATIONS } from '../shared/contract/engine-api.ts';
import { CONTRACT_VERSION, type EngineHead } from '../shared/contract/envelope.ts';
import { fromWire, PorchlightError } from '../shared/errors.ts';

/** Answers with pictures are far larger than what may be sent. */
const MAX_ANSWER_BYTES = 64 * MAX_CONTROL_FRAME_BYTES;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { data: { type: 'string' }, list: { type: 'boolean' } } });
  const [name, json = '{}'] = positionals;
  if (values.list === true || name === undefined) {
    console.log(Object.keys(OPERATIONS).join('\n'));
    return;
  }
  const dataDir = values.data === undefined ? defaultDataDir({ platform: process.platform, home: homedir(), env: process.env }) : path.resolve(process.env['INIT_CWD'] ?? process.cwd(), values.data);
  console.log(JSON.stringify(await ask(dataDir, name, parseInput(json)), null, 2));
}

function parseInput(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new PorchlightError('invalid-input', `The second argument has to be JSON, like '{"cameraId":"cam-…"}'.`, error);
  }
}

/** One request over the engine's local socket; bytes come as base64. */
async function ask(dataDir: string, name: string, input: unknown): Promise<unknown> {
  const control = await readControl(dataDir);
  const socket = connect(control.socketPath);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', (error) => reject(notRunning(dataDir, error)));
  });
  const channel = socketChannel(socket, MAX_ANSWER_BYTES);
  const answer = new Promise<unknown>((resolve, reject) => {
    channel.onClose((reason) => reject(new PorchlightError('connection-lost', `The engine ended the connection (${reason}).`)));
    channel.onMessage(({ head, payload }) => {
      const message = head as EngineHead;
      if (message.type === 'failure') reject(fromWire(message.error));
      if (message.type === 'result') resolve(payload === null ? message.value : { ...(message.value as object), bytes: Buffer.from(payload).toString('base64') });
    });
  });
  channel.send({ head: { token: control.token }, payload: null });
  channel.send({ head: { type: 'hello', version: CONTRACT_VERSION }, payload: null });
  channel.send({ head: { type: 'request', id: 1, name, input }, payload: null });
  try {
    return await answer;
  } finally {
    socket.destroy();
  }
}

async function readControl(dataDir: string): Promise<{ readonly socketPath: string; readonly token: string }> {
  try {
    return JSON.parse(await readFile(controlFileOf(dataDir), 'utf8')) as { socketPath: string; token: string };
  } catch (error) {
    throw notRunning(dataDir, error);
  }
}

function notRunning(dataDir: string, cause: unknown): PorchlightError {
  return new PorchlightError('not-found', `Porchlight is not running with the data folder ${dataDir}. Start it, or name its folder with --data.`, cause);
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
