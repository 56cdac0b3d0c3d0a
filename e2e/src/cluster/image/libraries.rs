//! Which libraries a program needs, by what the system's own loader says.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

/// The files of all libraries and of the loader; none for a program that is linked statically.
pub(super) fn of(program: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let output = Command::new("ldd").arg(program).output().context("`ldd` (libc-bin) can't be started")?;
    let said = String::from_utf8_lossy(&output.stdout);
    parse(&said).with_context(|| format!("{} can't run here", program.display()))
}

/// Lines are `libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x…)`, `/lib64/ld-linux-x86-64.so.2 (0x…)`, or something
/// without a file.
fn parse(said: &str) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for line in said.lines().map(str::trim) {
        anyhow::ensure!(!line.ends_with("not found"), "it needs a library that is missing: {line}");
        let file = line.split_once(" => ").map_or(line, |(_, file)| file);
        let file = file.split(' ').next().unwrap_or_default();
        if file.starts_with('/') {
            files.push(PathBuf::from(file));
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_and_the_loader_are_files_and_the_kernels_own_is_not() {
        let said = "\tlinux-vdso.so.1 (0x00007ffd)\n\tlibc.so.6 => /lib/libc.so.6 (0x00007f)\n\t/lib64/ld-linux.so.2 (0x00007f)\n";
        assert_eq!(parse(said).unwrap(), ["/lib/libc.so.6", "/lib64/ld-linux.so.2"].map(PathBuf::from));
        assert_eq!(parse("\tstatically linked\n").unwrap(), Vec::<PathBuf>::new());
    }

    #[test]
    fn a_missing_library_is_named() {
        let error = parse("\tlibx.so.1 => not found\n").unwrap_err().to_string();
        assert_eq!(error, "it needs a library that is missing: libx.so.1 => not found");
    }
}
