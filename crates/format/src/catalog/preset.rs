//! Values that are a preset, or a preset with some fields of their own.

/// Declares how such a value is written: the name of a preset; or a table that names the preset and
/// the fields that differ from it; or, without a preset, the fields that differ from the defaults.
macro_rules! preset_form {
    (
        $(#[$form_meta:meta])* $form:ident,
        $(#[$choice_meta:meta])* $choice:ident,
        $(#[$doc_meta:meta])* $doc:ident = $domain:ident {
            $($(#[$field_meta:meta])* $field:ident: $ty:ty),+ $(,)?
        }
        preset: $preset:expr, names: $names:expr, blank: $blank:expr, default: $default:literal
    ) => {
        $(#[$doc_meta])*
        #[derive(Clone, PartialEq, Debug, Default, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $doc {
            /// The preset that the other fields change; without one they change the defaults.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub preset: Option<String>,
            /// What it is called; by default the preset's name.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub name: Option<String>,
            $(
                $(#[$field_meta])*
                #[serde(default, skip_serializing_if = "Option::is_none")]
                pub $field: Option<$ty>,
            )+
        }

        impl $doc {
            /// The fields in which `value` differs from `base`.
            fn beyond(value: &$domain, base: &$domain) -> Self {
                let $domain { name: _, $($field),+ } = value;
                Self {
                    preset: None,
                    name: None,
                    $($field: ($field != &base.$field)
                        .then(|| $crate::catalog::mirror::Mirror::of($field)),)+
                }
            }

            /// `base` with these fields.
            fn over(self, mut base: $domain) -> $domain {
                base.name = self.name.unwrap_or(base.name);
                $(if let Some(value) = self.$field {
                    base.$field = $crate::catalog::mirror::Mirror::into_domain(value);
                })+
                base
            }

            fn resolve(self) -> Result<$domain, String> {
                let preset: fn(&str) -> Option<$domain> = $preset;
                let blank: fn(&$doc) -> $domain = $blank;
                match &self.preset {
                    Some(name) => {
                        let base = preset(name).ok_or_else(|| unknown_preset(name))?;
                        Ok(self.over(base))
                    }
                    None if self.name.is_some() => {
                        let base = blank(&self);
                        Ok(self.over(base))
                    }
                    None => Err("name a preset, or give a name of its own".to_owned()),
                }
            }
        }

        fn unknown_preset(name: &str) -> String {
            format!("there is no preset {name:?}; use one of {}", $names.join(", "))
        }

        $(#[$choice_meta])*
        #[derive(Clone, PartialEq, Debug, serde::Serialize, utoipa::ToSchema)]
        #[serde(untagged)]
        pub enum $choice {
            /// The name of a preset.
            Preset(String),
            /// A table.
            Table(Box<$doc>),
        }

        $(#[$form_meta])*
        #[derive(Clone, PartialEq, Debug)]
        pub struct $form(pub $domain);

        impl $form {
            /// The shortest way to write it.
            #[must_use]
            pub fn choice(&self) -> $choice {
                let preset: fn(&str) -> Option<$domain> = $preset;
                let blank: fn(&$doc) -> $domain = $blank;
                let name = self.0.name.clone();
                match preset(&name) {
                    Some(base) if base == self.0 => $choice::Preset(name),
                    Some(base) => {
                        let doc = $doc { preset: Some(name), ..$doc::beyond(&self.0, &base) };
                        $choice::Table(Box::new(doc))
                    }
                    None => {
                        let base = blank(&$doc { name: Some(name.clone()), ..$doc::default() });
                        let doc = $doc { name: Some(name), ..$doc::beyond(&self.0, &base) };
                        $choice::Table(Box::new(doc))
                    }
                }
            }
        }

        impl Default for $form {
            fn default() -> Self {
                let preset: fn(&str) -> Option<$domain> = $preset;
                let blank: fn(&$doc) -> $domain = $blank;
                Self(preset($default).unwrap_or_else(|| blank(&$doc::default())))
            }
        }

        impl $crate::catalog::mirror::Mirror<$domain> for $form {
            fn of(value: &$domain) -> Self {
                Self(value.clone())
            }

            fn into_domain(self) -> $domain {
                self.0
            }
        }

        impl serde::Serialize for $form {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                self.choice().serialize(to)
            }
        }

        impl<'de> serde::Deserialize<'de> for $form {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                struct Form;

                impl<'de> serde::de::Visitor<'de> for Form {
                    type Value = $form;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("the name of a preset, or a table")
                    }

                    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<$form, E> {
                        let preset: fn(&str) -> Option<$domain> = $preset;
                        preset(name).map($form).ok_or_else(|| E::custom(unknown_preset(name)))
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(
                        self,
                        map: A,
                    ) -> Result<$form, A::Error> {
                        let table = serde::de::value::MapAccessDeserializer::new(map);
                        let doc = <$doc as serde::Deserialize>::deserialize(table)?;
                        doc.resolve().map($form).map_err(serde::de::Error::custom)
                    }
                }

                from.deserialize_any(Form)
            }
        }
    };
}

pub(super) use preset_form;
