/** Households of the drill: their keys, their two cameras, and pictures that say whose they are. */
import { type CameraId, cameraIdFrom } from '../../shared/model/ids.ts';
import { ascii } from '../../shared/relay/bytes.ts';
import { cameraNumber } from '../../shared/relay/derive.ts';
import { TOKEN_BYTES } from '../../shared/relay/protocol.ts';
import type { Bytes, CryptoSuite, KeyPair } from '../../shared/relay/suite.ts';
import { forceUnwrap } from '../../shared/result.ts';

export interface DrillCamera {
  readonly id: CameraId;
  /** As records name it. */
  readonly number: number;
}

export interface Household {
  readonly index: number;
  readonly home: KeyPair;
  readonly device: KeyPair;
  readonly psk: Bytes;
  readonly token: Bytes;
  /** The first is the one that is watched. */
  readonly cameras: readonly [DrillCamera, DrillCamera];
  /** The viewer's next stamp, and the home's highest. */
  stampMs: number;
  highestStampMs: number;
  /** A record its home sealed for its viewer in an earlier session. */
  oldRecord: Uint8Array | null;
}

export async function makeHousehold(index: number, suite: CryptoSuite): Promise<Household> {
  const camera = async (): Promise<DrillCamera> => {
    const id = cameraIdFrom(suite.random(12));
    return { id, number: await cameraNumber(suite, id) };
  };
  return {
    index,
    home: await suite.generateKeyPair(),
    device: await suite.generateKeyPair(),
    psk: suite.random(32),
    token: suite.random(TOKEN_BYTES),
    cameras: [await camera(), await camera()],
    stampMs: 1,
    highestStampMs: 0,
    oldRecord: null,
  };
}

/** What a search of the relay's traffic looks for. */
const CANARY = Buffer.from('PORCHLIGHT-DRILL');
const JPEG_START = Buffer.of(0xff, 0xd8, 0xff, 0xe0);
const PICTURE_BYTES = 900;

/** A picture of a household's camera: begins with whose it is, then like a JPEG. */
export function pictureOf(household: number, camera: CameraId, number: number): Bytes {
  const picture = new Uint8Array(PICTURE_BYTES).fill(number & 0xff);
  const label = ascii(`${CANARY.toString()} household ${household} camera ${camera} picture ${number};`);
  picture.set(label);
  picture.set(JPEG_START, label.length);
  return picture;
}

/** Whose picture it is; null where it is none of the drill's. */
export function readPicture(picture: Uint8Array): { readonly household: number; readonly camera: string } | null {
  const text = Buffer.from(picture.subarray(0, 120)).toString('latin1');
  const found = new RegExp(`^${CANARY.toString()} household (\\d+) camera (cam-[a-z2-7]{12}) picture \\d+;`).exec(text);
  return found === null ? null : { household: Number(found[1]), camera: forceUnwrap('the pattern has two groups', found[2]) };
}

/** Whether anything of a picture can be read in what the relay carried. */
export function isMarked(message: Uint8Array): boolean {
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  return bytes.includes(CANARY) || bytes.includes(JPEG_START);
}
