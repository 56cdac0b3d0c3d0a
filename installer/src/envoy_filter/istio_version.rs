//! The versions of Istio that are supported, and all that differs between them.

use std::fmt;
use std::str::FromStr;

use crate::envoy::version::EnvoyVersion;

/// A version of Istio, as far as EnvoyFilters differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct IstioVersion {
    major: u32,
    minor: u32,
}

/// What a version needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needs {
    /// The version that it starts with: 1.`minor`.
    minor: u32,
    /// The Envoy inside its proxy.
    pub envoy: EnvoyVersion,
    /// Its proxies know a cluster's own retry policy. Where they don't, the routes' own retries stand (by default two,
    /// 25 ms apart and more, for failures that prove that nothing ran; none on Knative's routes), to which the filter
    /// adds by header what the policy says.
    pub cluster_retries: bool,
}

/// By version. `override_host` is in Istio's proxy from 1.27 on, a cluster's retry policy from Envoy 1.37 on.
const TABLE: [Needs; 6] = [
    Needs { minor: 27, envoy: EnvoyVersion::minor(35), cluster_retries: false },
    Needs { minor: 28, envoy: EnvoyVersion::minor(36), cluster_retries: false },
    Needs { minor: 29, envoy: EnvoyVersion::minor(37), cluster_retries: true },
    Needs { minor: 30, envoy: EnvoyVersion::minor(38), cluster_retries: true },
    Needs { minor: 31, envoy: EnvoyVersion::minor(39), cluster_retries: true },
    Needs { minor: 32, envoy: EnvoyVersion::minor(40), cluster_retries: true },
];

impl IstioVersion {
    /// The oldest that there are settings for.
    pub const OLDEST: Self = Self { major: 1, minor: 27 };

    /// What is rendered where no version is named. Later ones take it too; an older istiod leaves out what it doesn't know.
    pub const DEFAULT: Self = Self { major: 1, minor: 29 };

    /// The oldest that is supported: it still gets updates.
    pub const SUPPORTED: Self = Self { major: 1, minor: 28 };

    /// The version that a name such as `1.29.2-distroless` begins with, however old; nothing in one that isn't a version.
    #[must_use]
    pub fn read(name: &str) -> Option<Self> {
        let mut numbers = name.strip_prefix('v').unwrap_or(name).split(['.', '-']).map(str::parse::<u32>);
        let mut number = || numbers.next().and_then(Result::ok);
        Some(Self { major: number()?, minor: number()? })
    }

    /// What it needs; a version newer than the table, what its last one needs.
    #[must_use]
    pub fn needs(self) -> Needs {
        let [oldest, ..] = TABLE;
        TABLE.into_iter().rev().find(|needs| self >= Self { major: 1, minor: needs.minor }).unwrap_or(oldest)
    }
}

impl FromStr for IstioVersion {
    type Err = String;

    /// Reads `1.29`, `1.29.2` or `v1.29.2`; the patch number makes no difference.
    fn from_str(text: &str) -> Result<Self, String> {
        let unreadable =
            || format!("`{text}` is no version of Istio: one such as 1.29 or 1.29.2 would be right");
        let mut numbers = text.strip_prefix('v').unwrap_or(text).splitn(3, '.').map(str::parse::<u32>);
        let mut number = || numbers.next().and_then(Result::ok).ok_or_else(unreadable);
        let version = Self { major: number()?, minor: number()? };
        if version < Self::OLDEST {
            return Err(format!("Istio {version} is not supported: {} and later are", Self::OLDEST));
        }
        Ok(version)
    }
}

impl fmt::Display for IstioVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs(text: &str) -> Needs {
        text.parse::<IstioVersion>().unwrap().needs()
    }

    #[test]
    fn a_cluster_has_retries_of_its_own_from_1_29_on() {
        assert!(!needs("1.27").cluster_retries);
        assert!(!needs("v1.28.7").cluster_retries);
        assert!(needs("1.29.0-rc.1").cluster_retries);
        assert!(needs("1.40").cluster_retries && needs("2.0").cluster_retries);
    }

    #[test]
    fn a_version_is_read_out_of_an_images_tag() {
        let read = |name: &str| IstioVersion::read(name).map(|version| version.to_string());
        assert_eq!(read("1.26.3-distroless").as_deref(), Some("1.26"));
        assert_eq!(read("1.31-alpha.5c1").as_deref(), Some("1.31"));
        assert_eq!((read("unknown"), read("latest")), (None, None));
    }

    #[test]
    fn the_table_goes_up_by_one() {
        for pair in TABLE.windows(2) {
            assert_eq!(pair[0].minor + 1, pair[1].minor);
            assert!(pair[0].envoy < pair[1].envoy);
        }
        assert_eq!(IstioVersion::OLDEST.needs(), TABLE[0]);
    }

    #[test]
    fn what_is_too_old_or_no_version_is_refused() {
        let refused = |text: &str| text.parse::<IstioVersion>().unwrap_err();
        assert_eq!(refused("1.26.3"), "Istio 1.26 is not supported: 1.27 and later are");
        for text in ["", "1", "latest", "1.x", "-1.30"] {
            assert!(refused(text).starts_with(&format!("`{text}` is no version of Istio")), "{text}");
        }
    }
}
