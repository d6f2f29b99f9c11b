/** TLS as cameras speak it: certificates of their own making, and versions that OpenSSL 3 refuses unless told otherwise. */
import { constants } from 'node:crypto';
import type { SecureContextOptions, TlsOptions } from 'node:tls';

/** Electron's TLS is BoringSSL, which takes TLS 1.0 as it is and does not know security levels. */
const needsLevel = process.versions['electron'] === undefined;

/**
 * Options for a connection to a camera. Nothing rests on this encryption: a login goes as a digest with it and without it, so an
 * old version is better than no camera. OpenSSL has TLS 1.0, 1.1 and their hashes only at security level 0.
 */
export const CAMERA_TLS: Pick<TlsOptions, 'rejectUnauthorized'> & Pick<SecureContextOptions, 'minVersion' | 'ciphers' | 'secureOptions'> = {
  rejectUnauthorized: false,
  minVersion: 'TLSv1',
  ...(needsLevel ? { ciphers: 'DEFAULT@SECLEVEL=0', secureOptions: constants.SSL_OP_LEGACY_SERVER_CONNECT } : {}),
};
