-- Moving the state to another store: what the file may be used for, where the state has gone, who
-- was changed since the move began, which run moves it, and whether the order of the journal is that of the commits,
-- which it is not if it came from a store that has no such order.

INSERT INTO meta (name, value) VALUES ('phase', 0), ('run', 0), ('total_order', 1);

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
