//! The catalogue's examples, and inputs that must not take more than their share of time.

use crate::git::RepoPath;
use crate::scan::catalogue::Native;
use crate::scan::fact::{Detail, FactKind, FileFacts, Value};
use crate::scan::language::Language;

fn read(name: &str, text: &str) -> FileFacts {
    let language = Language::of(&RepoPath::new(name), b"").unwrap();
    language.read(text, Detail::Known).unwrap()
}

fn indices(facts: &FileFacts) -> Vec<u32> {
    let facts = facts.facts.iter();
    facts
        .filter_map(|fact| match &fact.kind {
            FactKind::SelectIndex {
                index: Value::Known(index),
            } => Some(*index),
            _ => None,
        })
        .collect()
}

#[test]
fn every_row_of_the_catalogue_finds_its_example() {
    for (native, name) in [(Native::Cpp, "a.cu"), (Native::Rust, "a.rs")] {
        let language = Language::of(&RepoPath::new(name), b"").unwrap();
        for row in native.calls() {
            let text = match native {
                Native::Cpp => format!("int main() {{ {} }}", row.example),
                Native::Rust => format!("fn main() {{ {} }}", row.example),
            };
            let facts = read(name, &text);
            assert!(indices(&facts).contains(&1), "{}: {facts:?}", row.path);
            assert_eq!(facts.errors, 0, "{}", row.path);
            assert!(language.worth_reading(&text), "{}: no clue", row.path);
        }
    }
}

/// Every one of these is linear work for a reader that looks at each token a bounded number of
/// times; a quadratic one would not end.
#[test]
fn hostile_texts_are_read_to_their_end() {
    let many = 20_000;
    let deep = 100_000;
    let texts = [
        "(".repeat(deep),
        "{".repeat(deep),
        ")".repeat(many),
        "f(".repeat(many),
        "a<".repeat(many),
        format!("{}1{}", "(".repeat(deep), ")".repeat(deep)),
        format!("{}cudaSetDevice(1);{}", "{".repeat(many), "}".repeat(many)),
        "cudaSetDevice(1), ".repeat(deep / 2),
        "#define A R\"x(\n".repeat(many / 4),
        "#if X\n{\n".repeat(many),
        "/* ".repeat(many),
        "r#\"".repeat(many),
        "\"\\".repeat(many),
        "x = 1; // gpuguard: allow[GG006] y ".repeat(many / 10),
        ".env(\"CUDA_VISIBLE_DEVICES\", \"1\")".repeat(many / 10),
        "(a){".repeat(many),
        format!(
            "void f() {{ setenv(\"CUDA_VISIBLE_DEVICES\", \"1\", 1); {}",
            "if (x) { cudaFree(0); return; } else { cudaFree(cudaFree(".repeat(many / 10)
        ),
        "use a::{".repeat(many),
        "\u{0}\u{1}é\u{fffd}'\"\\\n#".repeat(many / 10),
    ];
    for text in &texts {
        for name in ["a.cpp", "a.rs"] {
            let facts = read(name, text);
            assert!(facts.facts.len() <= text.len(), "{name}");
        }
    }
}

#[test]
fn what_is_nested_deeply_is_still_found() {
    let text = format!("{}cudaSetDevice(1);{}", "{".repeat(1000), "}".repeat(1000));
    assert_eq!(indices(&read("a.cu", &text)), [1]);
    let text = format!(
        "f{}1{}; cudaSetDevice(1);",
        "(".repeat(1000),
        ")".repeat(1000)
    );
    assert_eq!(indices(&read("a.cu", &text)), [1]);
}

#[test]
fn constants_are_followed_as_far_as_they_are_certain() {
    for (code, expected) in [
        ("const int d = 1; void f() { cudaSetDevice(d); }", &[1][..]),
        ("#define D 1\nvoid f() { cudaSetDevice(D); }", &[1]),
        ("#define D (1)\nvoid f() { cudaSetDevice(D); }", &[1]),
        ("enum { kD = 1 }; void f() { cudaSetDevice(kD); }", &[1]),
        (
            "struct C { static constexpr int kD = 1; }; void f() { cudaSetDevice(C::kD); }",
            &[1],
        ),
        ("void f() { int d = 1; cudaSetDevice(d); }", &[1]),
        (
            "void f() { int d = 1; if (x) d = 0; cudaSetDevice(d); }",
            &[],
        ),
        (
            "void f() { int d = 1; cudaGetDevice(&d); cudaSetDevice(d); }",
            &[],
        ),
        ("void f() { int d = 1; d++; cudaSetDevice(d); }", &[]),
        (
            "void f() { int d = 1; std::cin >> d; cudaSetDevice(d); }",
            &[],
        ),
        (
            "void f() { int d = std::stoi(argv[1]); cudaSetDevice(d); }",
            &[],
        ),
        ("const int d = 1; void f(int d) { cudaSetDevice(d); }", &[]),
        (
            "const int d = 1; void f() { for (int d = 0; d < 2; ++d) { cudaSetDevice(d); } }",
            &[],
        ),
        (
            "void f() { int d = 1; } void g() { cudaSetDevice(d); }",
            &[],
        ),
        (
            "struct C { int d = 1; void f() { cudaSetDevice(d); } };",
            &[],
        ),
        (
            "void f() { int d = 0; } void g() { int d = 1; cudaSetDevice(d); }",
            &[1],
        ),
        (
            "cudaSetDevice(-1); cudaSetDevice(n - 1); cudaSetDevice(1 + n);",
            &[],
        ),
        ("cudaSetDevice((int)1);", &[1]),
    ] {
        assert_eq!(indices(&read("a.cu", code)), expected, "{code}");
    }
    for (code, expected) in [
        (
            "const D: usize = 1; fn f() { CudaContext::new(D); }",
            &[1][..],
        ),
        (
            "static D: usize = 1; fn f() { CudaContext::new(D as usize); }",
            &[1],
        ),
        ("fn f() { let d = 1; CudaContext::new(d); }", &[1]),
        ("fn f() { let d: usize = 1; CudaContext::new(d); }", &[1]),
        ("fn f() { let mut d = 1; d = 2; CudaContext::new(d); }", &[]),
        ("fn f(d: usize) { CudaContext::new(d); }", &[]),
        (
            "fn f() { let d = 1; for d in 0..2 { CudaContext::new(d); } }",
            &[],
        ),
        (
            "fn f() { let d = 1; let d = pick(); CudaContext::new(d); }",
            &[],
        ),
        (
            "impl C { const D: usize = 1; fn f() { CudaContext::new(Self::D); } }",
            &[1],
        ),
        ("fn f() { CudaContext::new(n - 1); }", &[]),
    ] {
        assert_eq!(indices(&read("a.rs", code)), expected, "{code}");
    }
}
