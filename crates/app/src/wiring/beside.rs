//! The cache and the broker, and what the engine makes of them.

use std::sync::Arc;

use cache::{Hints, InProcess, Nothing, RedisSettings, Shape, Shared};
use data_encoding::HEXLOWER;
use engine::{Engine, UserCodec, Vault};

use crate::config::{Broker, Cache, Loaded, Redis};

/// What runs beside the stores.
#[derive(Clone)]
pub(crate) struct Beside {
    /// The cache that nodes share, if there is one; it says what is wrong with it.
    pub(crate) shared: Option<Arc<Shared>>,
}

/// Gives the engine the cache and the broker that the configuration names. Neither has to be there.
pub(crate) fn give(loaded: &Loaded, engine: Engine) -> anyhow::Result<(Engine, Beside)> {
    let shared = cache_settings(loaded)?.map(|settings| {
        let settings = RedisSettings { prefix: own_prefix(loaded, &settings.prefix)?, ..settings };
        Ok::<_, anyhow::Error>(Arc::new(Shared::open(&settings)?))
    });
    let shared = shared.transpose()?;
    let (cache, keeps_users): (Arc<dyn store::Cache>, bool) = match (&loaded.config.cache, &shared)
    {
        (_, Some(shared)) => (Arc::clone(shared) as _, true),
        (Cache::InProcess { megabytes }, _) => (Arc::new(InProcess::new(megabytes << 20)), true),
        _ => (Arc::new(Nothing::new()), false),
    };
    let mut engine = engine.with_rate_limits(loaded.config.rate_limits.rates(), Arc::clone(&cache));
    if keeps_users {
        engine = engine.with_user_cache(cache, CODEC);
    }
    if let Some(settings) = broker_settings(loaded)? {
        engine = engine.with_broker(Arc::new(Hints::open(&settings)?));
    }
    Ok((engine, Beside { shared }))
}

/// A prefix that no other installation has, so that two of them that were given one Redis and the same
/// prefix never show each other's users. Nodes have their oldest master key in common, also while the
/// key is rotated.
fn own_prefix(loaded: &Loaded, prefix: &str) -> anyhow::Result<String> {
    let (current, older) = loaded.master_keys()?;
    let vault = Vault::new(older.last().unwrap_or(&current), &[]);
    Ok(format!("{prefix}:{}", HEXLOWER.encode(&vault.derive("cache prefix")[..8])))
}

/// The Redis that is the cache, if one is.
pub(crate) fn cache_settings(loaded: &Loaded) -> anyhow::Result<Option<RedisSettings>> {
    match &loaded.config.cache {
        Cache::None {} | Cache::InProcess { .. } => Ok(None),
        Cache::Redis(redis) => one(loaded, "cache.url", redis).map(Some),
        Cache::RedisCluster(cluster) => {
            let urls = loaded.opened(&cluster.addresses("cache.urls"))?;
            let mut settings = RedisSettings::new(Shape::Cluster, urls);
            settings.prefix.clone_from(&cluster.prefix);
            Ok(Some(settings))
        }
    }
}

/// The Redis that is the broker, if one is.
pub(crate) fn broker_settings(loaded: &Loaded) -> anyhow::Result<Option<RedisSettings>> {
    match &loaded.config.broker {
        Broker::None {} => Ok(None),
        Broker::Redis(redis) => one(loaded, "broker.url", redis).map(Some),
    }
}

/// How a cache keeps users: as the stores do.
const CODEC: UserCodec =
    UserCodec { encode: format::loaded::encode_loaded, decode: format::loaded::decode_loaded };

fn one(loaded: &Loaded, field: &str, redis: &Redis) -> anyhow::Result<RedisSettings> {
    let urls = loaded.opened(&[redis.address(field)])?;
    let mut settings = RedisSettings::new(Shape::One, urls);
    settings.prefix.clone_from(&redis.prefix);
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn installations_have_prefixes_of_their_own_and_nodes_share_one_while_a_key_is_rotated() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("guerdon.toml");
        fs::write(&path, "").unwrap();
        let keys = ["0123456789abcdef", "13579bdf02468ace"].map(|part| part.repeat(4));
        let prefix = |lines: &[&str]| {
            fs::write(folder.path().join("master.key"), lines.join("\n")).unwrap();
            own_prefix(&Loaded::read(&path).unwrap(), "guerdon").unwrap()
        };
        let [one, other] = [&keys[0], &keys[1]];
        assert!(prefix(&[one]).starts_with("guerdon:"));
        assert_ne!(prefix(&[one]), prefix(&[other]));
        assert_eq!(prefix(&[one]), prefix(&[other, one]));
    }
}
