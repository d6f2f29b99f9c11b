/** A small ONVIF device for tests that can be odd in every way a test asks for; its login checks are written independently of the client's. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TlsOptions } from 'node:tls';
import { systemClock } from '../../main/engine/core/clock.ts';

export interface SoapAnswer {
  readonly status?: number;
  readonly type?: string;
  readonly body: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
}

export interface SoapCameraOptions {
  readonly auth?: 'none' | 'wsse' | 'digest' | 'basic' | 'must-understand';
  readonly username?: string;
  readonly password?: string;
  /** WWW-Authenticate headers of a 401; `%N` is the nonce. */
  readonly challenges?: readonly string[];
  /** The camera's clock minus the true one. */
  clockSkewMs?: number;
  /** How far Created may be from the camera's clock; none checks nothing. */
  readonly createdWindowMs?: number;
  /** What the camera checks Created against, when that is not what it tells. */
  readonly checkedSkewMs?: number;
  /** Operations everybody may call, besides the time. */
  readonly open?: readonly string[];
  readonly guardTime?: boolean;
  /** Answers by operation; undefined falls back to the usual answer. */
  readonly answers?: Readonly<Record<string, (call: SoapCall) => SoapAnswer | null | undefined>>;
  /** Before anything else; null never answers. */
  readonly before?: (call: SoapCall) => SoapAnswer | null | undefined;
  readonly tls?: TlsOptions & { readonly key: string; readonly cert: string };
  readonly rtspPort?: number;
  /** How long each answer takes. */
  readonly delayMs?: number;
  /** Answers come without a length, in chunks of so many bytes with pauses between. */
  readonly chunkBytes?: number;
}

export interface SoapCall {
  readonly operation: string;
  readonly xml: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly origin: string;
}

export interface SoapCamera {
  readonly url: string;
  readonly port: number;
  readonly calls: SoapCall[];
  /** Logins that came and were refused. */
  refusals: number;
  /** Logins that came. */
  attempts: number;
  /** The most requests that were being answered at the same time. */
  mostAtOnce: number;
  close(): Promise<void>;
}

const envelope = (body: string): string => `<?xml version="1.0" encoding="UTF-8"?><SOAP-ENV:Envelope xmlns:SOAP-ENV="http://www.w3.org/2003/05/soap-envelope" xmlns:tds="http://www.onvif.org/ver10/device/wsdl" xmlns:trt="http://www.onvif.org/ver10/media/wsdl" xmlns:tr2="http://www.onvif.org/ver20/media/wsdl" xmlns:tt="http://www.onvif.org/ver10/schema" xmlns:ter="http://www.onvif.org/ver10/error"><SOAP-ENV:Body>${body}</SOAP-ENV:Body></SOAP-ENV:Envelope>`;

export const soap = (body: string): SoapAnswer => ({ body: envelope(body) });

export function fault(subcode: string, reason: string, status = 400): SoapAnswer {
  return { status, body: envelope(`<SOAP-ENV:Fault><SOAP-ENV:Code><SOAP-ENV:Value>SOAP-ENV:Sender</SOAP-ENV:Value><SOAP-ENV:Subcode><SOAP-ENV:Value>${subcode}</SOAP-ENV:Value></SOAP-ENV:Subcode></SOAP-ENV:Code><SOAP-ENV:Reason><SOAP-ENV:Text xml:lang="en">${reason}</SOAP-ENV:Text></SOAP-ENV:Reason></SOAP-ENV:Fault>`) };
}

export function profile(token: string, encoding: string, width: number, height: number, source = 'VS1'): string {
  const encoder = encoding === '' ? '' : `<tt:VideoEncoderConfiguration token="E${token}"><tt:Encoding>${encoding}</tt:Encoding><tt:Resolution><tt:Width>${width}</tt:Width><tt:Height>${height}</tt:Height></tt:Resolution><tt:RateControl><tt:FrameRateLimit>15</tt:FrameRateLimit></tt:RateControl></tt:VideoEncoderConfiguration>`;
  return `<trt:Profiles token="${token}" fixed="true"><tt:Name>P${token}</tt:Name><tt:VideoSourceConfiguration token="S"><tt:SourceToken>${source}</tt:SourceToken></tt:VideoSourceConfiguration>${encoder}</trt:Profiles>`;
}

export function timeAnswer(atMs: number): SoapAnswer {
  const at = new Date(atMs);
  return soap(`<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:DateTimeType>NTP</tt:DateTimeType><tt:UTCDateTime><tt:Time><tt:Hour>${at.getUTCHours()}</tt:Hour><tt:Minute>${at.getUTCMinutes()}</tt:Minute><tt:Second>${at.getUTCSeconds()}</tt:Second></tt:Time><tt:Date><tt:Year>${at.getUTCFullYear()}</tt:Year><tt:Month>${at.getUTCMonth() + 1}</tt:Month><tt:Day>${at.getUTCDate()}</tt:Day></tt:Date></tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>`);
}

export const service = (namespace: string, address: string): string => `<tds:Service><tds:Namespace>http://www.onvif.org/${namespace}/wsdl</tds:Namespace><tds:XAddr>${address}</tds:XAddr></tds:Service>`;

export async function startSoapCamera(options: SoapCameraOptions = {}): Promise<SoapCamera> {
  const camera = { url: '', port: 0, calls: [] as SoapCall[], refusals: 0, attempts: 0, mostAtOnce: 0 };
  let answering = 0;
  const nonces = new Set<string>();
  const respond = async (request: IncomingMessage): Promise<SoapAnswer | null> => {
    const parts: Buffer[] = [];
    for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
    const xml = Buffer.concat(parts).toString('utf8');
    const operation = /<(?:\w+:)?Body[^>]*>\s*<(?:\w+:)?(\w+)/.exec(xml)?.[1] ?? request.method ?? '';
    const call: SoapCall = { operation, xml, path: request.url ?? '', headers: request.headers, origin: camera.url.replace(/\/onvif.*$/, '') };
    camera.calls.push(call);
    const before = options.before?.(call);
    if (before !== undefined) return before;
    const guarded = operation === 'GetSystemDateAndTime' ? options.guardTime === true : !(options.open ?? []).includes(operation);
    if (guarded) {
      const refusal = checkLogin(call, options, nonces);
      if (refusal !== 'anonymous' && options.auth !== undefined && options.auth !== 'none') camera.attempts += 1;
      if (refusal === 'ok') return answerOf(call, options, camera.port);
      if (refusal !== 'anonymous') camera.refusals += 1;
      return deny(options, nonces);
    }
    if (options.auth === 'must-understand' && /<\w*:?Security/.test(xml)) return fault('SOAP-ENV:MustUnderstand', "The data in element 'Security' must be understood but cannot be processed", 500);
    return answerOf(call, options, camera.port);
  };
  const listener: Parameters<typeof createServer>[1] = (request, response) => {
    answering += 1;
    camera.mostAtOnce = Math.max(camera.mostAtOnce, answering);
    response.once('finish', () => (answering -= 1));
    void respond(request).then(async (answer) => {
      if (options.delayMs !== undefined) await systemClock.sleep(options.delayMs);
      if (answer === null) return;
      response.writeHead(answer.status ?? 200, { 'Content-Type': answer.type ?? 'application/soap+xml; charset=utf-8', ...(answer.headers as Record<string, string>) });
      if (options.chunkBytes === undefined) {
        response.end(answer.body);
        return;
      }
      const bytes = Buffer.from(answer.body);
      for (let at = 0; at < bytes.length; at += options.chunkBytes) {
        response.write(bytes.subarray(at, at + options.chunkBytes));
        await systemClock.sleep(1);
      }
      response.end();
    });
  };
  const server: Server = options.tls === undefined ? createServer(listener) : (createSecureServer(options.tls, listener) as unknown as Server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  camera.port = (server.address() as AddressInfo).port;
  camera.url = `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${camera.port}/onvif/device_service`;
  return Object.assign(camera, {
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  });
}

function deny(options: SoapCameraOptions, nonces: Set<string>): SoapAnswer {
  if (options.auth === 'wsse') return fault('ter:NotAuthorized', 'Sender not Authorized');
  const nonce = createHash('md5').update(String(nonces.size)).digest('hex');
  nonces.add(nonce);
  const challenges = options.challenges ?? (options.auth === 'basic' ? ['Basic realm="camera"'] : ['Digest realm="camera", qop="auth", nonce="%N", algorithm=MD5']);
  return { status: 401, type: 'text/html', body: '<html><body>401 Unauthorized</body></html>', headers: { 'WWW-Authenticate': challenges.map((challenge) => challenge.replace('%N', nonce)) } };
}

function checkLogin(call: SoapCall, options: SoapCameraOptions, nonces: ReadonlySet<string>): 'ok' | 'anonymous' | 'refused' {
  const { auth = 'none', username = 'admin', password = 'secret' } = options;
  if (auth === 'none') return 'ok';
  if (auth === 'must-understand') return /Security/.test(call.xml) ? 'refused' : 'ok';
  const header = call.headers.authorization ?? '';
  const text = (name: string): string => new RegExp(`<(?:\\w+:)?${name}(?:\\s[^>]*)?>([^<]*)<`).exec(call.xml)?.[1] ?? '';
  const hasToken = text('Username') !== '';
  if (auth === 'wsse') {
    if (!hasToken) return 'anonymous';
    const created = text('Created');
    const expected = createHash('sha1').update(Buffer.concat([Buffer.from(text('Nonce'), 'base64'), Buffer.from(created), Buffer.from(password, 'utf8')])).digest('base64');
    const skewMs = options.checkedSkewMs ?? options.clockSkewMs ?? 0;
    const inTime = options.createdWindowMs === undefined || Math.abs(Date.parse(created) - (Date.now() + skewMs)) <= options.createdWindowMs;
    return text('Password') === expected && text('Username').replace(/&amp;/g, '&').replace(/&lt;/g, '<') === username && inTime ? 'ok' : 'refused';
  }
  if (auth === 'basic') return header === '' ? (hasToken ? 'refused' : 'anonymous') : header === `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` ? 'ok' : 'refused';
  if (header === '') return hasToken ? 'refused' : 'anonymous';
  return digestOk(Buffer.from(header, 'latin1').toString('utf8'), call.path, username, password, nonces) ? 'ok' : 'refused';
}

function digestOk(header: string, path: string, username: string, password: string, nonces: ReadonlySet<string>): boolean {
  const field = (name: string): string => new RegExp(`\\b${name}="?([^",]*)"?`).exec(header)?.[1] ?? '';
  const algorithm = field('algorithm').toUpperCase() === 'SHA-256' ? 'sha256' : 'md5';
  const hash = (value: string): string => createHash(algorithm).update(value, 'utf8').digest('hex');
  const ha1 = hash(`${username}:${field('realm')}:${password}`);
  const ha2 = hash(`POST:${path}`);
  const qop = /\bqop=(\w[\w-]*)/.exec(header)?.[1];
  const expected = qop === undefined ? hash(`${ha1}:${field('nonce')}:${ha2}`) : hash(`${ha1}:${field('nonce')}:${field('nc')}:${field('cnonce')}:${qop}:${ha2}`);
  return field('uri') === path && field('response') === expected && nonces.has(field('nonce'));
}

function answerOf(call: SoapCall, options: SoapCameraOptions, port: number): SoapAnswer | null {
  const own = options.answers?.[call.operation]?.(call);
  if (own !== undefined) return own;
  const base = call.origin === '' ? `http://127.0.0.1:${port}` : call.origin;
  switch (call.operation) {
    case 'GetSystemDateAndTime':
      return timeAnswer(Date.now() + (options.clockSkewMs ?? 0));
    case 'GetServices':
      return soap(`<tds:GetServicesResponse>${service('ver10/device', call.origin)}${service('ver10/media', `${base}/onvif/media`)}</tds:GetServicesResponse>`);
    case 'GetDeviceInformation':
      return soap('<tds:GetDeviceInformationResponse><tds:Manufacturer>ACME</tds:Manufacturer><tds:Model>Eye 5</tds:Model><tds:FirmwareVersion>5.10</tds:FirmwareVersion><tds:SerialNumber>12345678901234567890</tds:SerialNumber><tds:HardwareId>1.0</tds:HardwareId></tds:GetDeviceInformationResponse>');
    case 'GetProfiles':
      return soap(`<trt:GetProfilesResponse>${profile('000', 'H264', 1920, 1080)}${profile('001', 'H264', 640, 360)}</trt:GetProfilesResponse>`);
    case 'GetStreamUri':
      return soap(`<trt:GetStreamUriResponse><trt:MediaUri><tt:Uri>rtsp://127.0.0.1:${options.rtspPort ?? 554}/${/ProfileToken>([^<]*)</.exec(call.xml)?.[1] ?? ''}?transportmode=unicast&amp;profile=x</tt:Uri></trt:MediaUri></trt:GetStreamUriResponse>`);
    default:
      return fault('ter:ActionNotSupported', 'Optional Action Not Implemented', 500);
  }
}
