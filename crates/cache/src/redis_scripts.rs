//! What Redis does in one step, as scripts. Each touches one key, so it runs on one node of a
//! cluster, and reads only that node's clock, so no two machines' clocks are compared.
//!
//! An entry is a hash: `v` its version, `a` the moment its ticket was given, `b` its bytes; `t` and `i`
//! the ticket that is out and its moment; `f` the version below which nothing is taken. Moments are
//! milliseconds. The key is kept, and its parts with it, for as long as entries are kept; if Redis
//! forgets it, it forgets the ticket as well, and so refuses whatever was read before.

use redis::{Script, Value};

/// `Cache::get`: ticket, early, fresh, kept -> version, age, bytes, ticket; each may be nil.
///
/// A full Redis refuses the ticket; what is there is found all the same.
const GET: &str = r"
local h = redis.call('HMGET', KEYS[1], 'v', 'a', 'b', 't', 'i')
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local early, fresh, kept = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local age = h[2] and now - h[2] or -1
local has = age >= 0 and age < kept
local out = h[5] and now - h[5] or -1
local ticket = false
if not (has and age < early) then
  if out >= 0 and out < early then
    if not (has and age < fresh) then ticket = h[4] end
  else
    local done = redis.pcall('HSET', KEYS[1], 't', ARGV[1], 'i', string.format('%.0f', now))
    if type(done) == 'number' then
      redis.call('PEXPIRE', KEYS[1], ARGV[4])
      ticket = ARGV[1]
    end
  end
end
if not has then return { false, false, false, ticket } end
return { h[1], string.format('%.0f', age), h[3], ticket }
";

/// `Cache::put`: ticket, version, bytes, fresh, kept -> 1 or 0.
const PUT: &str = r"
local h = redis.call('HMGET', KEYS[1], 't', 'i', 'f', 'v')
if h[1] ~= ARGV[1] then return 0 end
local clock = redis.call('TIME')
local age = clock[1] * 1000 + math.floor(clock[2] / 1000) - h[2]
if age < 0 or age >= tonumber(ARGV[4]) then return 0 end
local version = tonumber(ARGV[2])
if version < tonumber(h[3] or 0) or version < tonumber(h[4] or 0) then return 0 end
local done = redis.pcall('HSET', KEYS[1], 'v', ARGV[2], 'a', h[2], 'b', ARGV[3])
if type(done) ~= 'number' then return 0 end
redis.call('HDEL', KEYS[1], 't', 'i')
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return 1
";

/// `Cache::remove`: below, kept -> 1.
///
/// A full Redis refuses to remember the version, but never a deletion, and with the key the ticket
/// is gone.
const REMOVE: &str = r"
local h = redis.call('HMGET', KEYS[1], 'f', 'v')
local below = tonumber(ARGV[1])
if below <= tonumber(h[1] or 0) then return 1 end
redis.call('HDEL', KEYS[1], 't', 'i')
if h[2] and tonumber(h[2]) < below then redis.call('HDEL', KEYS[1], 'v', 'a', 'b') end
local done = redis.pcall('HSET', KEYS[1], 'f', ARGV[1])
if type(done) == 'number' then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
else
  redis.call('DEL', KEYS[1])
end
return 1
";

/// `Cache::take`: interval, fill -> 0 or the wait; microseconds. The same reckoning as
/// `store::Rate::take`.
const TAKE: &str = r"
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local interval, fill = tonumber(ARGV[1]), tonumber(ARGV[2])
local full_at = tonumber(redis.call('GET', KEYS[1]) or 0)
full_at = math.min(math.max(full_at, now), now + fill)
local wait = full_at + interval - now - fill
if wait > 0 then return math.ceil(wait) end
local left = math.ceil((full_at + interval - now) / 1000)
redis.call('SET', KEYS[1], string.format('%.0f', full_at + interval), 'PX', left)
return 0
";

/// A deletion, which also a full Redis takes.
pub(crate) const PROBE: &str = "return redis.call('DEL', KEYS[1])";

/// The scripts, with the digests under which Redis knows them.
pub(crate) struct Scripts {
    pub(crate) get: Known,
    pub(crate) put: Known,
    pub(crate) remove: Known,
    pub(crate) take: Known,
}

/// A script and its digest.
pub(crate) struct Known {
    pub(crate) code: &'static str,
    pub(crate) digest: String,
}

impl Scripts {
    pub(crate) fn new() -> Self {
        Self { get: known(GET), put: known(PUT), remove: known(REMOVE), take: known(TAKE) }
    }
}

fn known(code: &'static str) -> Known {
    Known { code, digest: Script::new(code).get_hash().to_owned() }
}

/// A number that a script answers as text or as a number.
pub(crate) fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Int(number) => u64::try_from(*number).ok(),
        Value::BulkString(text) => std::str::from_utf8(text).ok()?.parse().ok(),
        _ => None,
    }
}
