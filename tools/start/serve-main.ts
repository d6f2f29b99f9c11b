/** Serve mode's supervisor as a program of its own: what `npm start` becomes when everything is ready (docs/design/processes.md, "Who starts whom"). */
import { takeOrder } from './become.ts';
import { runServe } from './serve.ts';

const stop = new AbortController();
// A second Ctrl-C is for those who cannot wait: Node's own handling ends the program at once.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stop.abort());
const order = await takeOrder(process.argv[2] ?? '');
process.exitCode = stop.signal.aborted ? 0 : await runServe({ ...order, signal: stop.signal });
