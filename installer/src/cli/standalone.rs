//! `steadfaas standalone`: a functions file in, a complete Envoy bootstrap out.

use std::fs;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value;

use super::CliError;
use crate::standalone::{
    DEFAULT_ADMIN, DEFAULT_LISTEN, EnvoyVersion, FunctionsFile, Module, Options, render,
};

/// What whoever edits the bootstrap has to know: the filter asks the proxy less where routes are those that we write.
const OWN_ROUTES: &str =
    "# With routes or filters of your own in it, set `own_routes` in the filter's configuration to false.";

/// What `steadfaas standalone` is told.
#[derive(Debug, Args)]
pub(super) struct Standalone {
    /// The functions: their replicas, and how they are protected
    file: PathBuf,
    /// Where clients are awaited
    #[arg(long, value_name = "ADDR", default_value_t = DEFAULT_LISTEN)]
    listen: SocketAddr,
    /// Where Envoy's admin endpoint is; whoever reaches it can stop Envoy
    #[arg(long, value_name = "ADDR", default_value_t = DEFAULT_ADMIN)]
    admin: SocketAddr,
    /// The oldest Envoy that is to read the bootstrap
    #[arg(long, value_name = "V", default_value_t = EnvoyVersion::OLDEST)]
    envoy_version: EnvoyVersion,
    /// How many workers Envoy is to be started with [default: one for each core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    concurrency: Option<u32>,
    /// Tell clients, by the header x-steadfaas, what was done for their request
    #[arg(long)]
    response_header: bool,
    /// Where the bootstrap goes: JSON if it ends in .json, else YAML; - is stdout
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,
}

/// Does it.
pub(super) fn run(arguments: &Standalone) -> Result<(), CliError> {
    let path = &arguments.file;
    let text = fs::read_to_string(path).map_err(|source| CliError::Read { path: path.clone(), source })?;
    let file = FunctionsFile::parse(&text, &path.display().to_string())?;
    let options = arguments.options();
    let bootstrap = render(&file, &options)?;
    arguments.warn(&file);
    let text = arguments.write_down(&bootstrap, &options)?;
    arguments.put(&text, &options)
}

impl Standalone {
    fn options(&self) -> Options {
        Options {
            listen: self.listen,
            admin: self.admin,
            envoy_version: self.envoy_version,
            concurrency: self.concurrency,
            response_header: self.response_header,
            module: Module::Shipped,
        }
    }

    /// What isn't wrong, but not what was meant either.
    fn warn(&self, file: &FunctionsFile) {
        if self.envoy_version.is_untried() {
            let (given, newest) = (self.envoy_version, EnvoyVersion::NEWEST);
            eprintln!(
                "warning: Envoy {given} is newer than {newest}, the newest that steadfaas was tried on"
            );
        }
        for function in file.functions.iter().filter(|function| function.tolerates_all_its_replicas_failing())
        {
            let (path, line, name) = (self.file.display(), function.line, &function.name);
            let tolerate = function.policy.tolerate;
            eprintln!(
                "{path}:{line}: warning: function `{name}`: to survive {tolerate} failing at once it needs more than \
                 {tolerate} in `replicas`"
            );
        }
    }

    fn goes_to_stdout(&self) -> bool {
        self.output == Path::new("-")
    }

    /// The bootstrap as text.
    fn write_down(&self, bootstrap: &Value, options: &Options) -> Result<String, CliError> {
        if self.output.extension().is_some_and(|extension| extension == "json") {
            return Ok(serde_json::to_string_pretty(bootstrap)? + "\n");
        }
        let (version, file) = (env!("CARGO_PKG_VERSION"), self.file.display());
        let command = options.command(&if self.goes_to_stdout() { "FILE".to_owned() } else { self.name() });
        // The module is one line of 250,000 characters: it must not be wrapped into a thousand.
        let style = serde_saphyr::ser_options! { prefer_block_scalars: false };
        let yaml = serde_saphyr::to_string_with_options(bootstrap, style)?;
        Ok(format!(
            "# Made from {file} by steadfaas {version}. Start it with: {command}\n{OWN_ROUTES}\n{yaml}"
        ))
    }

    fn put(&self, text: &str, options: &Options) -> Result<(), CliError> {
        let write = |source| CliError::Write { path: self.output.clone(), source };
        if self.goes_to_stdout() {
            return io::stdout().write_all(text.as_bytes()).map_err(write);
        }
        fs::write(&self.output, text).map_err(write)?;
        eprintln!("start it with: {}", options.command(&self.name()));
        Ok(())
    }

    fn name(&self) -> String {
        self.output.display().to_string()
    }
}
