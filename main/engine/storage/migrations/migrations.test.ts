import Database from 'better-sqlite3';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { WritableDb } from '../database.ts';
import { migrate, MIGRATIONS } from './index.ts';

const blank = (): WritableDb => new Database(':memory:') as unknown as WritableDb;
/** Every table and index with its definition, white space and comments aside. */
const schemaOf = (db: WritableDb): unknown =>
  (db.prepare("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type, name").all() as { name: string; sql: string }[]).map(({ name, sql }) => [name, sql.replace(/--[^\n]*/g, '').replace(/\s+/g, ' ')]);

describe('migrations', () => {
  it('rise by tens', () => {
    expect(MIGRATIONS.map((migration) => migration.version)).toEqual(MIGRATIONS.map((_, at) => (at + 1) * 10));
  });

  it('end in schema.sql', () => {
    const migrated = blank();
    migrate(migrated);
    const written = blank();
    written.exec(readFileSync(new URL('../schema.sql', import.meta.url), 'utf8'));
    expect(schemaOf(migrated)).toEqual(schemaOf(written));
    expect(migrated.pragma('user_version', { simple: true })).toBe(MIGRATIONS.at(-1)?.version);
  });

  it('leave a database that is up to date alone', () => {
    const db = blank();
    migrate(db);
    db.exec("INSERT INTO roots (root_id) VALUES ('disk-aaaaaaaaaaaa')");
    migrate(db);
    expect(db.prepare('SELECT count(*) FROM roots').pluck().get()).toBe(1);
  });

  it('note what changes from then on in a timeline that is there already', () => {
    const db = blank();
    migrate(db, MIGRATIONS.filter(({ version }) => version < 20));
    const addEvent = (id: string, startMs: number, sizeClass: number) => db.prepare("INSERT INTO events VALUES (?, 'cam-aaaaaaaaaaaa', ?, ?, ?, 'motion', '')").run(id, startMs, startMs + 1, sizeClass);
    addEvent('before', 0, 0);
    migrate(db);
    const changes = (): unknown => db.prepare('SELECT what, owner, day FROM timeline_changes ORDER BY seq').raw().all();
    expect(changes()).toEqual([]);
    addEvent('after', 3 * 86_400_000, 0);
    addEvent('long', 4 * 86_400_000, 5);
    for (const id of ['after', 'before']) db.prepare('DELETE FROM events WHERE id = ?').run(id);
    // Each day once, in the order of its last change.
    expect(changes()).toEqual([-1, 3, 0].map((day) => ['events', 'cam-aaaaaaaaaaaa', day]));
  });

  it('refuse a database from the future', () => {
    const db = blank();
    migrate(db);
    db.pragma('user_version = 990');
    expect(() => migrate(db)).toThrow(expect.objectContaining({ kind: 'database-from-future' }));
  });

  it('that fail leave the version before, whole', () => {
    const db = blank();
    const latest = MIGRATIONS.at(-1)?.version ?? 0;
    const broken = { version: latest + 10, up: (at: Pick<WritableDb, 'exec'>) => at.exec('CREATE TABLE half (a) STRICT; CREATE TABLE half (a)') };
    expect(() => migrate(db, [...MIGRATIONS, broken])).toThrow();
    expect(db.pragma('user_version', { simple: true })).toBe(latest);
    expect(db.prepare("SELECT count(*) FROM sqlite_schema WHERE name = 'half'").pluck().get()).toBe(0);
  });
});
