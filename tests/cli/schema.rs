use crate::support::gpuguard;

#[test]
fn the_schema_describes_every_key_of_the_preset() {
    let run = gpuguard(std::path::Path::new("."), &["schema"]);
    assert_eq!(run.code, 0, "{run}");
    let schema: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let preset: toml::Table =
        toml::from_str(include_str!("../../src/policy/preset_rtx3090.toml")).unwrap();
    for key in preset.keys() {
        assert!(
            schema["properties"][key]["description"].is_string(),
            "{key} is not described"
        );
    }
}
