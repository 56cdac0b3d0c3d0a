//! Why a command fails, said in one line, and with which exit code.

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use thiserror::Error;

use super::NOT_WELL;
use crate::access::ClusterError;
use crate::controller::ControllerError;
use crate::drill::DrillError;
use crate::install::InstallError;
use crate::protect::FindError;
use crate::standalone::{FileError, RenderError};

/// Exit code when a file can't be read or written, or the cluster doesn't do what it is asked.
const FAILED: u8 = 1;

/// Exit code when what was given is wrong; clap's own, too.
const WRONG_INPUT: u8 = 2;

/// Why a command fails.
#[derive(Debug, Error)]
pub(super) enum CliError {
    #[error("{} can't be read", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} can't be written", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Render(#[from] RenderError),
    #[error("the result can't be written as YAML")]
    Yaml(#[from] serde_saphyr::SerializeError),
    #[error("the result can't be written as JSON")]
    Json(#[from] serde_json::Error),
    #[error("the command can't be run")]
    Runtime(#[source] io::Error),
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    #[error(transparent)]
    Controller(#[from] ControllerError),
    #[error(transparent)]
    Install(#[from] InstallError),
    #[error(transparent)]
    Find(#[from] FindError),
    #[error(transparent)]
    Drill(#[from] DrillError),
    #[error("{0}")]
    Wrong(String),
    #[error("{0}")]
    Failed(String),
}

impl CliError {
    /// Says it, and with what the program ends.
    pub(super) fn complain(&self) -> ExitCode {
        eprintln!("{}", self.in_one_line());
        ExitCode::from(self.exit_code())
    }

    /// The error and its causes.
    fn in_one_line(&self) -> String {
        let mut line = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            // Writing to a string can't fail.
            let _ = write!(line, ": {error}");
            cause = error.source();
        }
        line
    }

    fn exit_code(&self) -> u8 {
        match self {
            // Read it was, but it isn't text.
            Self::Read { source, .. } if source.kind() == io::ErrorKind::InvalidData => WRONG_INPUT,
            Self::Read { .. }
            | Self::Write { .. }
            | Self::Runtime(_)
            | Self::Failed(_)
            | Self::Controller(_) => FAILED,
            Self::Drill(DrillError::Refused { .. }) => NOT_WELL,
            Self::Drill(_) | Self::Install(_) => FAILED,
            Self::Cluster(ClusterError::Refused { .. }) | Self::Find(FindError::Cluster(_)) => FAILED,
            _ => WRONG_INPUT,
        }
    }
}
