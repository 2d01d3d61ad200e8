//! Files by which fuzzing found a fix that kept less than it promises.

use super::{Safety, scanner};
use crate::git::RepoPath;
use crate::scan::FixResult;

#[test]
fn what_is_listed_on_demand_changes_no_fix() {
    let path = RepoPath::new("a.py");
    for code in [
        // All its facts are what the open bracket swallows.
        "import onnxruntime as ort\nort.InferenceSession('', \"\"d\nos.environ['CUDA_VISIBLE_DEVICES'] = '0'\n",
        // What the first line selects is told only to who asks for it.
        "d = f'cuda:{n}'\nos.environ['CUDA_DEVICE_ORDER'] = 'PCI_BUS_ID'\nx.cuda(1)\n",
    ] {
        let plain = scanner().scan(&path, code.as_bytes());
        let listing = scanner().listing_dynamic().scan(&path, code.as_bytes());
        assert!(!listing.dynamic.is_empty(), "{code}");
        let fixes = plain.findings.iter().map(|finding| &finding.fix);
        let listed = listing.findings.iter().map(|finding| &finding.fix);
        assert!(fixes.clone().any(Option::is_some), "{code}");
        assert!(fixes.eq(listed), "{code}");
    }
}

#[test]
fn a_fix_after_which_the_finding_is_still_there_is_none() {
    let path = RepoPath::new("a.py");
    for code in [
        // Two cards are more than the mask would show.
        "import os\nos.system('torchrun --nproc_per_node=2 a.py')\n",
        // The program's own variable would have another value.
        "import os\nos.system('CUDA_VISIBLE_DEVICES=' + str(args.gpus))\n",
        "import os\nos.system('export CUDA_VISIBLE_DEVICES=0')\n",
    ] {
        assert!(!scanner().scan(&path, code.as_bytes()).findings.is_empty());
        let fixed = scanner().fix(&path, code.as_bytes(), Safety::Unsafe);
        assert!(matches!(fixed.result, FixResult::Nothing), "{code}");
    }
    for code in [
        "import os\nos.system('torchrun --nproc_per_node=1 a.py')\n",
        "import os\nos.system('export CUDA_VISIBLE_DEVICES=1')\n",
    ] {
        let fixed = scanner().fix(&path, code.as_bytes(), Safety::Unsafe);
        assert!(matches!(fixed.result, FixResult::Mended { .. }), "{code}");
        assert!(fixed.scan.findings.is_empty(), "{code}");
    }
}

#[test]
fn what_may_be_other_code_or_a_comment_is_not_taken_out() {
    let path = RepoPath::new("a.py");
    let late = "import os, torch\ntorch.cuda.init()\n";
    for (code, kept) in [
        // The open bracket makes all of it one statement.
        (
            "os.environ.setdefault('CUDA_DEVICE_ORDER', 'PCI_BUS_ID', x.save(y)\n",
            "x.save(y)",
        ),
        (
            "os.environ['CUDA_VISIBLE_DEVICES'] = (\n    # the larger\n    '1'\n)\n",
            "# the larger",
        ),
    ] {
        let code = format!("{late}{code}");
        let fixed = scanner().fix(&path, code.as_bytes(), Safety::Unsafe);
        if let FixResult::Mended { content, .. } = fixed.result {
            let after = String::from_utf8(content).unwrap();
            assert!(after.contains(kept), "{code}\n---\n{after}");
        }
    }
    // One that ends before the error still moves.
    let code = format!("{late}os.environ['CUDA_VISIBLE_DEVICES'] = '1'\nx.to(y\n");
    let fixed = scanner().fix(&path, code.as_bytes(), Safety::Unsafe);
    assert!(fixed.scan.findings.is_empty(), "{:?}", fixed.scan.findings);
}

#[test]
fn a_mask_among_a_devices_mapping_is_mended_once() {
    let code = "import os\nx = f(device={**os.environ, 'CUDA_VISIBLE_DEVICES': '0'})\n";
    let fixed = scanner().fix(&RepoPath::new("a.py"), code.as_bytes(), Safety::Safe);
    let FixResult::Mended { content, .. } = fixed.result else {
        panic!("{:?}", fixed.result);
    };
    let mended = code.replace("'0'", "'1'");
    assert!(String::from_utf8(content).unwrap().ends_with(&mended[10..]));
}

#[test]
fn one_text_for_two_variables_is_left() {
    let path = RepoPath::new("a.py");
    let code =
        "import os\nos.environ['CUDA_VISIBLE_DEVICES'] = os.environ['CUDA_DEVICE_ORDER'] = '1'\n";
    let fixed = scanner().fix(&path, code.as_bytes(), Safety::Unsafe);
    assert!(
        matches!(fixed.result, FixResult::Nothing),
        "{:?}",
        fixed.result
    );
    assert!(!fixed.scan.findings.is_empty());
}
