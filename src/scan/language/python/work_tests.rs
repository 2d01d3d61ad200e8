//! The work for a file grows with its length, not with its square: counted in steps, not timed.

use ruff_python_ast::PySourceType;

use super::walk::Walker;
use crate::scan::fact::Detail;

/// Steps taken to follow names and values, and facts found, in a file.
fn work(text: &str) -> (u64, usize) {
    let parsed = ruff_python_parser::parse_unchecked_source(text, PySourceType::Python);
    let mut walker = Walker::new(parsed.suite(), Detail::Dynamic);
    walker.module(parsed.suite());
    (walker.scopes.steps(), walker.finish().0.facts.len())
}

/// `n` lines.
fn lines(n: usize, line: impl Fn(usize) -> String) -> String {
    (0..n).map(line).collect::<Vec<_>>().concat()
}

/// Makes a file of a size.
type File = fn(usize) -> String;

/// Files of a size `n`, by kinds of code that could cost more than their length.
const FILES: &[(&str, File)] = &[
    ("a constant for each use", |n| {
        lines(n, |i| format!("A{i} = 1\n"))
            + &lines(n, |i| format!("torch.device(f'cuda:{{A{i}}}')\n"))
    }),
    ("names that lead to names", |n| {
        lines(n, |i| format!("A{} = A{i}\n", i + 1))
            + &lines(n, |i| format!("torch.device(A{i})\n"))
    }),
    ("constants of a class", |n| {
        let class = "class C:\n".to_owned() + &lines(n, |i| format!("  A{i} = 1\n"));
        class + &lines(n, |i| format!("torch.cuda.set_device(C.A{i})\n"))
    }),
    ("classes that extend each other", |n| {
        lines(n, |i| format!("class A{}(A{i}): pass\n", i + 1))
            + &lines(n, |i| format!("torch.cuda.set_device(A{i}.X)\n"))
    }),
    ("a long mapping by key", |n| {
        let items = lines(n, |i| format!("'k{i}': 1, "));
        format!("D = {{{items}}}\n") + &lines(n, |i| format!("torch.cuda.set_device(D['k{i}'])\n"))
    }),
    ("a long mapping in many calls", |n| {
        let items = lines(n, |i| format!("'CUDA_{i}': '1', "));
        format!("import os\nD = {{{items}}}\n") + &"os.environ.update(D)\n".repeat(n)
    }),
    ("a long list in many loops", |n| {
        format!("D = [{}]\n", "1, ".repeat(n))
            + &"for i in D:\n  torch.cuda.set_device(i)\n".repeat(n)
    }),
    ("one call with many arguments", |n| {
        format!(
            "import torch\nf({}{})\n",
            "1, ".repeat(n),
            "default=1, device=a, ".repeat(n)
        )
    }),
    ("functions without names in each other", |n| {
        format!("y = 1\nx = {}y\n", "lambda a=y: ".repeat(n))
    }),
    ("calls in each other", |n| {
        "str(".repeat(n) + "1" + &")".repeat(n)
    }),
    ("chains", |n| "a".to_owned() + &".b()".repeat(n)),
    ("sums", |n| {
        "x = torch.device(a".to_owned() + &" + a".repeat(n) + ")\n"
    }),
    ("pieces of a text", |n| {
        format!("torch.device(f'{}')\n", "{a}".repeat(n))
    }),
    ("parameters under a card's name", |n| {
        let defaults = lines(n, |i| format!("a{i}_gpu_id=1, "));
        format!("def f({defaults}):\n") + &"  x = y\n".repeat(n)
    }),
    ("devices behind addresses", |n| {
        "x = ".to_owned() + &"job + ".repeat(n) + "'/GPU:1'\n" + &"y = job + '/GPU:1'\n".repeat(n)
    }),
    ("alternatives", |n| {
        format!("torch.device({}'cuda:1')\n", "a or ".repeat(n))
    }),
];

#[test]
fn work_grows_with_the_length() {
    // The pieces in each other need the stack that `read` would give them.
    let all = std::thread::Builder::new().stack_size(256 << 20).spawn(|| {
        for (what, file) in FILES {
            let (steps, facts) = work(&file(400));
            let (more_steps, more_facts) = work(&file(1_600));
            assert!(
                more_steps <= 5 * steps + 1_000,
                "{what}: {steps} steps, then {more_steps}"
            );
            assert!(
                more_facts <= 5 * facts + 100,
                "{what}: {facts} facts, then {more_facts}"
            );
        }
    });
    all.unwrap().join().unwrap();
}
