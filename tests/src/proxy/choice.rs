//! Which proxy, as it is written on the command line: `steadfaas`, `steadfaas:active-standby,hedge-after=25ms`, `envoy-istio`, …

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::peers::ENVOYS;
use crate::process::in_path;

/// A proxy with its configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// steadfaas, with a function's annotations (without their prefix), `strategy` first.
    Steadfaas(Vec<(String, String)>),
    /// Envoy, with the configuration of this name in `tests/peers`.
    Envoy(&'static str),
    /// `HAProxy`, with `tests/peers/haproxy.cfg`.
    Haproxy,
    /// nginx, with `tests/peers/nginx.conf`.
    Nginx,
}

/// Not the name of a proxy.
#[derive(Debug, Error, PartialEq, Eq)]
#[error(
    "no proxy {0:?}: there are steadfaas, steadfaas:<strategy>[,option=value…], envoy-plain, envoy-istio, envoy-priority, \
     envoy-hedge50, haproxy and nginx"
)]
pub struct UnknownProxy(String);

impl Choice {
    /// The one policy that is measured in every fault: nothing is tuned, and any request may be repeated.
    #[must_use]
    pub fn steadfaas() -> Self {
        Self::Steadfaas(vec![annotation("strategy", "active-standby"), annotation("idempotent", "true")])
    }

    /// Every peer that can be run here.
    #[must_use]
    pub fn peers() -> Vec<Self> {
        let envoys = ENVOYS.map(|(name, _)| Self::Envoy(name));
        let others = [Self::Haproxy, Self::Nginx].into_iter().filter(Self::is_installed);
        envoys.into_iter().chain(others).collect()
    }

    /// Whether it is a command that is there; an Envoy can always be had.
    #[must_use]
    pub fn is_installed(&self) -> bool {
        match self {
            Self::Steadfaas(_) | Self::Envoy(_) => true,
            Self::Haproxy => in_path("haproxy"),
            Self::Nginx => in_path("nginx"),
        }
    }
}

fn annotation(key: &str, value: &str) -> (String, String) {
    (key.to_owned(), value.to_owned())
}

impl fmt::Display for Choice {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Envoy(name) => out.write_str(name),
            Self::Haproxy => out.write_str("haproxy"),
            Self::Nginx => out.write_str("nginx"),
            Self::Steadfaas(_) if *self == Self::steadfaas() => out.write_str("steadfaas"),
            Self::Steadfaas(annotations) => {
                out.write_str("steadfaas")?;
                annotations.iter().enumerate().try_for_each(|(index, (key, value))| match index {
                    0 => write!(out, ":{value}"),
                    _ => write!(out, ",{key}={value}"),
                })
            }
        }
    }
}

impl FromStr for Choice {
    type Err = UnknownProxy;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || UnknownProxy(text.to_owned());
        match text {
            "steadfaas" => Ok(Self::steadfaas()),
            "haproxy" => Ok(Self::Haproxy),
            "nginx" => Ok(Self::Nginx),
            _ => match text.strip_prefix("steadfaas:") {
                Some(policy) => parse_policy(policy).map(Self::Steadfaas).ok_or_else(unknown),
                None => ENVOYS
                    .iter()
                    .find(|(name, _)| *name == text)
                    .map(|(name, _)| Self::Envoy(name))
                    .ok_or_else(unknown),
            },
        }
    }
}

/// `active-standby,hedge-after=25ms`: whether strategy and options are right is for the installer to say.
fn parse_policy(text: &str) -> Option<Vec<(String, String)>> {
    let mut words = text.split(',');
    let strategy = words.next().filter(|word| !word.is_empty())?;
    let options = words.map(|word| word.split_once('=').map(|(key, value)| annotation(key, value)));
    std::iter::once(Some(annotation("strategy", strategy))).chain(options).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_proxy_is_written_as_it_is_read() {
        for text in [
            "steadfaas",
            "steadfaas:retry",
            "steadfaas:active-standby,tolerate=2,hedge-after=25ms",
            "envoy-istio",
            "nginx",
        ] {
            assert_eq!(text.parse::<Choice>().unwrap().to_string(), text);
        }
        for choice in Choice::peers() {
            assert_eq!(choice.to_string().parse(), Ok(choice));
        }
    }

    #[test]
    fn what_is_no_proxy_is_refused_with_those_there_are() {
        for text in ["steadfaas:", "steadfaas:retry,tolerate", "envoy", "Nginx"] {
            let error = text.parse::<Choice>().unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("no proxy {text:?}")) && error.contains("envoy-istio"),
                "{error}"
            );
        }
    }
}
