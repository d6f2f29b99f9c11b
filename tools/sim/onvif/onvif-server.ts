/** Owns a camera's HTTP port: routes SOAP requests to the services, checks logins, serves the snapshot, plays the quirks. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { AuthGate } from '../auth-gate.ts';
import { DEVICE_OPERATIONS } from './device-service.ts';
import { answerSubscription, EVENT_OPERATIONS, eventAction } from './event-service.ts';
import { IMAGING_OPERATIONS } from './imaging-service.ts';
import { MEDIA1_OPERATIONS, MEDIA2_OPERATIONS } from './media-service.ts';
import { SERVICE_PATHS, offeredServices, type OnvifHost, type OperationTable } from './onvif-host.ts';
import { PTZ_OPERATIONS } from './ptz-service.ts';
import { SoapFault, childText, faultBody, parseSoap, soapEnvelope, type ServicePrefix, type SoapRequest } from './soap.ts';
import { disturbAnswer, HTML_ERROR } from './soap-quirks.ts';
import { hasUsernameToken, type WsseCheck } from './wsse.ts';

const TABLES: Readonly<Record<keyof typeof SERVICE_PATHS, OperationTable>> = {
  tds: DEVICE_OPERATIONS,
  trt: MEDIA1_OPERATIONS,
  tr2: MEDIA2_OPERATIONS,
  tptz: PTZ_OPERATIONS,
  timg: IMAGING_OPERATIONS,
  tev: EVENT_OPERATIONS,
};

/** Access class PRE_AUTH of the ONVIF Core Specification, as far as we have the operations. */
const ANONYMOUS = new Set(['GetSystemDateAndTime', 'GetServices', 'GetCapabilities', 'GetServiceCapabilities', 'GetEndpointReference']);
const MAX_REQUEST_BYTES = 1 << 20;

export interface OnvifServerOptions {
  readonly host: OnvifHost;
  readonly gate: AuthGate;
  readonly wsse: WsseCheck;
  readonly snapshot: () => Promise<Buffer>;
}

export class OnvifServer {
  readonly #options: OnvifServerOptions;
  #server: Server | null = null;
  port: number;

  constructor(options: OnvifServerOptions, port: number) {
    this.#options = options;
    this.port = port;
  }

  async start(address: string): Promise<void> {
    const server = createServer((request, response) => {
      this.#serve(request, response).catch(() => response.destroy());
    });
    this.#server = server;
    server.listen({ port: this.port, host: address, exclusive: true });
    await once(server, 'listening');
    this.port = (server.address() as AddressInfo).port;
  }

  /** Closes the port; with `silent` open connections are left without an answer. */
  async stop(silent: boolean): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server === null) return;
    const closed = new Promise((resolve) => server.close(resolve));
    if (silent) return;
    server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { quirks } = this.#options.host;
    if (quirks.flag('unplugged')) return;
    if (request.method === 'GET') return this.#serveSnapshot(request, response);
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of request) {
      chunks.push(chunk as Buffer);
      bytes += (chunk as Buffer).length;
      if (bytes > MAX_REQUEST_BYTES) return void response.writeHead(413).end();
    }
    const left = new AbortController();
    response.on('close', () => left.abort());
    await this.#serveSoap(request, response, Buffer.concat(chunks).toString('utf8'), left.signal);
  }

  async #serveSnapshot(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { gate, host, snapshot } = this.#options;
    const login = gate.check('GET', request.headers.authorization);
    if (!login.ok) {
      response.writeHead(401, { 'WWW-Authenticate': gate.challenges(login.stale) }).end();
      return;
    }
    if (!(request.url ?? '').startsWith('/snapshot.jpg') || host.quirks.flag('no-snapshot')) {
      response.writeHead(404).end();
      return;
    }
    const jpeg = await snapshot();
    response.writeHead(200, { 'Content-Type': 'image/jpeg', 'Content-Length': jpeg.length }).end(jpeg);
  }

  async #serveSoap(request: IncomingMessage, response: ServerResponse, raw: string, left: AbortSignal): Promise<void> {
    const { host, gate } = this.#options;
    let operation = '';
    try {
      const soap = parseSoap(raw);
      operation = soap.operation;
      const path = decodeOddly(request.url ?? '/');
      const challenge = this.#authorize(request, soap);
      if (challenge !== null) {
        const fault = new SoapFault(401, ['ter:NotAuthorized'], 'Sender not Authorized');
        response.writeHead(401, { 'WWW-Authenticate': gate.challenges(challenge.stale), 'Content-Type': 'application/soap+xml; charset=utf-8' });
        response.end(soapEnvelope(faultBody(fault)));
        return;
      }
      const body = await this.#answer(path, soap, response, left);
      if (body !== null && !response.destroyed) await disturbAnswer(host.quirks, operation, 200, body, response);
    } catch (error) {
      const fault = error instanceof SoapFault ? error : new SoapFault(500, ['ter:Action'], 'Internal error');
      if (!response.destroyed) await disturbAnswer(host.quirks, operation, fault.status, soapEnvelope(faultBody(fault)), response);
    }
  }

  /** Null when the door is open; otherwise an HTTP challenge is due. Throws the fault of a wrong token. */
  #authorize(request: IncomingMessage, soap: SoapRequest): { readonly stale: boolean } | null {
    const { gate, host, wsse } = this.#options;
    const { quirks } = host;
    const token = hasUsernameToken(soap.header);
    if (token && quirks.flag('must-understand')) throw new SoapFault(500, ['s:MustUnderstand'], "The data in element 'Security' must be understood but cannot be processed");
    const scheme = quirks.text('onvif-auth');
    const time = soap.operation === 'GetSystemDateAndTime';
    const open = time ? !quirks.flag('auth-for-time') : ANONYMOUS.has(soap.operation) && !quirks.flag('auth-for-services');
    if (open && !quirks.flag('connection-limit')) return null;
    if (token && (scheme === '' || scheme === 'any' || scheme === 'wsse')) {
      wsse.check(soap.header);
      return null;
    }
    if (scheme === 'wsse') throw new SoapFault(400, ['ter:NotAuthorized'], 'Sender not Authorized');
    const login = gate.check('POST', request.headers.authorization);
    return login.ok ? null : { stale: login.stale };
  }

  async #answer(path: string, soap: SoapRequest, response: ServerResponse, left: AbortSignal): Promise<string | null> {
    const { host } = this.#options;
    const { quirks } = host;
    const subscription = /^\/onvif\/(?:subscription\/|event%17sub:)([\w-]+)/.exec(path)?.[1];
    if (subscription !== undefined || soap.operation === 'CreatePullPointSubscription') requireAddressing(host, soap);
    if (subscription !== undefined) {
      if (soap.operation === 'PullMessages' && quirks.flag('pull-html-error')) {
        response.writeHead(500, { 'Content-Type': 'text/html' }).end(HTML_ERROR);
        return null;
      }
      const dropMs = quirks.number('pull-drop');
      const timer = dropMs > 0 ? setTimeout(() => response.destroy(), dropMs) : undefined;
      const body = await answerSubscription(subscription, soap.operation, soap.body, soap.header, host, left);
      clearTimeout(timer);
      return soapEnvelope(body, eventAction(soap.operation));
    }
    const service = serviceFor(path, soap.service);
    const offered = service !== null && (offeredServices(host).includes(service) || (service === 'tr2' && !quirks.flag('media1-only')));
    if (service === 'tr2' && (quirks.flag('media2-broken') || (quirks.flag('media2-type-all-crash') && childText(soap.body, 'Type') === 'All'))) {
      response.writeHead(500, { 'Content-Type': 'text/html' }).end(HTML_ERROR);
      return null;
    }
    const handler = service === null || !offered ? undefined : TABLES[service][soap.operation];
    const unsupported = quirks.text('not-supported');
    if (handler === undefined || unsupported === soap.operation || unsupported === '*') {
      throw new SoapFault(400, ['ter:ActionNotSupported'], 'Optional Action Not Implemented');
    }
    return soapEnvelope(await handler(soap, host));
  }
}

/** A URL path as the camera compares it: verbatim, so that %17 stays %17. */
function decodeOddly(url: string): string {
  return url.split('?')[0] ?? '/';
}

/** By the operation's namespace; where that is none of a service, by the path. */
function serviceFor(path: string, namespace: ServicePrefix | null): keyof typeof SERVICE_PATHS | null {
  if (namespace !== null && namespace !== 'wsnt') return namespace;
  const found = (Object.keys(SERVICE_PATHS) as (keyof typeof SERVICE_PATHS)[]).find((service) => SERVICE_PATHS[service] === path);
  return found ?? null;
}

function requireAddressing(host: OnvifHost, soap: SoapRequest): void {
  if (!host.quirks.flag('addressing-required')) return;
  const missing = ['Action', 'MessageID', 'To', 'ReplyTo'].filter((name) => soap.header[name] === undefined);
  if (missing.length > 0) throw new SoapFault(400, ['wsa:MessageAddressingHeaderRequired'], 'A required header representing a Message Addressing Property is not present');
}
