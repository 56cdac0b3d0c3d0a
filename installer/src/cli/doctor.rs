//! `steadfaas doctor`: finds what breaks protection.

use std::time::Duration;

use clap::Args;

use super::cluster::Cluster;
use super::output::Output;
use super::{CliError, Outcome};
use crate::doctor::{self, Finding, Severity};
use crate::facts::gather::{self, Scope};

/// Time between the two looks at what the filters count: they hand it over once a second.
const BETWEEN_LOOKS: Duration = Duration::from_millis(2_500);

/// What `steadfaas doctor` is told.
#[derive(Debug, Args)]
pub(super) struct Doctor {
    #[command(flatten)]
    output: Output,
    /// Ask every proxy, not only gateways and the first sidecars
    #[arg(long)]
    all_proxies: bool,
    #[command(flatten)]
    cluster: Cluster,
}

/// Does it.
pub(super) fn run(arguments: &Doctor) -> Result<Outcome, CliError> {
    let facts =
        arguments.cluster.run(async |access| Ok(gather::facts(&access, &arguments.scope()).await?))?;
    let findings = doctor::examine(&facts);
    arguments
        .output
        .print(&findings, |findings| in_words(findings, facts.subjects.len(), facts.proxies.len()))?;
    let broken = findings.iter().any(|finding| finding.severity == Severity::Problem);
    Ok(if broken { Outcome::NotWell } else { Outcome::Well })
}

impl Doctor {
    fn scope(&self) -> Scope {
        Scope {
            namespace: self.cluster.namespace().map(str::to_owned),
            all_proxies: self.all_proxies,
            twice: Some(BETWEEN_LOOKS),
            ..Scope::default()
        }
    }
}

/// Findings one after another: what it is about, what is wrong, what mends it.
fn in_words(findings: &[Finding], functions: usize, proxies: usize) -> String {
    let looked = format!("protected functions: {functions}, proxies asked: {proxies}; ");
    if findings.is_empty() {
        return looked + "all is well\n";
    }
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let (problems, warnings) = (count(Severity::Problem), count(Severity::Warning));
    let one = |finding: &Finding| {
        let Finding { severity, check, object, says, mend } = finding;
        format!("{} [{check}] {object}\n  {says}\n  mend: {mend}\n\n", severity.as_str())
    };
    findings.iter().map(one).collect::<String>()
        + &looked
        + &format!("problems: {problems}, warnings: {warnings}\n")
}
