/** Owns the ways an answer over HTTP goes wrong: empty, HTML, cut, redirected, in another character set. */
import type { ServerResponse } from 'node:http';
import type { QuirkName, QuirkSet } from '../quirks.ts';

export const HTML_ERROR = '<html><head><title>500 Internal Server Error</title></head><body><h1>Internal Server Error</h1></body></html>';
const HUGE_BYTES = 30 << 20;
const SOAP_TYPE = 'application/soap+xml; charset=utf-8';

function send(response: ServerResponse, status: number, type: string, body: string | Buffer): void {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) }).end(body);
}

/** Sends the answer, or what the quirks make of it. */
export async function disturbAnswer(quirks: QuirkSet, operation: string, status: number, envelope: string, response: ServerResponse): Promise<void> {
  const hit = (name: QuirkName): boolean => quirks.text(name) === '*' || (operation !== '' && quirks.text(name) === operation);
  if (hit('hang')) {
    await new Promise((resolve) => response.once('close', resolve));
    return;
  }
  if (hit('empty-answer')) return send(response, 200, SOAP_TYPE, '');
  if (hit('html-answer')) return send(response, 200, 'text/html', '<html><body>Welcome</body></html>');
  if (hit('html-error')) return send(response, 500, 'text/html', HTML_ERROR);
  if (hit('redirect')) return void response.writeHead(302, { Location: '/login.html' }).end();
  if (hit('truncated-xml')) return send(response, status, SOAP_TYPE, envelope.slice(0, Math.floor(envelope.length / 2)));
  if (hit('empty-body')) return send(response, status, SOAP_TYPE, envelope.replace(/<s:Body>.*<\/s:Body>/s, '<s:Body></s:Body>'));
  if (hit('undefined-entity')) return send(response, status, SOAP_TYPE, envelope.replace(/<\/(\w+:\w+)><\/s:Body>/, '&nbsp;</$1></s:Body>'));
  if (hit('huge-answer')) return send(response, status, SOAP_TYPE, envelope.replace('<s:Body>', `<!--${'x'.repeat(HUGE_BYTES)}--><s:Body>`));
  if (quirks.flag('iso-8859-1')) {
    const latin = envelope.replace('encoding="UTF-8"', 'encoding="ISO-8859-1"');
    return send(response, status, 'application/soap+xml; charset=iso-8859-1', Buffer.from(latin, 'latin1'));
  }
  send(response, status, SOAP_TYPE, restyle(quirks, envelope));
}

function restyle(quirks: QuirkSet, envelope: string): string {
  let text = envelope;
  if (quirks.flag('single-quotes')) text = text.replaceAll(/="([^"']*)"/g, "='$1'");
  if (quirks.flag('undeclared-prefix')) text = text.replace('<s:Body>', '<s:Header><vendor:Session>1</vendor:Session></s:Header><s:Body>');
  if (quirks.flag('strange-prefixes')) {
    text = text.replaceAll(/(<\/?)s:/g, '$1SOAP-ENV:').replaceAll('xmlns:s=', 'xmlns:SOAP-ENV=').replaceAll(/(<\/?)tt:/g, '$1sch:').replaceAll('xmlns:tt=', 'xmlns:sch=');
  }
  return text;
}
