-- Moving the state to another store: what the file may be used for, where the state has gone, and
-- who was changed since the move began.

INSERT INTO meta (name, value) VALUES ('phase', 0);

-- Where the state has moved, in words; read only if it has.
CREATE TABLE moved_to (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    words TEXT NOT NULL
) STRICT;

-- Only filled while the store is watched.
CREATE TABLE touched (
    place INTEGER PRIMARY KEY,
    user  BLOB NOT NULL
) STRICT;
