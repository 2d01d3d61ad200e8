//! What is read out of YAML.
