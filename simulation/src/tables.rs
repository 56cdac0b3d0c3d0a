//! What `simulate` prints.

pub mod faults;
pub mod scale;
pub mod sensitivity;

use comfy_table::{Table, presets};

/// A table as text or as Markdown.
#[must_use]
pub fn table(header: &[&str], rows: Vec<Vec<String>>, as_markdown: bool) -> String {
    let mut table = Table::new();
    table.load_style(if as_markdown { presets::ASCII_MARKDOWN } else { presets::UTF8_BORDERS_ONLY });
    table.set_header(header.to_vec());
    table.add_rows(rows);
    table.to_string()
}
