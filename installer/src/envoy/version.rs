//! The versions of Envoy that steadfaas runs in, and all that differs between them.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A version of Envoy, as far as its configuration differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct EnvoyVersion {
    major: u32,
    minor: u32,
}

/// A version that won't do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum VersionError {
    /// Not a version at all.
    #[error("`{written}` is no version of Envoy: one such as 1.40 or 1.36.2 would be right")]
    Unreadable {
        /// What was written.
        written: String,
    },
    /// From before [`EnvoyVersion::OLDEST`].
    #[error("Envoy {version} is not supported: {} to {} are", EnvoyVersion::OLDEST, EnvoyVersion::NEWEST)]
    TooOld {
        /// The version.
        version: EnvoyVersion,
    },
}

impl EnvoyVersion {
    /// The oldest that is supported. What is rendered for it, all later ones take too.
    pub const OLDEST: Self = Self::minor(36);

    /// The newest that steadfaas was tried on.
    pub const NEWEST: Self = Self::minor(40);

    pub(crate) const fn minor(minor: u32) -> Self {
        Self { major: 1, minor }
    }

    /// Whether it is newer than any that steadfaas was tried on. That deserves a warning, not a refusal: Envoy keeps
    /// taking what it took for years.
    #[must_use]
    pub fn is_untried(self) -> bool {
        self > Self::NEWEST
    }

    /// Where a module's capability restriction stands: since 1.40 in the configuration of the VM (the plugin's is
    /// taken with a warning), up to 1.39 in the plugin's (the VM's is refused as an unknown field).
    pub(crate) fn restricts_the_vm(self) -> bool {
        self >= Self::minor(40)
    }
}

impl FromStr for EnvoyVersion {
    type Err = VersionError;

    /// Reads `1.40`, `1.36.2` or `v1.36.2`; the patch number makes no difference.
    fn from_str(text: &str) -> Result<Self, VersionError> {
        let unreadable = || VersionError::Unreadable { written: text.to_owned() };
        let numbers = text.strip_prefix('v').unwrap_or(text).split('.').map(str::parse::<u32>);
        let numbers = numbers.collect::<Result<Vec<_>, _>>().map_err(|_| unreadable())?;
        let version = match *numbers.as_slice() {
            [major, minor] | [major, minor, _] => Self { major, minor },
            _ => return Err(unreadable()),
        };
        if version < Self::OLDEST { Err(VersionError::TooOld { version }) } else { Ok(version) }
    }
}

impl fmt::Display for EnvoyVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_with_and_without_its_patch() {
        for text in ["1.36", "1.36.2", "v1.36.2"] {
            assert_eq!(text.parse(), Ok(EnvoyVersion::OLDEST));
        }
    }

    #[test]
    fn an_older_envoy_is_refused_and_a_newer_one_is_known_as_untried() {
        let old = "1.35.9".parse::<EnvoyVersion>().unwrap_err();
        assert_eq!(old.to_string(), "Envoy 1.35 is not supported: 1.36 to 1.40 are");
        assert!("1.41".parse::<EnvoyVersion>().unwrap().is_untried());
        assert!("2.0".parse::<EnvoyVersion>().unwrap().is_untried());
        assert!(!"1.40.7".parse::<EnvoyVersion>().unwrap().is_untried());
    }

    #[test]
    fn what_is_no_version_is_refused() {
        for text in ["", "1", "latest", "1.40.x", "1.40.0.0", "-1.40"] {
            let error = VersionError::Unreadable { written: text.to_owned() };
            assert_eq!(text.parse::<EnvoyVersion>(), Err(error));
        }
    }
}
