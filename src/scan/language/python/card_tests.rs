//! Each row of the catalogue reads its example, and what is beside the rows.

use super::tests::{facts, selects};
use crate::scan::catalogue;
use crate::scan::fact::{Fact, FactKind, Value};

/// How often the facts of a text say this.
fn times(facts: &[Fact], kind: &FactKind) -> usize {
    facts.iter().filter(|fact| fact.kind == *kind).count()
}

#[test]
fn every_row_of_the_catalogue_reads_its_example() {
    let index = FactKind::SelectIndex {
        index: Value::Known(1),
    };
    let of_machine = FactKind::SelectMachineCard { index: 1 };
    let count = FactKind::TakesCount {
        count: Value::Known(1),
    };
    for api in catalogue::all() {
        let facts = facts(api.example).facts;
        let labelled = |kind: FactKind| {
            let mut of_kind = facts.iter().filter(|fact| fact.kind == kind);
            of_kind.any(|fact| fact.api == api.label)
        };
        if api.example.contains('1') {
            let selected = times(&facts, &index) + times(&facts, &of_machine);
            let counted = times(&facts, &count);
            assert_eq!(selected + counted, 1, "{}: {facts:?}", api.path);
        } else {
            let said = labelled(FactKind::UsesGpu) || labelled(FactKind::TakesAll);
            assert!(said, "{}: {facts:?}", api.path);
        }
    }
}

#[test]
fn every_row_that_takes_all_cards_says_when() {
    for api in catalogue::all() {
        let Some(all) = &api.all else {
            continue;
        };
        let taken = facts(all.example).facts;
        let by_label = |fact: &Fact| fact.kind == FactKind::TakesAll && fact.api == api.label;
        assert_eq!(
            taken.iter().filter(|fact| by_label(fact)).count(),
            1,
            "{}: {taken:?}",
            api.path
        );
        if api.example.contains('1') {
            let chosen = facts(api.example).facts;
            assert_eq!(
                times(&chosen, &FactKind::TakesAll),
                0,
                "{}: {chosen:?}",
                api.path
            );
        }
    }
}

#[test]
fn every_name_list_and_attribute_reads_its_example() {
    for keyword in catalogue::keywords() {
        assert_eq!(
            selects(keyword.example),
            [(1, keyword.label)],
            "{}",
            keyword.name
        );
    }
    for listing in catalogue::listings() {
        assert_eq!(
            selects(listing.example),
            [(1, listing.path)],
            "{}",
            listing.path
        );
    }
    for property in catalogue::properties() {
        assert_eq!(
            selects(property.example),
            [(1, property.path)],
            "{}",
            property.path
        );
    }
}

#[test]
fn every_option_is_a_card_with_its_evidence() {
    use catalogue::Evidence;
    for choice in catalogue::options() {
        let (name, label) = (choice.name, choice.label);
        let option = format!("import torch\np.add_argument(\"--{name}\", type=int, default=1");
        let alone: &[_] = match choice.needs {
            Evidence::File if name == "device" => &[],
            Evidence::Name | Evidence::File => &[(1, label)],
            Evidence::Use => &[],
        };
        assert_eq!(selects(&format!("{option})")), alone, "{name}");
        for used in [
            "torch.cuda.set_device(a.NAME)",
            "x = f'cuda:{a.NAME}'",
            "x = 'cuda:' + str(a.NAME)",
            "x = 'cuda:%d' % a.NAME",
            "x = 'cuda:{}'.format(a.NAME)",
            "DDP(m, device_ids=[a['NAME']])",
        ] {
            let used = used.replace("NAME", name);
            assert_eq!(
                selects(&format!("{option})\n{used}")),
                [(1, label)],
                "{used}"
            );
        }
        let masked = format!("{option})\nos.environ['CUDA_VISIBLE_DEVICES'] = str(a.{name})");
        assert_eq!(
            selects(&format!("{masked}\nx = f'cuda:{{a.{name}}}'")),
            [],
            "{name}"
        );
        assert_eq!(
            selects(&format!("{option}, help='number of GPUs')")),
            [],
            "{name}"
        );
        let elsewhere = option.replace("import torch", "import serial");
        let alone: &[_] = match choice.needs {
            Evidence::Name => &[(1, label)],
            Evidence::File | Evidence::Use => &[],
        };
        assert_eq!(selects(&format!("{elsewhere})")), alone, "{name}");
    }
}

/// The facts about all cards, and about a count of them.
fn taken(text: &str) -> Vec<(FactKind, &'static str)> {
    let is_taken =
        |kind: &FactKind| matches!(kind, FactKind::TakesAll | FactKind::TakesCount { .. });
    let facts = facts(text).facts.into_iter();
    facts
        .filter(|fact| is_taken(&fact.kind))
        .map(|fact| (fact.kind, fact.api))
        .collect()
}

#[test]
fn calls_that_take_all_cards_or_a_count_are_told_apart() {
    let count = |count| FactKind::TakesCount {
        count: Value::Known(count),
    };
    let all = || FactKind::TakesAll;
    let trainer = "lightning.pytorch.Trainer";
    for (call, expected) in [
        ("pl.Trainer(devices=2)", vec![(count(2), trainer)]),
        ("pl.Trainer(gpus='2')", vec![(count(2), trainer)]),
        ("pl.Trainer(devices='auto')", vec![(all(), trainer)]),
        ("pl.Trainer(gpus=-1)", vec![(all(), trainer)]),
        ("pl.Trainer(accelerator='gpu')", vec![(all(), trainer)]),
        ("pl.Trainer(accelerator='auto')", vec![]),
        ("pl.Trainer(accelerator='cpu', devices=2)", vec![]),
        ("pl.Trainer(accelerator='gpu', **rest)", vec![]),
        ("pl.Trainer(devices=[1])", vec![]),
        ("pl.Trainer(gpus=0)", vec![]),
        ("pl.Trainer(gpus=True)", vec![]),
        ("load(device_map='auto')", vec![(all(), "device_map=")]),
        ("load(device_map='auto', max_memory={1: 2})", vec![]),
        ("load(device_map='cpu')", vec![]),
        (
            "d = 'auto'\nload(device_map=d)",
            vec![(all(), "device_map=")],
        ),
        (
            "device_map = 'auto'\nload(device_map=device_map)",
            vec![(all(), "device_map=")],
        ),
        (
            "torch.nn.DataParallel(m)",
            vec![(all(), "torch.nn.DataParallel")],
        ),
        (
            "torch.nn.DataParallel(m, None)",
            vec![(all(), "torch.nn.DataParallel")],
        ),
        ("torch.nn.DataParallel(m, ids)", vec![]),
        ("torch.nn.DataParallel(*m)", vec![]),
        ("Llama(n_gpu_layers=0)", vec![]),
        ("Llama(n_gpu_layers=n)", vec![]),
        ("Llama(n_gpu_layers=9, split_mode=0)", vec![]),
        ("TrainingArguments('o', use_cpu=True)", vec![]),
        (
            "LLM('m', tensor_parallel_size=2)",
            vec![(count(2), "vllm.LLM")],
        ),
    ] {
        let imports = "import torch, pytorch_lightning as pl\nfrom llama_cpp import Llama\n\
                       from vllm import LLM\nfrom transformers import TrainingArguments\n";
        assert_eq!(taken(&format!("{imports}{call}")), expected, "{call}");
    }
    let auto = facts("load(device_map='auto')").facts;
    assert_eq!(times(&auto, &FactKind::UsesGpu), 1, "{auto:?}");
}

#[test]
fn the_mask_of_workers_is_theirs() {
    use crate::scan::fact::Whose;
    for (mask, value) in [
        ("[1]", Value::Known("1".to_owned())),
        ("'0,1'", Value::Known("0,1".to_owned())),
        ("[0, 1]", Value::Known("0,1".to_owned())),
        ("pick()", Value::Dynamic),
    ] {
        let text =
            format!("import dask_cuda\ndask_cuda.LocalCUDACluster(CUDA_VISIBLE_DEVICES={mask})");
        let facts = facts(&text).facts;
        let writes: Vec<_> = facts
            .iter()
            .filter_map(|fact| match &fact.kind {
                FactKind::SetVariable(write) => Some((write.whose, &write.value)),
                _ => None,
            })
            .collect();
        assert_eq!(writes, [(Whose::Child, &value)], "{mask}");
        assert_eq!(times(&facts, &FactKind::TakesAll), 0, "{mask}");
    }
}

#[test]
fn half_written_cards_never_stop_the_reader() {
    let whole = "import torch, faiss, jax\n@click.option('--gpu-id', default='0,1', help='é')\n\
                 class C:\n    gpu: int = 1\n    gpu_id: 'é' = field(default=1)\n\
                 c = faiss.GpuIndexFlatConfig()\nc.device = 1\n\
                 x = jax.devices('gpu')[1:2], jax.devices()[-1], gpus[1:][0]\n\
                 Llama(n_gpu_layers=-1, tensor_split=[0, 1.5, -2, x], max_memory={1: '2é', x: 1})\n\
                 CatBoostClassifier(devices='0-1', task_type='GPU')\nTrainer(devices='1,')\n\
                 p = [('CUDAExecutionProvider', {'device_id': '1', **o})]\n\
                 LocalCUDACluster(CUDA_VISIBLE_DEVICES=[1, *x])\nf(**{'gpu_id': 1})\n\
                 os.environ['CUDA_VISIBLE_DEVICES'] = str(a.gpu)\nx = f'cuda:{a.gpu}'\n\
                 def f(gpu_id=1, device=[1], é_gpu_id='1', visible_gpus='0,é'): gpu_id = 1\n\
                 x = job + '/GPU:1', f'{a}/gpu:1', '/job:%d/gpu:1' % i, LazyLoader('torch', g)\n";
    for (end, _) in whole.char_indices() {
        facts(&whole[..end]);
        facts(&whole[end..]);
    }
}

#[test]
fn depth_does_not_matter_to_what_is_known_of_the_whole_file() {
    let deep = 5_000;
    let option = "import torch\np.add_argument('--gpu', type=int, default=1)\n";
    for text in [
        format!(
            "{}1{}",
            "f('CUDA_VISIBLE_DEVICES', ".repeat(deep),
            ")".repeat(deep)
        ),
        format!(
            "{}1{}",
            "{'CUDA_VISIBLE_DEVICES': ".repeat(deep),
            "}".repeat(deep)
        ),
        format!("x.cuda({}1{})", "[".repeat(deep), "]".repeat(deep)),
        format!("x.cuda({}1{})", "str(".repeat(deep), ")".repeat(deep)),
        format!("x = 'cuda:'{}", " + a".repeat(deep)),
        format!("x = jax.devices(){}", "[1]".repeat(deep)),
        format!("f(max_memory={}1{})", "{1: ".repeat(deep), "}".repeat(deep)),
    ] {
        facts(&format!("{option}{text}\n"));
    }
}
