//! What is known of a repository and its cards, counted from facts alone: what is wrong now and
//! was wrong at a tag, what was corrected, what is saved, what was checked, and what was not.
//!
//! Scans the tag's tree and those since then with the code and the policy of now. Writes nothing.

mod counted;
mod facts;
mod gather;
mod history;
mod recorded;
mod unverified;

pub use facts::{
    AllowedFact, BackupFact, BackupFacts, Card, CardFact, CommitFact, Commits, Counts, Dashboard,
    FileFact, FileState, FindingFact, RepositoryFacts, RuleFact, Since, SkippedFact, SoakFact,
    Step,
};
pub use gather::{Asked, DashboardError, Stage, Unchecked, gather, now_of_bare};

/// The JSON schema of a dashboard.
pub fn dashboard_schema() -> serde_json::Value {
    let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    let generator = settings.into_generator();
    generator.into_root_schema_for::<Dashboard>().to_value()
}
