//! The parts on a real Kubernetes, by `cargo cluster`. They come last: what proves itself without is proven by then, and
//! nothing that measures runs beside the Go compiler, which has both cores for some 15 minutes where the cluster's
//! programs are not in the cache yet. Even with what the processor had left over it made cells of the matrix fail.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use super::heard;
use crate::command::output_of;
use crate::functions::Function;
use crate::supplies::{Supplies, Supply};
use crate::target_dir;
use crate::verify::part::Outcome;
use crate::verify::tally::Tally;
use crate::verify::together::Package;

/// What a cluster has images of.
const IMAGES: [Supply; 3] = [
    Supply::Function(Function::Fib),
    Supply::Function(Function::Guestbook),
    Supply::Function(Function::Primes),
];

/// What trials take.
const NEEDED: [Supply; 2] = [Supply::NewestEnvoy, Supply::Module];

/// Up, every scenario that no other one repeats, steadfaas' own commands, a controller that has to catch up, down; each
/// counts.
pub(super) fn scenarios(supplies: &Supplies) -> Result<Outcome> {
    let cluster = match Cluster::ready(supplies)? {
        Ok(cluster) => cluster,
        Err(why) => return Ok(Outcome::NotRun(why)),
    };
    let program = Package::Installer.program(supplies, "steadfaas")?;
    let play = |name: &str| -> Result<Tally> {
        let mut command = cluster.command(&["play", name]);
        Ok(heard(supplies.hand(&NEEDED, command.env("STEADFAAS_BIN", &program))?))
    };
    let names = output_of(&mut cluster.command(&["scenarios", "--fewest"]))?;
    // What a scenario needs on top comes with the first one that does.
    let mut tally = heard(supplies.hand(&IMAGES, &mut cluster.command(&["up"]))?);
    if tally == Tally::PASSED {
        names.lines().try_for_each(|name| play(name).map(|played| tally += played))?;
        // Kubelets need up to a minute to find an API server again that was away: nothing comes after that.
        for whole in ["commands", "catch-up"] {
            let mut command = cluster.command(&[whole]);
            tally += heard(supplies.hand(&NEEDED, command.env("STEADFAAS_BIN", &program))?);
        }
    }
    tally += heard(&mut cluster.command(&["down"]));
    Ok(Outcome::Counted(tally))
}

/// Two clusters come and go; the second one is compared with the first.
pub(super) fn cycles(supplies: &Supplies) -> Result<Outcome> {
    Ok(match Cluster::ready(supplies)? {
        Ok(cluster) => {
            let mut command = cluster.command(&["cycle", "--times", "2"]);
            Outcome::Counted(heard(supplies.hand(&IMAGES, &mut command)?))
        }
        Err(why) => Outcome::NotRun(why),
    })
}

/// `cargo cluster`, for a cluster beside the one that the user may have.
struct Cluster {
    program: PathBuf,
}

impl Cluster {
    /// It, once all that it needs is here; else what is missing.
    fn ready(supplies: &Supplies) -> Result<Result<Self, String>> {
        let cluster = Self { program: Package::E2e.program(supplies, "cluster")? };
        let mut needs = cluster.command(&["needs"]);
        let needs = needs.stdin(Stdio::null()).output().context("`cargo cluster` can't be started")?;
        let why = String::from_utf8_lossy(&needs.stderr);
        let why = why.lines().last().unwrap_or("it doesn't say why").trim_start_matches("cluster: ");
        Ok(if needs.status.success() { Ok(cluster) } else { Err(why.to_owned()) })
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(words).env("STEADFAAS_CLUSTER", target_dir().join("verify-cluster"));
        command
    }
}
