//! The notebook format, versions 3 and 4: which cells there are, and where their code stands in
//! the file. Outputs are passed over unread, however large they are.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::FORMAT;
use crate::scan::language::ReaderFailed;
use crate::text::Span;

/// A code cell in Python.
pub(super) struct CodeCell {
    /// Its number among all cells, from 1.
    pub(super) number: usize,
    /// The insides of the strings that make up its source.
    pub(super) strings: Vec<Span>,
}

/// The code cells of a notebook that are in Python.
pub(super) fn code_cells(text: &str) -> Result<Vec<CodeCell>, ReaderFailed> {
    let notebook: Notebook<'_> = serde_json::from_str(text).map_err(|error| malformed(&error))?;
    if !notebook.has_cells {
        return Err(ReaderFailed::Malformed {
            format: FORMAT,
            reason: "it has no cells".to_owned(),
        });
    }
    if notebook
        .metadata
        .is_some_and(|metadata| !in_python(metadata))
    {
        return Ok(Vec::new());
    }
    let mut cells = Vec::new();
    for (number, cell) in (1..).zip(&notebook.cells) {
        if let Some(source) = cell.source
            && cell.is_python()
        {
            cells.push(CodeCell {
                number,
                strings: strings(text, source)?,
            });
        }
    }
    Ok(cells)
}

fn malformed(error: &serde_json::Error) -> ReaderFailed {
    ReaderFailed::Malformed {
        format: FORMAT,
        reason: error.to_string(),
    }
}

/// The strings of a source: one, or a list of them.
fn strings<'t>(text: &'t str, source: &'t RawValue) -> Result<Vec<Span>, ReaderFailed> {
    let raw = source.get();
    if raw.starts_with('[') {
        let all: Vec<&RawValue> = serde_json::from_str(raw).map_err(|error| malformed(&error))?;
        return all.into_iter().map(|one| inside(text, one.get())).collect();
    }
    Ok(vec![inside(text, raw)?])
}

/// Where the inside of a string stands in `text`, of which `raw` is a part.
fn inside(text: &str, raw: &str) -> Result<Span, ReaderFailed> {
    let inside = raw
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .ok_or_else(|| ReaderFailed::Malformed {
            format: FORMAT,
            reason: "the source of a cell is neither a text nor a list of texts".to_owned(),
        })?;
    let start = inside.as_ptr().addr().wrapping_sub(text.as_ptr().addr());
    Ok(Span::new(start, start + inside.len()))
}

/// What of the file is looked at. Where a key is given twice the last one counts, as for Jupyter.
#[derive(Default)]
struct Notebook<'a> {
    cells: Vec<Cell<'a>>,
    has_cells: bool,
    metadata: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum NotebookKey {
    Cells,
    /// Version 3 has its cells in there.
    Worksheets,
    Metadata,
    #[serde(other)]
    Other,
}

#[derive(Default)]
struct Cell<'a> {
    kind: Option<&'a RawValue>,
    /// Version 3 says it of each cell.
    language: Option<&'a RawValue>,
    metadata: Option<&'a RawValue>,
    source: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum CellKey {
    CellType,
    Language,
    Metadata,
    /// `input` in version 3.
    #[serde(alias = "input")]
    Source,
    #[serde(other)]
    Other,
}

impl Cell<'_> {
    fn is_python(&self) -> bool {
        #[derive(Default, Deserialize)]
        struct Metadata {
            vscode: Option<VsCode>,
        }
        #[derive(Deserialize)]
        struct VsCode {
            #[serde(rename = "languageId")]
            language: Option<String>,
        }
        if self.kind.is_none_or(|kind| kind.get() != "\"code\"") {
            return false;
        }
        let said = self
            .language
            .and_then(|raw| serde_json::from_str(raw.get()).ok());
        // VS Code's notebooks of many languages.
        let by_editor = self
            .metadata
            .and_then(|raw| serde_json::from_str::<Metadata>(raw.get()).ok())
            .and_then(|metadata| metadata.vscode?.language);
        let named: [Option<String>; 2] = [said, by_editor];
        named.iter().flatten().all(|name| is_python(name))
    }
}

/// Whether a notebook's kernel runs Python; so it is taken where it does not say.
fn in_python(metadata: &RawValue) -> bool {
    #[derive(Default, Deserialize)]
    struct Metadata {
        kernelspec: Option<Kernel>,
        language_info: Option<LanguageInfo>,
    }
    #[derive(Deserialize)]
    struct Kernel {
        language: Option<String>,
        name: Option<String>,
    }
    #[derive(Deserialize)]
    struct LanguageInfo {
        name: Option<String>,
    }
    let metadata: Metadata = serde_json::from_str(metadata.get()).unwrap_or_default();
    let kernel = metadata.kernelspec;
    let (by_kernel, kernel) = kernel.map_or((None, None), |kernel| (kernel.language, kernel.name));
    let by_info = metadata.language_info.and_then(|info| info.name);
    match by_info.or(by_kernel) {
        Some(language) => is_python(&language),
        None => !kernel.is_some_and(|name| name == "ir" || name.starts_with("julia")),
    }
}

fn is_python(language: &str) -> bool {
    language.to_ascii_lowercase().contains("python")
}

impl<'de> Deserialize<'de> for Notebook<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(Entries::<Self>(PhantomData))
    }
}

impl<'de> Deserialize<'de> for Cell<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(Entries::<Self>(PhantomData))
    }
}

/// Something read out of an object, key by key.
trait Keyed<'de>: Default {
    const NAME: &'static str;
    type Key: Deserialize<'de>;

    fn take<M: MapAccess<'de>>(&mut self, key: &Self::Key, map: &mut M) -> Result<(), M::Error>;
}

impl<'de> Keyed<'de> for Notebook<'de> {
    const NAME: &'static str = "a notebook";
    type Key = NotebookKey;

    fn take<M: MapAccess<'de>>(&mut self, key: &NotebookKey, map: &mut M) -> Result<(), M::Error> {
        match key {
            NotebookKey::Cells => {
                self.cells = map.next_value()?;
                self.has_cells = true;
            }
            NotebookKey::Worksheets => {
                let sheets: Vec<Self> = map.next_value()?;
                self.has_cells |= sheets.iter().any(|sheet| sheet.has_cells);
                let cells = sheets.into_iter().flat_map(|sheet| sheet.cells);
                self.cells.extend(cells);
            }
            NotebookKey::Metadata => self.metadata = Some(map.next_value()?),
            NotebookKey::Other => {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

impl<'de> Keyed<'de> for Cell<'de> {
    const NAME: &'static str = "a cell";
    type Key = CellKey;

    fn take<M: MapAccess<'de>>(&mut self, key: &CellKey, map: &mut M) -> Result<(), M::Error> {
        let place = match key {
            CellKey::CellType => &mut self.kind,
            CellKey::Language => &mut self.language,
            CellKey::Metadata => &mut self.metadata,
            CellKey::Source => &mut self.source,
            CellKey::Other => {
                map.next_value::<IgnoredAny>()?;
                return Ok(());
            }
        };
        *place = Some(map.next_value()?);
        Ok(())
    }
}

struct Entries<T>(PhantomData<T>);

impl<'de, T: Keyed<'de>> Visitor<'de> for Entries<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::NAME)
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<T, M::Error> {
        let mut value = T::default();
        while let Some(key) = map.next_key::<T::Key>()? {
            value.take(&key, &mut map)?;
        }
        Ok(value)
    }
}
