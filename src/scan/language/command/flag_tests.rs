//! The flags of programs: every row's example, and what options of unknown programs are.

use super::*;
use crate::scan::catalogue::flag::{Takes, all_flags};
use crate::scan::fact::{Cards, Value};

fn facts(text: &str) -> Vec<Fact> {
    script(text, When::Loading, Exports::Own).facts
}

#[test]
fn every_flag_takes_what_its_example_says() {
    for flag in all_flags() {
        let found = facts(flag.example);
        let expected = match flag.takes {
            Takes::Count | Takes::Processes | Takes::Settings => FactKind::TakesCount {
                count: Value::Known(2),
            },
            Takes::Index | Takes::Device | Takes::Named | Takes::Opened => FactKind::SelectIndex {
                index: Value::Known(1),
            },
            Takes::Cards => FactKind::LauncherFlag {
                flag: flag.names[0].to_owned(),
                cards: Cards::Listed(vec!["1".to_owned()]),
            },
        };
        let kinds: Vec<&FactKind> = found.iter().map(|fact| &fact.kind).collect();
        assert_eq!(kinds, [&expected], "{}", flag.example);
    }
}

#[test]
fn options_are_cards_by_their_name_or_value() {
    for (text, expected) in [
        ("python a.py --gpu_id 1", Some(1)),
        ("python a.py --gpu-ids=1", Some(1)),
        ("python a.py --gpu 1", Some(1)),
        ("python a.py --device 1", None),
        ("python a.py --device 1 --epochs 3", Some(1)),
        ("python a.py --device 1 # on the GPU", Some(1)),
        ("python train.py --device 1", Some(1)),
        ("python -m pkg.infer --device-id 1", Some(1)),
        ("python zigbee.py --device 1", None),
        ("# ROCm is not needed\npython a.py --gpu 1", Some(1)),
        ("pip install torch-rocm\npython a.py --gpu 1", None),
        ("python a.py --device=cuda:1", Some(1)),
        ("python a.py model.device=cuda:1", Some(1)),
        ("python a.py trainer.devices=[1]", Some(1)),
        ("./run.sh --device cuda:1", Some(1)),
        ("./run.sh --gpu_id 1", Some(1)),
        ("./run.sh --gpu 1", None),
        ("run.pl --gpu 1 log/a.log python a.py", None),
        ("torchrun --nnodes 1 a.py --gpu 1", Some(1)),
        ("./run.sh --device 1", None),
        ("python a.py --gpus 1", None),
        ("python a.py --devices 1", None),
        ("python a.py --num_gpus 1", None),
        ("python a.py --cuda 1", None),
        ("python a.py --gpu_id -1", None),
        ("python a.py --gpu_id", None),
        ("python a.py --gres gpu:1", None),
        ("python a.py --device npu:1", None),
        ("python a.py --device mps", None),
        ("python microphone.py --device 1", None),
        ("python a.py --seed 1", None),
        ("echo --device cuda:1", None),
        ("git commit -m cuda:1 --author cuda:1", None),
    ] {
        let indices: Vec<u32> = facts(text)
            .iter()
            .filter_map(|fact| match &fact.kind {
                FactKind::SelectIndex { index } => index.known().copied(),
                FactKind::SelectEither { numbers } => numbers.first().copied(),
                _ => None,
            })
            .collect();
        assert_eq!(indices, Vec::from_iter(expected), "{text}");
    }
}

#[test]
fn long_and_deep_scripts_take_no_longer_than_their_length() {
    let began = std::time::Instant::now();
    for piece in [
        "$(",
        "${",
        "`",
        "<<a ",
        "(",
        "\"$(",
        "'",
        "\"",
        "a=(",
        "$a$a$a",
        "<(",
        "((",
        "{ ",
        "if ",
        "case x in a) ",
        "env -u X ",
        "sudo ",
        "bash -c '",
        "A=$A",
        "\\\n",
        "python -c \"",
        "{{",
        "{{ a }}",
        "{% a ",
        "x=[a ",
        "x=<a b ",
        "%(a",
        "$[",
        "f() { export CUDA_DEVICE_ORDER=1; }; ",
        "(export CUDA_DEVICE_ORDER=1; ",
        "python a.py --gpu 1 ",
    ] {
        let text = format!(
            "a=\"1 2 3 4 5 6 7 8\"\ncuda {}",
            piece.repeat(100_000 / piece.len())
        );
        script(&text, When::Loading, Exports::Own);
        script(&text.replace(' ', "\n"), When::Loading, Exports::Own);
    }
    // Far more than it takes; a square of the length would take hours.
    assert!(began.elapsed().as_secs() < 60);
}
