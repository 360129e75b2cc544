-- Which state the file has (`state`), and which belongs to its catalogue (`catalog`); a missing row is
-- one that nobody has said yet. Both are the same as long as the state has not left the file.

CREATE TABLE identities (
    of TEXT PRIMARY KEY,
    id BLOB NOT NULL CHECK (length(id) = 16)
) STRICT, WITHOUT ROWID;
