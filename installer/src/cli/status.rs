//! `steadfaas status`: how protected functions are.

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use clap::Args;

use super::cluster::Cluster;
use super::output::{Output, table, write};
use super::{CliError, Outcome};
use crate::access::Access;
use crate::facts::gather::{self, Scope};
use crate::protect::find;
use crate::status::{Row, extra_attempts, replicas_in_words, rows};

/// Time between two looks of `--watch`: the filters hand over what they count once a second.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Clears a terminal.
const CLEAR: &str = "\x1b[2J\x1b[H";

/// What `steadfaas status` is told.
#[derive(Debug, Args)]
pub(super) struct Status {
    /// Only this function, with each of its replicas; else all that are protected
    name: Option<String>,
    /// Show it again and again, until interrupted
    #[arg(short, long)]
    watch: bool,
    /// Functions of all namespaces
    #[arg(short = 'A', long, conflicts_with = "name")]
    all_namespaces: bool,
    /// Ask every proxy, not only gateways and the first sidecars
    #[arg(long)]
    all_proxies: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    cluster: Cluster,
}

/// Does it. That a function isn't well is the answer, not a failure.
pub(super) fn run(arguments: &Status) -> Result<Outcome, CliError> {
    arguments.cluster.run(async |access| {
        arguments.show(&access).await?;
        if !arguments.watch {
            return Ok(Outcome::Well);
        }
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            // Whoever watches wants to see how it goes on: an API server may be away for a while.
            if let Err(error) = arguments.show(&access).await {
                error.complain();
            }
        }
    })
}

impl Status {
    async fn show(&self, access: &Access) -> Result<(), CliError> {
        let rows = rows(&gather::facts(access, &self.scope(access)).await?);
        if let (Some(name), true) = (&self.name, rows.is_empty()) {
            return Err(not_protected(access, name).await);
        }
        if self.watch && self.output.is_for_people() && io::stdout().is_terminal() {
            write(CLEAR)?;
        }
        self.output.print(&rows, |rows| self.in_words(rows, access))
    }

    fn scope(&self, access: &Access) -> Scope {
        let namespace = (!self.all_namespaces).then(|| access.namespace.clone());
        Scope { namespace, name: self.name.clone(), all_proxies: self.all_proxies, twice: None }
    }

    fn in_words(&self, rows: &[Row], access: &Access) -> String {
        if rows.is_empty() {
            let place = if self.all_namespaces {
                "the cluster".to_owned()
            } else {
                format!("namespace {}", access.namespace)
            };
            return format!(
                "no function of {place} is protected: `steadfaas protect NAME --strategy active-standby` protects one\n"
            );
        }
        let mut text = overview(rows);
        if self.name.is_some() {
            rows.iter().for_each(|row| text += &details(row));
        }
        text
    }
}

/// It isn't there, or it is and isn't protected.
async fn not_protected(access: &Access, name: &str) -> CliError {
    match find(access, name).await {
        Err(error) => error.into(),
        Ok(found) => CliError::Failed(format!(
            "{} isn't protected: `steadfaas protect {name} -n {} --strategy active-standby` protects it",
            found.function.kubectl_name(),
            access.namespace
        )),
    }
}

fn overview(rows: &[Row]) -> String {
    let mut table =
        table(["FUNCTION", "PLATFORM", "STRATEGY", "REPLICAS", "PROXIES", "EXTRA ATTEMPTS", "PROBLEM"]);
    for row in rows {
        let strategy = row.strategy.clone().unwrap_or_else(|| "-".to_owned());
        let tolerate = row.tolerate.map_or_else(String::new, |tolerate| format!(", K = {tolerate}"));
        table.add_row([
            row.function.clone(),
            row.platform.clone(),
            format!("{strategy}{tolerate}"),
            replicas_in_words(&row.replicas),
            proxies(row),
            extra_attempts(row),
            row.problems.first().cloned().unwrap_or_else(|| "-".to_owned()),
        ]);
    }
    trimmed(&table.to_string())
}

fn proxies(row: &Row) -> String {
    let counted = |having, all, word: &str| match all {
        0 => None,
        all => Some(format!("{having} of {all} {word}{}", if all == 1 { "" } else { "s" })),
    };
    let gateways = counted(row.proxies.gateways, row.proxies.gateways_asked, "gateway");
    let sidecars = counted(row.proxies.sidecars, row.proxies.sidecars_asked, "sidecar");
    let both: Vec<String> = gateways.into_iter().chain(sidecars).collect();
    if both.is_empty() { "none".to_owned() } else { both.join(", ") }
}

/// Each replica, and all that is wrong.
fn details(row: &Row) -> String {
    let mut replicas = table(["REPLICA", "ADDRESS", "NODE", "STATE"]);
    for replica in &row.replicas {
        let state = format!("{:?}", replica.state).to_lowercase();
        let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        replicas.add_row([or_none(&replica.pod), replica.address.clone(), or_none(&replica.node), state]);
    }
    let problems: String = row.problems.iter().map(|problem| format!("- {problem}\n")).collect();
    let wrong = if problems.is_empty() { String::new() } else { format!("\n{problems}") };
    format!("\n{}{wrong}", trimmed(&replicas.to_string()))
}

/// Without spaces at ends of lines.
fn trimmed(text: &str) -> String {
    text.lines().map(|line| format!("{}\n", line.trim())).collect()
}
