/** The public test vectors for Noise and what it stands on, against any CryptoSuite; runs in Node, in a page and in Electron. */
import { fromHex, toHex } from '../../shared/relay/bytes.ts';
import { hkdf } from '../../shared/relay/derive.ts';
import { Handshake } from '../../shared/relay/noise.ts';
import type { CipherState } from '../../shared/relay/noise.ts';
import { isNoisePattern, patternOf } from '../../shared/relay/noise-patterns.ts';
import type { NoisePattern } from '../../shared/relay/noise-patterns.ts';
import type { Bytes, CryptoSuite, KeyPair, Soon } from '../../shared/relay/suite.ts';
import { forceUnwrap } from '../../shared/result.ts';

/** AES-256-GCM under any nonce; the vectors' are not Noise's counters. */
export interface AesGcm {
  seal(key: Uint8Array, nonce: Uint8Array, associated: Uint8Array, plain: Uint8Array): Soon<Bytes>;
  open(key: Uint8Array, nonce: Uint8Array, associated: Uint8Array, sealed: Uint8Array): Soon<Bytes>;
}

interface NoiseVector {
  readonly protocol_name: string;
  readonly init_prologue?: string;
  readonly init_static?: string;
  readonly init_remote_static?: string;
  readonly init_ephemeral?: string;
  readonly init_psks?: readonly string[];
  readonly resp_prologue?: string;
  readonly resp_static?: string;
  readonly resp_remote_static?: string;
  readonly resp_ephemeral?: string;
  readonly resp_psks?: readonly string[];
  readonly handshake_hash?: string;
  readonly messages: readonly { readonly payload: string; readonly ciphertext: string }[];
}

interface NoiseFile {
  readonly vectors: readonly NoiseVector[];
}

interface WycheproofTest {
  readonly tcId: number;
  readonly result: 'valid' | 'invalid' | 'acceptable';
}

interface WycheproofFile<Group extends { readonly tests: readonly WycheproofTest[] }> {
  readonly testGroups: readonly Group[];
}

interface AesGcmTest extends WycheproofTest {
  readonly key: string;
  readonly iv: string;
  readonly aad: string;
  readonly msg: string;
  readonly ct: string;
  readonly tag: string;
}

interface X25519Test extends WycheproofTest {
  readonly public: string;
  readonly private: string;
  readonly shared: string;
  readonly flags: readonly string[];
}

interface HkdfTest extends WycheproofTest {
  readonly ikm: string;
  readonly salt: string;
  readonly info: string;
  readonly size: number;
  readonly okm: string;
}

/** The files of the vectors' folder, parsed. */
export interface VectorFiles {
  readonly cacophony: NoiseFile;
  readonly snow: NoiseFile;
  readonly aesGcm: WycheproofFile<{ readonly keySize: number; readonly ivSize: number; readonly tagSize: number; readonly tests: readonly AesGcmTest[] }>;
  readonly x25519: WycheproofFile<{ readonly tests: readonly X25519Test[] }>;
  readonly hkdf: WycheproofFile<{ readonly tests: readonly HkdfTest[] }>;
}

/** What came of one file; what is skipped is named, and so is what failed. */
export interface VectorReport {
  passed: number;
  /** Known bad inputs that were refused. */
  refused: number;
  readonly skipped: string[];
  readonly failed: string[];
}

export type VectorReports = Readonly<Record<keyof VectorFiles, VectorReport>>;

/** Runs every file against a suite. */
export async function checkVectors(suite: CryptoSuite, aesGcm: AesGcm, files: VectorFiles): Promise<VectorReports> {
  return {
    cacophony: await checkNoise(suite, files.cacophony),
    snow: await checkNoise(suite, files.snow),
    aesGcm: await checkAesGcm(aesGcm, files.aesGcm),
    x25519: await checkX25519(suite, files.x25519),
    hkdf: await checkHkdf(suite, files.hkdf),
  };
}

const bytes = (hex: string): Bytes => forceUnwrap('vectors are hex', fromHex(hex));
const newReport = (): VectorReport => ({ passed: 0, refused: 0, skipped: [], failed: [] });

function expectEqual(what: string, got: string, wanted: string): void {
  if (got !== wanted) throw new Error(`${what}: ${got} in place of ${wanted}`);
}

async function attempt(report: VectorReport, name: string, run: () => Promise<'passed' | 'refused'>): Promise<void> {
  try {
    report[await run()] += 1;
  } catch (error) {
    report.failed.push(`${name}: ${String(error)}`);
  }
}

/** Whether a promise or a call fails. */
async function fails(run: () => Soon<unknown>): Promise<boolean> {
  try {
    await run();
    return false;
  } catch {
    return true;
  }
}

async function checkNoise(suite: CryptoSuite, file: NoiseFile): Promise<VectorReport> {
  const report = newReport();
  for (const vector of file.vectors) {
    const pattern = forceUnwrap('a protocol has a pattern', vector.protocol_name.split('_')[1]);
    if (!isNoisePattern(pattern)) report.skipped.push(pattern);
    else await attempt(report, vector.protocol_name, () => checkNoiseVector(suite, vector, pattern));
  }
  return report;
}

async function handshakeOf(suite: CryptoSuite, vector: NoiseVector, pattern: NoisePattern, initiator: boolean): Promise<Handshake> {
  const side = initiator ? 'init' : 'resp';
  const pair = async (hex: string | undefined): Promise<KeyPair | null> => (hex === undefined ? null : await suite.importKeyPair(bytes(hex)));
  const ephemeral = await pair(vector[`${side}_ephemeral`]);
  const peer = vector[`${side}_remote_static`];
  return new Handshake({
    suite,
    pattern,
    initiator,
    prologue: bytes(vector[`${side}_prologue`] ?? ''),
    own: await pair(vector[`${side}_static`]),
    peerPublicKey: peer === undefined ? null : bytes(peer),
    psks: (vector[`${side}_psks`] ?? []).map(bytes),
    ...(ephemeral === null ? {} : { ephemeral }),
  });
}

async function checkNoiseVector(suite: CryptoSuite, vector: NoiseVector, pattern: NoisePattern): Promise<'passed'> {
  const initiator = await handshakeOf(suite, vector, pattern, true);
  const responder = await handshakeOf(suite, vector, pattern, false);
  const { messages: turns, isOneWay } = patternOf(pattern);
  let at = 0;
  for (const { payload, ciphertext } of vector.messages.slice(0, turns.length)) {
    const [writer, reader] = at % 2 === 0 ? [initiator, responder] : [responder, initiator];
    const message = await writer.writeMessage(bytes(payload));
    expectEqual(`message ${at}`, toHex(message), ciphertext);
    expectEqual(`payload ${at}`, toHex(await reader.readMessage(message)), payload);
    at += 1;
  }
  if (!initiator.isComplete || !responder.isComplete) throw new Error('not complete');
  const hash = toHex(initiator.hash());
  expectEqual('handshake hash of the responder', toHex(responder.hash()), hash);
  if (vector.handshake_hash !== undefined) expectEqual('handshake hash', hash, vector.handshake_hash);
  const [ofInitiator, ofResponder] = [await initiator.split(), await responder.split()];
  for (const { payload, ciphertext } of vector.messages.slice(turns.length)) {
    const fromInitiator = isOneWay || at % 2 === 0;
    const [seals, opens]: [CipherState, CipherState] = fromInitiator ? [ofInitiator.send, ofResponder.receive] : [ofResponder.send, ofInitiator.receive];
    const sealed = await seals.seal(bytes(payload));
    expectEqual(`transport ${at}`, toHex(sealed), ciphertext);
    expectEqual(`transport payload ${at}`, toHex(await opens.open(sealed)), payload);
    at += 1;
  }
  return 'passed';
}

async function checkAesGcm(aesGcm: AesGcm, file: VectorFiles['aesGcm']): Promise<VectorReport> {
  const report = newReport();
  for (const { keySize, ivSize, tagSize, tests } of file.testGroups) {
    for (const test of tests) {
      const name = `AES-GCM ${test.tcId} (key ${keySize}, iv ${ivSize}, tag ${tagSize})`;
      if (keySize !== 256 || ivSize !== 96 || tagSize !== 128) {
        report.skipped.push(name);
        continue;
      }
      await attempt(report, name, async () => {
        const [key, nonce, associated] = [bytes(test.key), bytes(test.iv), bytes(test.aad)];
        const sealed = bytes(test.ct + test.tag);
        if (test.result !== 'valid') {
          if (!(await fails(() => aesGcm.open(key, nonce, associated, sealed)))) throw new Error('opened');
          return 'refused';
        }
        expectEqual('sealed', toHex(await aesGcm.seal(key, nonce, associated, bytes(test.msg))), test.ct + test.tag);
        expectEqual('opened', toHex(await aesGcm.open(key, nonce, associated, sealed)), test.msg);
        return 'passed';
      });
    }
  }
  return report;
}

/** Points of low order give zeros, which Noise and RFC 7748 section 6.1 let us refuse: they count as refused. */
async function checkX25519(suite: CryptoSuite, file: VectorFiles['x25519']): Promise<VectorReport> {
  const report = newReport();
  for (const test of file.testGroups.flatMap(({ tests }) => tests)) {
    await attempt(report, `X25519 ${test.tcId}`, async () => {
      const own = await suite.importKeyPair(bytes(test.private));
      if (/^0*$/.test(test.shared)) {
        if (!(await fails(() => suite.agree(own, bytes(test.public))))) throw new Error('agreed on zeros');
        return 'refused';
      }
      expectEqual('shared', toHex(await suite.agree(own, bytes(test.public))), test.shared);
      return 'passed';
    });
  }
  return report;
}

async function checkHkdf(suite: CryptoSuite, file: VectorFiles['hkdf']): Promise<VectorReport> {
  const report = newReport();
  for (const test of file.testGroups.flatMap(({ tests }) => tests)) {
    await attempt(report, `HKDF ${test.tcId}`, async () => {
      const derive = (): Promise<Bytes> => hkdf(suite, bytes(test.ikm), bytes(test.info), test.size, bytes(test.salt));
      if (test.result !== 'valid') {
        if (!(await fails(derive))) throw new Error('gave more than there is');
        return 'refused';
      }
      expectEqual('derived', toHex(await derive()), test.okm);
      return 'passed';
    });
  }
  return report;
}
