//! The parameters: the constants of core for which other values can be tried (`tuned!`), read from its source with
//! their values and reasons, so that no list of them can fall behind.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// One parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// The constant's name.
    pub name: String,
    /// The file that it stands in, from the root of the repository.
    pub file: String,
    /// Why it has its value: the comment above it.
    pub reason: String,
    /// Its value; spans are seconds.
    pub value: f64,
    /// What it is.
    pub kind: Kind,
}

/// What a parameter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A span of time.
    Span,
    /// A whole number.
    Count,
    /// Any number.
    Number,
    /// A percentage: what it leaves out is halved and doubled.
    Percent,
    /// Something is multiplied by it each time: halved, two times have the effect of one.
    Factor,
}

/// All of them, in order of their files and places.
///
/// # Errors
/// A source file can't be read, or a constant has a form that isn't known.
pub fn all() -> Result<Vec<Parameter>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the workspace has no root")?;
    let mut files = Vec::new();
    collect(&root.join("filter/core/src"), &mut files)?;
    files.sort();
    let mut sources = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        sources.push((file.strip_prefix(root)?.display().to_string(), text));
    }
    of_sources(&sources)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.file_name().is_some_and(|name| name != "tuning.rs") {
            files.push(path);
        }
    }
    Ok(())
}

fn of_sources(sources: &[(String, String)]) -> Result<Vec<Parameter>> {
    let names: BTreeSet<&str> = sources.iter().flat_map(|(_, text)| used_in(text)).collect();
    let mut parameters = Vec::new();
    for (file, text) in sources {
        let mut reason = Vec::new();
        for line in text.lines().map(str::trim) {
            if let Some(words) = line.strip_prefix("///") {
                reason.push(words.trim());
            } else {
                let why = std::mem::take(&mut reason).join(" ");
                let Some((name, kind, value)) = constant(line) else { continue };
                if names.contains(name) {
                    parameters.push(Parameter::read(name, file, &why, kind, value)?);
                }
            }
        }
    }
    Ok(parameters)
}

/// The names in `tuned!(…)`.
fn used_in(text: &str) -> impl Iterator<Item = &str> {
    text.split("tuned!(").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0))
}

/// Name, type and value of `const NAME: type = value;`.
fn constant(line: &str) -> Option<(&str, &str, &str)> {
    let (_, rest) = line.split_once("const ")?;
    let (name, rest) = rest.split_once(": ")?;
    let (kind, value) = rest.split_once(" = ")?;
    Some((name, kind, value.strip_suffix(';')?))
}

impl Parameter {
    fn read(name: &str, file: &str, reason: &str, kind: &str, value: &str) -> Result<Self> {
        let kind = match (name, kind) {
            ("BODY", _) => Kind::Percent,
            ("LOST" | "LOST_OF_UNEVEN", _) => Kind::Factor,
            (_, "Duration") => Kind::Span,
            (_, "f32" | "f64") => Kind::Number,
            _ => Kind::Count,
        };
        let value = number(value).with_context(|| {
            format!("{file}: the value of {name}, `{value}`, is none of a number, a quotient and a Duration::from_…")
        })?;
        let reason = reason.replace("[`", "`").replace("`]", "`");
        Ok(Self { name: name.to_owned(), file: file.to_owned(), reason, value, kind })
    }

    /// It in a table: where it stands, its value, and why.
    #[must_use]
    pub fn cells(&self) -> [String; 3] {
        let place = format!("`{}`<br>{}", self.name, self.file);
        [place, self.show(self.value), self.reason.clone()]
    }

    /// Half of it and the double, or what comes nearest.
    #[must_use]
    pub fn other_values(&self) -> [f64; 2] {
        let value = self.value;
        match self.kind {
            Kind::Span | Kind::Number => [value / 2.0, value * 2.0],
            Kind::Count => [(value / 2.0).round().max(1.0), value * 2.0],
            Kind::Percent => [100.0 - (100.0 - value) / 2.0, 100.0 - (100.0 - value) * 2.0],
            Kind::Factor => [value.sqrt(), value * value],
        }
    }

    /// A value of it, as people write it.
    #[must_use]
    pub fn show(&self, value: f64) -> String {
        match self.kind {
            Kind::Span if value >= 1.0 => format!("{value} s"),
            Kind::Span => format!("{} ms", value * 1_000.0),
            Kind::Count | Kind::Number => format!("{value}"),
            Kind::Percent => format!("{value} %"),
            Kind::Factor => format!("{value:.3}"),
        }
    }
}

fn number(text: &str) -> Option<f64> {
    let spans = [("from_secs", 1.0), ("from_millis", 1e-3), ("from_micros", 1e-6)];
    for (unit, seconds) in spans {
        if let Some(rest) = text.strip_prefix("Duration::").and_then(|rest| rest.strip_prefix(unit)) {
            return Some(number(rest.strip_prefix('(')?.strip_suffix(')')?)? * seconds);
        }
    }
    if let Some((above, below)) = text.split_once(" / ") {
        return Some(number(above)? / number(below)?);
    }
    text.replace('_', "").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Vec<Parameter>> {
        of_sources(&[("core.rs".to_owned(), text.to_owned())])
    }

    #[test]
    fn a_constant_that_can_be_tried_is_read_with_its_reason() {
        let text = "/// As long as [`OTHER`]\n/// takes.\npub const WAIT: Duration = Duration::from_millis(500);\n\
            const OTHER: u32 = 3;\nfn f() { tuned!(WAIT) }";
        let read = of(text).unwrap();
        assert_eq!(read.len(), 1, "{read:?}");
        assert_eq!((read[0].name.as_str(), read[0].value, read[0].kind), ("WAIT", 0.5, Kind::Span));
        assert_eq!(read[0].reason, "As long as `OTHER` takes.");
        assert_eq!(read[0].other_values().map(|value| read[0].show(value)), ["250 ms", "1 s"]);
    }

    #[test]
    fn counts_stay_whole_and_factors_keep_their_direction() {
        let read =
            of("const TIMES: u32 = 3;\nconst LOST: f32 = 1.0 / 4.0;\ntuned!(TIMES) tuned!(LOST)").unwrap();
        assert_eq!(read[0].other_values(), [2.0, 6.0]);
        assert_eq!(read[1].other_values(), [0.5, 0.0625]);
    }

    #[test]
    fn a_value_of_another_form_is_named() {
        let error = of("const WAIT: Duration = SOME;\ntuned!(WAIT)").unwrap_err().to_string();
        assert!(error.starts_with("core.rs: the value of WAIT, `SOME`"), "{error}");
    }

    #[test]
    fn every_parameter_of_core_has_a_reason() {
        let all = all().unwrap();
        assert!(all.len() > 10, "{all:?}");
        for parameter in all {
            assert!(!parameter.reason.is_empty(), "{} has no reason", parameter.name);
        }
    }
}
