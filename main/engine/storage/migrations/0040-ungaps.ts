/** Gaps that were none. Fills itself: before it, no journal had lines of them. */
import type { Migration } from './index.ts';

export const ungaps: Migration = {
  version: 40,
  up(db) {
    db.exec(SQL);
  },
};

const SQL = `
CREATE TABLE ungaps (
  stream_id INTEGER NOT NULL REFERENCES streams (id),
  start_ms REAL NOT NULL,
  end_ms REAL NOT NULL CHECK (end_ms >= start_ms),
  cause TEXT NOT NULL,
  detail TEXT NOT NULL,
  PRIMARY KEY (stream_id, start_ms, end_ms, cause)
) STRICT, WITHOUT ROWID;
`;
