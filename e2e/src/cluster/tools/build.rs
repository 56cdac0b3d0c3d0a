//! Building a set: beside its place first, so that what is there is whole; with progress shown.

use std::fs;
use std::io::{BufRead as _, BufReader, IsTerminal as _};
use std::path::Path;
use std::process::{ChildStderr, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use xtask::command::{output_of, say};

use super::{Set, go};

/// How often progress is said where it can't be drawn.
const SAY_EVERY: Duration = Duration::from_secs(30);

/// How many of the last lines are shown when a build fails.
const TAIL_LINES: usize = 15;

pub(super) fn build(set: &Set, module: &Path, go: &Path, folder: &Path) -> anyhow::Result<()> {
    let beside = folder.with_extension(std::process::id().to_string());
    fs::create_dir_all(&beside).with_context(|| format!("cannot make {}", beside.display()))?;
    let built = compile(set, module, go, &beside).and_then(|()| complete(set, module, go, &beside));
    // Another process may have been quicker; its result is as good.
    let settled = built.map(|()| fs::rename(&beside, folder).is_ok() || folder.is_dir());
    if beside.exists() {
        fs::remove_dir_all(&beside).with_context(|| format!("cannot remove {}", beside.display()))?;
    }
    anyhow::ensure!(settled?, "cannot write {}", folder.display());
    Ok(())
}

fn compile(set: &Set, module: &Path, go: &Path, output: &Path) -> anyhow::Result<()> {
    let began = Instant::now();
    say(&format!("building {} (once; modules are fetched first)", set.name));
    let bar = progress(packages(set, module, go)?, set.name);
    let linked: String = set.linked.iter().map(|(name, value)| format!(" -X {name}={value}")).collect();
    let mut child = go::command(go, module)
        .args(["build", "-v", "-trimpath", "-buildvcs=false", "-ldflags", &format!("-s -w{linked}"), "-o"])
        .arg(format!("{}/", output.display()))
        .arg(set.package)
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("{} can't be started", go.display()))?;
    let tail = follow(child.stderr.take().context("no pipe")?, &bar, set.name)?;
    bar.finish_and_clear();
    anyhow::ensure!(child.wait()?.success(), "go build failed:\n{}", tail.join("\n"));
    say(&format!("built {} in {} s", set.name, began.elapsed().as_secs()));
    Ok(())
}

/// How many packages the set consists of; their modules are fetched for that.
pub(super) fn packages(set: &Set, module: &Path, go: &Path) -> anyhow::Result<u64> {
    let packages = output_of(go::command(go, module).args(["list", "-deps", set.package]))?;
    Ok(packages.lines().count().try_into()?)
}

/// Each line names a package that is being compiled; those that Go has in its own cache aren't named.
fn follow(output: ChildStderr, bar: &ProgressBar, name: &str) -> anyhow::Result<Vec<String>> {
    let (mut tail, mut said) = (Vec::new(), Instant::now());
    for line in BufReader::new(output).lines() {
        let line = line?;
        bar.inc(1);
        bar.set_message(line.clone());
        if bar.is_hidden() && said.elapsed() > SAY_EVERY {
            say(&format!(
                "building {name}: {} of at most {} packages",
                bar.position(),
                bar.length().unwrap_or(0)
            ));
            said = Instant::now();
        }
        if tail.len() == TAIL_LINES {
            tail.remove(0);
        }
        tail.push(line);
    }
    Ok(tail)
}

fn progress(packages: u64, name: &'static str) -> ProgressBar {
    let target = if std::io::stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(Some(packages), target).with_prefix(name);
    match ProgressStyle::with_template("{prefix} {bar:30} {pos}/{len} {elapsed} {wide_msg}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Names and files as the set has them.
fn complete(set: &Set, module: &Path, go: &Path, output: &Path) -> anyhow::Result<()> {
    for (built, kept) in set.renamed {
        fs::rename(output.join(built), output.join(kept)).with_context(|| format!("Go built no {built}"))?;
    }
    for (source, path, kept) in set.files {
        let place = output_of(go::command(go, module).args(["list", "-m", "-f", "{{.Dir}}", source]))?;
        let from = Path::new(&place).join(path);
        let text = if from.is_dir() { documents(&from) } else { Ok(fs::read(&from)?) };
        fs::write(output.join(kept), text.with_context(|| format!("{source} has no {path}"))?)?;
    }
    Ok(())
}

/// The YAML files of a folder as documents of one, in the order of their names.
fn documents(folder: &Path) -> anyhow::Result<Vec<u8>> {
    let files = fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
    let mut files = files.collect::<std::io::Result<Vec<_>>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    let mut text = Vec::new();
    for file in files {
        text.extend_from_slice(b"---\n");
        text.extend_from_slice(&fs::read(file)?);
        text.push(b'\n');
    }
    Ok(text)
}
