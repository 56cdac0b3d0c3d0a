//! The counts in a file that outlives the process: what a killed replica had counted can still be read.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

use super::Counts;

/// A file that holds the latest counts as JSON. Numbers only grow, so each write covers the one before.
#[derive(Debug)]
pub(super) struct CountsFile {
    file: File,
}

impl CountsFile {
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let mut file = Self { file: File::create(path)? };
        file.try_write(&Counts::default())?;
        Ok(file)
    }

    /// Writes the counts down: one call of the system, of microseconds, straight to the page cache.
    pub(super) fn write(&mut self, counts: &Counts) {
        if let Err(error) = self.try_write(counts) {
            eprintln!("fib: the counts can't be written: {error}");
        }
    }

    fn try_write(&mut self, counts: &Counts) -> io::Result<()> {
        let text = serde_json::to_vec(counts)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&text)
    }
}
