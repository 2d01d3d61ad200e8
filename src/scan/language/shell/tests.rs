//! Scripts as long as files may be.

use super::*;
use crate::scan::fact::FactKind;

#[test]
fn long_scripts_are_read_to_their_end() {
    for (language, line, last) in [
        (&SHELL, "echo cuda\n", "export CUDA_VISIBLE_DEVICES=0\n"),
        (&FISH, "echo cuda\n", "set -gx CUDA_VISIBLE_DEVICES 0\n"),
        (
            &POWERSHELL,
            "Write-Host cuda\n",
            "$env:CUDA_VISIBLE_DEVICES = '0'\n",
        ),
        (&BATCH, "echo cuda\n", "set CUDA_VISIBLE_DEVICES=0\n"),
    ] {
        let text = line.repeat((1 << 20) / line.len() + 1) + last;
        let facts = (language.read)(&text, Detail::Known).map(|read| read.facts);
        let found = facts.map_or(0, |facts| {
            let is_mask = |fact: &&Fact| matches!(fact.kind, FactKind::SetVariable(_));
            facts.iter().filter(is_mask).count()
        });
        assert_eq!(found, 1, "{}", language.name);
    }
}
