-- The index as it stands after all migrations; a test compares the two (docs/design/storage.md, "Schema").
-- Times are milliseconds since 1970 in UTC (REAL where a frame's time is meant), sizes are bytes.

CREATE TABLE roots (
  id INTEGER PRIMARY KEY,
  root_id TEXT NOT NULL UNIQUE,
  -- When every file of this root was last read into this database; null until then, so a rebuild goes on after a stop.
  indexed_ms INTEGER
) STRICT;

CREATE TABLE streams (
  id INTEGER PRIMARY KEY,
  camera_id TEXT NOT NULL,
  stream TEXT NOT NULL CHECK (stream IN ('main', 'sub')),
  -- No segment of this stream is longer: bounds how far back a search by time must look.
  longest_ms REAL NOT NULL DEFAULT 0,
  UNIQUE (camera_id, stream)
) STRICT;

CREATE TABLE segments (
  id INTEGER PRIMARY KEY,
  stream_id INTEGER NOT NULL REFERENCES streams (id),
  root_id INTEGER NOT NULL REFERENCES roots (id),
  session INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  name_ms INTEGER NOT NULL,
  start_ms REAL NOT NULL,
  end_ms REAL NOT NULL CHECK (end_ms >= start_ms),
  size_bytes INTEGER NOT NULL,
  init_bytes INTEGER NOT NULL,
  video_frames INTEGER NOT NULL
) STRICT;
-- Order within a stream (T1); also says that a name is used once.
CREATE UNIQUE INDEX segments_in_order ON segments (stream_id, session, sequence);
CREATE INDEX segments_by_time ON segments (stream_id, start_ms, end_ms);
-- Retention asks for the oldest on a disk.
CREATE INDEX segments_by_age ON segments (root_id, start_ms);

-- Apart from the rows, so that scans over time never touch pages of blobs.
CREATE TABLE keyframes (
  segment_id INTEGER PRIMARY KEY REFERENCES segments (id) ON DELETE CASCADE,
  packed BLOB NOT NULL
) STRICT;

-- Unbroken footage: runs of segments in order, kept in the transaction that adds or removes a segment.
CREATE TABLE spans (
  stream_id INTEGER NOT NULL REFERENCES streams (id),
  first_session INTEGER NOT NULL,
  first_sequence INTEGER NOT NULL,
  last_session INTEGER NOT NULL,
  last_sequence INTEGER NOT NULL,
  start_ms REAL NOT NULL,
  end_ms REAL NOT NULL,
  size_class INTEGER NOT NULL,
  PRIMARY KEY (stream_id, first_session, first_sequence)
) STRICT, WITHOUT ROWID;
CREATE INDEX spans_by_time ON spans (stream_id, size_class, start_ms, end_ms);

-- Per stream and UTC day one bitmap for each of two resolutions: a bit is set where there is any footage.
CREATE TABLE coverage (
  stream_id INTEGER NOT NULL REFERENCES streams (id),
  bucket_ms INTEGER NOT NULL,
  day INTEGER NOT NULL,
  bits BLOB NOT NULL,
  PRIMARY KEY (stream_id, bucket_ms, day)
) STRICT, WITHOUT ROWID;

-- Sums per stream and disk, kept like spans.
CREATE TABLE usage (
  stream_id INTEGER NOT NULL REFERENCES streams (id),
  root_id INTEGER NOT NULL REFERENCES roots (id),
  segments INTEGER NOT NULL,
  size_bytes INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL,
  PRIMARY KEY (stream_id, root_id)
) STRICT, WITHOUT ROWID;

-- Files whose row is gone and which are about to be unlinked (I2).
CREATE TABLE garbage (
  root_id INTEGER NOT NULL REFERENCES roots (id),
  path TEXT NOT NULL,
  PRIMARY KEY (root_id, path)
) STRICT, WITHOUT ROWID;

CREATE TABLE gaps (
  id INTEGER PRIMARY KEY,
  stream_id INTEGER NOT NULL REFERENCES streams (id),
  start_ms REAL NOT NULL,
  end_ms REAL NOT NULL CHECK (end_ms >= start_ms),
  size_class INTEGER NOT NULL,
  cause TEXT NOT NULL,
  detail TEXT NOT NULL,
  -- A journal line read twice is one gap.
  UNIQUE (stream_id, start_ms, end_ms, cause)
) STRICT;
CREATE INDEX gaps_by_time ON gaps (stream_id, size_class, start_ms, end_ms);

CREATE TABLE events (
  id TEXT PRIMARY KEY,
  camera_id TEXT NOT NULL,
  start_ms REAL NOT NULL,
  end_ms REAL NOT NULL CHECK (end_ms >= start_ms),
  size_class INTEGER NOT NULL,
  kind TEXT NOT NULL,
  label TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX events_by_time ON events (camera_id, size_class, start_ms, end_ms);

-- Footage that is never deleted. With the journals' lines of locks they are the same set.
CREATE TABLE locks (
  id TEXT PRIMARY KEY,
  camera_id TEXT NOT NULL,
  start_ms REAL NOT NULL,
  end_ms REAL NOT NULL CHECK (end_ms >= start_ms),
  note TEXT NOT NULL,
  created_ms REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX locks_by_camera ON locks (camera_id);

-- Locks that were taken off; a rebuild may read that before it reads the lock.
CREATE TABLE unlocks (
  id TEXT PRIMARY KEY,
  camera_id TEXT NOT NULL,
  at_ms REAL NOT NULL
) STRICT, WITHOUT ROWID;

-- Gaps that covered footage which came back: they are none, whichever line a rebuild reads first.
CREATE TABLE ungaps (
  stream_id INTEGER NOT NULL REFERENCES streams (id),
  start_ms REAL NOT NULL,
  end_ms REAL NOT NULL CHECK (end_ms >= start_ms),
  cause TEXT NOT NULL,
  detail TEXT NOT NULL,
  PRIMARY KEY (stream_id, start_ms, end_ms, cause)
) STRICT, WITHOUT ROWID;

-- Which days of the timeline changed last, in the order they did: a reader that knows up to one seq forgets the days above it.
CREATE TABLE timeline_changes (
  seq INTEGER PRIMARY KEY,
  what TEXT NOT NULL CHECK (what IN ('coverage', 'gaps', 'events')),
  -- A stream's id, for events a camera's.
  owner ANY NOT NULL,
  -- UTC days since 1970, by the beginning; -1 for what lasts a day or longer.
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
