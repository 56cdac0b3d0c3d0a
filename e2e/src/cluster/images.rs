//! Which images the cluster has, where they come from, and which nodes need them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use steadfaas_tests::programs;
use xtask::functions::Function;
use xtask::supplies::build;

use super::image::Image;
use super::node::{PAUSE_IMAGE, Role};

/// The DNS server's; `coredns.yaml` names it.
const COREDNS_IMAGE: &str = "dev.local/coredns:1";

/// Who an image's program is run as where it needs no rights: `nobody` in most images without a user list.
pub(super) const NOBODY: u32 = 65532;

/// An image and the nodes that need it.
#[derive(Debug, Clone)]
pub struct Made {
    tarball: PathBuf,
    roles: &'static [Role],
}

/// The programs of this workspace that the cluster runs.
#[derive(Debug, Clone)]
pub struct Programs {
    /// Holds namespaces.
    pub pause: PathBuf,
    /// The functions.
    functions: Vec<(Function, PathBuf)>,
}

impl Programs {
    /// Builds them.
    ///
    /// # Errors
    /// They can't be built.
    pub fn build() -> anyhow::Result<Self> {
        let functions = Function::ALL.map(|function| anyhow::Ok((function, programs::find(function)?)));
        let functions = functions.into_iter().collect::<anyhow::Result<_>>()?;
        Ok(Self { pause: build("steadfaas-e2e-pause", "pause")?, functions })
    }
}

/// What nodes find a function under.
#[must_use]
pub fn name_of(function: Function) -> String {
    format!("dev.local/{}:1", function.name())
}

/// A function's image, under this name.
///
/// # Errors
/// A library that its program needs can't be found.
pub fn of_function(name: &str, program: &Path) -> anyhow::Result<Image> {
    Ok(Image::of_program(name, program)?.user(NOBODY))
}

/// Makes the images that every cluster has, in this folder.
///
/// # Errors
/// One can't be made.
pub fn make(folder: &Path, programs: &Programs, coredns: &Path) -> anyhow::Result<Vec<Made>> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let make = |image: Image, name: &str, roles| {
        let tarball = folder.join(format!("{name}.tar"));
        image.write(&tarball)?;
        anyhow::Ok(Made { tarball, roles })
    };
    let mut made = vec![
        make(Image::of_program(PAUSE_IMAGE, &programs.pause)?, "pause", &[Role::System, Role::Worker])?,
        make(Image::of_program(COREDNS_IMAGE, &coredns.join("coredns"))?, "coredns", &[Role::System])?,
    ];
    for (function, program) in &programs.functions {
        made.push(make(of_function(&name_of(*function), program)?, function.name(), &[Role::Worker])?);
    }
    Ok(made)
}

/// Those that nodes of this role need.
#[must_use]
pub fn of_role(images: &[Made], role: Role) -> Vec<PathBuf> {
    images.iter().filter(|image| image.roles.contains(&role)).map(|image| image.tarball.clone()).collect()
}
