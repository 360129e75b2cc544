//! The cache and the broker, and what the engine makes of them.

use std::sync::Arc;

use cache::{Hints, InProcess, Nothing, RedisSettings, Shape, Shared};
use engine::{Engine, UserCodec};

use crate::config::{Broker, Cache, Loaded, Redis};

/// What runs beside the stores.
#[derive(Clone)]
pub(crate) struct Beside {
    /// The cache that nodes share, if there is one; it says what is wrong with it.
    pub(crate) shared: Option<Arc<Shared>>,
}

/// Gives the engine the cache and the broker that the configuration names. Neither has to be there.
pub(crate) fn give(loaded: &Loaded, engine: Engine) -> anyhow::Result<(Engine, Beside)> {
    let shared = cache_settings(loaded)?.map(|settings| Shared::open(&settings));
    let shared = shared.transpose()?.map(Arc::new);
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
