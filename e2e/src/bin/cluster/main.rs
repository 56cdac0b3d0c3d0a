//! `cargo cluster`: a real Kubernetes on this machine.

mod cli;
mod play;

use std::fs;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;
use steadfaas_e2e::catch_up;
use steadfaas_e2e::cluster::cycle::cycle;
use steadfaas_e2e::cluster::down::down;
use steadfaas_e2e::cluster::faults;
use steadfaas_e2e::cluster::folder::Folder;
use steadfaas_e2e::cluster::images;
use steadfaas_e2e::cluster::kubectl::Kubectl;
use steadfaas_e2e::cluster::layers::{self, Layer};
use steadfaas_e2e::cluster::requirements;
use steadfaas_e2e::cluster::running::Running;
use steadfaas_e2e::cluster::status::status;
use steadfaas_e2e::cluster::steadfaas;
use steadfaas_e2e::cluster::tools;
use steadfaas_e2e::cluster::up::up;
use steadfaas_e2e::commands;
use steadfaas_e2e::many_functions;
use steadfaas_e2e::net_istio_stand_in;
use steadfaas_e2e::scenario::catalogue;
use steadfaas_tests::programs;

use cli::{Cli, Command};

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cluster: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    if command.needs_rights() {
        requirements::ensure_rights()?;
    }
    match command {
        Command::Up { nodes, with } => raise(nodes, &with),
        Command::Down => {
            let existed = down(&Folder::of_user()?)?;
            println!("{}", if existed { "the cluster is gone" } else { "there is no cluster" });
            Ok(())
        }
        Command::Status => print(&status(&Running::find()?)?),
        Command::Kubectl { words } => {
            let error = Running::find()?.kubectl().command().args(words).exec();
            Err(error).context("kubectl can't be started")
        }
        Command::Cycle { times, nodes, with } => {
            cycle(times, nodes, &with)?;
            println!("{times} clusters came and went, and left nothing behind");
            Ok(())
        }
        Command::Needs => {
            requirements::ensure()?;
            tools::ensure_sources()?;
            xtask::envoy::ensure(xtask::envoy::NEWEST)?;
            xtask::redis::ensure()?;
            print("all that a cluster needs is here\n")
        }
        Command::Image { name, file, of } => {
            match of {
                Some(function) => images::of_function(&name, &programs::find(function)?)?.write(&file)?,
                None => steadfaas::write_image(&name, &file)?,
            }
            print(&format!("{} has the image {name}\n", file.display()))
        }
        Command::Build => {
            tools::ALL.iter().try_for_each(|set| tools::ensure(set).map(drop))?;
            print("the cluster's programs are built\n")
        }
        Command::Scenarios { fewest } => {
            let asked = catalogue::ALL.iter().filter(|scenario| !fewest || !scenario.is_repeated());
            asked.map(|scenario| format!("{}\n", scenario.name)).try_for_each(|line| print(&line))
        }
        Command::Play(asked) => play::play(&asked),
        Command::Commands => commands::run(&Running::find()?),
        Command::CatchUp { long } => {
            let running = Running::find()?;
            faults::take_back(&running)?;
            catch_up::run(&running, long)
        }
        Command::ManyFunctions { count, istiod } => {
            many_functions::run(&Running::find()?, count.into(), &istiod)
        }
        Command::Logs { name } => logs(&name),
        Command::Shell { node } => {
            let shell = std::env::var_os("SHELL").unwrap_or_else(|| "/bin/sh".into());
            let error = Running::find()?.machine(&node)?.command(shell).exec();
            Err(error).context("no shell can be started")
        }
        Command::NetIstioStandIn { kubectl, kubeconfig } => {
            net_istio_stand_in::run(&Kubectl::of_here(kubectl, kubeconfig))
        }
    }
}

fn raise(nodes: u8, with: &[Layer]) -> anyhow::Result<()> {
    let running = up(nodes)?;
    layers::add(&running, with)?;
    let mut runs = vec!["Kubernetes runs".to_owned()];
    for layer in layers::whole(with) {
        runs.push(layer.reached(&running)?);
    }
    println!(
        "{}: `cargo cluster kubectl get pods -A` asks it, `cargo cluster down` ends it",
        runs.join(", ")
    );
    Ok(())
}

/// Logs are there to be read even where the cluster never came up.
fn logs(name: &str) -> anyhow::Result<()> {
    let (machine, program) = name.split_once('/').unwrap_or(("control", name));
    let path = Folder::of_user()?.join(&format!("{machine}/log/{program}.log"));
    let text = fs::read_to_string(&path);
    print(&text.with_context(|| format!("there is no log {name}: {} can't be read", path.display()))?)
}

fn print(text: &str) -> anyhow::Result<()> {
    Ok(std::io::stdout().write_all(text.as_bytes())?)
}
