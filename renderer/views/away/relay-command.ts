/** The one command that starts a relay on a server (docs/guide/relay.md). */
export const RELAY_COMMAND = 'npm run relay -- --port 443 --tls cert.pem key.pem';
