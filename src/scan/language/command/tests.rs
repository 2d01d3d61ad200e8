//! What command lines say about GPUs.

use super::*;
use crate::scan::fact::{Cards, Value};

/// Facts as words: `CUDA_VISIBLE_DEVICES=1 Child`, `deepspeed --include Listed(["1"])`.
fn read(text: &str) -> Vec<String> {
    command_facts(text, When::Loading)
        .iter()
        .map(|fact| {
            let span = fact.span;
            assert!(
                text.get(span.start..span.end).is_some(),
                "{span:?} in {text}"
            );
            words_of(fact)
        })
        .collect()
}

fn words_of(fact: &Fact) -> String {
    match &fact.kind {
        FactKind::SetVariable(write) => {
            let value = match &write.value {
                Value::Known(value) => value.as_str(),
                Value::Dynamic => "?",
                Value::Absent => "-",
            };
            format!("{}={value} {:?}", write.name, write.whose)
        }
        FactKind::LauncherFlag { flag, cards } => format!("{} {flag} {cards:?}", fact.api),
        FactKind::Container(cards) => format!("container {cards:?}"),
        FactKind::TakesCount { count } => format!("{} count {count:?}", fact.api),
        FactKind::TakesAll => format!("{} all", fact.api),
        other => format!("{other:?}"),
    }
}

#[test]
fn variables_are_somebodys() {
    const V: &str = "CUDA_VISIBLE_DEVICES";
    for (text, expected) in [
        ("V=1 python a.py", &["V=1 Child"][..]),
        ("V='1' python a.py", &["V=1 Child"]),
        ("V=\"0,1\" python a.py", &["V=0,1 Child"]),
        ("V= python a.py", &["V= Child"]),
        ("V=$GPU python a.py", &["V=? Child"]),
        ("V='$GPU' python a.py", &["V=$GPU Child"]),
        (
            "V=$(pick; x) python a.py; V=1 b",
            &["V=? Child", "V=1 Child"],
        ),
        ("V=`pick` python a.py", &["V=? Child"]),
        ("A=1 V=1 B=2 nohup python a.py > log 2>&1 &", &["V=1 Child"]),
        ("env V=1 python a.py", &["V=1 Child"]),
        ("env -u X V=1 python a.py", &["V=1 Child"]),
        ("timeout 10m env V=1 python a.py", &["V=1 Child"]),
        ("time V=1 python a.py", &["V=1 Child"]),
        ("export V=1", &["V=1 Nobody"]),
        ("export V=1; cd /x", &["V=1 Nobody"]),
        ("export V=1 && python a.py", &["V=1 Child"]),
        ("export V=1\npython a.py\n", &["V=1 Child"]),
        ("declare -x V=1; python a.py", &["V=1 Child"]),
        ("set -x V 1; python a.py", &["V=1 Child"]),
        ("set V=0 && python a.py", &["V=0 Child"]),
        ("set V=0", &["V=0 Nobody"]),
        ("V=1; python a.py", &["V=1 Nobody"]),
        ("V=1; export V; python a.py", &["V=1 Child"]),
        ("V=1 sudo python a.py", &["V=1 Nobody"]),
        ("export V=1; sudo python a.py", &["V=1 Nobody"]),
        ("V=1 sudo -E python a.py", &["V=1 Child"]),
        ("V=1 sudo --preserve-env=V python a.py", &["V=1 Child"]),
        ("sudo V=1 python a.py", &["V=1 Child"]),
        ("sudo -u me env V=1 python a.py", &["V=1 Child"]),
        ("bash -c 'V=1 python a.py'", &["V=1 Child"]),
        ("bash -lc \"export V=1\"", &["V=1 Nobody"]),
        ("# V=1 python a.py", &[]),
        ("echo V=1", &[]),
        ("grep V=1 file", &[]),
        ("echo 'V=1 python'", &[]),
        ("PATH=1 python a.py", &[]),
        (
            "V=0 python a.py; V=1 python b.py",
            &["V=0 Child", "V=1 Child"],
        ),
        ("cd x &&\\\n V=1 python a.py", &["V=1 Child"]),
    ] {
        let expected: Vec<String> = expected
            .iter()
            .map(|line| line.replacen("V=", &format!("{V}="), 1))
            .collect();
        let text = text
            .replace("V=", &format!("{V}="))
            .replace("export V;", &format!("export {V};"));
        let text = text.replace("-x V 1", &format!("-x {V} 1"));
        assert_eq!(read(&text), expected, "{text}");
    }
}

#[test]
fn launchers_choose_cards() {
    for (text, expected) in [
        (
            "deepspeed --include localhost:1 a.py",
            &["deepspeed --include Listed([\"1\"])"][..],
        ),
        (
            "deepspeed --include=localhost:0,1 a.py",
            &["deepspeed --include Listed([\"0\", \"1\"])"],
        ),
        (
            "deepspeed --include localhost a.py",
            &["deepspeed --include All"],
        ),
        (
            "deepspeed --include worker-0:1 a.py",
            &["deepspeed --include Dynamic"],
        ),
        (
            "deepspeed --exclude localhost:0 a.py",
            &["deepspeed --exclude AllBut([\"0\"])"],
        ),
        (
            "deepspeed --num_gpus 2 a.py",
            &["deepspeed --num_gpus Count(2)"],
        ),
        (
            "deepspeed --num_gpus=$N a.py",
            &["deepspeed --num_gpus Dynamic"],
        ),
        ("deepspeed a.py --num_gpus 2", &[]),
        (
            "python -m accelerate.commands.launch --gpu_ids 1 a.py",
            &["accelerate launch --gpu_ids Listed([\"1\"])"],
        ),
        (
            "accelerate launch --gpu_ids 0,1 a.py",
            &["accelerate launch --gpu_ids Listed([\"0\", \"1\"])"],
        ),
        (
            "accelerate launch --gpu_ids all a.py",
            &["accelerate launch all"],
        ),
        (
            "accelerate launch --num_processes 2 a.py",
            &["accelerate launch count Known(2)"],
        ),
        ("accelerate launch --cpu --num_processes 2 a.py", &[]),
        ("accelerate config", &[]),
        ("torchrun --nproc-per-node=gpu a.py", &["torchrun all"]),
        (
            "torchrun --nproc_per_node 2 a.py",
            &["torchrun count Known(2)"],
        ),
        ("torchrun a.py --nproc_per_node 2", &[]),
        (
            "python3 -m torch.distributed.run --nproc_per_node=2 a.py",
            &["torchrun count Known(2)"],
        ),
        (
            "CUDA_VISIBLE_DEVICES=0,1 torchrun --nproc_per_node=2 a.py",
            &["CUDA_VISIBLE_DEVICES=0,1 Child"],
        ),
        (
            "vllm serve m --tensor-parallel-size 2",
            &["vllm count Known(2)"],
        ),
        ("echo deepspeed --num_gpus 2", &[]),
    ] {
        assert_eq!(read(text), expected, "{text}");
    }
}

#[test]
fn containers_get_cards() {
    for (text, expected) in [
        ("docker run --gpus all image", &["container All"][..]),
        (
            "docker run --rm -it --gpus=2 image",
            &["container Count(2)"],
        ),
        (
            "docker run --gpus '\"device=0,1\"' image",
            &["container Listed([\"0\", \"1\"])"],
        ),
        (
            "docker run --gpus device=GPU-1234 -v /a:/b image",
            &["container Listed([\"GPU-1234\"])"],
        ),
        ("sudo docker run --gpus $G image", &["container Dynamic"]),
        (
            "podman run --device nvidia.com/gpu=0 --device nvidia.com/gpu=1 image",
            &["container Listed([\"0\", \"1\"])"],
        ),
        (
            "podman run --device=nvidia.com/gpu=all image",
            &["container All"],
        ),
        (
            "docker run --gpus device=1 -e CUDA_VISIBLE_DEVICES=1 --env=NVIDIA_VISIBLE_DEVICES=all image",
            &[
                "container Listed([\"1\"])",
                "CUDA_VISIBLE_DEVICES=1 Container",
                "NVIDIA_VISIBLE_DEVICES=all Container",
            ],
        ),
        ("docker run image train --gpus all", &[]),
        ("docker build --gpus all .", &[]),
        ("docker run --device /dev/video0 image", &[]),
    ] {
        assert_eq!(read(text), expected, "{text}");
    }
    let words = ["docker", "run", "--gpus", "device=0", "image"].map(|text| Word {
        text: text.to_owned(),
        ..Word::default()
    });
    let facts = word_facts(&words, When::Called);
    assert_eq!(
        facts[0].kind,
        FactKind::Container(Cards::Listed(vec!["0".to_owned()]))
    );
}

#[test]
fn a_value_is_known_by_its_place_where_it_is_written_whole() {
    for (written, expected) in [
        ("0", Some("0")),
        ("'0,1'", Some("0,1")),
        ("\"0,1\"", Some("0,1")),
        ("'é'", Some("é")),
        ("0\\,1", None),
        ("\"0\\$1\"", None),
        ("0\",1\"", None),
        ("\"0\"\",1\"", None),
        ("\"0\",1", None),
        ("$GPU", Some("$GPU")),
    ] {
        let text = format!("CUDA_VISIBLE_DEVICES={written} python a.py");
        let facts = command_facts(&text, When::Loading);
        let place = facts[0].value.map(|span| &text[span.start..span.end]);
        assert_eq!(place, expected, "{text}");
    }
    let text = "export 'CUDA_VISIBLE_DEVICES=0'";
    assert_eq!(command_facts(text, When::Loading)[0].value, None);
}

#[test]
fn a_here_document_is_no_command() {
    const V: &str = "CUDA_VISIBLE_DEVICES=0";
    for (text, expected) in [
        ("cat > run.sh <<EOF\nexport V\nEOF\n", &[][..]),
        ("cat <<'EOF' > a\nV python a.py\nEOF\nV b\n", &["V Child"]),
        ("cat <<-EOF | tee a\n\tV x\n\tEOF\nV b\n", &["V Child"]),
        ("V python - << END\nV x\nEND\n", &["V Child"]),
        ("cat <<< x; V b\n", &["V Child"]),
        ("read a <<< \"$b\"\nV b\nx\n", &["V Child"]),
        ("cat <<", &[]),
        ("cat <<\nV b\n", &[]),
        ("cat <<EOF\nV b", &[]),
    ] {
        let expected: Vec<String> = expected.iter().map(|fact| fact.replace('V', V)).collect();
        assert_eq!(read(&text.replace('V', V)), expected, "{text}");
    }
}

#[test]
fn half_written_commands_never_stop_the_reader() {
    let whole = "export CUDA_VISIBLE_DEVICES=\"1 $(x 'y' && z)\" `q`; env -u A sudo -E bash -c \
                 'docker run --gpus \"device=0\" -e X=\u{e9} i' 2>&1 | tee \\\n log # end";
    for (end, _) in whole.char_indices() {
        read(&whole[..end]);
        read(&whole[end..]);
    }
    let deep = format!("{} CUDA_VISIBLE_DEVICES=1 x", "env ".repeat(10_000));
    assert_eq!(read(&deep).len(), 1);
    read(&"(".repeat(10_000));
    read(&"'\"".repeat(10_000));
}
