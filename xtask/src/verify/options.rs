//! What was asked of `cargo verify`.

use std::fmt::Write;

use anyhow::{Context, Result, bail};

use super::part::Part;

/// The flags, as a person types them.
pub(super) const USAGE: &str = "usage: cargo verify [--quick] [--only PART]... [--list]";

/// Which parts to run.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    quick: bool,
    only: Vec<String>,
    pub(super) list: bool,
}

impl Options {
    pub(super) fn parse(arguments: &[String], parts: &[Part]) -> Result<Self> {
        let mut options = Self::default();
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--quick" => options.quick = true,
                "--list" => options.list = true,
                "--only" => {
                    let name = arguments.next().with_context(|| format!("--only lacks its PART; {USAGE}"))?;
                    options.only.push(known(name, parts)?);
                }
                _ => bail!("unknown argument `{argument}`; {USAGE}"),
            }
        }
        Ok(options)
    }

    pub(super) fn asks_for(&self, part: &Part) -> bool {
        self.names(part) && (part.quick || !self.quick)
    }

    /// Whether it would be asked for if there were more time.
    pub(super) fn leaves_out(&self, part: &Part) -> bool {
        self.names(part) && !self.asks_for(part)
    }

    fn names(&self, part: &Part) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| name == part.name)
    }
}

fn known(name: &str, parts: &[Part]) -> Result<String> {
    let names: Vec<&str> = parts.iter().map(|part| part.name).collect();
    if !names.contains(&name) {
        bail!("no part is called `{name}`: there are {}", names.join(", "));
    }
    Ok(name.to_owned())
}

/// The parts, one a line.
pub(super) fn list(parts: &[Part]) -> String {
    let mut text = String::new();
    for Part { name, what, quick, .. } in parts {
        let quick = if *quick { "quick" } else { "" };
        // Writing to a string can't fail.
        let _infallible = writeln!(text, "{name:<15} {quick:<5}  {what}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::parts;
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Options> {
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        Options::parse(&arguments, &parts::ALL)
    }

    fn asked_for(arguments: &[&str]) -> Vec<&'static str> {
        let options = parse(arguments).unwrap();
        parts::ALL.iter().filter(|part| options.asks_for(part)).map(|part| part.name).collect()
    }

    #[test]
    fn without_flags_every_part_is_asked_for() {
        assert_eq!(asked_for(&[]).len(), parts::ALL.len());
    }

    #[test]
    fn quick_leaves_out_what_takes_minutes() {
        let quick = asked_for(&["--quick"]);
        assert!(quick.contains(&"core") && !quick.contains(&"matrix"), "{quick:?}");
    }

    #[test]
    fn what_quick_leaves_out_is_said_and_what_was_not_asked_for_is_not() {
        let left_out = |arguments: &[&str]| {
            let options = parse(arguments).unwrap();
            parts::ALL
                .iter()
                .filter(|part| options.leaves_out(part))
                .map(|part| part.name)
                .collect::<Vec<_>>()
        };
        let quick = left_out(&["--quick"]);
        assert!(quick.contains(&"cluster") && !quick.contains(&"core"), "{quick:?}");
        assert!(left_out(&[]).is_empty());
        assert!(left_out(&["--quick", "--only", "core"]).is_empty());
    }

    #[test]
    fn only_the_named_parts_run_in_the_order_of_the_list() {
        assert_eq!(asked_for(&["--only", "matrix", "--only", "format"]), ["format", "matrix"]);
    }

    #[test]
    fn an_unknown_part_is_named_beside_the_known_ones() {
        let error = parse(&["--only", "formt"]).unwrap_err().to_string();
        assert!(error.starts_with("no part is called `formt`: there are format, "), "{error}");
    }

    #[test]
    fn an_unknown_flag_is_named() {
        assert_eq!(
            parse(&["--fast"]).unwrap_err().to_string(),
            format!("unknown argument `--fast`; {USAGE}")
        );
        assert!(parse(&["--only"]).is_err());
    }

    #[test]
    fn the_list_names_every_part_once() {
        assert_eq!(list(&parts::ALL).lines().count(), parts::ALL.len());
    }
}
