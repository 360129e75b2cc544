//! From the domain's values to those that are written, and back, without loss.
//!
//! A mirror holds nothing that its domain type could not, so the way back cannot fail: whatever can
//! be wrong with a text is found while it is read, where its place is still known.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::ids::{
    AdGroupId, AdvertiserId, AppId, LineItemId, MissionId, OrderId, PartnerId, PublisherId,
    SegmentId, StepId, UnitId,
};
use domain::money::Micros;

/// The written form of `D`.
pub trait Mirror<D>: Sized {
    /// How the value is written.
    fn of(value: &D) -> Self;

    /// The value.
    fn into_domain(self) -> D;
}

/// Whether a field need not be written because its absence means the same.
pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Declares a struct as it is written, and its way to the domain's struct of the same fields. A
/// field that is left out does not compile.
macro_rules! mirror {
    ($($(#[$meta:meta])* $doc:ident = $domain:ident {
        $($(#[$field_meta:meta])* $field:ident: $ty:ty),+ $(,)?
    })+) => {$(
        $(#[$meta])*
        #[derive(Clone, PartialEq, Debug, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        #[serde(deny_unknown_fields)]
        #[schema(as = catalog::$doc)]
        pub struct $doc {
            $($(#[$field_meta])* pub $field: $ty),+
        }

        impl $crate::catalog::mirror::Mirror<$domain> for $doc {
            fn of(value: &$domain) -> Self {
                let $domain { $($field),+ } = value;
                Self { $($field: $crate::catalog::mirror::Mirror::of($field)),+ }
            }

            fn into_domain(self) -> $domain {
                $domain { $($field: self.$field.into_domain()),+ }
            }
        }
    )+};
}

/// The same for an enum. A variant is written as its name, or as a table with its name as the only
/// key.
macro_rules! mirror_enum {
    ($($(#[$meta:meta])* $doc:ident = $domain:ident {
        $($(#[$variant_meta:meta])* $variant:ident
            $({ $($(#[$field_meta:meta])* $field:ident: $ty:ty),+ $(,)? })?
            $(( $part:ident: $part_ty:ty ))?
        ),+ $(,)?
    })+) => {$(
        $(#[$meta])*
        #[derive(Clone, PartialEq, Debug, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        #[serde(rename_all = "snake_case", deny_unknown_fields)]
        #[schema(as = catalog::$doc)]
        pub enum $doc {
            $($(#[$variant_meta])* $variant
                $({ $($(#[$field_meta])* $field: $ty),+ })?
                $(( $part_ty ))?
            ),+
        }

        impl $crate::catalog::mirror::Mirror<$domain> for $doc {
            fn of(value: &$domain) -> Self {
                match value {
                    $($domain::$variant $({ $($field),+ })? $(( $part ))? => Self::$variant
                        $({ $($field: $crate::catalog::mirror::Mirror::of($field)),+ })?
                        $(( $crate::catalog::mirror::Mirror::of($part) ))?
                    ),+
                }
            }

            fn into_domain(self) -> $domain {
                match self {
                    $(Self::$variant $({ $($field),+ })? $(( $part ))? => $domain::$variant
                        $({ $($field: $field.into_domain()),+ })?
                        $(( $part.into_domain() ))?
                    ),+
                }
            }
        }
    )+};
}

pub(super) use {mirror, mirror_enum};

macro_rules! same {
    ($($ty:ty),+) => {$(
        impl Mirror<$ty> for $ty {
            fn of(value: &$ty) -> Self {
                value.clone()
            }

            fn into_domain(self) -> $ty {
                self
            }
        }
    )+};
}

macro_rules! numbers {
    ($($number:ty: $($ty:ident),+;)+) => {$($(
        impl Mirror<$ty> for $number {
            fn of(value: &$ty) -> Self {
                value.0
            }

            fn into_domain(self) -> $ty {
                $ty(self)
            }
        }
    )+)+};
}

same!(String, bool, u8, u16, u32);
numbers! {
    u32: AdGroupId, AdvertiserId, AppId, LineItemId, MissionId, OrderId, PartnerId, PublisherId,
        SegmentId, StepId, UnitId;
    i64: Micros;
}

impl<D, M: Mirror<D>> Mirror<Arc<D>> for M {
    fn of(value: &Arc<D>) -> Self {
        M::of(value)
    }

    fn into_domain(self) -> Arc<D> {
        Arc::new(M::into_domain(self))
    }
}

impl<D, M: Mirror<D>> Mirror<Option<D>> for Option<M> {
    fn of(value: &Option<D>) -> Self {
        value.as_ref().map(M::of)
    }

    fn into_domain(self) -> Option<D> {
        self.map(M::into_domain)
    }
}

impl<D, M: Mirror<D>> Mirror<Vec<D>> for Vec<M> {
    fn of(value: &Vec<D>) -> Self {
        value.iter().map(M::of).collect()
    }

    fn into_domain(self) -> Vec<D> {
        // A list that was read has room for four and more, and a plain `collect` would keep it: half of
        // the memory of a large catalogue.
        let mut exact = Vec::with_capacity(self.len());
        exact.extend(self.into_iter().map(M::into_domain));
        exact
    }
}

impl<D, M: Mirror<D>> Mirror<Box<[D]>> for Vec<M> {
    fn of(value: &Box<[D]>) -> Self {
        value.iter().map(M::of).collect()
    }

    fn into_domain(self) -> Box<[D]> {
        self.into_iter().map(M::into_domain).collect()
    }
}

impl Mirror<Box<str>> for String {
    fn of(value: &Box<str>) -> Self {
        String::from(&**value)
    }

    fn into_domain(self) -> Box<str> {
        self.into()
    }
}

impl<D: Ord, M: Mirror<D>> Mirror<BTreeSet<D>> for Vec<M> {
    fn of(value: &BTreeSet<D>) -> Self {
        value.iter().map(M::of).collect()
    }

    fn into_domain(self) -> BTreeSet<D> {
        self.into_iter().map(M::into_domain).collect()
    }
}

impl<DK: Ord, DV, K: Mirror<DK> + Ord, V: Mirror<DV>> Mirror<BTreeMap<DK, DV>> for BTreeMap<K, V> {
    fn of(value: &BTreeMap<DK, DV>) -> Self {
        value.iter().map(|(key, value)| (K::of(key), V::of(value))).collect()
    }

    fn into_domain(self) -> BTreeMap<DK, DV> {
        self.into_iter().map(|(key, value)| (key.into_domain(), value.into_domain())).collect()
    }
}
