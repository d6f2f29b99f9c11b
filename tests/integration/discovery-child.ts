/** Runs inside a network namespace for discovery-namespaces.test.ts: as a camera that answers probes, or as the searching side. */
import { createSocket } from 'node:dgram';
import { systemClock } from '../../main/engine/core/clock.ts';
import { silentLogger } from '../../main/engine/core/logger.ts';
import { createSearcher } from '../../main/engine/discovery/searcher.ts';

const [, , role, address = '', identity = ''] = process.argv;

if (role === 'camera') {
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  socket.on('message', (bytes, sender) => {
    const id = /MessageID>([^<]*)</.exec(bytes.toString())?.[1] ?? '';
    const reply = `<e:Envelope xmlns:e="x" xmlns:w="y" xmlns:d="z" xmlns:dn="n"><e:Header><w:RelatesTo>${id}</w:RelatesTo></e:Header><e:Body><d:ProbeMatches><d:ProbeMatch><w:EndpointReference><w:Address>urn:uuid:${identity}</w:Address></w:EndpointReference><d:Types>dn:NetworkVideoTransmitter</d:Types><d:Scopes/><d:XAddrs>http://${address}/onvif/device_service</d:XAddrs></d:ProbeMatch></d:ProbeMatches></e:Body></e:Envelope>`;
    socket.send(reply, sender.port, sender.address);
  });
  socket.bind(3702, '0.0.0.0', () => {
    socket.addMembership('239.255.255.250', address);
    process.stdout.write('ready\n');
  });
} else {
  const searcher = createSearcher({ clock: systemClock, log: silentLogger, options: () => ({ timeoutMs: 1500 }), configuredAs: () => null });
  process.stdout.write(`${JSON.stringify(await searcher.search())}\n`);
  await searcher.stop();
}
