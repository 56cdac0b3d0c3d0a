//! One entry of `functions`: its fields and its policy.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use steadfaas_core::envoy::ADMIN_CLUSTER;
use steadfaas_core::policy::{self, Policy, PolicyError, WrittenPolicy};

use super::error::Problem;
use super::replicas::{self, Replicas};
use super::yaml::{Key, Node, Value};
use super::{FileError, host, standby};

/// The fields of a function beside the annotations.
const FIELDS: [&str; 4] = ["name", replicas::FIELD, "host", "protocol"];

/// A function that a file describes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Its name: the cluster's, and what metrics and messages show.
    pub name: String,
    /// The line that it starts on.
    pub line: u64,
    /// Its endpoints.
    pub replicas: Replicas,
    /// Replicas of another service, which stand by.
    pub standby: Vec<SocketAddr>,
    /// The domain whose requests are for it; nothing means any.
    pub host: Option<String>,
    /// What its replicas speak.
    pub protocol: Protocol,
    /// Its annotations, as they travel to the filter.
    pub written: WrittenPolicy,
    /// What its annotations mean.
    pub policy: Policy,
}

/// What replicas speak.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1.
    #[default]
    Http1,
    /// HTTP/2 without TLS, as gRPC functions do.
    Http2,
}

impl Protocol {
    fn parse(text: &str) -> Result<Self, Problem> {
        match text {
            "http1" => Ok(Self::Http1),
            "http2" => Ok(Self::Http2),
            other => Err(Problem::wrong_text("protocol", other, "http1 or http2")),
        }
    }
}

impl Function {
    /// Reads an entry of the file `file`.
    pub(super) fn parse(entry: &Node, file: &str) -> Result<Self, FileError> {
        let error = |function, wrong| FileError::new(file, function, wrong);
        let fields = Fields::of(entry).map_err(|wrong| error(None, wrong))?;
        let name = fields.name().map_err(|wrong| error(None, wrong))?;
        fields.function(&name).map_err(|wrong| error(Some(name), wrong))
    }

    /// The host as a message says it.
    pub(super) fn host_in_words(&self) -> String {
        self.host.as_ref().map_or_else(|| "any".to_owned(), |host| format!("`{host}`"))
    }

    /// Whether the failures to survive would leave no replica. Of a DNS name nobody knows yet how many it stands for.
    #[must_use]
    pub fn tolerates_all_its_replicas_failing(&self) -> bool {
        match &self.replicas {
            Replicas::Addresses(addresses) => addresses.len() <= usize::from(self.policy.tolerate),
            Replicas::Names(_) => false,
        }
    }
}

/// Line and problem.
type Wrong = (u64, Problem);

/// The fields of one entry.
struct Fields<'a> {
    line: u64,
    entries: &'a [(Key, Node)],
}

impl<'a> Fields<'a> {
    fn of(entry: &'a Node) -> Result<Self, Wrong> {
        match &entry.value {
            Value::Map(entries) => Ok(Self { line: entry.line, entries }),
            other => Err((entry.line, Problem::NotAFunction { found: other.describe() })),
        }
    }

    fn get(&self, field: &str) -> Option<&'a Node> {
        self.entries.iter().find(|(key, _)| key.text == field).map(|(_, node)| node)
    }

    /// The text of `field`, if it is there.
    fn text(&self, field: &str, expected: &'static str) -> Result<Option<(u64, &'a str)>, Wrong> {
        let Some(node) = self.get(field) else { return Ok(None) };
        match &node.value {
            Value::Text(text) => Ok(Some((node.line, text))),
            other => Err((node.line, Problem::wrong(field, other.describe(), expected))),
        }
    }

    fn name(&self) -> Result<String, Wrong> {
        let expected = "the function's name, such as fib,";
        let missing = || (self.line, Problem::Missing { field: "name", expected });
        let (line, name) = self.text("name", expected)?.ok_or_else(missing)?;
        if name == ADMIN_CLUSTER {
            return Err((line, Problem::NameReserved));
        }
        Ok(name.to_owned())
    }

    fn function(&self, name: &str) -> Result<Function, Wrong> {
        self.check_keys()?;
        let replicas = self.replicas()?;
        let host = self.host()?;
        let protocol = self.protocol()?;
        let standby = self.standby(&replicas)?;
        let mut written = WrittenPolicy::new(name, self.settings()?);
        written.placement.standby = standby.iter().map(SocketAddr::to_string).collect();
        let policy = Policy::compile(&written).map_err(|error| self.locate(error))?;
        let (name, line) = (name.to_owned(), self.line);
        Ok(Function { name, line, replicas, standby, host, protocol, written, policy })
    }

    fn check_keys(&self) -> Result<(), Wrong> {
        let known = || FIELDS.into_iter().chain(policy::KEYS);
        match self.entries.iter().find(|(key, _)| !known().any(|known| known == key.text)) {
            None => Ok(()),
            Some((key, _)) => {
                let expected = format!("one of {}", known().collect::<Vec<_>>().join(", "));
                Err((key.line, Problem::UnknownKey { key: key.text.clone(), expected }))
            }
        }
    }

    fn replicas(&self) -> Result<Replicas, Wrong> {
        let missing = Problem::Missing { field: replicas::FIELD, expected: replicas::EXPECTED };
        self.get(replicas::FIELD).ok_or((self.line, missing)).and_then(replicas::parse)
    }

    fn standby(&self, replicas: &Replicas) -> Result<Vec<SocketAddr>, Wrong> {
        let Some((line, text)) = self.text(standby::KEY, "a single value")? else { return Ok(Vec::new()) };
        standby::parse(text, replicas).map_err(|problem| (line, problem))
    }

    fn host(&self) -> Result<Option<String>, Wrong> {
        let Some((line, text)) = self.text("host", host::EXPECTED)? else { return Ok(None) };
        host::parse(text).map_err(|problem| (line, problem))
    }

    fn protocol(&self) -> Result<Protocol, Wrong> {
        match self.text("protocol", "http1 or http2")? {
            None => Ok(Protocol::default()),
            Some((line, text)) => Protocol::parse(text).map_err(|problem| (line, problem)),
        }
    }

    /// The annotations: every key that isn't a field of ours.
    fn settings(&self) -> Result<BTreeMap<String, String>, Wrong> {
        let mut settings = BTreeMap::new();
        for key in policy::KEYS {
            if let Some((_, text)) = self.text(key, "a single value")? {
                settings.insert(key.to_owned(), text.to_owned());
            }
        }
        Ok(settings)
    }

    /// The line of the key that a policy's error is about.
    fn locate(&self, error: PolicyError) -> Wrong {
        let field = error.key().unwrap_or("name");
        (self.get(field).map_or(self.line, |node| node.line), error.into())
    }
}
