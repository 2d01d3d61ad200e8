//! What the fuzz targets share: what has to hold for every file (`promise`) and for every archive
//! (`backups`), and files made out of lines that gpuguard cares about (`glue`, from the table in
//! `snippets`).

pub mod backups;
pub mod glue;
pub mod promise;
mod snippets;
