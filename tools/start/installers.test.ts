/** electron-builder.yml against the tool's own schema, and against what an installer must not lack. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '../..');
const fromTool = createRequire(path.join(ROOT, 'node_modules/app-builder-lib/package.json'));
const { load } = fromTool('js-yaml') as { readonly load: (text: string) => unknown };
type Validate = ((value: unknown) => boolean) & { errors?: readonly { instancePath: string; message?: string; params: unknown }[] | null };
const ajv = fromTool('ajv') as { default?: new (options: object) => { compile(schema: unknown): Validate } };

const config = load(readFileSync(path.join(ROOT, 'electron-builder.yml'), 'utf8')) as Record<string, Record<string, unknown>>;

function validator(): Validate {
  const Ajv = ajv.default ?? (ajv as unknown as new (options: object) => { compile(schema: unknown): Validate });
  const schema: unknown = JSON.parse(readFileSync(path.join(ROOT, 'node_modules/app-builder-lib/scheme.json'), 'utf8'));
  return new Ajv({ strict: false, logger: false, allErrors: true, validateFormats: false }).compile(schema);
}

describe('the installers', () => {
  it('are described as the tool wants it', () => {
    const validate = validator();
    const fits = validate(config);
    expect(fits ? [] : validate.errors).toEqual([]);
  });

  it('and the schema would notice a mistake', () => {
    expect(validator()({ ...config, nsis: { oneKlick: false } })).toBe(false);
  });

  it('exist for three systems, with ffmpeg and its licence beside the program', () => {
    const targets = ['win', 'mac', 'linux'].flatMap((system) => ((config[system]?.['target'] ?? []) as { target: string }[]).map((one) => one.target));
    expect(targets).toEqual(['nsis', 'dmg', 'AppImage', 'deb']);
    const extra = (config['extraResources'] as unknown as { from: string }[]).map((one) => one.from);
    expect(extra).toEqual(expect.arrayContaining(['resources/bin/${platform}-${arch}', 'resources/licenses']));
    expect(config['asarUnpack']).toContain('node_modules/better-sqlite3/**');
  });

  it('ask macOS for the local network and the camera in words, and name files that are there', () => {
    expect(config['mac']).toMatchObject({ hardenedRuntime: true, extendInfo: { NSLocalNetworkUsageDescription: expect.stringContaining('cameras') } });
    expect(config['mac']).toMatchObject({ extendInfo: { NSCameraUsageDescription: expect.stringContaining('pairing code') } });
    const named = [config['mac']?.['entitlements'], config['mac']?.['icon'], config['win']?.['icon'], config['linux']?.['icon']] as string[];
    expect(named.filter((file) => !existsSync(path.join(ROOT, file)))).toEqual([]);
    const entitlements = readFileSync(path.join(ROOT, String(config['mac']?.['entitlements'])), 'utf8');
    expect(entitlements).toMatch(/<key>com\.apple\.security\.device\.camera<\/key>\s*<true\/>/);
    expect(entitlements).not.toContain('audio-input');
    expect(readdirSync(path.join(ROOT, 'resources/icons'))).toEqual(expect.arrayContaining(['32x32.png', '256x256.png', '1024x1024.png']));
  });
});
