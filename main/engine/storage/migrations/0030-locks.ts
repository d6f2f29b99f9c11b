/** Locks on footage. Fills itself: before it, no journal had lines of them. */
import type { Migration } from './index.ts';

export const locks: Migration = {
  version: 30,
  up(db) {
    db.exec(SQL);
  },
};

const SQL = `
CREATE TABLE locks (
  id TEXT PRIMARY KEY,
  camera_id TEXT NOT NULL,
  start_ms REAL NOT NULL,
  end_ms REAL NOT NULL CHECK (end_ms >= start_ms),
  note TEXT NOT NULL,
  created_ms REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX locks_by_camera ON locks (camera_id);

CREATE TABLE unlocks (
  id TEXT PRIMARY KEY,
  camera_id TEXT NOT NULL,
  at_ms REAL NOT NULL
) STRICT, WITHOUT ROWID;
`;
