/** The certificate of a home's own for serve mode beyond this computer: made once, key owner-only, fingerprint shown. */
import { X509Certificate } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { hostname, networkInterfaces } from 'node:os';
import path from 'node:path';
import { generate } from 'selfsigned';
import { DAY_MS } from '../../../shared/time.ts';
import { readIfThere, replaceFile } from '../core/atomic-file.ts';
import type { Clock } from '../core/clock.ts';

/** Browsers refuse own certificates of more than 825 days (Apple's limit of 2019 for added roots). */
const LIFETIME_DAYS = 820;
/** Renewed before it ends, so that nobody meets an ended one. */
const RENEW_BEFORE_MS = 30 * DAY_MS;

export interface ServeCertificate {
  readonly keyPem: string;
  readonly certPem: string;
  /** SHA-256, upper-case hex with colons, as browsers show it. */
  readonly fingerprint: string;
}

/** Reads <data>/config/serve-key.pem and serve-cert.pem, or makes them where they are missing, broken or about to end. */
export async function openCertificate(configDir: string, clock: Clock): Promise<ServeCertificate> {
  await mkdir(configDir, { recursive: true, mode: 0o700 });
  const keyFile = path.join(configDir, 'serve-key.pem');
  const certFile = path.join(configDir, 'serve-cert.pem');
  const [keyPem, certPem] = await Promise.all([readIfThere(keyFile), readIfThere(certFile)]);
  if (keyPem !== null && certPem !== null && isUsable(certPem, clock.nowMs())) return { keyPem, certPem, fingerprint: fingerprintOf(certPem) };
  const made = await makeCertificate(clock);
  await replaceFile(keyFile, made.keyPem, 0o600);
  await replaceFile(certFile, made.certPem, 0o644);
  return made;
}

async function makeCertificate(clock: Clock): Promise<ServeCertificate> {
  const nowMs = clock.nowMs();
  const name = hostname();
  const pems = await generate([{ name: 'commonName', value: `Porchlight on ${name}`.slice(0, 64) }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    notBeforeDate: new Date(nowMs - DAY_MS),
    notAfterDate: new Date(nowMs + LIFETIME_DAYS * DAY_MS),
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      { name: 'subjectAltName', altNames: [...dnsNames(name), ...addresses()] },
    ],
  });
  return { keyPem: pems.private, certPem: pems.cert, fingerprint: fingerprintOf(pems.cert) };
}

function dnsNames(name: string): { readonly type: 2; readonly value: string }[] {
  const plain = name.toLowerCase().replace(/[^a-z0-9.-]/g, '-');
  return [...new Set(['localhost', plain, `${plain}.local`])].filter((value) => value !== '').map((value) => ({ type: 2, value }));
}

function addresses(): { readonly type: 7; readonly ip: string }[] {
  const all = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
  const own = all.filter((entry) => !entry.address.startsWith('fe80')).map((entry) => entry.address);
  return [...new Set(['127.0.0.1', '::1', ...own])].map((ip) => ({ type: 7, ip }));
}

function isUsable(certPem: string, nowMs: number): boolean {
  try {
    return new X509Certificate(certPem).validToDate.getTime() - nowMs > RENEW_BEFORE_MS;
  } catch {
    return false;
  }
}

function fingerprintOf(certPem: string): string {
  return new X509Certificate(certPem).fingerprint256;
}
