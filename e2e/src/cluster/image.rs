//! Container images as OCI tarballs, made from programs of this machine: one layer, with the libraries that they need.

mod layout;
mod libraries;

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::json;

/// What an image consists of.
#[derive(Debug, Clone)]
pub struct Image {
    name: String,
    entrypoint: Vec<String>,
    files: Vec<(String, PathBuf)>,
    links: Vec<(String, String)>,
    user: u32,
}

impl Image {
    /// An image of this name that runs one program, with the libraries that it needs.
    ///
    /// # Errors
    /// A library can't be found.
    pub fn of_program(name: &str, program: &Path) -> anyhow::Result<Self> {
        let file_name = program.file_name().context("a program has a name")?.to_string_lossy().into_owned();
        let image = Self {
            name: name.to_owned(),
            entrypoint: vec![format!("/{file_name}")],
            files: Vec::new(),
            links: Vec::new(),
            user: 0,
        };
        image.with_program(&file_name, program)
    }

    /// With another program at this path, and the libraries that it needs.
    ///
    /// # Errors
    /// A library can't be found.
    pub fn with_program(mut self, path: &str, program: &Path) -> anyhow::Result<Self> {
        self.files.push((path.to_owned(), program.to_owned()));
        for library in libraries::of(program)? {
            let inside = library.to_string_lossy().trim_start_matches('/').to_owned();
            if !self.files.iter().any(|(known, _)| *known == inside) {
                self.files.push((inside, library));
            }
        }
        Ok(self)
    }

    /// With a file at this path.
    #[must_use]
    pub fn with_file(mut self, path: &str, file: &Path) -> Self {
        self.files.push((path.to_owned(), file.to_owned()));
        self
    }

    /// With a symbolic link at this path.
    #[must_use]
    pub fn with_link(mut self, path: &str, target: &str) -> Self {
        self.links.push((path.to_owned(), target.to_owned()));
        self
    }

    /// As this user, where it isn't root.
    #[must_use]
    pub fn user(mut self, user: u32) -> Self {
        self.user = user;
        self
    }

    /// Writes it as a tarball.
    ///
    /// # Errors
    /// A file can't be read, or the tarball not be written.
    pub fn write(&self, tarball: &Path) -> anyhow::Result<()> {
        let layer = self.layer(&tarball.with_extension("layer"))?;
        let config = json!({
            "architecture": architecture(),
            "os": "linux",
            "config": { "Entrypoint": self.entrypoint, "User": self.user.to_string(), "WorkingDir": "/" },
            "rootfs": { "type": "layers", "diff_ids": [layer.digest()] },
        });
        layout::write(&self.name, &layer, &config, tarball)
            .with_context(|| format!("the image {} can't be written", self.name))?;
        fs::remove_file(layer.path())?;
        Ok(())
    }

    /// The one layer: its files, and a place for temporary ones.
    fn layer(&self, path: &Path) -> anyhow::Result<layout::Blob> {
        let mut archive = tar::Builder::new(File::create(path)?);
        archive.mode(tar::HeaderMode::Deterministic);
        // containerd knows no sparse files.
        archive.sparse(false);
        let mut temporary = tar::Header::new_gnu();
        temporary.set_entry_type(tar::EntryType::Directory);
        temporary.set_mode(0o1777);
        temporary.set_size(0);
        archive.append_data(&mut temporary, "tmp/", std::io::empty())?;
        for (inside, file) in &self.files {
            let added = archive.append_path_with_name(file, inside);
            added.with_context(|| format!("{} can't be read", file.display()))?;
        }
        for (inside, target) in &self.links {
            let mut link = tar::Header::new_gnu();
            link.set_entry_type(tar::EntryType::Symlink);
            link.set_size(0);
            archive.append_link(&mut link, inside, target)?;
        }
        archive.finish()?;
        layout::Blob::of_file(path)
    }
}

/// As images call it.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::Read as _;

    use serde_json::Value;

    use super::*;

    fn contents(tarball: &Path) -> BTreeMap<String, Vec<u8>> {
        let mut archive = tar::Archive::new(File::open(tarball).unwrap());
        let mut contents = BTreeMap::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let path = entry.path().unwrap().to_string_lossy().into_owned();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            contents.insert(path, bytes);
        }
        contents
    }

    #[test]
    fn an_image_is_a_layout_whose_digests_lead_from_index_to_layer() {
        let folder = tempfile::tempdir().unwrap();
        let tarball = folder.path().join("image.tar");
        let image = Image::of_program("example.test/sh:1", Path::new("/bin/sh")).unwrap().user(65532);
        image.write(&tarball).unwrap();
        let contents = contents(&tarball);
        let json = |path: &str| serde_json::from_slice::<Value>(&contents[path]).unwrap();
        let blob = |digest: &Value| format!("blobs/{}", digest.as_str().unwrap().replace(':', "/"));
        let index = json("index.json");
        assert_eq!(index["manifests"][0]["annotations"]["io.containerd.image.name"], "example.test/sh:1");
        let manifest = json(&blob(&index["manifests"][0]["digest"]));
        let config = json(&blob(&manifest["config"]["digest"]));
        assert_eq!(config["config"], json!({ "Entrypoint": ["/sh"], "User": "65532", "WorkingDir": "/" }));
        assert_eq!(config["rootfs"]["diff_ids"][0], manifest["layers"][0]["digest"]);
        let layer = folder.path().join("layer.tar");
        fs::write(&layer, &contents[&blob(&manifest["layers"][0]["digest"])]).unwrap();
        let files = self::contents(&layer);
        assert_eq!(files["sh"], fs::read("/bin/sh").unwrap());
        assert!(files.keys().any(|file| file.contains("libc.so")), "{:?}", files.keys());
    }

    #[test]
    fn a_link_is_in_the_image_as_one() {
        let folder = tempfile::tempdir().unwrap();
        let image = Image::of_program("example.test/sh:1", Path::new("/bin/sh")).unwrap();
        let layer = image.with_link("bin/ash", "/sh").layer(&folder.path().join("layer")).unwrap();
        let mut archive = tar::Archive::new(File::open(layer.path()).unwrap());
        let links = archive.entries().unwrap().map(Result::unwrap);
        let link = links.into_iter().find(|entry| entry.path().unwrap() == Path::new("bin/ash")).unwrap();
        assert_eq!(link.link_name().unwrap().unwrap(), Path::new("/sh"));
    }

    #[test]
    fn the_same_files_make_the_same_image() {
        let folder = tempfile::tempdir().unwrap();
        let [one, two] = ["one.tar", "two.tar"].map(|name| folder.path().join(name));
        let image = Image::of_program("example.test/sh:1", Path::new("/bin/sh")).unwrap();
        image.write(&one).unwrap();
        image.write(&two).unwrap();
        assert_eq!(fs::read(one).unwrap(), fs::read(two).unwrap());
    }
}
