import { describe, expect, it } from 'vitest';
import { parseAddress, type AddressTarget } from './address.ts';

const host = (name: string, port: number | null = null): AddressTarget => ({ kind: 'host', host: name, port });
const rtsp = (url: string): AddressTarget => ({ kind: 'rtsp', url });
const login = (username: string, password: string): { username: string; password: string } => ({ username, password });

describe('what a person types', () => {
  const cases: [string, AddressTarget, { username: string; password: string } | null][] = [
    ['192.168.1.20', host('192.168.1.20'), null],
    ['  192.168.1.20/ ', host('192.168.1.20'), null],
    ['Camera-Drive.local', host('camera-drive.local'), null],
    ['192.168.1.20:8000', host('192.168.1.20', 8000), null],
    ['fe80::1', host('[fe80::1]'), null],
    ['fe80::1%eth0', host('[fe80::1]'), null],
    ['[2001:db8::5]:8554', host('[2001:db8::5]', 8554), null],
    ['admin:pw@192.168.1.20', host('192.168.1.20'), login('admin', 'pw')],
    ['http://192.168.1.20/', host('192.168.1.20'), null],
    ['http://192.168.1.20:8080/web/login.html', host('192.168.1.20', 8080), null],
    ['https://cam.local', host('cam.local', 443), null],
    ['http://192.168.1.20:2020/onvif/device_service', { kind: 'onvif', url: 'http://192.168.1.20:2020/onvif/device_service' }, null],
    ['http://u:p@192.168.1.20/onvif/device_service', { kind: 'onvif', url: 'http://192.168.1.20/onvif/device_service' }, login('u', 'p')],
    ['rtsp://192.168.1.20/stream1', rtsp('rtsp://192.168.1.20/stream1'), null],
    ['RTSP://192.168.1.20:554/cam/realmonitor?channel=1&subtype=0', rtsp('rtsp://192.168.1.20:554/cam/realmonitor?channel=1&subtype=0'), null],
    ['192.168.1.20:554/stream1', rtsp('rtsp://192.168.1.20:554/stream1'), null],
    ['rtsp://admin:secret@192.168.1.20/stream1', rtsp('rtsp://192.168.1.20/stream1'), login('admin', 'secret')],
    ['rtsp://admin:p@ss@192.168.1.20/s', rtsp('rtsp://192.168.1.20/s'), login('admin', 'p@ss')],
    ['rtsp://admin:p/a:s#s?x@192.168.1.20:8554/s', rtsp('rtsp://192.168.1.20:8554/s'), login('admin', 'p/a:s#s?x')],
    ['rtsp://admin:p@ss.w/x@192.168.1.20/s', rtsp('rtsp://192.168.1.20/s'), login('admin', 'p@ss.w/x')],
    ['rtsp://admin:pässwörd€@192.168.1.20/s', rtsp('rtsp://192.168.1.20/s'), login('admin', 'pässwörd€')],
    ['rtsp://admin:p%40ss@192.168.1.20/s', rtsp('rtsp://192.168.1.20/s'), login('admin', 'p@ss')],
    ['rtsp://admin:100%@192.168.1.20/s', rtsp('rtsp://192.168.1.20/s'), login('admin', '100%')],
    ['rtsp://user:pw@cam.lan/live@home', rtsp('rtsp://cam.lan/live@home'), login('user', 'pw')],
    ['rtsp://cam.lan/live@home', rtsp('rtsp://cam.lan/live@home'), null],
    ['rtsp://192.168.1.20/s?mail=a@b.com', rtsp('rtsp://192.168.1.20/s?mail=a@b.com'), null],
    ['rtsp://admin@192.168.1.20/s', rtsp('rtsp://192.168.1.20/s'), login('admin', '')],
    ['rtsp://admin:pw@[fe80::7]:554/s', rtsp('rtsp://[fe80::7]:554/s'), login('admin', 'pw')],
    ['rtsps://192.168.1.1:7441/abc?enableSrtp', rtsp('rtsps://192.168.1.1:7441/abc'), null],
    ['"rtsp://192.168.1.20/s"', rtsp('rtsp://192.168.1.20/s'), null],
  ];
  for (const [typed, target, credentials] of cases) {
    it(typed, () => {
      expect(parseAddress(typed)).toEqual({ target, login: credentials });
    });
  }

  for (const typed of ['', '   ', 'my camera', '192.168.1.999', '192.168.1', 'host:99999', 'ftp://a/b', 'rtsp://', 'rtsp://admin:secret word@', '-;rm']) {
    it(`"${typed}" is refused in a sentence without what was typed`, () => {
      expect(() => parseAddress(typed)).toThrow(expect.objectContaining({ kind: 'invalid-input' }));
      expect(() => parseAddress(typed)).not.toThrow(/secret/);
    });
  }
});
