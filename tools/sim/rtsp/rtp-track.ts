/** Owns one track sent to one client: RTP headers (RFC 3550 section 5.1), sender reports (6.4.1), and the way out, TCP or UDP. */
import { randomBytes } from 'node:crypto';
import type { Socket as UdpSocket } from 'node:dgram';
import type { MediaFrame } from '../media/stream-feed.ts';

/** Seconds between 1900 (NTP) and 1970. */
const NTP_EPOCH_OFFSET_S = 2_208_988_800;
const REPORT_INTERVAL_MS = 5000;
/** UDP packets sent at one go; a keyframe in one burst would overrun a receiver's default buffer. */
const UDP_BURST_PACKETS = 24;

export type TrackTransport =
  | { readonly kind: 'tcp'; readonly rtpChannel: number; readonly rtcpChannel: number; readonly write: (data: Buffer) => void }
  | { readonly kind: 'udp'; readonly rtp: UdpSocket; readonly rtcp: UdpSocket; readonly host: string; readonly rtpPort: number; readonly rtcpPort: number };

interface TrackOptions {
  readonly transport: TrackTransport;
  readonly payloadType: number;
  readonly clockRateHz: number;
  /** The camera's clock minus the true one; sender reports carry the camera's. */
  readonly clockSkewMs: () => number;
  readonly reports: () => boolean;
  readonly lossPercent: () => number;
}

export class RtpTrack {
  readonly ssrc = randomBytes(4).readUInt32BE(0);
  readonly transport: TrackTransport;
  readonly #options: TrackOptions;
  #sequence = randomBytes(2).readUInt16BE(0);
  #packets = 0;
  #octets = 0;
  #lastReportMs = -Infinity;

  constructor(options: TrackOptions) {
    this.#options = options;
    this.transport = options.transport;
  }

  /** The sequence number of the next packet, for RTP-Info. */
  get nextSequence(): number {
    return this.#sequence;
  }

  send(frame: MediaFrame): void {
    const now = performance.now();
    const report = this.#options.reports() && now - this.#lastReportMs >= REPORT_INTERVAL_MS;
    if (report) this.#lastReportMs = now;
    if (this.transport.kind === 'tcp') this.#sendTcp(frame, report);
    else this.#sendUdp(frame, report);
  }

  /** One buffer for the whole frame, so that a picture costs one write. */
  #sendTcp(frame: MediaFrame, report: boolean): void {
    if (this.transport.kind !== 'tcp') return;
    const { rtpChannel, rtcpChannel, write } = this.transport;
    const payloadBytes = frame.payloads.reduce((sum, payload) => sum + payload.length, 0);
    const reportPacket = report ? this.#senderReport(frame) : null;
    const data = Buffer.allocUnsafe(payloadBytes + frame.payloads.length * 16 + (reportPacket === null ? 0 : 4 + reportPacket.length));
    let at = 0;
    if (reportPacket !== null) {
      at = writeInterleavedHeader(data, at, rtcpChannel, reportPacket.length);
      at += reportPacket.copy(data, at);
    }
    frame.payloads.forEach((payload, index) => {
      at = writeInterleavedHeader(data, at, rtpChannel, 12 + payload.length);
      at = this.#writeHeader(data, at, frame, index === frame.payloads.length - 1);
      at += payload.copy(data, at);
      this.#count(payload);
    });
    write(data);
  }

  #sendUdp(frame: MediaFrame, report: boolean): void {
    if (this.transport.kind !== 'udp') return;
    const { rtp, rtcp, host, rtpPort, rtcpPort } = this.transport;
    if (report) rtcp.send(this.#senderReport(frame), rtcpPort, host, () => undefined);
    const loss = this.#options.lossPercent();
    const packets: Buffer[] = [];
    frame.payloads.forEach((payload, index) => {
      const packet = Buffer.allocUnsafe(12 + payload.length);
      this.#writeHeader(packet, 0, frame, index === frame.payloads.length - 1);
      payload.copy(packet, 12);
      this.#count(payload);
      if (loss === 0 || Math.random() * 100 >= loss) packets.push(packet);
    });
    const sendFrom = (from: number): void => {
      for (const packet of packets.slice(from, from + UDP_BURST_PACKETS)) {
        try {
          rtp.send(packet, rtpPort, host, () => undefined);
        } catch {
          return; // The client left while the rest of its picture waited.
        }
      }
      if (from + UDP_BURST_PACKETS < packets.length) setTimeout(sendFrom, 2, from + UDP_BURST_PACKETS);
    };
    sendFrom(0);
  }

  #count(payload: Buffer): void {
    this.#packets = (this.#packets + 1) >>> 0;
    this.#octets = (this.#octets + payload.length) >>> 0;
  }

  #writeHeader(data: Buffer, at: number, frame: MediaFrame, last: boolean): number {
    // The marker ends a picture; on sound it would mean the start of a talkspurt, but RFC 3640 wants it on whole AUs.
    const marker = frame.track === 'video' ? last : this.#options.payloadType >= 96;
    data[at] = 0x80;
    data[at + 1] = (marker ? 0x80 : 0) | this.#options.payloadType;
    data.writeUInt16BE(this.#sequence, at + 2);
    data.writeUInt32BE(frame.timestamp, at + 4);
    data.writeUInt32BE(this.ssrc, at + 8);
    this.#sequence = (this.#sequence + 1) & 0xffff;
    return at + 12;
  }

  /** SR and SDES CNAME, about this frame's moment of capture. */
  #senderReport(frame: MediaFrame): Buffer {
    const packet = Buffer.alloc(28 + 20);
    const cameraMs = frame.capturedMs + this.#options.clockSkewMs();
    const seconds = Math.floor(cameraMs / 1000);
    packet.set([0x80, 200, 0, 6]);
    packet.writeUInt32BE(this.ssrc, 4);
    packet.writeUInt32BE((seconds + NTP_EPOCH_OFFSET_S) >>> 0, 8);
    packet.writeUInt32BE(Math.floor(((cameraMs - seconds * 1000) / 1000) * 2 ** 32) >>> 0, 12);
    packet.writeUInt32BE(frame.timestamp, 16);
    packet.writeUInt32BE(this.#packets, 20);
    packet.writeUInt32BE(this.#octets, 24);
    packet.set([0x81, 202, 0, 4], 28);
    packet.writeUInt32BE(this.ssrc, 32);
    packet.set([1, 6], 36);
    packet.write('camera', 38, 'latin1');
    return packet;
  }
}

function writeInterleavedHeader(data: Buffer, at: number, channel: number, length: number): number {
  data[at] = 0x24;
  data[at + 1] = channel;
  data.writeUInt16BE(length, at + 2);
  return at + 4;
}
