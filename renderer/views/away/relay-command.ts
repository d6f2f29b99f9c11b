/** The one command that starts a relay on a server (docs/guide/relay.md). Port 443 is what guest networks let through. */
export const RELAY_COMMAND = 'npm run relay -- --port 443 --tls fullchain.pem privkey.pem';
