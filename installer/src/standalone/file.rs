//! A functions file: read, checked, and compiled into what the renderer needs.

use super::error::Problem;
use super::yaml::{self, Node, Value};
use super::{FileError, Function};

/// The one key of the file.
const FUNCTIONS: &str = "functions";

/// What the key holds.
const EXPECTED: &str = "a list of functions, each with `name`, `replicas` and `strategy`,";

/// All that a functions file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionsFile {
    /// The functions, in the file's order; names and hosts differ.
    pub functions: Vec<Function>,
}

impl FunctionsFile {
    /// Reads `text`, which messages call `file_name`.
    ///
    /// # Errors
    /// The first thing that is wrong, with its line.
    pub fn parse(text: &str, file_name: &str) -> Result<Self, FileError> {
        let error = |function, wrong| FileError::new(file_name, function, wrong);
        let root = yaml::parse(text).map_err(|wrong| error(None, wrong))?;
        let entries = entries(&root).map_err(|wrong| error(None, wrong))?;
        let mut functions = Vec::new();
        for entry in entries {
            let function = Function::parse(entry, file_name)?;
            if let Some(clash) = clash(&functions, &function) {
                return Err(error(Some(function.name), (function.line, clash)));
            }
            functions.push(function);
        }
        Ok(Self { functions })
    }
}

/// The entries of `functions`.
fn entries(root: &Node) -> Result<&[Node], (u64, Problem)> {
    let map = match &root.value {
        Value::Map(map) => map,
        other => return Err((root.line, Problem::NotAMap { found: other.describe() })),
    };
    if let Some((key, _)) = map.iter().find(|(key, _)| key.text != FUNCTIONS) {
        let expected = format!("`{FUNCTIONS}`");
        return Err((key.line, Problem::UnknownKey { key: key.text.clone(), expected }));
    }
    match map.first() {
        None => Err((root.line, Problem::Missing { field: FUNCTIONS, expected: EXPECTED })),
        Some((_, Node { value: Value::List(entries), .. })) if !entries.is_empty() => Ok(entries),
        Some((_, node)) => Err((node.line, Problem::wrong(FUNCTIONS, node.value.describe(), EXPECTED))),
    }
}

/// What `function` takes from one before it.
fn clash(before: &[Function], function: &Function) -> Option<Problem> {
    if let Some(other) = before.iter().find(|other| other.name == function.name) {
        return Some(Problem::NameTaken { line: other.line });
    }
    let other = before.iter().find(|other| other.host == function.host)?;
    Some(Problem::HostTaken { host: function.host_in_words(), other: other.name.clone(), line: other.line })
}
