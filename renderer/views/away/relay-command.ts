/** The one command that starts a relay on a server, and the port it listens on there (docs/guide/relay.md). */
export const RELAY_COMMAND = 'npm run relay -- --tls fullchain.pem privkey.pem';
export const RELAY_PORT = 7450;
