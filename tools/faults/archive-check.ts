/** Owns how the suite asks the check program about an archive: the program a person runs, its exit code and its JSON. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { ROOT } from '../bench/workplace.ts';

interface CheckAnswer {
  readonly wrong: number;
  readonly check: { readonly findings: readonly { readonly kind: string; readonly invariant: string; readonly path: string; readonly sentence: string; readonly notice?: boolean }[] } | null;
}

/** One sentence per thing that is wrong with an archive; none when I1 to I5 hold. */
export async function checkArchive(mediaDir: string, dataDir: string): Promise<readonly string[]> {
  const child = spawn(process.execPath, [path.join(ROOT, 'tools/check.ts'), '--media', mediaDir, '--data', dataDir, '--thorough', '--json'], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, complaints, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit') as Promise<[number | null]>]);
  if (code !== 0 && code !== 1) return [`the check ended with ${code}: ${complaints.slice(0, 300)}`];
  const answer = JSON.parse(out.slice(out.indexOf('{'))) as CheckAnswer;
  const wrong = (answer.check?.findings ?? []).filter((finding) => finding.notice !== true || finding.kind === 'gap-over-footage').map((finding) => `${finding.invariant}: ${path.basename(finding.path)}: ${finding.sentence}`);
  if ((code === 0) !== (wrong.length === 0) || answer.wrong !== wrong.length) return [...wrong, `the check ended with ${code} and ${answer.wrong} things wrong, and listed ${wrong.length}`];
  return wrong;
}
