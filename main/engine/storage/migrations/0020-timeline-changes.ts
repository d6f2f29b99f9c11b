/** Notes which days of the timeline change, so that a reader may remember all others. Fills itself: a reader begins with nothing remembered. */
import type { Migration } from './index.ts';

export const timelineChanges: Migration = {
  version: 20,
  up(db) {
    db.exec(SQL);
  },
};

const SQL = `
CREATE TABLE timeline_changes (
  seq INTEGER PRIMARY KEY,
  what TEXT NOT NULL CHECK (what IN ('coverage', 'gaps', 'events')),
  owner ANY NOT NULL,
  day INTEGER NOT NULL,
  UNIQUE (what, owner, day)
) STRICT;

CREATE TRIGGER timeline_changes_are_bounded AFTER INSERT ON timeline_changes BEGIN
  DELETE FROM timeline_changes WHERE seq <= new.seq - 100000;
END;

CREATE TRIGGER coverage_added AFTER INSERT ON coverage WHEN new.bucket_ms = 15000 BEGIN
  INSERT INTO timeline_changes (what, owner, day) VALUES ('coverage', new.stream_id, new.day)
    ON CONFLICT (what, owner, day) DO UPDATE SET seq = (SELECT max(seq) + 1 FROM timeline_changes);
END;
CREATE TRIGGER coverage_changed AFTER UPDATE ON coverage WHEN new.bucket_ms = 15000 BEGIN
  INSERT INTO timeline_changes (what, owner, day) VALUES ('coverage', new.stream_id, new.day)
    ON CONFLICT (what, owner, day) DO UPDATE SET seq = (SELECT max(seq) + 1 FROM timeline_changes);
END;
CREATE TRIGGER coverage_removed AFTER DELETE ON coverage WHEN old.bucket_ms = 15000 BEGIN
  INSERT INTO timeline_changes (what, owner, day) VALUES ('coverage', old.stream_id, old.day)
    ON CONFLICT (what, owner, day) DO UPDATE SET seq = (SELECT max(seq) + 1 FROM timeline_changes);
END;

CREATE TRIGGER gaps_added AFTER INSERT ON gaps BEGIN
  INSERT INTO timeline_changes (what, owner, day) VALUES ('gaps', new.stream_id, iif(new.size_class = 5, -1, CAST(new.start_ms / 86400000 AS INTEGER)))
    ON CONFLICT (what, owner, day) DO UPDATE SET seq = (SELECT max(seq) + 1 FROM timeline_changes);
END;
CREATE TRIGGER gaps_removed AFTER DELETE ON gaps BEGIN
  INSERT INTO timeline_changes (what, owner, day) VALUES ('gaps', old.stream_id, iif(old.size_class = 5, -1, CAST(old.start_ms / 86400000 AS INTEGER)))
    ON CONFLICT (what, owner, day) DO UPDATE SET seq = (SELECT max(seq) + 1 FROM timeline_changes);
END;
CREATE TRIGGER gaps_never_change BEFORE UPDATE ON gaps BEGIN
  SELECT raise(ABORT, 'a gap is removed and added, not changed');
END;

CREATE TRIGGER events_added AFTER INSERT ON events BEGIN
  INSERT INTO timeline_changes (what, owner, day) VALUES ('events', new.camera_id, iif(new.size_class = 5, -1, CAST(new.start_ms / 86400000 AS INTEGER)))
    ON CONFLICT (what, owner, day) DO UPDATE SET seq = (SELECT max(seq) + 1 FROM timeline_changes);
END;
CREATE TRIGGER events_removed AFTER DELETE ON events BEGIN
  INSERT INTO timeline_changes (what, owner, day) VALUES ('events', old.camera_id, iif(old.size_class = 5, -1, CAST(old.start_ms / 86400000 AS INTEGER)))
    ON CONFLICT (what, owner, day) DO UPDATE SET seq = (SELECT max(seq) + 1 FROM timeline_changes);
END;
CREATE TRIGGER events_never_change BEFORE UPDATE ON events BEGIN
  SELECT raise(ABORT, 'an event is removed and added, not changed');
END;
`;
