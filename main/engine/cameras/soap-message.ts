/** SOAP envelopes, 1.2 as ONVIF has it and 1.1 for those that know nothing else: written with a WS-Security UsernameToken where asked, read into a body or a fault. Pure but for the hash. */
import { createHash } from 'node:crypto';
import type { EpochMs } from '../../../shared/time.ts';
import { decodeXml, escapeXml, parseXml, xmlAt, xmlChildren, xmlText, type XmlNode } from '../core/xml.ts';
import type { Login } from './http-auth.ts';

const WSS = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss';

/**
 * UsernameToken with PasswordDigest = Base64(SHA-1(nonce + created + password)) (WSS UsernameToken Profile 1.0).
 * The password is UTF-8; `createdMs` is by the camera's clock.
 */
export function usernameToken(login: Login, nonce: Uint8Array, createdMs: EpochMs): string {
  const created = new Date(createdMs).toISOString();
  const digest = createHash('sha1').update(nonce).update(created, 'utf8').update(login.password, 'utf8').digest('base64');
  return (
    `<wsse:Security s:mustUnderstand="1" xmlns:wsse="${WSS}-wssecurity-secext-1.0.xsd" xmlns:wsu="${WSS}-wssecurity-utility-1.0.xsd"><wsse:UsernameToken>` +
    `<wsse:Username>${escapeXml(login.username)}</wsse:Username>` +
    `<wsse:Password Type="${WSS}-username-token-profile-1.0#PasswordDigest">${digest}</wsse:Password>` +
    `<wsse:Nonce EncodingType="${WSS}-soap-message-security-1.0#Base64Binary">${Buffer.from(nonce).toString('base64')}</wsse:Nonce>` +
    `<wsu:Created>${created}</wsu:Created></wsse:UsernameToken></wsse:Security>`
  );
}

export type SoapVersion = '1.1' | '1.2';

const ENVELOPE: Readonly<Record<SoapVersion, string>> = { '1.1': 'http://schemas.xmlsoap.org/soap/envelope/', '1.2': 'http://www.w3.org/2003/05/soap-envelope' };

export function soapEnvelope(headerXml: string, bodyXml: string, version: SoapVersion = '1.2'): string {
  const header = headerXml === '' ? '' : `<s:Header>${headerXml}</s:Header>`;
  return `<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="${ENVELOPE[version]}">${header}<s:Body>${bodyXml}</s:Body></s:Envelope>`;
}

/** How HTTP is told of a message: with the action beside the type in 1.2, in a header of its own in 1.1. */
export function soapHeaders(bodyXml: string, version: SoapVersion = '1.2'): Readonly<Record<string, string>> {
  const action = operationAction(bodyXml);
  return version === '1.2' ? { 'Content-Type': `application/soap+xml; charset=utf-8; action="${action}"` } : { 'Content-Type': 'text/xml; charset=utf-8', SOAPAction: `"${action}"` };
}

/** `{namespace}/{local name}` of an operation; empty where it cannot be told. */
function operationAction(bodyXml: string): string {
  const match = /^<(?:[\w.-]+:)?([\w.-]+)[^>]*\sxmlns(?::[\w.-]+)?="([^"]+)"/.exec(bodyXml);
  return match === null ? '' : `${match[2]}/${match[1]}`;
}

export interface SoapFault {
  /** Codes from the outermost in, without prefixes: `Sender NotAuthorized`. */
  readonly codes: string;
  readonly reason: string;
}

export type SoapAnswer = { readonly kind: 'body'; readonly body: XmlNode } | { readonly kind: 'fault'; readonly fault: SoapFault } | { readonly kind: 'none' };

/** What an HTTP answer's bytes say; `none` for everything that is no whole SOAP message. */
export function readSoap(bytes: Uint8Array): SoapAnswer {
  const text = decodeXml(bytes);
  // The parser forgives a cut-off document; half a list of profiles must not pass for a whole one.
  if (!/<\/(?:[\w.-]+:)?Envelope\s*>/.test(text)) return { kind: 'none' };
  const body = xmlAt(parseXml(text), 'Envelope', 'Body');
  if (body === null || typeof body === 'string') return { kind: 'none' };
  const fault = xmlChildren(body, 'Fault')[0];
  if (fault === undefined) return { kind: 'body', body };
  const codes: string[] = [];
  for (let at = xmlAt(fault, 'Code'); at !== null && codes.length < 6; at = xmlAt(at, 'Subcode')) codes.push(xmlText(at, 'Value').replace(/^.*:/, ''));
  const soap11 = xmlText(fault, 'faultcode').replace(/^.*:/, '');
  const reason = [xmlText(fault, 'Reason', 'Text'), xmlText(fault, 'faultstring'), xmlText(fault, 'Detail', 'Text')].filter((part) => part !== '').join(' ');
  return { kind: 'fault', fault: { codes: [...codes, soap11].filter((code) => code !== '').join(' '), reason: reason.slice(0, 300) } };
}

const LOGIN_FAULT = /not\s*authori[sz]ed|unauthori[sz]ed|not\s*authenticated|authenticat\w+ (?:fail|required|error)|failed\s*authentication|failedcheck|authority fail|invalid\s*security|(?:invalid|wrong|incorrect) (?:user|password|credential)|login fail|time check/i;

/** The service does not know SOAP 1.2 (SOAP 1.2 part 1, section 5.4.6). */
export function isVersionFault(fault: SoapFault): boolean {
  return /versionmismatch/i.test(fault.codes);
}

/** The camera did not take the login. */
export function isLoginFault(fault: SoapFault): boolean {
  return LOGIN_FAULT.test(fault.codes) || LOGIN_FAULT.test(fault.reason);
}

/** The camera took offence at the time in the login, not at the password. */
export function isTimeFault(fault: SoapFault): boolean {
  return /time check|created|expired|timestamp|replay/i.test(fault.reason);
}

/** The camera cannot read a Security header at all (gSOAP services without the plugin, iSpy #177). */
export function isMustUnderstandFault(fault: SoapFault): boolean {
  return /mustunderstand/i.test(fault.codes) || /must be understood/i.test(fault.reason);
}
