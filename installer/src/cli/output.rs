//! How an answer is printed: for people, or for programs.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use serde::Serialize;

use super::CliError;

/// How an answer is printed.
#[derive(Debug, Args)]
pub(super) struct Output {
    /// For a program: JSON or YAML
    #[arg(short, long, value_name = "FORMAT")]
    output: Option<Format>,
    /// The same as -o json
    #[arg(long, conflicts_with = "output")]
    json: bool,
}

/// A format for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// JSON
    Json,
    /// YAML
    Yaml,
}

impl Output {
    /// Prints `answer` as it was asked for: for people, as `words` say it.
    pub(super) fn print<T: Serialize>(
        &self,
        answer: &T,
        words: impl FnOnce(&T) -> String,
    ) -> Result<(), CliError> {
        let format = if self.json { Some(Format::Json) } else { self.output };
        let text = match format {
            None => words(answer),
            Some(Format::Json) => serde_json::to_string_pretty(answer)? + "\n",
            Some(Format::Yaml) => serde_saphyr::to_string(answer)?,
        };
        write(&text)
    }

    /// A person reads it.
    pub(super) fn is_for_people(&self) -> bool {
        self.output.is_none() && !self.json
    }
}

/// Writes to stdout. Nobody reads any more: that is no failure.
pub(super) fn write(text: &str) -> Result<(), CliError> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(CliError::Write { path: PathBuf::from("stdout"), source: error })
        }
        _ => Ok(()),
    }
}

/// A table without lines, as kubectl prints them; as wide as the terminal, or as its text where there is none.
pub(super) fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(header);
    if io::stdout().is_terminal() {
        table.set_content_arrangement(ContentArrangement::Dynamic);
    }
    table
}
