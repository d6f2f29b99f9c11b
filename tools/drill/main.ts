/** `npm run drill -- [--households N] [--sockets] [--json]`: mixes up the relay's table on purpose and shows that nobody sees a stranger's home (docs/design/relay.md). */
import { type DrillReport, runDrill } from './drill.ts';
import { type DrillWords, parseDrillOptions, USAGE } from './options.ts';

function chosen(): DrillWords | 'help' {
  try {
    return parseDrillOptions(process.argv.slice(2), Math.floor(Math.random() * 1_000_000));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    process.exit(2);
  }
}

function lines(report: DrillReport): readonly string[] {
  return [
    `${report.households} households ${report.isOverSockets ? 'over sockets' : 'in memory'}, seed ${report.seed}, ${report.seconds} s`,
    `own pictures ${report.ownFrames}; to wrong households ${report.misrouted}, of which opened ${report.opened}; viewers that noticed ${report.noticed}`,
    `readable for the relay ${report.marked} of ${report.relayed} messages; the control without encryption showed ${report.controlOpened} strangers' pictures`,
    ...report.faults.map((fault) => `FAULT ${fault}`),
  ];
}

async function main(): Promise<number> {
  const options = chosen();
  if (options === 'help') {
    console.log(USAGE);
    return 0;
  }
  const interrupted = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupted.abort());
  const report = await runDrill(options, (line) => console.log(line), interrupted.signal);
  for (const line of lines(report)) console.log(line);
  if (options.json) console.log(JSON.stringify(report));
  return report.faults.length === 0 ? 0 : 1;
}

process.exitCode = await main();
