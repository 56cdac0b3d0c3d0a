//! The OCI image layout: blobs under their digests, a manifest, an index that names the image.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// A file that is known by its digest.
#[derive(Debug)]
pub(super) struct Blob {
    path: PathBuf,
    hash: String,
    size: u64,
}

impl Blob {
    pub(super) fn of_file(path: &Path) -> anyhow::Result<Self> {
        let mut hash = Sha256::new();
        let size = io::copy(&mut File::open(path)?, &mut hash)?;
        Ok(Self { path: path.to_owned(), hash: format!("{:x}", hash.finalize()), size })
    }

    pub(super) fn digest(&self) -> String {
        format!("sha256:{}", self.hash)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn descriptor(&self, kind: &str) -> Value {
        json!({ "mediaType": kind, "digest": self.digest(), "size": self.size })
    }
}

/// Writes an image of one layer.
pub(super) fn write(name: &str, layer: &Blob, config: &Value, tarball: &Path) -> anyhow::Result<()> {
    let mut archive = tar::Builder::new(File::create(tarball)?);
    add(&mut archive, "oci-layout", &serde_json::to_vec(&json!({ "imageLayoutVersion": "1.0.0" }))?)?;
    archive.mode(tar::HeaderMode::Deterministic);
    // containerd knows no sparse files.
    archive.sparse(false);
    archive.append_path_with_name(&layer.path, blob_path(&layer.hash))?;
    let config = add_json(&mut archive, config, CONFIG)?;
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": config,
        "layers": [layer.descriptor(LAYER)],
    });
    let mut manifest = add_json(&mut archive, &manifest, MANIFEST)?;
    if let Value::Object(fields) = &mut manifest {
        fields.insert("annotations".to_owned(), json!({ "io.containerd.image.name": name }));
    }
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [manifest] });
    add(&mut archive, "index.json", &serde_json::to_vec(&index)?)?;
    archive.finish()?;
    Ok(())
}

/// Adds a document under its digest; its descriptor is returned.
fn add_json(archive: &mut tar::Builder<File>, document: &Value, kind: &str) -> anyhow::Result<Value> {
    let bytes = serde_json::to_vec(document)?;
    let hash = format!("{:x}", Sha256::digest(&bytes));
    add(archive, &blob_path(&hash), &bytes)?;
    Ok(json!({ "mediaType": kind, "digest": format!("sha256:{hash}"), "size": bytes.len() }))
}

fn add(archive: &mut tar::Builder<File>, path: &str, bytes: &[u8]) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o644);
    header.set_size(bytes.len() as u64);
    archive.append_data(&mut header, path, bytes)
}

fn blob_path(hash: &str) -> String {
    format!("blobs/sha256/{hash}")
}
