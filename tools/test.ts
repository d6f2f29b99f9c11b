/** `npm test`: types, lint, unit and integration tests, build, browser tests; lists what was skipped and why; the last line is the sum. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

interface StepResult {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
}

const ROOT = path.resolve(import.meta.dirname, '..');
const reports = mkdtempSync(path.join(tmpdir(), 'porchlight-test-'));

function run(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, ...env }, shell: process.platform === 'win32' });
    child.on('error', (error) => {
      console.error(`${command}: ${error.message}`);
      resolve(127);
    });
    child.on('close', (code) => resolve(code ?? 1));
  });
}

/** A step that only succeeds or fails counts as one. */
async function single(command: string, args: readonly string[]): Promise<StepResult> {
  const code = await run(command, args);
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: [] };
}

/** Engines and simulators are started hundreds of times: what one compiled, types taken out, serves the next (module.enableCompileCache). */
const compileCache = { NODE_COMPILE_CACHE: path.join(reports, 'compiled') };

/** A step whose reporter (tools/test/*-reporter.ts) writes a StepResult; a run that ends badly without a failed test counts one failure. */
async function reported(command: string, args: readonly string[], name: string): Promise<StepResult> {
  const file = path.join(reports, `${name}.json`);
  const code = await run(command, args, { ...compileCache, PORCHLIGHT_TEST_REPORT: file });
  try {
    const result = JSON.parse(readFileSync(file, 'utf8')) as StepResult;
    return code !== 0 && result.failed === 0 ? { ...result, failed: 1 } : result;
  } catch {
    return { passed: 0, failed: 1, skipped: [] };
  }
}

const STEPS: readonly (readonly [title: string, step: () => Promise<StepResult>])[] = [
  ['Types', () => single('tsc', ['-b'])],
  ['Lint', () => single('oxlint', ['main', 'renderer', 'shared', 'relay', 'tests', 'tools'])],
  ['Build', () => single('npm', ['run', '--silent', 'build'])],
  ['Unit tests', () => reported('vitest', ['run', '--project', 'unit', '--reporter=dot', '--reporter=./tools/test/vitest-reporter.ts'], 'unit')],
  ['Integration tests', () => reported('vitest', ['run', '--project', 'integration', '--reporter=default', '--reporter=./tools/test/vitest-reporter.ts'], 'integration')],
  ['Browser tests', () => reported('playwright', ['test', '--reporter=list,./tools/test/playwright-reporter.ts'], 'browser')],
];

const results: (readonly [string, StepResult, number])[] = [];
for (const [title, step] of STEPS) {
  console.log(`\n== ${title}`);
  const startedMs = performance.now();
  results.push([title, await step(), (performance.now() - startedMs) / 1000]);
}
rmSync(reports, { recursive: true, force: true });

console.log('\n== Summary');
for (const [title, result, seconds] of results) {
  console.log(`${title}: ${result.passed} passed, ${result.failed} failed, ${result.skipped.length} skipped (${seconds.toFixed(0)} s)`);
}
const skipped = results.flatMap(([, result]) => result.skipped);
for (const { name, reason } of skipped) console.log(`skipped: ${name}: ${reason === '' ? 'NO REASON GIVEN' : reason}`);
// A skip nobody explains hides a test that nobody runs.
const unexplained = skipped.filter(({ reason }) => reason === '').length;
const passed = results.reduce((sum, [, result]) => sum + result.passed, 0);
const failed = results.reduce((sum, [, result]) => sum + result.failed, 0) + unexplained;
console.log(`${passed} passed, ${failed} failed, ${skipped.length - unexplained} skipped`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
