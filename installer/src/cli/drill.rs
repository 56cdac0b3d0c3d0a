//! `steadfaas drill`: a safe rehearsal.

use std::time::Duration;

use clap::Args;
use hyper::Uri;

use super::cluster::Cluster;
use super::output::Output;
use super::{CliError, Outcome};
use crate::drill::{self, Plan};

/// What `steadfaas drill` is told.
#[derive(Debug, Args)]
pub(super) struct Drill {
    /// The function
    name: String,
    /// The pod to delete [default: an active one]
    #[arg(long, value_name = "NAME")]
    pod: Option<String>,
    /// How long the pod may take to end; 1 is close to a crash [default: what its specification says]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    grace: Option<u32>,
    /// How long to watch at the most
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..))]
    timeout: u64,
    /// Call this meanwhile, 20 times a second (http:// only), and report what was answered
    #[arg(long, value_name = "URL", value_parser = url)]
    call: Option<Uri>,
    /// The Host header of those calls
    #[arg(long, value_name = "NAME", requires = "call")]
    host: Option<String>,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    cluster: Cluster,
}

/// Does it.
pub(super) fn run(arguments: &Drill) -> Result<Outcome, CliError> {
    let plan = arguments.plan();
    let say = |line: &str| eprintln!("{line}");
    let outcome = arguments.cluster.run(async |access| Ok(drill::run(&access, &plan, say).await?))?;
    arguments.output.print(&outcome, drill::Outcome::in_words)?;
    Ok(if outcome.is_well() { Outcome::Well } else { Outcome::NotWell })
}

impl Drill {
    fn plan(&self) -> Plan {
        Plan {
            name: self.name.clone(),
            pod: self.pod.clone(),
            grace_seconds: self.grace,
            patience: Duration::from_secs(self.timeout),
            call: self.call.clone().map(|url| (url, self.host.clone())),
        }
    }
}

fn url(text: &str) -> Result<Uri, String> {
    let wrong = || "a URL such as http://gateway.example.com/fib would be right".to_owned();
    let url: Uri = text.parse().map_err(|_| wrong())?;
    if url.scheme_str() == Some("http") && url.host().is_some() { Ok(url) } else { Err(wrong()) }
}
